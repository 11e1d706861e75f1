use crate::{Real, Scalar};
use core::cmp::Ordering;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};
use num_traits::{ConstOne, ConstZero, One, Zero};

crate::zeroed! {
    /// A number that knows how it came about: its value, the sum of the absolute values of its terms, and a
    /// fingerprint of every branch on the way.
    ///
    /// The `magnitude` S is what rounding errors are proportional to: where terms cancel it stays large, and a
    /// tolerance relative to it is fair. To first order in the errors of a and b, with |a| ≤ S(a):
    ///
    /// - S(a ± b) = S(a) + S(b)
    /// - S(a·b) = S(a)·|b| + |a|·S(b) − |a·b|
    /// - S(a/b) = (S(a) + |a/b|·(S(b) − |b|)) / |b|
    /// - S(f(a)) = |f(a)| + |f′(a)|·S(a)
    ///
    /// The `trace` changes where [`maximum`](Real::maximum), [`minimum`](Real::minimum), [`abs`](Real::abs) or
    /// [`if_positive`](Real::if_positive) choose otherwise: two runs with the same trace took the same branches, so
    /// that no kink lies between them. It is carried by the values, no state is shared.
    ///
    /// ```
    /// use chainrule::{Real, gradcheck::Traced};
    /// let (left, right) = (Traced::new(-0.1), Traced::new(0.1));
    /// let relu = |z: Traced| z.maximum(Traced::new(0.0));
    /// assert_ne!(relu(left).trace, relu(right).trace);
    /// assert_eq!(relu(right).trace, relu(right + right).trace);
    /// assert_eq!((right - Traced::new(0.1)).magnitude, 0.2);
    /// ```
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Traced {
        /// The number itself.
        pub value: f64,
        /// S: the sum of the absolute values of its terms.
        pub magnitude: f64,
        /// A fingerprint of the branches that were taken; 0 as long as there was none.
        pub trace: u64,
    }
}

/// Appends the fingerprint `b` to `a`: order matters, and two empty ones stay empty.
const fn join(a: u64, b: u64) -> u64 {
    (a.rotate_left(7) ^ b).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Traced {
    /// A number that stands at the beginning: its magnitude is its own.
    pub const fn new(value: f64) -> Self {
        Self { value, magnitude: value.abs(), trace: 0 }
    }

    /// f(a), with the slope f′(a).
    fn function(self, value: f64, slope: f64) -> Self {
        Self { value, magnitude: value.abs() + product(slope.abs(), self.magnitude), trace: self.trace }
    }

    /// This number, after the branch `taken` on a comparison of `traces`.
    fn after(self, traces: u64, taken: bool) -> Self {
        let branch = if taken { 0x51_7c_c1_b7_27_22_0a_95 } else { 0xa0_76_1d_64_78_bd_64_2f };
        Self { trace: join(join(traces, self.trace), branch), ..self }
    }
}

/// a·b where a zero wins over infinity: no term, no rounding error.
fn product(a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 { 0.0 } else { a * b }
}

impl PartialEq for Traced {
    /// Compares the values alone, as `<` does.
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl PartialOrd for Traced {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl Add for Traced {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            magnitude: self.magnitude + other.magnitude,
            trace: join(self.trace, other.trace),
        }
    }
}

impl Sub for Traced {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Traced {
    type Output = Self;
    #[inline]
    fn mul(self, other: Self) -> Self {
        let value = self.value * other.value;
        let (a, b) = (self.value.abs(), other.value.abs());
        // S(a)·|b| + |a|·S(b) − |a·b|, arranged so that nothing is subtracted from what may be infinite.
        let magnitude = product(self.magnitude, b) + product(a, (other.magnitude - b).max(0.0));
        Self { value, magnitude, trace: join(self.trace, other.trace) }
    }
}

impl Div for Traced {
    type Output = Self;
    #[inline]
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        let b = other.value.abs();
        let magnitude = (self.magnitude + product(value.abs(), (other.magnitude - b).max(0.0))) / b;
        Self { value, magnitude, trace: join(self.trace, other.trace) }
    }
}

impl Neg for Traced {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self { value: -self.value, ..self }
    }
}

crate::scalar::assign_operators!([] Traced);

impl Zero for Traced {
    fn zero() -> Self {
        Self::ZERO
    }
    fn is_zero(&self) -> bool {
        self.value == 0.0
    }
}

impl One for Traced {
    fn one() -> Self {
        Self::ONE
    }
}

impl ConstZero for Traced {
    const ZERO: Self = Self::new(0.0);
}

impl ConstOne for Traced {
    const ONE: Self = Self::new(1.0);
}

impl Real for Traced {
    fn from_f64(value: f64) -> Self {
        Self::new(value)
    }

    fn maximum(self, other: Self) -> Self {
        let first = self.value > other.value;
        let value = Real::maximum(self.value, other.value);
        let chosen = if first { self } else { other };
        Self { value, ..chosen }.after(join(self.trace, other.trace), first)
    }

    fn minimum(self, other: Self) -> Self {
        -((-self).maximum(-other))
    }

    fn abs(self) -> Self {
        Self { value: self.value.abs(), ..self }.after(self.trace, self.value > 0.0)
    }

    fn if_positive(self, yes: Self, no: Self) -> Self {
        let taken = self.value > 0.0;
        let chosen = if taken { yes } else { no };
        chosen.after(self.trace, taken)
    }

    fn exp(self) -> Self {
        let e = Real::exp(self.value);
        self.function(e, e)
    }

    fn ln(self) -> Self {
        self.function(Real::ln(self.value), 1.0 / self.value)
    }

    fn sqrt(self) -> Self {
        let root = Real::sqrt(self.value);
        self.function(root, 0.5 / root)
    }

    fn exp_m1(self) -> Self {
        self.function(Real::exp_m1(self.value), Real::exp(self.value))
    }

    fn ln_1p(self) -> Self {
        self.function(Real::ln_1p(self.value), 1.0 / (1.0 + self.value))
    }

    fn tanh(self) -> Self {
        let t = Real::tanh(self.value);
        self.function(t, 1.0 - t * t)
    }

    fn sigmoid(self) -> Self {
        let s = Real::sigmoid(self.value);
        self.function(s, s * (1.0 - s))
    }

    fn softplus(self) -> Self {
        self.function(Real::softplus(self.value), Real::sigmoid(self.value))
    }
}

impl Scalar for Traced {
    fn to_f64(self) -> f64 {
        self.value
    }

    fn is_finite(self) -> bool {
        self.value.is_finite() && self.magnitude.is_finite()
    }
}
