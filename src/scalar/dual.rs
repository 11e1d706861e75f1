use super::{Real, Scalar};
use core::cmp::Ordering;
use core::fmt;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};
use num_traits::{ConstOne, ConstZero, One, Zero};

crate::zeroed! {
    /// A dual number a + a′ε with ε² = 0: `value` and its `derivative` along one direction.
    ///
    /// Run through the *forward* code of a network it yields an exact directional derivative without any backward
    /// code: the oracle against which gradients are tested. Run through the *backward* code it yields a
    /// Hessian-vector product.
    ///
    /// ```
    /// use chainrule::{Dual, Real};
    /// let x = Dual::variable(0.5_f64);
    /// let y = x.tanh() * x;
    /// let by_hand = 0.5 * (1.0 - 0.5_f64.tanh().powi(2)) + 0.5_f64.tanh();
    /// assert!((y.derivative - by_hand).abs() <= 1e-15);
    /// ```
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Dual<T: Scalar> {
        /// The number itself, a.
        pub value: T,
        /// Its derivative along the chosen direction, a′.
        pub derivative: T,
    }
}

impl<T: Scalar> Dual<T> {
    /// `value` moving along the direction with speed `derivative`.
    pub const fn new(value: T, derivative: T) -> Self {
        Self { value, derivative }
    }

    /// A number that does not move: derivative 0.
    pub const fn constant(value: T) -> Self {
        Self { value, derivative: T::ZERO }
    }

    /// The number with respect to which one differentiates: derivative 1.
    pub const fn variable(value: T) -> Self {
        Self { value, derivative: T::ONE }
    }

    /// f(a) + f′(a)·a′ε: the chain rule for a function of one number.
    #[inline]
    fn chain(self, value: T, slope: T) -> Self {
        Self { value, derivative: slope * self.derivative }
    }
}

impl<T: Scalar> PartialEq for Dual<T> {
    /// Compares the values alone, as `<` does.
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Scalar> PartialOrd for Dual<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<T: Scalar + fmt::Display> fmt::Display for Dual<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value, f)?;
        f.write_str(" + ")?;
        fmt::Display::fmt(&self.derivative, f)?;
        f.write_str("ε")
    }
}

impl<T: Scalar> Add for Dual<T> {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        Self { value: self.value + other.value, derivative: self.derivative + other.derivative }
    }
}

impl<T: Scalar> Sub for Dual<T> {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        Self { value: self.value - other.value, derivative: self.derivative - other.derivative }
    }
}

impl<T: Scalar> Mul for Dual<T> {
    type Output = Self;
    #[inline]
    fn mul(self, other: Self) -> Self {
        Self {
            value: self.value * other.value,
            derivative: self.derivative * other.value + self.value * other.derivative,
        }
    }
}

impl<T: Scalar> Div for Dual<T> {
    type Output = Self;
    #[inline]
    fn div(self, other: Self) -> Self {
        let quotient = self.value / other.value;
        Self { value: quotient, derivative: (self.derivative - quotient * other.derivative) / other.value }
    }
}

impl<T: Scalar> Neg for Dual<T> {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self { value: -self.value, derivative: -self.derivative }
    }
}

super::assign_operators!([T: Scalar] Dual<T>);

impl<T: Scalar> Zero for Dual<T> {
    fn zero() -> Self {
        Self::constant(T::ZERO)
    }
    fn is_zero(&self) -> bool {
        self.value.is_zero() && self.derivative.is_zero()
    }
}

impl<T: Scalar> One for Dual<T> {
    fn one() -> Self {
        Self::constant(T::ONE)
    }
}

impl<T: Scalar> ConstZero for Dual<T> {
    const ZERO: Self = Self::constant(T::ZERO);
}

impl<T: Scalar> ConstOne for Dual<T> {
    const ONE: Self = Self::constant(T::ONE);
}

impl<T: Scalar> Real for Dual<T> {
    fn from_f64(value: f64) -> Self {
        Self::constant(T::from_f64(value))
    }

    // The four branches ask the number inside, which may see them (a trace) or widen them (an interval). Where the
    // values are equal the derivative is that of `other`, of `−x` and of `no`, as the default methods have it.

    fn maximum(self, other: Self) -> Self {
        Self {
            value: self.value.maximum(other.value),
            derivative: (self.value - other.value).if_positive(self.derivative, other.derivative),
        }
    }

    fn abs(self) -> Self {
        Self { value: self.value.abs(), derivative: self.value.if_positive(self.derivative, -self.derivative) }
    }

    fn if_positive(self, yes: Self, no: Self) -> Self {
        Self {
            value: self.value.if_positive(yes.value, no.value),
            derivative: self.value.if_positive(yes.derivative, no.derivative),
        }
    }

    fn exp(self) -> Self {
        let e = self.value.exp();
        self.chain(e, e)
    }

    fn ln(self) -> Self {
        self.chain(self.value.ln(), T::ONE / self.value)
    }

    fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        self.chain(root, T::ONE / (root + root))
    }

    fn exp_m1(self) -> Self {
        self.chain(self.value.exp_m1(), self.value.exp())
    }

    fn ln_1p(self) -> Self {
        self.chain(self.value.ln_1p(), T::ONE / (T::ONE + self.value))
    }

    fn tanh(self) -> Self {
        let t = self.value.tanh();
        self.chain(t, T::ONE - t * t)
    }

    fn sigmoid(self) -> Self {
        let s = self.value.sigmoid();
        self.chain(s, s * (T::ONE - s))
    }

    fn erf(self) -> Self {
        let slope = T::from_f64(core::f64::consts::FRAC_2_SQRT_PI) * (-(self.value * self.value)).exp();
        self.chain(self.value.erf(), slope)
    }

    fn softplus(self) -> Self {
        self.chain(self.value.softplus(), self.value.sigmoid())
    }

    fn normal_cdf(self) -> Self {
        self.chain(self.value.normal_cdf(), super::normal_cdf::normal_density(self.value))
    }
}

impl<T: Scalar> Scalar for Dual<T> {
    fn to_f64(self) -> f64 {
        self.value.to_f64()
    }

    fn is_finite(self) -> bool {
        self.value.is_finite() && self.derivative.is_finite()
    }

    /// The largest magnitude of all values, with the largest of all derivatives.
    fn max_abs(slice: &[Self]) -> Self {
        slice.iter().fold(Self::ZERO, |largest, x| Self {
            value: largest.value.maximum(x.value.abs()),
            derivative: largest.derivative.maximum(x.derivative.abs()),
        })
    }
}
