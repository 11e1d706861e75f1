//! The fixed-point scalar of the firmware, against `f64` and against sums of 128 bits.

#[path = "../examples/cortex-m/src/fixed_point.rs"]
mod fixed_point;

use chainrule::num_traits::{ConstOne, ConstZero};
use chainrule::{Identity, Random, Real, Scalar};
use fixed_point::Fixed;

const MIN: f64 = -128.0;
const MAX: f64 = 128.0 - STEP;
const STEP: f64 = 1.0 / (1 << 24) as f64;

/// Every number whose bits are all ones or zeros from some place on, each sign, and some at random.
fn numbers() -> Vec<Fixed> {
    let mut random = Random::new(1, 0);
    let bits = (0..31).flat_map(|k| [1 << k, -1 << k, i32::MAX >> k, i32::MIN >> k]);
    let bits = bits.chain((0..300).map(|k| (random.word() as i32) >> (k % 24)));
    bits.chain([0]).map(|bits| Fixed::from_f64(f64::from(bits) * STEP)).collect()
}

/// What a number that is exactly `value` becomes.
fn saturated(value: f64) -> f64 {
    value.clamp(MIN, MAX)
}

fn assert_near(found: Fixed, exact: f64, steps: f64, what: &str) {
    let error = (found.to_f64() - saturated(exact)).abs() / STEP;
    assert!(error <= steps, "{what}: {found:?}, not {exact}, {error} steps off");
}

#[test]
fn conversions_round_to_the_nearest_and_saturate() {
    for x in numbers() {
        assert_eq!(Fixed::from_f64(x.to_f64()), x);
        assert_near(Fixed::from_f64(x.to_f64() + 0.49 * STEP), x.to_f64(), 0.0, "just above");
    }
    for (value, expected) in [(1e300, MAX), (f64::NEG_INFINITY, MIN), (f64::NAN, 0.0)] {
        assert_eq!(Fixed::from_f64(value).to_f64(), expected);
    }
}

#[test]
fn operators_are_those_of_exact_numbers_rounded_and_saturated() {
    for a in numbers() {
        assert_near(-a, -a.to_f64(), 0.0, "negation");
        for b in numbers() {
            let (x, y) = (a.to_f64(), b.to_f64());
            let what = format!("{x} and {y}");
            assert_near(a + b, x + y, 0.0, &what);
            assert_near(a - b, x - y, 0.0, &what);
            assert_near(a * b, x * y, 0.5, &what);
            if y != 0.0 {
                assert_near(a / b, x / y, 1.0, &what);
            }
            assert_eq!(a.maximum(b).to_f64(), x.max(y));
        }
    }
    let quotients = [Fixed::ONE, -Fixed::ONE, Fixed::ZERO].map(|x| (x / Fixed::ZERO).to_f64());
    assert_eq!(quotients, [MAX, MIN, 0.0]);
}

#[test]
fn elementary_functions_are_right_to_a_few_steps() {
    for x in numbers() {
        let exact = x.to_f64();
        // The result's own resolution, or that of the factors of 30 bits.
        let relative = (exact.exp() * 1e-8 / STEP).max(0.0);
        assert_near(x.exp(), exact.exp(), 1.0 + relative, &format!("exp {exact}"));
        assert_near(x.tanh(), exact.tanh(), 3.0, &format!("tanh {exact}"));
        assert_near(x.sigmoid(), 1.0 / (1.0 + (-exact).exp()), 3.0, &format!("sigmoid {exact}"));
        assert_near(x.softplus(), exact.max(0.0) + (-exact.abs()).exp().ln_1p(), 3.0, &format!("softplus {exact}"));
        assert_near(x.erf(), Real::erf(exact), 16.0, &format!("erf {exact}"));
        assert_near(x.normal_cdf(), exact.normal_cdf(), 8.0, &format!("Φ {exact}"));
        if exact > 0.0 {
            assert_near(x.ln(), exact.ln(), 2.0, &format!("ln {exact}"));
            assert_near(x.sqrt(), exact.sqrt(), 1.0, &format!("√{exact}"));
        } else {
            assert_eq!((x.ln().to_f64(), x.sqrt().to_f64()), (MIN, 0.0));
        }
    }
}

/// The sum of products, in 128 bits, rounded once and saturated.
fn exact_sum(start: Fixed, pairs: impl Iterator<Item = (Fixed, Fixed)>) -> Fixed {
    let bits = |x: Fixed| (x.to_f64() / STEP) as i128;
    let sum = pairs.fold(bits(start) << 24, |sum, (a, b)| sum + bits(a) * bits(b));
    Fixed::from_f64(((sum + (1 << 23)) >> 24) as f64 * STEP)
}

#[test]
fn products_of_matrices_are_rounded_once() {
    const OUT: usize = 5;
    const IN: usize = 9;
    const B: usize = 3;
    let numbers = numbers();
    let mut random = Random::new(2, 0);
    let (mut inside, mut outside) = (0, 0);
    for round in 0..2000 {
        // From small numbers, whose sums stay in range, to any.
        let scale = Fixed::from_f64(0.5_f64.powi(round % 8));
        let mut any = || numbers[random.word() as usize % numbers.len()] * scale;
        let weights = [[(); OUT]; IN].map(|column| column.map(|()| any()));
        let (x, delta) = ([[(); IN]; B].map(|x| x.map(|()| any())), [[(); OUT]; B].map(|d| d.map(|()| any())));
        let bias = [(); OUT].map(|()| any());

        let mut y = [[Fixed::ZERO; OUT]; B];
        Fixed::dense::<Identity, OUT, IN, B>(&weights, &x, &bias, &mut y);
        let mut d_input = [[Fixed::ONE; IN]; B];
        Fixed::transpose_product(&weights, &delta, &mut d_input);
        for s in 0..B {
            for o in 0..OUT {
                assert_eq!(y[s][o], exact_sum(bias[o], (0..IN).map(|i| (weights[i][o], x[s][i]))));
                let saturates = [MIN, MAX].contains(&y[s][o].to_f64());
                *if saturates { &mut outside } else { &mut inside } += 1;
            }
            for i in 0..IN {
                assert_eq!(d_input[s][i], exact_sum(Fixed::ZERO, (0..OUT).map(|o| (weights[i][o], delta[s][o]))));
            }
        }
    }
    assert!(inside > 1000 && outside > 1000, "{inside} sums in range, {outside} not");
}

#[test]
fn the_worst_sums_saturate() {
    let (least, greatest) = (Fixed::from_f64(MIN), Fixed::from_f64(MAX));
    for (a, b, limit) in [(least, least, greatest), (least, greatest, least)] {
        let mut y = [[Fixed::ZERO; 1]];
        Fixed::dense::<Identity, 1, 64, 1>(&[[a]; 64], &[[b; 64]], &[limit], &mut y);
        assert_eq!(y, [[limit]]);
    }
}
