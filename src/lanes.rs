//! A register of equal elements: the one vocabulary in which kernels and elementary functions are written.
//!
//! A body written over [`Lanes`] runs on a plain `f32` or `f64` (one lane, no fused operations, the same bits on
//! every machine) and on vector registers, where the unit may fuse `a·b + c`.

/// A register of `LEN` floating-point numbers.
///
/// `mul_add` is the only operation whose rounding differs between registers: scalars round the product first. Where a
/// method leaves a result open, any value will do, but it must neither trap nor panic.
#[cfg_attr(not(feature = "simd"), allow(dead_code, reason = "for vector registers"))]
pub(crate) trait Lanes: Copy {
    /// One number: `f32` or `f64`.
    type Element: Copy;
    /// One truth value a lane.
    type Mask: Copy;
    /// How many numbers the register holds.
    const LEN: usize;
    /// Every lane holds 0, or 1.
    const ZERO: Self;
    const ONE: Self;

    /// Every lane holds `value`.
    fn splat(value: Self::Element) -> Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    /// `self · factor + addend`; one rounding where the register's unit fuses, two in scalars.
    fn mul_add(self, factor: Self, addend: Self) -> Self;
    /// The sign bit flipped.
    fn neg(self) -> Self;
    fn abs(self) -> Self;
    /// The magnitude of `self` with the sign bit of `sign`.
    fn copy_sign(self, sign: Self) -> Self;
    /// Correctly rounded.
    fn sqrt(self) -> Self;
    /// `bound > self ? bound : self`: a NaN in `self` stays. x86: `max(bound, self)`, in this order.
    fn at_least(self, bound: Self) -> Self;
    /// `bound < self ? bound : self`: a NaN in `self` stays. x86: `min(bound, self)`, in this order.
    fn at_most(self, bound: Self) -> Self;
    /// `self < other`, false for NaN.
    fn less(self, other: Self) -> Self::Mask;
    /// `self != self`: true for NaN alone.
    fn is_nan(self) -> Self::Mask;
    /// `mask ? yes : no`, lane by lane.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// For a positive number the entry of `table` for its quarter of an octave, counted round: the two lowest bits of the
    /// exponent and the two highest of the fraction. `None` where arithmetic is faster; open for any other number.
    #[inline(always)]
    fn look_up(self, table: &[Self::Element; 16]) -> Option<Self> {
        let _ = table;
        None
    }
    /// 2ⁿ for a whole number n = `self` whose power is a normal number (−126 ≤ n ≤ 127, −1022 ≤ n ≤ 1023); open for
    /// any other.
    fn power_of_two(self) -> Self;
    /// `self` · 2ⁿ, rounded once, also into the subnormals and to infinity, for whole numbers n from twice the least
    /// to twice the greatest exponent of a normal number, as long as `self` · 2^⌊n/2⌋ is itself normal. A NaN in `self`
    /// stays; open for any other n.
    fn scale_by_power_of_two(self, n: Self) -> Self;
    /// (m, e) with `self` = m · 2ᵉ, √½ ≤ m < √2 (as rounded) and e a whole number, for every positive finite `self`,
    /// subnormals included; open for zero, negative numbers, infinities and NaN.
    fn mantissa_and_exponent(self) -> (Self, Self);
}

/// One lane: the plain number, in the operations of `core` alone.
macro_rules! plain_lanes {
    ($float:ident, $bits:ident) => {
        impl Lanes for $float {
            type Element = Self;
            type Mask = bool;
            const LEN: usize = 1;
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;

            #[inline(always)]
            fn splat(value: Self) -> Self {
                value
            }
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self + other
            }
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                self - other
            }
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                self * other
            }
            #[inline(always)]
            fn div(self, other: Self) -> Self {
                self / other
            }
            #[inline(always)]
            fn mul_add(self, factor: Self, addend: Self) -> Self {
                self * factor + addend
            }
            #[inline(always)]
            fn neg(self) -> Self {
                -self
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $float::abs(self)
            }
            #[inline(always)]
            fn copy_sign(self, sign: Self) -> Self {
                self.copysign(sign)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                #[cfg(feature = "std")]
                let root = $float::sqrt(self);
                #[cfg(not(feature = "std"))]
                let root = super::square_root::$float(self);
                root
            }
            #[inline(always)]
            fn at_least(self, bound: Self) -> Self {
                if bound > self { bound } else { self }
            }
            #[inline(always)]
            fn at_most(self, bound: Self) -> Self {
                if bound < self { bound } else { self }
            }
            #[inline(always)]
            fn less(self, other: Self) -> bool {
                self < other
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                $float::is_nan(self)
            }
            #[inline(always)]
            fn select(mask: bool, yes: Self, no: Self) -> Self {
                if mask { yes } else { no }
            }

            // The bits of a float, low to high: FRACTION bits, the exponent plus BIAS, the sign. Numbers from
            // 2^FRACTION to twice that lie one apart: adding such a number leaves a whole number in the low bits. It
            // takes additions and shifts of the lane's own width alone, which every vector unit has; conversions
            // between f64 and i64, and arithmetic shifts of 64 bits, AVX2 has not.

            #[inline(always)]
            fn power_of_two(self) -> Self {
                // The shift drops all but the exponent's field.
                $float::from_bits((self + (ROUNDER + BIAS as $float)).to_bits() << FRACTION)
            }

            #[inline(always)]
            fn scale_by_power_of_two(self, n: Self) -> Self {
                // 2ⁿ alone may be out of range where self · 2ⁿ is not, so it goes in two halves. The bias twice, once
                // for each half, also keeps the sum positive; the first product is exact, the second rounds.
                let exponents = (n + (ROUNDER + (2 * BIAS) as $float)).to_bits();
                let first = exponents >> 1;
                let second = exponents - first;
                self * $float::from_bits(first << FRACTION) * $float::from_bits(second << FRACTION)
            }

            #[inline(always)]
            fn mantissa_and_exponent(self) -> (Self, Self) {
                let subnormal = self < $float::MIN_POSITIVE;
                let normal = if subnormal { self * LIFT } else { self };
                // Move the boundary between two exponents from 1 to √½, cut there, and move the fraction back.
                let moved = normal.to_bits().wrapping_add(ONE - ROOT_OF_HALF);
                let mantissa = $float::from_bits((moved & ((1 << FRACTION) - 1)) + ROOT_OF_HALF);
                let biased = $float::from_bits((moved >> FRACTION) | UNIT_SPACED.to_bits());
                let lifted_by = if subnormal { (FRACTION + 1) as $float } else { 0.0 };
                (mantissa, biased - (UNIT_SPACED + BIAS as $float) - lifted_by)
            }
        }

        const FRACTION: $bits = $float::MANTISSA_DIGITS as $bits - 1;
        const BIAS: $bits = $float::MAX_EXP as $bits - 1;
        const ONE: $bits = BIAS << FRACTION;
        /// 2^FRACTION.
        const UNIT_SPACED: $float = $float::from_bits((BIAS + FRACTION) << FRACTION);
        /// 1.5 · 2^FRACTION: with a small number of either sign added it stays where numbers lie one apart.
        const ROUNDER: $float = 1.5 * UNIT_SPACED;
        /// 2^(FRACTION + 1) makes every subnormal number normal.
        const LIFT: $float = 2.0 * UNIT_SPACED;
        /// √½, as rounded.
        const ROOT_OF_HALF: $bits = core::$float::consts::FRAC_1_SQRT_2.to_bits();
    };
}

mod single {
    use super::Lanes;
    plain_lanes!(f32, u32);
}
mod double {
    use super::Lanes;
    plain_lanes!(f64, u64);
}

/// The correctly rounded square root in integers: `core` has none for floats on stable Rust.
///
/// A number is m · 2^q with q even and m scaled so that ⌊√m⌋ has one bit more than a fraction holds. That bit rounds:
/// √m is never exactly half way, since the square of a number with an odd last bit there has more bits than m.
pub(crate) mod square_root {
    // One text for two widths: what is lossless in one is not in the other.
    #![allow(clippy::cast_lossless)]

    macro_rules! in_integers {
        ($float:ident, $bits:ident, $signed:ident, $wide:ident) => {
            #[cfg_attr(feature = "std", allow(dead_code, reason = "the machine's own"))]
            pub(crate) const fn $float(x: $float) -> $float {
                const FRACTION: u32 = $float::MANTISSA_DIGITS - 1;
                const BIAS: $signed = $float::MAX_EXP as $signed - 1;

                if x < 0.0 {
                    return $float::NAN;
                }
                // NaN, +∞, +0 and −0 are their own roots (and a signalling NaN becomes quiet).
                if !(x > 0.0 && x < $float::INFINITY) {
                    return x + x;
                }
                // x = m · 2^(exponent − BIAS − FRACTION), the highest bit of m at FRACTION, also for subnormals.
                let fraction = x.to_bits() & ((1 << FRACTION) - 1);
                let field = (x.to_bits() >> FRACTION) as $signed;
                let (m, exponent) = if field == 0 {
                    let shift = fraction.leading_zeros() - ($bits::BITS - 1 - FRACTION);
                    (fraction << shift, 1 - shift as $signed)
                } else {
                    (fraction | 1 << FRACTION, field)
                };
                // FRACTION + 2 bits of root need 2 · FRACTION + 3 or + 4 bits below it.
                let power = exponent - BIAS - FRACTION as $signed;
                let shift = FRACTION + 2 + ((power - FRACTION as $signed) & 1) as u32;
                let root = ((m as $wide) << shift).isqrt();
                let rounded = ((root + 1) >> 1) as $bits;
                // The result is rounded · 2^scale. Its highest bit adds one to the exponent's field, or two where the
                // rounding carried.
                let scale = (power - shift as $signed) / 2 + 1;
                $float::from_bits((((scale + BIAS + FRACTION as $signed - 1) as $bits) << FRACTION) + rounded)
            }
        };
    }
    in_integers!(f32, u32, i32, u64);
    in_integers!(f64, u64, i64, u128);
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::{Lanes, square_root};
    use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

    /// Bit patterns all over the range, and the neighbours of every power of two.
    fn patterns(bits: u32) -> impl Iterator<Item = u64> {
        let spread = (0..1_u64 << 18).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let edges = (0..bits).flat_map(|k| (0..5).map(move |d| (1_u64 << k).wrapping_add(d).wrapping_sub(2)));
        spread.chain(edges).map(move |pattern| pattern >> (64 - bits))
    }

    #[test]
    fn square_root_in_integers_is_the_correctly_rounded_one() {
        for x in patterns(32).map(|bits| f32::from_bits(bits as u32)) {
            let (ours, theirs) = (square_root::f32(x), x.sqrt());
            assert!(ours.to_bits() == theirs.to_bits() || (ours.is_nan() && theirs.is_nan()), "√{x:e}: {ours:e}");
        }
        for x in patterns(64).map(f64::from_bits) {
            let (ours, theirs) = (square_root::f64(x), x.sqrt());
            assert!(ours.to_bits() == theirs.to_bits() || (ours.is_nan() && theirs.is_nan()), "√{x:e}: {ours:e}");
        }
        assert_eq!(square_root::f32(-0.0).to_bits(), (-0.0_f32).to_bits());
        assert_eq!(square_root::f64(f64::INFINITY), f64::INFINITY);
        assert!(square_root::f64(-1.0).is_nan() && square_root::f32(f32::NAN).is_nan());
    }

    #[test]
    #[ignore = "minutes: all 2^32 patterns"]
    fn every_f32_pattern_square_root() {
        for bits in 0..=u32::MAX {
            let x = f32::from_bits(bits);
            let (ours, theirs) = (square_root::f32(x), x.sqrt());
            assert!(ours.to_bits() == theirs.to_bits() || (ours.is_nan() && theirs.is_nan()), "√{x:e}: {ours:e}");
        }
    }

    #[test]
    fn powers_of_two_and_scaling_are_exact_down_to_the_least_subnormal() {
        for n in -126..=127 {
            assert_eq!((n as f32).power_of_two().to_bits(), ((n + 127) as u32) << 23);
        }
        for n in -1022..=1023 {
            assert_eq!(f64::from(n).power_of_two().to_bits(), ((n + 1023) as u64) << 52);
        }
        assert_eq!(1.0_f32.scale_by_power_of_two(-149.0).to_bits(), 1);
        assert_eq!(1.0_f64.scale_by_power_of_two(-1074.0).to_bits(), 1);
        // One rounding: 1 + 2⁻²³ at the last place of the subnormals is halved to even, 1.5 units to two.
        assert_eq!((1.0 + f32::EPSILON).scale_by_power_of_two(-150.0).to_bits(), 1);
        assert_eq!(1.0_f32.scale_by_power_of_two(-150.0).to_bits(), 0);
        assert_eq!(1.5_f64.scale_by_power_of_two(-1074.0).to_bits(), 2);
        assert_eq!(0.75_f32.scale_by_power_of_two(128.0), 1.5 * 2.0_f32.powi(127));
        assert_eq!(1.0_f32.scale_by_power_of_two(128.0), f32::INFINITY);
        assert_eq!(1.0_f64.scale_by_power_of_two(1024.0), f64::INFINITY);
        assert!(f32::NAN.scale_by_power_of_two(f32::NAN).is_nan() && f64::NAN.scale_by_power_of_two(f64::NAN).is_nan());
    }

    #[test]
    fn mantissa_and_exponent_give_the_number_back() {
        for x in patterns(31).map(|bits| f32::from_bits(bits as u32)).filter(|x| x.is_finite() && *x > 0.0) {
            let (m, e) = x.mantissa_and_exponent();
            assert!((FRAC_1_SQRT_2 as f32..SQRT_2 as f32).contains(&m) && e == e.trunc(), "{x:e} = {m} · 2^{e}");
            assert_eq!(f64::from(m) * 2.0_f64.powi(e as i32), f64::from(x));
        }
        for x in patterns(63).map(f64::from_bits).filter(|x| x.is_finite() && *x > 0.0) {
            let (m, e) = x.mantissa_and_exponent();
            assert!((FRAC_1_SQRT_2..=SQRT_2).contains(&m) && e == e.trunc(), "{x:e} = {m} · 2^{e}");
            assert_eq!(m.scale_by_power_of_two(e), x);
        }
    }

    #[test]
    fn bounds_keep_nan_and_copy_sign_keeps_zero_s_sign() {
        assert!(f32::NAN.at_least(0.0).is_nan() && f64::NAN.at_most(0.0).is_nan());
        assert_eq!((1.0_f32.at_least(2.0), 1.0_f64.at_most(-2.0)), (2.0, -2.0));
        assert_eq!(Lanes::copy_sign(0.0_f32, -1.0).to_bits(), (-0.0_f32).to_bits());
    }
}
