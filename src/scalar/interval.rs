use super::{Real, Scalar};
use crate::Zeroed;
use core::cmp::Ordering;
use core::fmt;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};
use num_traits::{ConstOne, ConstZero, One, Zero};

/// An interval of real numbers, rounded outward: whatever lies in the operands, the result of the exact operation
/// lies in the result, and so does what `f64` makes of it.
///
/// The forward code of a network on intervals yields a *guaranteed* range of its outputs for a box of inputs; see the
/// example `guaranteed_range`. The range is not the tightest: an operand that occurs twice is taken for two (x − x is
/// not 0), so that ranges widen with depth. Split the box for tighter ones.
///
/// Every bound of a basic operation is moved outward by one step of `f64`, and that of an elementary function by
/// [`ULPS`](Interval::ULPS) steps, which covers the error of either. [`maximum`](Real::maximum),
/// [`abs`](Real::abs) and [`if_positive`](Real::if_positive) yield hulls of all branches that may be taken. NaN
/// stays NaN; a divisor that may be zero yields the whole line.
///
/// ```
/// use chainrule::{Interval, Real};
/// let x = Interval::new(-1.0, 2.0);
/// assert_eq!(x.maximum(Interval::point(0.0)), Interval::new(0.0, 2.0));
/// assert!((x * x).contains(4.0));
/// let third = Interval::point(1.0) / Interval::point(3.0);
/// assert!(third.lower < third.upper);
/// ```
///
/// `Interval<false>` rounds to nearest. It is unsound, and exists so that a test can show that it would notice.
#[derive(Clone, Copy)]
pub struct Interval<const OUTWARD: bool = true> {
    /// No number of the interval is smaller.
    pub lower: f64,
    /// No number of the interval is larger.
    pub upper: f64,
}

crate::__impl_zeroed!([const OUTWARD: bool] Interval<OUTWARD>, Self { lower: 0.0, upper: 0.0 });

impl Interval {
    /// The numbers from `lower` to `upper`, both included.
    #[must_use]
    pub const fn new(lower: f64, upper: f64) -> Self {
        Self { lower, upper }
    }

    /// The interval of one number.
    #[must_use]
    pub const fn point(x: f64) -> Self {
        Self { lower: x, upper: x }
    }
}

impl<const OUTWARD: bool> Interval<OUTWARD> {
    /// Units in the last place by which an elementary function may be off, and a bound is moved.
    pub const ULPS: u32 = 4;

    const NAN: Self = Self { lower: f64::NAN, upper: f64::NAN };
    const LINE: Self = Self { lower: f64::NEG_INFINITY, upper: f64::INFINITY };

    /// Whether `x` lies in the interval; NaN never does.
    #[must_use]
    pub fn contains(self, x: f64) -> bool {
        self.lower <= x && x <= self.upper
    }

    /// upper − lower, rounded up.
    #[must_use]
    pub fn width(self) -> f64 {
        (self.upper - self.lower).next_up()
    }

    /// The smallest interval that contains both; NaN if either is.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        if self.is_nan() || other.is_nan() {
            return Self::NAN;
        }
        Self { lower: self.lower.min(other.lower), upper: self.upper.max(other.upper) }
    }

    fn is_nan(self) -> bool {
        self.lower.is_nan() || self.upper.is_nan()
    }

    /// The interval between two results that were rounded by at most `steps` units in the last place.
    fn rounded(lower: f64, upper: f64, steps: u32) -> Self {
        if lower.is_nan() || upper.is_nan() {
            return Self::NAN;
        }
        if !OUTWARD {
            return Self { lower, upper };
        }
        let (mut lower, mut upper) = (lower, upper);
        for _ in 0..steps {
            (lower, upper) = (lower.next_down(), upper.next_up());
        }
        Self { lower, upper }
    }

    /// f over the interval, f not decreasing, with values in [`least`, `most`].
    fn increasing(self, f: impl Fn(f64) -> f64, least: f64, most: f64) -> Self {
        let range = Self::rounded(f(self.lower), f(self.upper), Self::ULPS);
        if range.is_nan() {
            return range;
        }
        Self { lower: range.lower.max(least), upper: range.upper.min(most) }
    }

    /// The hull of four products or quotients of bounds.
    fn hull_of(corners: [f64; 4]) -> Self {
        let (mut lower, mut upper) = (f64::INFINITY, f64::NEG_INFINITY);
        for corner in corners {
            if corner.is_nan() {
                return Self::NAN;
            }
            (lower, upper) = (lower.min(corner), upper.max(corner));
        }
        Self::rounded(lower, upper, 1)
    }
}

/// The interval of one number.
impl<const OUTWARD: bool> From<f64> for Interval<OUTWARD> {
    fn from(x: f64) -> Self {
        Self { lower: x, upper: x }
    }
}

impl<const OUTWARD: bool> PartialEq for Interval<OUTWARD> {
    /// The same bounds.
    fn eq(&self, other: &Self) -> bool {
        self.lower == other.lower && self.upper == other.upper
    }
}

impl<const OUTWARD: bool> PartialOrd for Interval<OUTWARD> {
    /// Ordered where all of one lies on one side of the other.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        if self.upper < other.lower {
            Some(Ordering::Less)
        } else if self.lower > other.upper {
            Some(Ordering::Greater)
        } else if self == other {
            Some(Ordering::Equal)
        } else {
            None
        }
    }
}

impl<const OUTWARD: bool> fmt::Debug for Interval<OUTWARD> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{:?}, {:?}]", self.lower, self.upper)
    }
}

/// Width and precision apply to both bounds, which are printed to nearest.
impl<const OUTWARD: bool> fmt::Display for Interval<OUTWARD> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        fmt::Display::fmt(&self.lower, f)?;
        f.write_str(", ")?;
        fmt::Display::fmt(&self.upper, f)?;
        f.write_str("]")
    }
}

impl<const OUTWARD: bool> Add for Interval<OUTWARD> {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        // Adding zero is exact.
        if other.is_zero() {
            return self;
        }
        if self.is_zero() {
            return other;
        }
        Self::rounded(self.lower + other.lower, self.upper + other.upper, 1)
    }
}

impl<const OUTWARD: bool> Sub for Interval<OUTWARD> {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl<const OUTWARD: bool> Mul for Interval<OUTWARD> {
    type Output = Self;
    #[inline]
    fn mul(self, other: Self) -> Self {
        // Exact, also where the other is unbounded: no number is infinite. NaN stays.
        if (self.is_zero() && !other.is_nan()) || (other.is_zero() && !self.is_nan()) {
            return Self::ZERO;
        }
        let product = |a: f64, b: f64| if a == 0.0 || b == 0.0 { 0.0 * finite(a) * finite(b) } else { a * b };
        Self::hull_of([
            product(self.lower, other.lower),
            product(self.lower, other.upper),
            product(self.upper, other.lower),
            product(self.upper, other.upper),
        ])
    }
}

/// 1 for an infinity, which stands for ever larger numbers: 0 times any of them is 0. NaN stays.
fn finite(x: f64) -> f64 {
    if x.is_infinite() { 1.0 } else { x }
}

impl<const OUTWARD: bool> Div for Interval<OUTWARD> {
    type Output = Self;
    #[inline]
    fn div(self, other: Self) -> Self {
        if self.is_nan() || other.is_nan() {
            return Self::NAN;
        }
        if other.contains(0.0) {
            return Self::LINE;
        }
        let quotient =
            |a: f64, b: f64| if a.is_infinite() && b.is_infinite() { a.signum() * b.signum() } else { a / b };
        let corners = Self::hull_of([
            quotient(self.lower, other.lower),
            quotient(self.lower, other.upper),
            quotient(self.upper, other.lower),
            quotient(self.upper, other.upper),
        ]);
        // Ever larger numbers over ever larger ones: any quotient of that sign, zero included.
        let unbounded = |x: Self| x.lower.is_infinite() || x.upper.is_infinite();
        if unbounded(self) && unbounded(other) { corners.hull(Self::LINE) } else { corners }
    }
}

impl<const OUTWARD: bool> Neg for Interval<OUTWARD> {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self { lower: -self.upper, upper: -self.lower }
    }
}

super::assign_operators!([const OUTWARD: bool] Interval<OUTWARD>);

impl<const OUTWARD: bool> Zero for Interval<OUTWARD> {
    fn zero() -> Self {
        Self::ZERO
    }
    fn is_zero(&self) -> bool {
        self.lower == 0.0 && self.upper == 0.0
    }
}

impl<const OUTWARD: bool> One for Interval<OUTWARD> {
    fn one() -> Self {
        Self::ONE
    }
}

impl<const OUTWARD: bool> ConstZero for Interval<OUTWARD> {
    const ZERO: Self = Self::ZEROED;
}

impl<const OUTWARD: bool> ConstOne for Interval<OUTWARD> {
    const ONE: Self = Self { lower: 1.0, upper: 1.0 };
}

impl<const OUTWARD: bool> Real for Interval<OUTWARD> {
    fn from_f64(value: f64) -> Self {
        value.into()
    }

    fn maximum(self, other: Self) -> Self {
        if self.is_nan() || other.is_nan() {
            return Self::NAN;
        }
        Self { lower: self.lower.max(other.lower), upper: self.upper.max(other.upper) }
    }

    fn abs(self) -> Self {
        if self.contains(0.0) {
            Self { lower: 0.0, upper: self.upper.max(-self.lower) }
        } else if self.upper < 0.0 {
            -self
        } else {
            self
        }
    }

    fn if_positive(self, yes: Self, no: Self) -> Self {
        if self.lower > 0.0 {
            yes
        } else if self.upper <= 0.0 {
            no
        } else if self.is_nan() {
            Self::NAN
        } else {
            yes.hull(no)
        }
    }

    fn exp(self) -> Self {
        self.increasing(Real::exp, 0.0, f64::INFINITY)
    }

    /// Of an interval that reaches below zero: from −∞ on, for the part where there is a logarithm.
    fn ln(self) -> Self {
        let positive = Self { lower: if self.lower < 0.0 { 0.0 } else { self.lower }, ..self };
        positive.increasing(Real::ln, f64::NEG_INFINITY, f64::INFINITY)
    }

    /// Of an interval that reaches below zero: from 0 on, for the part where there is a root.
    fn sqrt(self) -> Self {
        let positive = Self { lower: if self.lower < 0.0 { 0.0 } else { self.lower }, ..self };
        positive.increasing(Real::sqrt, 0.0, f64::INFINITY)
    }

    fn exp_m1(self) -> Self {
        self.increasing(Real::exp_m1, -1.0, f64::INFINITY)
    }

    fn ln_1p(self) -> Self {
        let defined = Self { lower: if self.lower < -1.0 { -1.0 } else { self.lower }, ..self };
        defined.increasing(Real::ln_1p, f64::NEG_INFINITY, f64::INFINITY)
    }

    fn tanh(self) -> Self {
        self.increasing(Real::tanh, -1.0, 1.0)
    }

    fn sigmoid(self) -> Self {
        self.increasing(Real::sigmoid, 0.0, 1.0)
    }

    fn softplus(self) -> Self {
        self.increasing(Real::softplus, 0.0, f64::INFINITY)
    }
}

impl<const OUTWARD: bool> Scalar for Interval<OUTWARD> {
    /// The middle.
    fn to_f64(self) -> f64 {
        if self.lower == self.upper { self.lower } else { 0.5 * self.lower + 0.5 * self.upper }
    }

    fn is_finite(self) -> bool {
        self.lower.is_finite() && self.upper.is_finite()
    }
}
