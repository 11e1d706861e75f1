//! Each function against a better one, at its ends, and in its symmetries.

extern crate std;

use super::{Precision, erf, exp, exp_m1, ln, ln_1p, sigmoid, sin_cos_of_turn, softplus, tanh};
use crate::lanes::Lanes;
use std::f64::consts::PI;
use std::println;

/// One function in both precisions, a reference in f64, and the stated bounds in ulp.
pub(crate) struct Subject {
    pub name: &'static str,
    single: fn(f32) -> f32,
    double: fn(f64) -> f64,
    pub reference: fn(f64) -> f64,
    pub bounds: (f64, f64),
}

/// The bounds are those of the doc comments, with a little room.
pub(crate) const SUBJECTS: [Subject; 8] = [
    Subject { name: "exp", single: exp, double: exp, reference: f64::exp, bounds: (1.1, 1.1) },
    Subject { name: "exp_m1", single: exp_m1, double: exp_m1, reference: f64::exp_m1, bounds: (1.9, 2.4) },
    Subject { name: "ln", single: ln, double: ln, reference: f64::ln, bounds: (0.9, 0.9) },
    Subject { name: "ln_1p", single: ln_1p, double: ln_1p, reference: f64::ln_1p, bounds: (1.5, 1.6) },
    Subject { name: "tanh", single: tanh, double: tanh, reference: f64::tanh, bounds: (2.6, 2.8) },
    Subject { name: "sigmoid", single: sigmoid, double: sigmoid, reference: sigmoid_of_std, bounds: (2.5, 2.5) },
    Subject { name: "softplus", single: softplus, double: softplus, reference: softplus_of_std, bounds: (1.7, 1.8) },
    Subject { name: "erf", single: erf, double: erf, reference: erf_by_definition, bounds: (1.4, 1.5) },
];

fn sigmoid_of_std(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
}

fn softplus_of_std(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// erf x = 2/√π e^(−x²) Σ 2ⁿ x²ⁿ⁺¹ / (1·3·5 … (2n+1)), where no terms cancel; from 1.5 on
/// 1 − e^(−x²)/√π / (x + ½/(x + 1/(x + 3/2/(x + …)))), whose error fades beside the one.
fn erf_by_definition(x: f64) -> f64 {
    if x.is_nan() || x.is_infinite() {
        return x.signum();
    }
    if x.abs() >= 1.5 {
        let fraction = (1..80).rev().fold(x.abs(), |below, n| x.abs() + f64::from(n) / 2.0 / below);
        return (1.0 - (-x * x).exp() / PI.sqrt() / fraction).copysign(x);
    }
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > sum.abs() * 1e-18 {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    2.0 / PI.sqrt() * (-x * x).exp() * sum
}

/// The distance of `value` from `exact` in units of the last of `digits` binary places of `exact`, NaN being no distance
/// from NaN, and infinite where only one of the two is NaN or overflows.
pub(crate) fn error_in_ulp(value: f64, exact: f64, digits: i32, least_exponent: i32, overflow: f64) -> f64 {
    if value.is_nan() || exact.is_nan() {
        return if value.is_nan() && exact.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if value.is_infinite() || exact.is_infinite() {
        return if value.signum() == exact.signum() && exact.abs() >= overflow { 0.0 } else { f64::INFINITY };
    }
    let exponent = (exact.abs().to_bits() >> 52) as i32 - 1023;
    // Two factors: the unit may be too small to be one number, or its inverse too large.
    let places = digits - 1 - exponent.max(least_exponent);
    (value - exact).abs() * 2.0_f64.powi(places / 2) * 2.0_f64.powi(places - places / 2)
}

/// Half a unit above the largest `f32`: from there numbers round to infinity.
pub(crate) const OVERFLOW: f64 = 340_282_356_779_733_661_637_539_395_458_142_568_448.0;

/// Prints the worst error of each function, for `--nocapture` to show.
fn check_f32(patterns: impl Iterator<Item = u32> + Clone + Send) {
    std::thread::scope(|scope| {
        for Subject { name, single, reference, bounds, .. } in &SUBJECTS {
            let patterns = patterns.clone();
            scope.spawn(move || {
                let (mut worst, mut at) = (0.0, 0.0);
                for x in patterns.map(f32::from_bits) {
                    let (y, exact) = (single(x), reference(f64::from(x)));
                    let error = error_in_ulp(f64::from(y), exact, 24, -126, OVERFLOW);
                    assert!(error <= bounds.0, "{name}({x:e}) = {y:e}, not {exact:e}: {error} ulp");
                    if error > worst {
                        (worst, at) = (error, x);
                    }
                }
                println!("{name}: at most {worst:.3} ulp, at {at:e}");
            });
        }
    });
}

#[test]
fn f32_is_within_its_stated_error() {
    check_f32((0..=u32::MAX).step_by(4096));
    // The largest numbers, infinity and the first NaN.
    check_f32((0..64).flat_map(|i| [0x7F80_0000 - 32 + i, 0xFF80_0000 - 32 + i]));
}

/// Another offset in each group of 64, so that all last bits occur.
#[test]
#[ignore = "for optimised builds, as in .ci/run"]
fn every_64th_f32_pattern() {
    check_f32((0..1_u32 << 26).map(|i| i << 6 | i.wrapping_mul(0x9E37_79B1) >> 26));
}

#[test]
#[ignore = "for optimised builds, and long: all 2^32 patterns"]
fn every_f32_pattern() {
    check_f32(0..=u32::MAX);
}

#[test]
fn f64_is_within_its_stated_error() {
    // The references have errors of their own: one ulp, or more where they are put together from several functions.
    for Subject { name, double, reference, bounds, .. } in &SUBJECTS {
        let allowed = bounds.1 + if *name == "erf" { 8.0 } else { 3.0 };
        let near = (-40_000..=40_000).map(|i| f64::from(i) * 1.234_567_890_123e-3);
        let tiny = (1..2000).map(|i| f64::from(i % 7 - 3) * 0.7_f64.powi(i));
        for x in near.chain(tiny) {
            let (y, exact) = (double(x), reference(x));
            let error = error_in_ulp(y, exact, 53, -1022, f64::INFINITY);
            assert!(error <= allowed, "{name}({x:e}) = {y:e}, not {exact:e}: {error} ulp");
        }
    }
    // By mpmath.
    for (x, exact) in [(0.5, 0.520_499_877_813_046_5), (0.999, 0.842_285_270_206_497), (1.0, 0.842_700_792_949_714_9)] {
        assert!((erf(x) - exact).abs() <= f64::EPSILON, "{x}");
        assert!((erf(-x) + exact).abs() <= f64::EPSILON, "{x}");
    }
}

/// What holds in both precisions, the thresholds given.
fn ends<T>(overflow: [T; 2], underflow: [T; 2], one: [T; 2], least: T, to_f64: fn(T) -> f64)
where
    T: Lanes<Element = T, Mask = bool> + Precision + PartialEq + PartialOrd + std::fmt::Debug,
{
    let at = |x: f32| T::exactly(x);
    let (zero, infinity) = (at(0.0), at(f32::INFINITY));
    let negative_zero = |x: T| to_f64(x) == 0.0 && to_f64(x).is_sign_negative();

    for function in [exp::<T>, exp_m1, ln, ln_1p, tanh, sigmoid, softplus, erf] {
        assert!(function(at(f32::NAN)).is_nan() && function(at(-f32::NAN)).is_nan());
    }
    for odd in [tanh::<T>, erf, exp_m1, ln_1p] {
        assert!(negative_zero(odd(at(-0.0))) && !negative_zero(odd(zero)) && odd(zero) == zero);
        assert_eq!((odd(least), odd(-least)), (least, -least));
    }

    assert_eq!((exp(zero), exp(at(-0.0)), exp(-infinity), exp(infinity)), (at(1.0), at(1.0), zero, infinity));
    assert!(exp(overflow[0]) < infinity && exp(overflow[1]) == infinity, "{overflow:?}");
    assert!(exp(underflow[0]) == least && exp(underflow[1]) == zero, "{underflow:?}");
    assert!(exp_m1(overflow[0]) < infinity && exp_m1(overflow[1]) == infinity, "{overflow:?}");
    assert_eq!((exp_m1(-infinity), exp_m1(at(-100.0)), exp_m1(infinity)), (at(-1.0), at(-1.0), infinity));

    assert_eq!((ln(zero), ln(at(-0.0)), ln(at(1.0)), ln(infinity)), (-infinity, -infinity, zero, infinity));
    assert!(ln(-least).is_nan() && ln(-infinity).is_nan());
    assert_eq!((ln_1p(at(-1.0)), ln_1p(infinity)), (-infinity, infinity));
    assert!(ln_1p(at(-1.000_001)).is_nan() && ln_1p(-infinity).is_nan());

    assert_eq!((sigmoid(zero), sigmoid(infinity), sigmoid(-infinity)), (at(0.5), at(1.0), zero));
    assert!(sigmoid(one[0]) < at(1.0) && sigmoid(one[1]) == at(1.0), "{one:?}");
    assert!(sigmoid(underflow[0]) == least && sigmoid(underflow[1]) == zero, "{underflow:?}");
    assert_eq!((softplus(infinity), softplus(-infinity)), (infinity, zero));
    assert_eq!((softplus(at(89.0)), softplus(at(1e4)), softplus(at(f32::MAX))), (at(89.0), at(1e4), at(f32::MAX)));
    assert_eq!(softplus(at(-100.0)), exp(at(-100.0)));
    assert!(softplus(underflow[0]) == least && softplus(underflow[1]) == zero, "{underflow:?}");

    for x in [at(20.0), at(1e4), at(f32::MAX), infinity] {
        assert_eq!((tanh(x), tanh(-x), erf(x), erf(-x)), (at(1.0), at(-1.0), at(1.0), at(-1.0)));
    }
    let mut x = at(1e-3);
    while x < at(50.0) {
        assert!(tanh(-x) == -tanh(x) && erf(-x) == -erf(x), "{x:?}");
        assert!(tanh(x) <= at(1.0) && erf(x) <= at(1.0) && sigmoid(x) <= at(1.0), "{x:?}");
        x = x.mul(at(1.001));
    }
}

#[test]
fn ends_of_f32() {
    let least = f32::from_bits(1);
    ends([88.722_83, 88.722_84], [-103.972, -103.973], [16.635_5, 16.635_6], least, f64::from);
    assert!(sigmoid(-103.9_f32) > 0.0 && sigmoid(-104.0_f32) == 0.0);
    assert!(sigmoid(-90.0_f32) > 0.0 && sigmoid(-548.0_f32) == 0.0);
}

#[test]
fn ends_of_f64() {
    let least = f64::from_bits(1);
    ends(
        [709.782_712_893_383_9, 709.782_712_893_384_1],
        [-745.133_219_101_941, -745.133_219_101_942],
        [36.736_8, 36.736_9],
        least,
        |x| x,
    );
    assert!(sigmoid(-104.0_f64) > 6.8e-46 && sigmoid(-548.0_f64) > 0.0);
}

#[test]
fn sines_of_turns() {
    for (u, sin, cos) in [(0.0, 0.0, 1.0), (0.25, 1.0, 0.0), (0.5, 0.0, -1.0), (0.75, -1.0, 0.0), (1.0, 0.0, 1.0)] {
        assert_eq!(sin_cos_of_turn::<f64>(u), (sin, cos), "{u}");
    }
    for i in 0..100_000 {
        let u = f64::from(i) / 100_003.0;
        let (sin, cos) = sin_cos_of_turn(u);
        // The rounding of 2πu moves the reference by up to 2πu · 2⁻⁵³ · 2.
        assert!((sin - (2.0 * PI * u).sin()).abs() <= 2e-15 && (cos - (2.0 * PI * u).cos()).abs() <= 2e-15, "{u}");
        assert!((sin * sin + cos * cos - 1.0).abs() <= 1e-15, "{u}");
    }
    assert!(sin_cos_of_turn(f64::NAN).0.is_nan() && sin_cos_of_turn(f64::NAN).1.is_nan());
}
