use super::{Real, Scalar};
use core::cmp::Ordering;
use core::fmt;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};
use num_traits::{ConstOne, ConstZero, One, Zero};

/// A number that was computed in `T`, `f32` or `f64`, with a rigorous bound on how far the rounding errors on its way
/// may have moved it: |value − exact| ≤ bound (Wilkinson's running error analysis).
///
/// The generic forward or backward code of a network on it says how far an `f32` gradient may be off, for that network
/// and that input, where a textbook's worst case would say nothing useful.
///
/// With u the unit roundoff of `T`, η its least subnormal, and e the bounds of the operands, to be read with exact
/// arithmetic on the right:
///
/// - a ± b: e_a + e_b + u·|result|
/// - a·b: |a|·e_b + |b|·e_a + e_a·e_b + u·|result| + η
/// - a/b: (e_a + |a/b|·e_b) / (|b| − e_b) + u·|result| + η, and ∞ where b may be zero
/// - f(a): e_a times the largest slope within e_a of a, plus [`ULPS`](RunningError::ULPS)·2u·|result| + η
/// - maximum: the e of the larger one, or the larger e where that is not certain; a branch that may go either way: what covers both
///
/// Bounds are computed in `f64`, each enlarged by more than their own rounding errors.
///
/// ```
/// use chainrule::{RunningError, Scalar};
/// let tenth = RunningError::<f32>::new(0.1);
/// let sum = tenth + tenth + tenth;
/// assert!((f64::from(sum.value) - 3.0 * f64::from(0.1_f32)).abs() <= sum.bound);
/// assert!(sum.bound <= 4e-8);
/// ```
#[derive(Clone, Copy)]
pub struct RunningError<T = f32> {
    /// The number, with the rounding errors of `T`.
    pub value: T,
    /// No further from the exact number than this.
    pub bound: f64,
}

crate::__impl_zeroed!([T: Rounded] RunningError<T>, Self { value: T::ZEROED, bound: 0.0 });

/// A floating-point number whose rounding errors are known: `f32` and `f64`.
pub trait Rounded: Scalar + sealed::Sealed {
    /// u: half the distance from 1 to the next number.
    const UNIT: f64;
    /// η: the least subnormal.
    const LEAST: f64;
}

impl Rounded for f32 {
    const UNIT: f64 = 1.0 / (1_u64 << 24) as f64;
    const LEAST: f64 = 1.401_298_464_324_817e-45;
}

impl Rounded for f64 {
    const UNIT: f64 = 1.0 / (1_u64 << 53) as f64;
    const LEAST: f64 = 5e-324;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// More than the rounding errors of the few operations on a bound, each 2⁻⁵³, and never less than the next number.
fn enlarged(bound: f64) -> f64 {
    if bound == 0.0 { 0.0 } else { (bound * (1.0 + 1e-14)).next_up() }
}

impl<T: Rounded> RunningError<T> {
    /// Units in the last place by which an elementary function may be off.
    pub const ULPS: f64 = 4.0;

    /// A number that is exactly what it is.
    pub const fn new(value: T) -> Self {
        Self { value, bound: 0.0 }
    }

    /// A number that is known up to `bound`.
    pub const fn with_bound(value: T, bound: f64) -> Self {
        Self { value, bound }
    }

    /// Whether the exact number may be `exact`; false for NaN.
    #[must_use]
    pub fn covers(self, exact: f64) -> bool {
        (self.value.to_f64() - exact).abs() <= self.bound
    }

    fn magnitude(self) -> f64 {
        self.value.to_f64().abs()
    }

    /// The result of a basic operation, with `bound` for what its operands were off.
    fn operation(value: T, bound: f64, least: f64) -> Self {
        Self { value, bound: enlarged(bound + T::UNIT * value.to_f64().abs() + least) }
    }

    /// The result of an elementary function, with `bound` for what its argument was off.
    fn function(self, value: T, bound: f64) -> Self {
        // An exact argument has no slope to be multiplied with, be it infinite.
        let bound = if self.bound == 0.0 { 0.0 } else { bound };
        let own = Self::ULPS * 2.0 * T::UNIT * value.to_f64().abs() + T::LEAST;
        // `bound` came from elementary functions of f64.
        Self { value, bound: enlarged(bound * (1.0 + 1e-12) + own) }
    }
}

impl<T: Rounded> PartialEq for RunningError<T> {
    /// Compares the values alone, as `<` does.
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Rounded> PartialOrd for RunningError<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<T: fmt::Debug> fmt::Debug for RunningError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ± {:e}", self.value, self.bound)
    }
}

impl<T: fmt::Display> fmt::Display for RunningError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)?;
        write!(f, " ± {:e}", self.bound)
    }
}

impl<T: Rounded> Add for RunningError<T> {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        // Adding an exact zero is exact.
        if other.is_zero() {
            return self;
        }
        if self.is_zero() {
            return other;
        }
        Self::operation(self.value + other.value, self.bound + other.bound, 0.0)
    }
}

impl<T: Rounded> Sub for RunningError<T> {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl<T: Rounded> Mul for RunningError<T> {
    type Output = Self;
    #[inline]
    fn mul(self, other: Self) -> Self {
        let value = self.value * other.value;
        if (self.is_zero() && other.bound.is_finite()) || (other.is_zero() && self.bound.is_finite()) {
            return Self { value, bound: 0.0 };
        }
        let bound = self.magnitude() * other.bound + other.magnitude() * self.bound + self.bound * other.bound;
        Self::operation(value, bound, T::LEAST)
    }
}

impl<T: Rounded> Div for RunningError<T> {
    type Output = Self;
    #[inline]
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        // |A/B − a/b| = |e_a − (a/b)·e_b| / |B|, and |B| is at least:
        let divisor = other.magnitude() - other.bound;
        let quotient = (self.magnitude() / other.magnitude()).next_up();
        let bound = if self.bound == 0.0 && other.bound == 0.0 {
            0.0
        } else if divisor > 0.0 {
            (self.bound + quotient * other.bound) / divisor.next_down()
        } else {
            f64::INFINITY
        };
        Self::operation(value, bound, T::LEAST)
    }
}

impl<T: Rounded> Neg for RunningError<T> {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self { value: -self.value, ..self }
    }
}

super::assign_operators!([T: Rounded] RunningError<T>);

impl<T: Rounded> Zero for RunningError<T> {
    fn zero() -> Self {
        Self::ZERO
    }
    fn is_zero(&self) -> bool {
        self.value.is_zero() && self.bound == 0.0
    }
}

impl<T: Rounded> One for RunningError<T> {
    fn one() -> Self {
        Self::ONE
    }
}

impl<T: Rounded> ConstZero for RunningError<T> {
    const ZERO: Self = Self::new(T::ZERO);
}

impl<T: Rounded> ConstOne for RunningError<T> {
    const ONE: Self = Self::new(T::ONE);
}

impl<T: Rounded> Real for RunningError<T> {
    /// With the error of the conversion to `T`.
    fn from_f64(value: f64) -> Self {
        let nearest = T::from_f64(value);
        let error = (nearest.to_f64() - value).abs();
        // Both infinite, or NaN: exactly what was given.
        Self { value: nearest, bound: if error.is_nan() { 0.0 } else { error } }
    }

    fn maximum(self, other: Self) -> Self {
        let value = self.value.maximum(other.value);
        // Where it is certain which one is larger, the other's error is without influence.
        let apart = (self.to_f64() - other.to_f64()).abs().next_down();
        let bound = if apart > enlarged(self.bound + other.bound) {
            if self.value > other.value { self.bound } else { other.bound }
        } else {
            Real::maximum(self.bound, other.bound)
        };
        Self { value, bound }
    }

    fn abs(self) -> Self {
        Self { value: self.value.abs(), ..self }
    }

    fn if_positive(self, yes: Self, no: Self) -> Self {
        let chosen = if self.value > T::ZERO { yes } else { no };
        // Certain where the exact number lies on the same side, or is known exactly.
        if self.magnitude() > self.bound || self.bound == 0.0 {
            return chosen;
        }
        let apart = (yes.value.to_f64() - no.value.to_f64()).abs();
        Self { bound: enlarged(apart + Real::maximum(yes.bound, no.bound)), ..chosen }
    }

    /// |eᵃ − eᴬ| ≤ eᵃ·(e^|a − A| − 1)
    fn exp(self) -> Self {
        let e = Real::exp(self.to_f64());
        self.function(self.value.exp(), e * Real::exp_m1(self.bound))
    }

    /// |ln a − ln A| ≤ −ln(1 − e/a)
    fn ln(self) -> Self {
        self.function(self.value.ln(), logarithm(self.bound / self.to_f64()))
    }

    /// |√a − √A| ≤ |a − A| / √a
    fn sqrt(self) -> Self {
        let root = Real::sqrt(self.to_f64());
        // An exact number below zero has no root; at zero the root moves by the root.
        let bound = if root > 0.0 { self.bound / root } else { Real::sqrt(self.bound) };
        self.function(self.value.sqrt(), bound)
    }

    fn exp_m1(self) -> Self {
        let e = Real::exp(self.to_f64());
        self.function(self.value.exp_m1(), e * Real::exp_m1(self.bound))
    }

    fn ln_1p(self) -> Self {
        self.function(self.value.ln_1p(), logarithm(self.bound / (1.0 + self.to_f64())))
    }

    /// The slope 1 − tanh² is largest nearest to zero.
    fn tanh(self) -> Self {
        let t = Real::tanh((self.magnitude() - self.bound).max(0.0));
        self.function(self.value.tanh(), self.bound * slope_bound(1.0 - t * t))
    }

    /// The slope s·(1 − s) is largest nearest to zero.
    fn sigmoid(self) -> Self {
        let s = Real::sigmoid(-(self.magnitude() - self.bound).max(0.0));
        self.function(self.value.sigmoid(), self.bound * slope_bound(s * (1.0 - s)))
    }

    /// The slope, a sigmoid, is largest at the upper end.
    fn softplus(self) -> Self {
        let slope = Real::sigmoid(self.to_f64() + self.bound);
        self.function(self.value.softplus(), self.bound * slope_bound(slope))
    }
}

impl<T: Rounded> Scalar for RunningError<T> {
    fn to_f64(self) -> f64 {
        self.value.to_f64()
    }

    fn is_finite(self) -> bool {
        self.value.is_finite()
    }
}

/// A slope in [0, 1] that was computed with an absolute error of a few units of `f64`.
fn slope_bound(slope: f64) -> f64 {
    (slope + 1e-15).min(1.0)
}

/// −ln(1 − ratio): how far a logarithm moves when its argument falls by that ratio; ∞ from 1 on.
fn logarithm(ratio: f64) -> f64 {
    if ratio < 1.0 { -Real::ln_1p(-ratio.next_up()) } else { f64::INFINITY }
}
