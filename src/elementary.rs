//! Elementary functions without branches, tables or calls: each is written once, over [`Lanes`].
//!
//! The body runs on a plain `f32` or `f64`, where it rounds every operation by itself and so gives the same bits on
//! every machine, and on vector registers, where products and sums may fuse. A NaN goes in and comes out; subnormal
//! numbers are numbers like any other.
//!
//! Errors are in units in the last place (ulp) of the exact result: the worst that was found for plain numbers. For
//! `f32` that is over all 2³² patterns, against glibc in f64, as this prints:
//! `cargo test --release --lib every_f32_pattern -- --ignored --nocapture`, which holds every register of the machine to the
//! same bounds. For `f64` it is over 3·10⁶ random numbers a function, and 33 neighbours each of the powers of two and the
//! multiples of ½ ln 2, against libquadmath's 113 bits; the true worst may lie a little above.

mod coefficients;
#[cfg(test)]
pub(crate) mod tests;

use crate::lanes::Lanes;
pub(crate) use coefficients::Precision;
use coefficients::{COS_OF_TURN, SIN_OF_TURN};

/// A constant that an `f32` holds exactly.
#[inline(always)]
fn constant<V: Lanes<Element: Precision>>(value: f32) -> V {
    V::splat(V::Element::exactly(value))
}

/// c₀ + c₁ x + c₂ x² + …, by Horner's rule.
#[inline(always)]
fn polynomial<V: Lanes>(coefficients: &[V::Element], x: V) -> V {
    match coefficients {
        [lower @ .., highest] => lower.iter().rev().fold(V::splat(*highest), |sum, &c| sum.mul_add(x, V::splat(c))),
        [] => x.sub(x),
    }
}

/// The whole number nearest to x · scale, for products well below 2²².
#[inline(always)]
fn nearest_whole<V: Lanes<Element: Precision>>(x: V, scale: V) -> V {
    let rounder = V::splat(V::Element::ROUNDER);
    x.mul_add(scale, rounder).sub(rounder)
}

/// (n, r) with x = n ln 2 + r, n whole, |r| ≤ ½ ln 2; for |x| up to the overflow of eˣ.
///
/// ln 2 is taken away in two parts (Cody and Waite): n times the high one is exact.
#[inline(always)]
fn multiple_of_ln_2<V: Lanes<Element: Precision>>(x: V) -> (V, V) {
    let n = nearest_whole(x, V::splat(V::Element::LOG2_E));
    let r = n.mul_add(V::splat(-V::Element::LN_2_HIGH), x);
    (n, n.mul_add(V::splat(-V::Element::LN_2_LOW), r))
}

/// eʳ − 1 = r + r² P(r) for |r| ≤ ½ ln 2.
///
/// P by Horner's rule in r², over pairs c + c′ r: as many operations as in r, in half the time.
#[inline(always)]
fn exp_m1_reduced<V: Lanes<Element: Precision>>(r: V) -> V {
    let square = r.mul(r);
    let (pairs, highest) = V::Element::EXP.as_chunks::<2>();
    let mut sum = polynomial(highest, r);
    for pair in pairs.iter().rev() {
        sum = sum.mul_add(square, polynomial(pair, r));
    }
    square.mul_add(sum, r)
}

/// eˣ = 2ⁿ eʳ for x no further out than where it becomes zero or infinite.
#[inline(always)]
fn exp_in_range<V: Lanes<Element: Precision>>(x: V) -> V {
    let (n, r) = multiple_of_ln_2(x);
    exp_m1_reduced(r).add(constant(1.0)).scale_by_power_of_two(n)
}

/// e^(−|x|).
#[inline(always)]
fn exp_of_minus_magnitude<V: Lanes<Element: Precision>>(x: V) -> V {
    exp_in_range(x.copy_sign(constant(-1.0)).at_least(V::splat(V::Element::EXP_IS_ZERO)))
}

/// eˣ − 1 = 2ⁿ (eʳ − 1) + (2ⁿ − 1) for −40 ≤ x ≤ 0; from there down it is −1.
///
/// One part of ln 2 is enough: what n ln 2 lacks grows with |n|, but counts 2ⁿ times.
#[inline(always)]
fn exp_m1_of_negative<V: Lanes<Element: Precision>>(x: V) -> V {
    exp_m1_near(nearest_whole(x, V::splat(V::Element::LOG2_E)), x)
}

/// [`exp_m1_of_negative`], given the n with |x − n ln 2| ≤ ½ ln 2.
#[inline(always)]
fn exp_m1_near<V: Lanes<Element: Precision>>(n: V, x: V) -> V {
    let r = n.mul_add(V::splat(-V::Element::LN_2), x);
    let power = n.power_of_two();
    power.mul_add(exp_m1_reduced(r), power.sub(constant(1.0)))
}

/// k ln 2 + ln(1 + f) for √½ ≤ 1 + f ≤ √2.
///
/// With s = f / (2 + f), ln(1 + f) = 2s + s R where R = s² P(s²). Since 2s = f − s f, and s f = f²/2 − s f²/2, it is
/// f − (f²/2 − s (f²/2 + R)), where f carries no error and the rest is small (FDLIBM).
#[inline(always)]
fn ln_near_one<V: Lanes<Element: Precision>>(f: V, k: V) -> V {
    let s = f.div(constant::<V>(2.0).add(f));
    let z = s.mul(s);
    let half_square = constant::<V>(0.5).mul(f).mul(f);
    let tail = half_square.add(z.mul(polynomial(V::Element::LN, z)));
    let small = s.mul_add(tail, k.mul(V::splat(V::Element::LN_2_LOW)));
    k.mul_add(V::splat(V::Element::LN_2_HIGH), f.sub(half_square.sub(small)))
}

/// eˣ. At most 1.05 ulp in `f32`, 1.01 in `f64`.
///
/// 0 and ∞ come from the scaling alone, at the right places: the bounds only keep n in the range of the scaling.
#[inline(always)]
pub(crate) fn exp<V: Lanes<Element: Precision>>(x: V) -> V {
    let lowest = V::splat(V::Element::EXP_IS_ZERO);
    let highest = V::splat(V::Element::EXP_IS_INFINITE);
    exp_in_range(x.at_least(lowest).at_most(highest))
}

/// eˣ − 1 = 2ⁿ (eʳ − 1) + (2ⁿ − 1), the sign of zero kept. At most 1.82 ulp in `f32`, 2.18 in `f64`.
#[inline(always)]
pub(crate) fn exp_m1<V: Lanes<Element: Precision>>(x: V) -> V {
    let (n, r) = multiple_of_ln_2(x.at_least(constant(-40.0)).at_most(V::splat(V::Element::EXP_IS_INFINITE)));
    // Half of it, because 2ⁿ overflows before eˣ does.
    let half_power = n.sub(constant(1.0)).power_of_two();
    let half = half_power.mul_add(exp_m1_reduced(r), half_power.sub(constant(0.5)));
    // x itself where it is that small: halves of subnormals are inexact, and zero would lose its sign.
    let tiny = x.abs().less(constant(1.0 / (1_u64 << 54) as f32));
    V::select(tiny, x, half.add(half))
}

/// ln x; −∞ at either zero, NaN below. At most 0.84 ulp in `f32`, 0.81 in `f64`.
///
/// x = 2ᵏ (1 + f).
#[inline(always)]
pub(crate) fn ln<V: Lanes<Element: Precision>>(x: V) -> V {
    let (m, k) = x.mantissa_and_exponent();
    let value = ln_near_one(m.sub(constant(1.0)), k);
    with_ends_of_ln(x, x, value)
}

/// ln(1 + x), the sign of zero kept; −∞ at −1, NaN below. At most 1.40 ulp in `f32`, 1.38 in `f64`.
///
/// Let u be the rounded 1 + x = 2ᵏ m. What the rounding lost is x − (u − 1), so that 1 + f = (1 + x) / 2ᵏ gives
/// f = (m − 1) + (x − (u − 1)) / 2ᵏ.
#[inline(always)]
pub(crate) fn ln_1p<V: Lanes<Element: Precision>>(x: V) -> V {
    let one = constant::<V>(1.0);
    let u = x.add(one);
    let (m, k) = u.mantissa_and_exponent();
    let lost = x.sub(u.sub(one));
    // Where k is large nothing that counts was lost: the bound only keeps 2⁻ᵏ normal.
    let inverse_power = constant::<V>(0.0).sub(k.at_most(constant(100.0))).power_of_two();
    let value = ln_near_one(lost.mul_add(inverse_power, m.sub(one)), k);
    with_ends_of_ln(u, x, value.copy_sign(x))
}

/// `value` for 0 < u < ∞, else what the logarithm of u is; NaN and ∞ are handed on from `x`.
#[inline(always)]
fn with_ends_of_ln<V: Lanes<Element: Precision>>(u: V, x: V, value: V) -> V {
    let zero = constant::<V>(0.0);
    let below = V::select(u.less(zero), constant(f32::NAN), constant(f32::NEG_INFINITY));
    let value = V::select(zero.less(u), value, below);
    V::select(x.less(constant(f32::INFINITY)), value, x)
}

/// tanh x, exactly odd, and never beyond ±1: [in pieces](tanh_in_pieces) where a register looks them up, otherwise
/// −t / (2 + t) with t = e^(−2|x|) − 1, and the sign of x. At most 2.51 ulp in `f32`, 2.53 in `f64`.
///
/// A rational function of x, without the exponential, takes a third fewer operations, but its last roundings count in
/// full where tanh levels off: 5.6 ulp in `f32`, and values above 1.
#[inline(always)]
pub(crate) fn tanh<V: Lanes<Element: Precision>>(x: V) -> V {
    if let Some(y) = tanh_in_pieces(x) {
        return y;
    }
    let magnitude = x.abs().at_most(constant(20.0));
    // The n of −2|x| does not wait for the product.
    let n = nearest_whole(magnitude, V::splat(V::Element::MINUS_2_LOG2_E));
    let t = exp_m1_near(n, magnitude.mul(constant(-2.0)));
    t.div(t.add(constant(2.0))).copy_sign(x)
}

/// tanh x by a polynomial in the distance of |x| from the centre of its piece, looked up with the coefficients: half as long as
/// by the exponential, because nothing is divided. At most 1.20 ulp in `f32`.
#[inline(always)]
fn tanh_in_pieces<V: Lanes<Element: Precision>>(x: V) -> Option<V> {
    let [centre, c0, c1, c2, c3, c4, c5, c6] = &V::Element::TANH?.0;
    let magnitude = x.abs().at_most(V::splat(V::Element::from_f64(9.02)));
    let at = magnitude.add(constant(0.75));
    let r = magnitude.sub(at.look_up(centre)?);
    let square = r.mul(r);
    let pair = |low, high| Some(at.look_up(high)?.mul_add(r, at.look_up(low)?));
    let sum = pair(c5, c6)?.mul_add(square, pair(c3, c4)?).mul_add(square, pair(c1, c2)?);
    Some(sum.mul_add(r, at.look_up(c0)?).copy_sign(x))
}

/// 1 / (1 + e^(−x)), as e / (1 + e) below zero with e = e^(−|x|): nothing overflows.
/// At most 2.41 ulp in `f32`, 2.36 in `f64`.
#[inline(always)]
pub(crate) fn sigmoid<V: Lanes<Element: Precision>>(x: V) -> V {
    let e = exp_of_minus_magnitude(x);
    let one = constant::<V>(1.0);
    V::select(x.less(constant(0.0)), e, one).div(e.add(one))
}

/// ln(1 + eˣ) = max(x, 0) + ln(1 + e) with e = e^(−|x|). At most 1.68 ulp in `f32`, 1.60 in `f64`.
///
/// 1 + e = 2ᵏ (1 + f) with k = 0 or 1, so f = e 2⁻ᵏ + (2⁻ᵏ − 1) needs no look at the bits.
#[inline(always)]
pub(crate) fn softplus<V: Lanes<Element: Precision>>(x: V) -> V {
    let (zero, one) = (constant::<V>(0.0), constant::<V>(1.0));
    let e = exp_of_minus_magnitude(x);
    // √2 − 1, roughly: either k is good near it.
    let halve = constant::<V>(0.414_213_56).less(e);
    let k = V::select(halve, one, zero);
    let inverse_power = V::select(halve, constant(0.5), one);
    x.at_least(zero).add(ln_near_one(e.mul_add(inverse_power, inverse_power.sub(one)), k))
}

/// erf x = 2/√π ∫₀ˣ e^(−t²) dt, exactly odd and never beyond ±1. At most 1.24 ulp in `f32`, 1.36 in `f64`.
///
/// x + x P(x²) near zero; further out 1 − e^P(|x|), P(x) ≈ ln(1 − erf x) (the form of N. Juffa).
#[inline(always)]
pub(crate) fn erf<V: Lanes<Element: Precision>>(x: V) -> V {
    let near = x.mul_add(polynomial(V::Element::ERF_NEAR, x.mul(x)), x);
    let magnitude = x.abs();
    let ln_of_rest = polynomial(V::Element::ERF_FAR, magnitude.at_most(V::splat(V::Element::ERF_IS_ONE)));
    let far = exp_m1_of_negative(ln_of_rest).copy_sign(x);
    V::select(magnitude.less(V::splat(V::Element::ERF_SEAM)), near, far)
}

/// (sin 2πu, cos 2πu) for 0 ≤ u ≤ 1. At most 1.55 ulp each.
///
/// u = q/4 + r with a quarter q and |r| ≤ 1/8, both exact; the quarter swaps the two and turns their signs.
#[inline(always)]
pub(crate) fn sin_cos_of_turn<V: Lanes<Element = f64>>(u: V) -> (V, V) {
    let quarter = nearest_whole(u, constant(4.0));
    let r = quarter.mul_add(constant(-0.25), u);
    let square = r.mul(r);
    let sin = r.mul(polynomial(SIN_OF_TURN, square));
    let cos = square.mul_add(polynomial(COS_OF_TURN, square), constant(1.0));

    let half = constant::<V>(0.5);
    let from_half_turn = quarter.sub(constant(2.0)).abs();
    let odd = from_half_turn.sub(constant(1.0)).abs().less(half);
    let (first, second) = (V::select(odd, cos, sin), V::select(odd, sin, cos));
    // The sine is negative in quarters 2 and 3, the cosine in 1 and 2.
    let turned = |value: V, middle: f32| {
        let negative = quarter.sub(constant(middle)).abs().less(constant(1.0));
        V::select(negative, constant::<V>(0.0).sub(value), value)
    };
    (turned(first, 2.5), turned(second, 1.5))
}
