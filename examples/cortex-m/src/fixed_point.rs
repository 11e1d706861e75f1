//! A number for a device without a floating-point unit: fixed point, of 32 bits, whose sums and products are those of
//! integers. The firmware `fixed_point` measures it, `tests/fixed_point.rs` tests it.

use chainrule::num_traits::{ConstOne, ConstZero, One, Zero};
use chainrule::{Activation, Real, Scalar, zeroed};
use core::f64::consts::{LN_2, LOG2_E, SQRT_2};
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

zeroed! {
    /// Q8.24: from −128 to just below 128 in steps of 6·10⁻⁸, those of an `f32` near one. What lies outside saturates;
    /// there is no NaN and no infinity, and nothing panics.
    ///
    /// Activations are at most about one and weights a few: so eight bits before the point are enough, and small
    /// updates have all the others.
    #[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
    pub struct Fixed {
        bits: i32,
    }
}

/// Bits behind the point.
const POINT: u32 = 24;

/// Bits behind the point in between.
const FINE: u32 = 30;

const fn fine(value: f64) -> i64 {
    (value * (1_i64 << FINE) as f64) as i64
}

impl Fixed {
    fn saturating(bits: i64) -> Self {
        Self { bits: i32::try_from(bits).unwrap_or(if bits < 0 { i32::MIN } else { i32::MAX }) }
    }

    /// The nearest to `bits` / 2^`point`; halves go up.
    fn nearest(bits: i64, point: u32) -> Self {
        let excess = point - POINT;
        Self::saturating((bits >> excess) + (bits >> (excess - 1) & 1))
    }

    /// Whether Σ |xᵢ| is in range. Then no sum of products with the xᵢ leaves 64 bits.
    fn bounded(x: &[Self]) -> bool {
        x.iter().map(|x| u64::from(x.bits.unsigned_abs())).sum::<u64>() <= u64::from(i32::MAX.unsigned_abs())
    }

    /// `start` + Σ aᵢ·bᵢ, exact until it is rounded, once; `bounded` is that of either side.
    fn inner_product(start: Self, pairs: impl Iterator<Item = (Self, Self)>, bounded: bool) -> Self {
        let start = i64::from(start.bits) << POINT;
        let products = pairs.map(|(a, b)| i64::from(a.bits) * i64::from(b.bits));
        let sum = if bounded {
            start + products.sum::<i64>()
        } else {
            let sum = i128::from(start) + products.map(i128::from).sum::<i128>();
            sum.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
        };
        Self::nearest(sum, 2 * POINT)
    }
}

/// Each operator, and the one that assigns: what becomes of the bits.
macro_rules! operators {
    ($($Trait:ident $method:ident $Assign:ident $assign:ident |$a:ident, $b:ident| $result:expr;)*) => { $(
        impl $Trait for Fixed {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                let ($a, $b) = (self.bits, other.bits);
                $result
            }
        }
        impl $Assign for Fixed {
            fn $assign(&mut self, other: Self) {
                *self = self.$method(other);
            }
        }
    )* };
}
operators! {
    Add add AddAssign add_assign |a, b| Self { bits: a.saturating_add(b) };
    Sub sub SubAssign sub_assign |a, b| Self { bits: a.saturating_sub(b) };
    Mul mul MulAssign mul_assign |a, b| Self::nearest(i64::from(a) * i64::from(b), 2 * POINT);
    // By zero: the nearest that there is to ±∞, and zero where floats have NaN.
    Div div DivAssign div_assign |a, b| Self::saturating(match i64::from(b) {
        0 => i64::from(a) << 31,
        b => (i64::from(a) << POINT) / b,
    });
}

impl Neg for Fixed {
    type Output = Self;
    fn neg(self) -> Self {
        Self { bits: self.bits.saturating_neg() }
    }
}

impl Zero for Fixed {
    fn zero() -> Self {
        Self::ZERO
    }
    fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

impl One for Fixed {
    fn one() -> Self {
        Self::ONE
    }
}

impl ConstZero for Fixed {
    const ZERO: Self = Self { bits: 0 };
}

impl ConstOne for Fixed {
    const ONE: Self = Self { bits: 1 << POINT };
}

impl Real for Fixed {
    /// Zero for NaN.
    fn from_f64(value: f64) -> Self {
        let scaled = value * f64::from(1 << POINT);
        Self { bits: (scaled + 0.5_f64.copysign(scaled)) as i32 }
    }

    /// With x·log₂ e = k + u and |u| ≤ ½: eˣ = 2ᵏ·(1 + u·ln 2 + (u·ln 2)²/2! + …).
    fn exp(self) -> Self {
        const TERMS: [i32; 9] = {
            let (mut terms, mut term, mut n) = ([0; 9], 1.0, 0);
            while n < 9 {
                terms[n] = fine(term) as i32;
                n += 1;
                term *= LN_2 / n as f64;
            }
            terms
        };
        // Beyond these, eˣ saturates or is below half a step.
        let exponent = i64::from(self.bits.clamp(-18 << POINT, 5 << POINT)) * fine(LOG2_E);
        let k = (exponent + (1 << 53)) >> 54;
        let u = ((exponent - (k << 54)) >> 24) as i32;
        let sum = TERMS.iter().rev().fold(0, |sum, term| term + ((i64::from(u) * i64::from(sum)) >> FINE) as i32);
        Self::nearest(i64::from(sum) << 8, (i64::from(FINE) + 8 - k) as u32)
    }

    /// With x = m·2ᵏ, 1 ≤ m < 2 and s = (m − 1)/(m + 1): ln x = k·ln 2 + 2·(s + s³/3 + s⁵/5 + …).
    fn ln(self) -> Self {
        if self <= Self::ZERO {
            return Self { bits: i32::MIN }; // the nearest that there is to −∞
        }
        let top = self.bits.ilog2();
        let m = i64::from(self.bits) << (FINE - top);
        let one = 1 << FINE;
        let s = ((m - one) << FINE) / (m + one);
        let square = (s * s) >> FINE;
        let sum = (0..9).rev().fold(0, |sum, n| ((sum * square) >> FINE) + one / (2 * n + 1));
        let result = (i64::from(top) - i64::from(POINT)) * fine(LN_2) + ((2 * s * sum) >> FINE);
        Self::nearest(result, FINE)
    }

    /// √(bits / 2²⁴) = √(bits·2²⁴) / 2²⁴; zero below zero, where others have NaN.
    fn sqrt(self) -> Self {
        let bits = u64::from(self.bits.max(0).unsigned_abs());
        Self { bits: (bits << POINT).isqrt() as i32 }
    }

    fn maximum(self, other: Self) -> Self {
        if self > other { self } else { other }
    }

    fn if_positive(self, yes: Self, no: Self) -> Self {
        if self > Self::ZERO { yes } else { no }
    }

    /// 2·Φ(x·√2) − 1, since the terms of the series saturate.
    fn erf(self) -> Self {
        let phi = (self * Self::from_f64(SQRT_2)).normal_cdf();
        phi + phi - Self::ONE
    }
}

/// The products of inference and of deltas, each sum rounded once.
impl Scalar for Fixed {
    fn to_f64(self) -> f64 {
        f64::from(self.bits) / f64::from(1 << POINT)
    }

    fn is_finite(self) -> bool {
        true
    }

    fn dense<A: Activation, const OUT: usize, const IN: usize, const B: usize>(
        weights: &[[Self; OUT]; IN],
        x: &[[Self; IN]; B],
        bias: &[Self; OUT],
        y: &mut [[Self; OUT]; B],
    ) {
        for (x, y) in x.iter().zip(y.iter_mut()) {
            let bounded = Self::bounded(x);
            for o in 0..OUT {
                let row = weights.iter().map(|column| column[o]);
                y[o] = Self::inner_product(bias[o], row.zip(x.iter().copied()), bounded);
            }
        }
        Self::activate::<A>(y.as_flattened_mut());
    }

    fn transpose_product<const OUT: usize, const IN: usize, const B: usize>(
        weights: &[[Self; OUT]; IN],
        delta: &[[Self; OUT]; B],
        d_input: &mut [[Self; IN]; B],
    ) {
        for (delta, d_input) in delta.iter().zip(d_input) {
            let bounded = Self::bounded(delta);
            for (column, d) in weights.iter().zip(d_input) {
                *d = Self::inner_product(Self::ZERO, column.iter().copied().zip(delta.iter().copied()), bounded);
            }
        }
    }
}
