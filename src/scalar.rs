//! [`Scalar`]: what an element of a matrix must be able to do.

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
mod running_error;
mod strict;

pub use dual::Dual;
pub use interval::Interval;
pub use running_error::{Rounded, RunningError};
pub use strict::Strict;

use crate::Zeroed;
use crate::gemm::portable;
use core::fmt::Debug;
use core::ops::{AddAssign, Div, DivAssign, MulAssign, Neg, Sub, SubAssign};
use num_traits::{ConstOne, ConstZero};

/// The element of every vector, matrix and network: `f32`, `f64`, or a type of your own.
///
/// Zero, one and the algebra come from the operators and from num-traits. Five methods are required; everything else
/// has a body in terms of them, so that a scalar that carries more than a number ([`Dual`], an interval, a running
/// error) is right as soon as its operators, `exp`, `ln` and `sqrt` are. Override the others for precision or speed.
///
/// Layers branch through [`maximum`](Scalar::maximum), [`minimum`](Scalar::minimum), [`abs`](Scalar::abs) and
/// [`if_positive`](Scalar::if_positive) alone: a scalar can override these four to see, or to widen, every branch.
///
/// The example `custom_scalar` is a fixed-point number that trains.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a scalar of a network",
    note = "`f32`, `f64`, `Strict<f32>`, `Dual`, `RunningError` and `Interval` are; a type of your own implements `chainrule::Scalar`"
)]
pub trait Scalar:
    Zeroed
    + Copy
    + Debug
    + PartialOrd
    + ConstZero
    + ConstOne
    + Neg<Output = Self>
    + Sub<Output = Self>
    + Div<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Send
    + Sync
{
    /// The nearest scalar to `value`.
    fn from_f64(value: f64) -> Self;

    /// The value as `f64`, without whatever else the scalar carries.
    fn to_f64(self) -> f64;

    /// eˣ.
    #[must_use]
    fn exp(self) -> Self;

    /// The natural logarithm; NaN below zero, −∞ at zero, where the scalar has them.
    #[must_use]
    fn ln(self) -> Self;

    /// The square root; NaN below zero, where the scalar has it.
    #[must_use]
    fn sqrt(self) -> Self;

    /// Neither NaN nor infinite.
    fn is_finite(self) -> bool {
        self.to_f64().is_finite()
    }

    /// The larger of the two; NaN if either is.
    #[must_use]
    #[inline]
    fn maximum(self, other: Self) -> Self {
        // A NaN on either side makes the comparison false, and the sum hands it on.
        if self > other {
            self
        } else if other >= self {
            other
        } else {
            self + other
        }
    }

    /// The smaller of the two; NaN if either is.
    #[must_use]
    #[inline]
    fn minimum(self, other: Self) -> Self {
        -((-self).maximum(-other))
    }

    /// |x|.
    #[must_use]
    #[inline]
    fn abs(self) -> Self {
        self.maximum(-self)
    }

    /// `yes` where `self` is above zero, else `no`.
    #[must_use]
    #[inline]
    fn if_positive(self, yes: Self, no: Self) -> Self {
        if self > Self::ZERO { yes } else { no }
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

    /// Runs `body` compiled for the widest vectors of this machine, where the scalar has any: put elementwise loops
    /// inside. The body must not depend on it for more than speed.
    #[inline(always)]
    fn vectorized<R>(body: impl FnOnce() -> R) -> R {
        body()
    }

    /// Z ← W·X + b·1ᵀ, columns contiguous; `f32` and `f64` override it with their kernels.
    #[inline]
    fn affine<const OUT: usize, const IN: usize, const B: usize>(
        weights: &[[Self; OUT]; IN],
        x: &[[Self; IN]; B],
        bias: &[Self; OUT],
        z: &mut [[Self; OUT]; B],
    ) {
        portable::forward(weights, x, bias, z);
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

    /// G ← G + Δ·Xᵀ, columns contiguous; `f32` and `f64` override it with their kernels.
    #[inline]
    fn add_outer_product<const OUT: usize, const IN: usize, const B: usize>(
        delta: &[[Self; OUT]; B],
        x: &[[Self; IN]; B],
        gradient: &mut [[Self; OUT]; IN],
    ) {
        portable::gradient(delta, x, gradient);
    }
}
