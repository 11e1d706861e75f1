use super::{Real, Scalar};
use core::fmt;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};
use num_traits::{ConstOne, ConstZero, One, Zero};

/// A scalar with the same bits everywhere: sums in a fixed order, no fused operation, elementary functions in plain
/// arithmetic. `Digits<Strict<f32>>` trains to the same bytes on a server, on a microcontroller and in WebAssembly.
///
/// It is slower than the number inside, since it leaves the fast kernels alone, and otherwise behaves like it. For a small
/// network on AVX-512 that is about three times (`cargo test --release --test same_bits -- --ignored --nocapture` prints it).
/// Of a NaN only that it is one is the same everywhere.
///
/// ```
/// use chainrule::{Real, Strict};
/// assert_eq!(Strict(1.0_f32).exp().0.to_bits(), 0x402d_f854); // e, on every machine
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Strict<T>(
    /// The number itself.
    pub T,
);

crate::__impl_zeroed!([T: Scalar] Strict<T>, Strict(T::ZEROED));

impl<T: fmt::Display> fmt::Display for Strict<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! forward_operators {
    ($($Trait:ident $method:ident),*) => { $(
        impl<T: Scalar> $Trait for Strict<T> {
            type Output = Self;
            #[inline]
            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(other.0))
            }
        }
    )* };
}
forward_operators!(Add add, Sub sub, Mul mul, Div div);
super::assign_operators!([T: Scalar] Strict<T>);

impl<T: Scalar> Neg for Strict<T> {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl<T: Scalar> Zero for Strict<T> {
    fn zero() -> Self {
        Self(T::ZERO)
    }
    fn is_zero(&self) -> bool {
        self.0.is_zero()
    }
}

impl<T: Scalar> One for Strict<T> {
    fn one() -> Self {
        Self(T::ONE)
    }
}

impl<T: Scalar> ConstZero for Strict<T> {
    const ZERO: Self = Self(T::ZERO);
}

impl<T: Scalar> ConstOne for Strict<T> {
    const ONE: Self = Self(T::ONE);
}

impl<T: Scalar> Real for Strict<T> {
    fn from_f64(value: f64) -> Self {
        Self(T::from_f64(value))
    }
    #[inline]
    fn if_positive(self, yes: Self, no: Self) -> Self {
        Self(self.0.if_positive(yes.0, no.0))
    }
    #[inline]
    fn maximum(self, other: Self) -> Self {
        Self(self.0.maximum(other.0))
    }
    #[inline]
    fn minimum(self, other: Self) -> Self {
        Self(self.0.minimum(other.0))
    }
    #[inline]
    fn abs(self) -> Self {
        Self(self.0.abs())
    }
    #[inline]
    fn exp(self) -> Self {
        Self(self.0.exp())
    }
    #[inline]
    fn ln(self) -> Self {
        Self(self.0.ln())
    }
    #[inline]
    fn sqrt(self) -> Self {
        Self(self.0.sqrt())
    }
    #[inline]
    fn exp_m1(self) -> Self {
        Self(self.0.exp_m1())
    }
    #[inline]
    fn ln_1p(self) -> Self {
        Self(self.0.ln_1p())
    }
    #[inline]
    fn tanh(self) -> Self {
        Self(self.0.tanh())
    }
    #[inline]
    fn sigmoid(self) -> Self {
        Self(self.0.sigmoid())
    }
    #[inline]
    fn erf(self) -> Self {
        Self(self.0.erf())
    }
    #[inline]
    fn softplus(self) -> Self {
        Self(self.0.softplus())
    }
    #[inline]
    fn normal_cdf(self) -> Self {
        Self(self.0.normal_cdf())
    }
}

/// Products stay the portable ones of [`Scalar`], loops those over single numbers.
impl<T: Scalar> Scalar for Strict<T> {
    fn to_f64(self) -> f64 {
        self.0.to_f64()
    }
    fn is_finite(self) -> bool {
        self.0.is_finite()
    }
}
