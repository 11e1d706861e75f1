//! [`Real`]: the arithmetic of a number. [`Scalar`]: what an element of a matrix must be able to do.

/// The assigning operators, by the plain ones.
macro_rules! assign_operators {
    ([$($generics:tt)*] $type:ty) => {
        $crate::scalar::assign_operators!([$($generics)*] $type, AddAssign add_assign +, SubAssign sub_assign -,
            MulAssign mul_assign *, DivAssign div_assign /);
    };
    ([$($generics:tt)*] $type:ty, $($Trait:ident $method:ident $operator:tt),*) => {
        $crate::scalar::assign_operators!(@each [$($generics)*] [$type] $([$Trait $method $operator])*);
    };
    (@each $generics:tt $type:tt $($operation:tt)*) => {
        $($crate::scalar::assign_operators!(@one $generics $type $operation);)*
    };
    (@one [$($generics:tt)*] [$type:ty] [$Trait:ident $method:ident $operator:tt]) => {
        impl<$($generics)*> $Trait for $type {
            #[inline]
            fn $method(&mut self, other: Self) {
                *self = *self $operator other;
            }
        }
    };
}
pub(crate) use assign_operators;

mod dual;
mod float;
mod interval;
pub(crate) mod normal_cdf;
mod running_error;
mod strict;

pub use dual::Dual;
pub use interval::Interval;
pub use running_error::{Rounded, RunningError};
pub use strict::Strict;

use crate::gemm::portable;
use crate::{Activation, Zeroed};
use core::fmt::Debug;
use core::ops::{AddAssign, Div, DivAssign, MulAssign, Neg, Sub, SubAssign};
use num_traits::{ConstOne, ConstZero};

/// The arithmetic of one number, or of several at once: all that an elementwise function may do.
///
/// An [`Activation`](crate::Activation) is written over `Real` and so runs on a single number, on a whole vector register
/// (where `f32` and `f64` have the instructions), on an interval, or on a [`Dual`]. There is no comparison in it: the
/// only branches are [`maximum`](Real::maximum), [`minimum`](Real::minimum), [`abs`](Real::abs) and
/// [`if_positive`](Real::if_positive), which each of these types takes in its own way.
///
/// Zero, one and the algebra come from the operators and from num-traits. Six methods are required; all others have a
/// body in terms of them, so that a type that carries more than a number is right as soon as its operators and these
/// six are. Override the others for precision or speed.
pub trait Real:
    Copy
    + ConstZero
    + ConstOne
    + Neg<Output = Self>
    + Sub<Output = Self>
    + Div<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
{
    /// The nearest number to `value`.
    fn from_f64(value: f64) -> Self;

    /// eˣ.
    #[must_use]
    fn exp(self) -> Self;

    /// The natural logarithm; NaN below zero, −∞ at zero, where the type has them.
    #[must_use]
    fn ln(self) -> Self;

    /// The square root; NaN below zero, where the type has it.
    #[must_use]
    fn sqrt(self) -> Self;

    /// The larger of the two; NaN if either is.
    #[must_use]
    fn maximum(self, other: Self) -> Self;

    /// `yes` where `self` is above zero, else `no`, also for NaN. Both are computed.
    #[must_use]
    fn if_positive(self, yes: Self, no: Self) -> Self;

    /// The smaller of the two; NaN if either is.
    #[must_use]
    #[inline(always)]
    fn minimum(self, other: Self) -> Self {
        -((-self).maximum(-other))
    }

    /// |x|.
    #[must_use]
    #[inline(always)]
    fn abs(self) -> Self {
        self.maximum(-self)
    }

    /// eˣ − 1, precise near zero where overridden.
    #[must_use]
    fn exp_m1(self) -> Self {
        self.exp() - Self::ONE
    }

    /// ln(1 + x), precise near zero where overridden.
    #[must_use]
    fn ln_1p(self) -> Self {
        (Self::ONE + self).ln()
    }

    /// The hyperbolic tangent, (1 − e^(−2|x|)) / (1 + e^(−2|x|)) with the sign of x.
    #[must_use]
    fn tanh(self) -> Self {
        let magnitude = self.abs();
        let e = (-(magnitude + magnitude)).exp();
        let value = (Self::ONE - e) / (Self::ONE + e);
        self.if_positive(value, -value)
    }

    /// The logistic function 1 / (1 + e^(−x)), without overflow.
    #[must_use]
    fn sigmoid(self) -> Self {
        let e = (-self.abs()).exp();
        let small = e / (Self::ONE + e);
        self.if_positive(Self::ONE / (Self::ONE + e), small)
    }

    /// ln(1 + eˣ) = max(x, 0) + ln(1 + e^(−|x|)), without overflow.
    #[must_use]
    fn softplus(self) -> Self {
        self.maximum(Self::ZERO) + (-self.abs()).exp().ln_1p()
    }

    /// The error function 2/√π ∫₀ˣ e^(−t²) dt, by a series without cancellation:
    /// 2/√π · e^(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·5⋯(2n + 1)).
    #[must_use]
    fn erf(self) -> Self {
        // Beyond 6 it is ±1 to 17 digits; 120 terms are enough up to there.
        let bound = Self::from_f64(6.0);
        let x = self.minimum(bound).maximum(-bound);
        let square = x * x;
        let (mut term, mut sum) = (x, x);
        for n in 1..120 {
            term *= (square + square) / Self::from_f64(f64::from(2 * n + 1));
            sum += term;
        }
        Self::from_f64(core::f64::consts::FRAC_2_SQRT_PI) * (-square).exp() * sum
    }

    /// Φ(x) = ½·(1 + erf(x/√2)), the distribution function of the standard normal, precise in both tails.
    #[must_use]
    #[inline(always)]
    fn normal_cdf(self) -> Self {
        normal_cdf::normal_cdf(self)
    }
}

/// The element of every vector, matrix and network: `f32`, `f64`, or a type of your own.
///
/// A [`Real`] number that can be compared and shown, with the products of matrices as hooks.
///
/// The example `custom_scalar` is a fixed-point number that trains.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a scalar of a network",
    note = "`f32`, `f64`, `Strict<f32>`, `Dual`, `RunningError` and `Interval` are; a type of your own implements `chainrule::Scalar`"
)]
pub trait Scalar: Real + Zeroed + PartialOrd + Debug + Send + Sync {
    /// The value as `f64`, without whatever else the scalar carries.
    fn to_f64(self) -> f64;

    /// Neither NaN nor infinite.
    fn is_finite(self) -> bool {
        self.to_f64().is_finite()
    }

    /// max |xᵢ| of a slice, 0 of an empty one; not finite if any element is not.
    fn max_abs(slice: &[Self]) -> Self {
        slice.iter().fold(Self::ZERO, |largest, x| largest.maximum(x.abs()))
    }

    /// z ← σ(z) for every element; `f32` and `f64` override it with vector registers.
    #[inline]
    fn activate<A: Activation>(z: &mut [Self]) {
        for z in z {
            *z = A::value(*z);
        }
    }

    /// d ← d ⊙ σ′(z) for every element, σ′ evaluated at `at`, which is z or σ(z) as [`Activation::At`] says; `f32` and
    /// `f64` override it with vector registers.
    #[inline]
    fn scale_by_derivative<A: Activation>(d: &mut [Self], at: &[Self]) {
        for (d, at) in d.iter_mut().zip(at) {
            *d *= A::derivative(*at);
        }
    }

    /// For every sample: p_k ← e^(z_k − m) / Σ with Σ = Σ e^(z_i − m), m ← max z, and `log_sums` ← ln Σ: as many samples
    /// as the shortest slice has; the rest is left as it was. `f32` and `f64` override it with vector registers, for many
    /// samples at once.
    #[inline]
    fn softmax<const K: usize>(z: &[[Self; K]], p: &mut [[Self; K]], largest: &mut [Self], log_sums: &mut [Self]) {
        portable::softmax(z, p, largest, log_sums);
    }

    /// Runs `body` compiled for the widest vectors of this machine, where the scalar has any: put elementwise loops
    /// inside. The body must not depend on it for more than speed.
    #[inline(always)]
    fn vectorized<R>(body: impl FnOnce() -> R) -> R {
        body()
    }

    /// Y ← σ(W·X + b·1ᵀ), columns contiguous; `f32` and `f64` override it with their kernels.
    #[inline]
    fn dense<A: Activation, const OUT: usize, const IN: usize, const B: usize>(
        weights: &[[Self; OUT]; IN],
        x: &[[Self; IN]; B],
        bias: &[Self; OUT],
        y: &mut [[Self; OUT]; B],
    ) {
        portable::forward(weights, x, bias, y);
        Self::activate::<A>(y.as_flattened_mut());
    }

    /// D ← Wᵀ·Δ, columns contiguous; `f32` and `f64` override it with their kernels.
    #[inline]
    fn transpose_product<const OUT: usize, const IN: usize, const B: usize>(
        weights: &[[Self; OUT]; IN],
        delta: &[[Self; OUT]; B],
        d_input: &mut [[Self; IN]; B],
    ) {
        portable::backward(weights, delta, d_input);
    }

    /// G ← Δ·Xᵀ, or G ← G + Δ·Xᵀ with `ADD`, columns contiguous; `f32` and `f64` override it with their kernels.
    #[inline]
    fn outer_product<const ADD: bool, const OUT: usize, const IN: usize, const B: usize>(
        delta: &[[Self; OUT]; B],
        x: &[[Self; IN]; B],
        gradient: &mut [[Self; OUT]; IN],
    ) {
        portable::gradient::<ADD, Self, OUT, IN, B>(delta, x, gradient);
    }

    /// Calls `each` with G = Δ·Xᵀ in parts of adjacent columns, and with the number of a part's first element; `gradient` is
    /// where the parts are made, one after the other. `f32` and `f64` override it with their kernels.
    #[inline]
    fn outer_product_parts<const OUT: usize, const IN: usize, const B: usize>(
        delta: &[[Self; OUT]; B],
        x: &[[Self; IN]; B],
        gradient: &mut [[Self; OUT]; IN],
        each: impl FnMut(usize, &[Self]),
    ) {
        portable::gradient_parts(delta, x, gradient, each);
    }

    /// W ← W − η·(Δ·Xᵀ), columns contiguous; the product may be made in `room`. `f32` and `f64` override it with their kernels.
    #[inline]
    fn descend_outer_product<const OUT: usize, const IN: usize, const B: usize>(
        rate: Self,
        delta: &[[Self; OUT]; B],
        x: &[[Self; IN]; B],
        weights: &mut [[Self; OUT]; IN],
        room: &mut [[Self; OUT]; IN],
    ) {
        portable::descend(rate, delta, x, weights, room);
    }
}

/// The sign of x: 1, −1, or 0 for zero; of NaN 0, so use it beside something that hands NaN on.
#[inline(always)]
pub(crate) fn sign<T: Real>(x: T) -> T {
    x.if_positive(T::ONE, (-x).if_positive(-T::ONE, T::ZERO))
}
