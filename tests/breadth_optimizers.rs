//! Every optimiser, wrapper and schedule: against PyTorch, its formula, and bad input.
#![allow(missing_docs)]

#[path = "golden/breadth.rs"]
mod golden;

use chainrule::*;
use golden::{Draws, all_close, array, close, record, records};

parameters! {
    /// Two weights and two biases.
    struct Pair<T = f32> {
        weights: Vector<2, T> = Role::Weight,
        bias: Vector<2, T> = Role::Bias,
    }
}

fn pair<T: Scalar>(x: &[f64]) -> Pair<T> {
    let [a, b, c, d] = array(x).map(T::from_f64);
    Pair { weights: Vector::from([a, b]), bias: Vector::from([c, d]) }
}

fn scalars<P: Tensor>(p: &P) -> Vec<f64> {
    (0..P::SLICES).flat_map(|i| p.slice(i).iter().map(|x| x.to_f64())).collect()
}

fn zero<S: Zeroed>() -> S {
    S::ZEROED
}

/// One step as a trainer makes it.
fn step<O: Optimizer, P: Tensor>(
    rule: &O,
    t: u64,
    w: &mut P,
    mut g: P::Gradient,
    state: &mut O::State<P::Gradient>,
) -> Result<(), Overflow> {
    rule.validate().unwrap();
    rule.prepare(&mut g);
    rule.step(t, w, &g, state)
}

// ---------------------------------------------------------------- optimisers

/// 25 steps of a rule, step for step those of PyTorch; then in f32, near enough.
fn trajectory<O: Optimizer>(name: &str, rule: &O) {
    let expected = records("trajectory", name);
    let gradients = records("gradient", "-");
    assert_eq!((expected.len(), gradients.len()), (25, 25), "{name}");
    let (mut wide, mut narrow) = (pair::<f64>(&record("start", "-")[0]), pair::<f32>(&record("start", "-")[0]));
    let (mut wide_state, mut narrow_state) = (Zeroed::ZEROED, Zeroed::ZEROED);
    for (t, (g, w)) in gradients.iter().zip(&expected).enumerate() {
        step(rule, t as u64 + 1, &mut wide, pair(&g[0]), &mut wide_state).unwrap();
        all_close(&format!("{name}, step {t}"), &scalars(&wide), &w[0]);
        step(rule, t as u64 + 1, &mut narrow, pair(&g[0]), &mut narrow_state).unwrap();
        for (found, expected) in scalars(&narrow).iter().zip(&w[0]) {
            close(&format!("{name} in f32, step {t}"), *found, *expected, 2e-5 * expected.abs().max(1.0));
        }
    }
}

fn by_role(block: &Block) -> f64 {
    if block.role == Role::Weight { 0.1 } else { 1.0 }
}

/// Every rule moves as PyTorch's, for 25 steps of gradients that change sign and size.
// proves eq:nesterov, eq:rms-prop, eq:adagrad, eq:rprop, eq:weight-decay, eq:layer-rate, eq:clip-value, eq:clip-norm
// proves eq:step-decay
#[test]
fn golden_trajectories() {
    trajectory("Nesterov", &Nesterov { learning_rate: 0.05, momentum: 0.9 });
    trajectory("RmsProp", &RmsProp::new(0.01).unwrap());
    trajectory("Adagrad", &Adagrad::new(0.1).unwrap());
    trajectory("Rprop", &Rprop::new(0.01).unwrap());
    trajectory("AdamW", &AdamW { decay: 0.1, ..AdamW::new(0.02).unwrap() });
    trajectory("LayerRates", &LayerRates { optimizer: Adam::new(0.02).unwrap(), factor: by_role });
    trajectory("ClipValue", &ClipValue { optimizer: Sgd::new(0.1).unwrap(), limit: 0.5 });
    trajectory("ClipNorm", &ClipNorm { optimizer: Sgd::new(0.1).unwrap(), limit: 0.5 });
    let schedule = StepDecay { every: 7, factor: 0.5 };
    trajectory("Scheduled", &Scheduled { optimizer: Adam::new(0.05).unwrap(), schedule });
}

/// Every rule against its formula, a number at a time, over gradients of many sizes.
// proves eq:nesterov, eq:rms-prop, eq:adagrad, eq:rprop, eq:weight-decay
#[test]
fn rules_by_their_formulas() {
    let mut draws = Draws(23);
    for _ in 0..20 {
        let (rate, mu, alpha) = (0.1 * draws.next().abs(), draws.next().abs(), draws.next().abs());
        let start: [f64; 1] = draws.array(2.0);
        let mut w = [start[0]; 5].map(|w| Vector::from([w]));
        let (mut s1, mut s2, mut s3) = (Vector::ZEROED, Vector::ZEROED, Vector::ZEROED);
        let mut s4 = (Vector::ZEROED, Vector::ZEROED);
        let (mut v, mut average, mut sum, mut delta, mut before) = (0.0, 0.0, 0.0, 0.0_f64, 0.0_f64);
        let mut expected = [start[0]; 5];
        for t in 1..40 {
            let g = draws.next() * 10.0_f64.powi((t % 7) as i32 - 4);
            let gradient = Vector::from([g]);
            Nesterov { learning_rate: rate, momentum: mu }.step(t, &mut w[0], &gradient, &mut s1).unwrap();
            RmsProp { learning_rate: rate, alpha, epsilon: 1e-3 }.step(t, &mut w[1], &gradient, &mut s2).unwrap();
            Adagrad { learning_rate: rate, epsilon: 1e-3 }.step(t, &mut w[2], &gradient, &mut s3).unwrap();
            let rule = Rprop { learning_rate: rate, shrink: 0.4, grow: 1.3, least: 1e-4, most: 0.5 };
            rule.step(t, &mut w[3], &gradient, &mut s4).unwrap();

            v = mu * v + g;
            expected[0] -= rate * (g + mu * v);
            average = alpha * average + (1.0 - alpha) * g * g;
            expected[1] -= rate * g / (average.sqrt() + 1e-3);
            sum += g * g;
            expected[2] -= rate * g / (sum.sqrt() + 1e-3);
            let agreement = g * before;
            delta = match t {
                1 => rate,
                _ if agreement > 0.0 => (delta * 1.3).clamp(1e-4, 0.5),
                _ if agreement < 0.0 => (delta * 0.4).clamp(1e-4, 0.5),
                _ => delta.clamp(1e-4, 0.5),
            };
            before = if agreement < 0.0 { 0.0 } else { g };
            expected[3] -= if before == 0.0 { 0.0 } else { before.signum() * delta };
            for (k, (w, expected)) in w.iter().zip(expected).enumerate() {
                close(&format!("rule {k}, step {t}"), w[0], expected, 1e-12 * expected.abs().max(1.0));
            }
        }
    }
    // Decay: weights shrink, biases and gains do not, and frozen weights neither.
    network! {
        struct Net<T = f32>: 1 => 1 {
            frozen: Frozen<Dense<1, 1, Identity, T>>,
            norm: LayerNorm<1, T>,
            dense: Dense<1, 1, Identity, T>,
        }
    }
    let mut net = <Net<f64>>::ZEROED;
    for i in 0..<Net>::SLICES {
        net.slice_mut(i).fill(1.0);
    }
    let rule = WeightDecay { optimizer: Momentum::new(0.5).unwrap(), decay: 0.25 };
    rule.step(1, &mut net, &Zeroed::ZEROED, &mut zero()).unwrap();
    assert_eq!(scalars(&net), [1.0, 1.0, 1.0, 1.0, 0.875, 1.0]);
}

/// Gradients of 1e20 and 1e−24 in f32, and rates of 0: nobody freezes, throws, or moves without cause.
#[test]
fn rules_at_extremes() {
    fn check<O: Optimizer>(name: &str, rule: &O)
    where
        O::State<Vector<2>>: Tensor<Scalar = f32>,
    {
        let mut w = Vector::from([1.0_f32, -1.0]);
        let mut state = <O::State<Vector<2>>>::ZEROED;
        for t in 1..=20 {
            step(rule, t, &mut w, Vector::from([1e20, 1e-24]), &mut state).unwrap();
            assert!(state.all_finite() && w.all_finite(), "{name}");
        }
        assert!(w[0] < 1.0 && w[0] > -200.0, "{name}: {}", w[0]);
        let before = w.clone();
        for t in 21..=30 {
            step(rule, t, &mut w, Vector::from([-1.0, 1.0]), &mut state).unwrap();
        }
        assert!(w[1] < before[1], "{name} froze: {}", w[1]);

        let still = rule.clone().with_learning_rate(0.0);
        let (mut w, mut state) = (before.clone(), Zeroed::ZEROED);
        step(&still, 1, &mut w, Vector::from([3.0, -1e20]), &mut state).unwrap();
        assert_eq!(w, before, "{name}: a rate of 0");
    }
    check("RmsProp", &RmsProp::new(0.1).unwrap());
    check("Adagrad", &Adagrad::new(0.1).unwrap());
    check("Rprop", &Rprop::new(0.1).unwrap());
    check("AdamW", &AdamW::new(0.1).unwrap());
    check("ClipNorm", &ClipNorm { optimizer: Adam::new(0.1).unwrap(), limit: 1.0 });
    check("ClipValue", &ClipValue { optimizer: Nesterov::new(0.1).unwrap(), limit: 1.0 });
}

/// What is remembered of gradients decays to zero when they end, and does not come to rest in the subnormal numbers.
#[test]
fn averages_of_gradients_end_at_zero() {
    fn check<O: Optimizer, T: Scalar>(rule: &O)
    where
        O::State<Vector<3, T>>: Tensor<Scalar = T>,
    {
        let (mut w, mut state) = (Vector::<3, T>::ZEROED, <O::State<Vector<3, T>>>::ZEROED);
        for t in 1..=10_000 {
            let g = if t <= 3 { [1.0, -1e-3, 1e-15] } else { [0.0; 3] };
            rule.step(t, &mut w, &Vector::from(g.map(T::from_f64)), &mut state).unwrap();
            let averages = scalars(&state);
            let subnormal = |x: &f64| *x != 0.0 && x.abs() < f64::from(f32::MIN_POSITIVE);
            assert!(!averages.iter().any(subnormal), "{}, step {t}: {averages:?}", O::NAME);
            match t {
                3 => assert!(averages.iter().all(|x| *x != 0.0), "{}: {averages:?}", O::NAME),
                10_000 => assert!(averages.iter().all(|x| *x == 0.0), "{}: {averages:?}", O::NAME),
                _ => {}
            }
        }
    }
    // The second moments with the usual 0.999 would take 83,000 steps.
    let adam = Adam { beta2: 0.99, ..Adam::new(0.1).unwrap() };
    check::<_, f32>(&adam);
    check::<_, f64>(&adam);
    check::<_, f32>(&RmsProp::new(0.1).unwrap());
    check::<_, f64>(&RmsProp::new(0.1).unwrap());
    check::<_, f32>(&Momentum::new(0.1).unwrap());
    check::<_, f64>(&Momentum::new(0.1).unwrap());
    check::<_, f32>(&Nesterov::new(0.1).unwrap());
    check::<_, f64>(&Nesterov::new(0.1).unwrap());
}

/// Where the second moment falls faster than the first, it is not zero before: no step is longer than
/// (1 − β₁) / √((1 − β₂)·(1 − β₁²/β₂)) of η.
#[test]
fn second_moments_outlast_the_first() {
    let (beta1, beta2) = (0.5, 0.3);
    let rule = Adam { learning_rate: 1.0, beta1, beta2, epsilon: f64::from(f32::MIN_POSITIVE) };
    let (mut w, mut state) = (Vector::from([0.0_f64]), (Vector::ZEROED, Vector::ZEROED));
    let longest = (1.0 - beta1) / ((1.0 - beta2) * (1.0 - beta1 * beta1 / beta2)).sqrt();
    for t in 1..=200 {
        let before = w[0];
        rule.step(t, &mut w, &Vector::from([if t < 20 { 1.0 } else { 0.0 }]), &mut state).unwrap();
        assert!((w[0] - before).abs() <= longest, "step {t}: {:e}", w[0] - before);
    }
    assert_eq!(state, (Vector::ZEROED, Vector::ZEROED));
}

/// Zero as a value is no constant: the derivative of a velocity is kept, and a range holds all that may be.
#[test]
fn velocities_of_zero_keep_what_a_scalar_carries() {
    let rule = Momentum { learning_rate: 0.25, momentum: 0.5 };
    let (mut w, mut v) = (Vector::from([Dual::constant(1.0)]), Vector::ZEROED);
    for (t, expected) in [(1, -0.25), (2, -0.625)] {
        rule.step(t, &mut w, &Vector::from([Dual::variable(0.0)]), &mut v).unwrap();
        assert_eq!((w[0].value, w[0].derivative), (1.0, expected), "step {t}");
    }
    // Of half this range the least is taken as 0, the greatest is not.
    let (mut w, mut v) = (Vector::from([Interval::<true>::point(1.0)]), Vector::from([Interval::new(2e-39, 8.0)]));
    rule.step(1, &mut w, &Vector::ZEROED, &mut v).unwrap();
    for velocity in [0.0, 1e-30, 4.0] {
        assert!(v[0].contains(velocity) && w[0].contains(1.0 - 0.25 * velocity), "{velocity:e} escapes {:?}", v[0]);
    }
}

/// What a rule says of its reach: no parameter is moved farther, however the gradient and what is remembered lie, and
/// the bound is the one that its proof gives, so that no step is refused without cause.
#[test]
fn reach_of_rules() {
    /// Moves `N` zeros, so that each ends where it was moved to; returns the reach, and the largest of |w| and of what
    /// is remembered.
    fn reached<O: Optimizer, const N: usize>(
        rule: &O,
        t: u64,
        g: [f64; N],
        state: &mut O::State<Vector<N, f64>>,
    ) -> (f64, f64, f64) {
        let (mut w, g) = (Vector::ZEROED, Vector::from(g));
        let step = rule.begin(t);
        let reach = rule.reach(step, 0, &w, g.max_abs(), state);
        rule.update(step, Part::whole(&g, 0), &mut w, g.as_slice(), state);
        assert!(w.max_abs() <= reach, "{} moved by {:e} > {reach:e}", O::NAME, w.max_abs());
        (reach, w.max_abs(), state.max_abs())
    }
    let mut draws = Draws(29);
    for round in 0..50 {
        // Rates beyond 1 too: where they do not shrink what is remembered, it reaches as far as the weight.
        let rate = 4.0 * draws.next().abs();
        let share = draws.next().abs();
        let (sgd, momentum) = (Sgd { learning_rate: rate }, Momentum { learning_rate: rate, momentum: share });
        let nesterov = Nesterov { learning_rate: rate, momentum: share };
        let (mut one, mut two) = (Vector::ZEROED, Vector::ZEROED);
        let (mut aligned, mut looking) = (Vector::ZEROED, Vector::ZEROED);
        let adam = Adam { learning_rate: rate, beta1: share, beta2: 0.5 + 0.5 * share * share, epsilon: 1e-8 };
        let (mut moments, mut average, mut sum) = (Zeroed::ZEROED, Vector::ZEROED, Vector::ZEROED);
        let (rprop, mut steps) = (Rprop { most: 0.75, ..Rprop::new(rate).unwrap() }, Zeroed::ZEROED);
        for t in 1..6 {
            let scale = 10.0_f64.powi(round % 7 - 3);
            let g: [f64; 5] = draws.array(scale);
            let (reach, moved, _) = reached(&sgd, t, g, &mut zero());
            assert_eq!(reach, moved);
            reached(&momentum, t, g, &mut one);
            reached(&nesterov, t, g, &mut two);
            // Gradients of one sign add up: the bound is reached.
            let (reach, moved, velocity) = reached(&momentum, t, [g[0].abs()], &mut aligned);
            assert_eq!(reach, moved.max(velocity));
            let (reach, _, velocity) = reached(&nesterov, t, [g[0].abs()], &mut looking);
            assert_eq!(reach, velocity.max(rate * (2.0 * velocity)));

            let corrected = rate / (1.0 - share.powi(t as i32));
            let (reach, ..) = reached(&adam, t, g, &mut moments);
            close("Adam", reach, corrected * 1e20, 1e-14 * reach);
            let (reach, ..) =
                reached(&RmsProp { learning_rate: rate, alpha: share, epsilon: 1e-8 }, t, g, &mut average);
            assert_eq!(reach, rate * 1e20);
            let (reach, ..) = reached(&Adagrad { learning_rate: rate, epsilon: 1e-8 }, t, g, &mut sum);
            assert_eq!(reach, rate * 1e20);
            let (reach, ..) = reached(&rprop, t, g, &mut steps);
            assert_eq!(reach, 0.75 + rate);
        }
    }
    // Where β₁² does not lie below β₂, old gradients outlive their squares, and ε alone bounds the ratio.
    for (beta1, beta2) in [(0.5, 0.25), (0.5, 0.2), (0.9, 0.5)] {
        let rule = Adam { learning_rate: 2.0, beta1, beta2, epsilon: 1e-3 };
        let (reach, ..) = reached(&rule, 1, [1.0], &mut zero());
        close("Adam", reach, 2.0 / (1.0 - beta1) * 1e21, 1e-14 * reach);
    }
}

/// A quiet time after large gradients throws a weight where β₁² > β₂, and there alone: within what is promised.
#[test]
fn reach_of_adam_after_large_gradients() {
    for (beta1, beta2) in [(0.9, 0.999), (0.5, 0.25), (0.9, 0.5), (0.99, 0.01)] {
        let rule = Adam { learning_rate: 0.1, beta1, beta2, epsilon: 1e-30 };
        let (mut w, mut state, mut farthest) = (Vector::from([0.0_f64]), Zeroed::ZEROED, 0.0_f64);
        for t in 1..400 {
            let g = Vector::from([if t < 20 { 1e18 } else { 0.0 }]);
            let step = rule.begin(t);
            let (before, reach) = (w[0], rule.reach(step, 0, &w, g.max_abs(), &state));
            rule.update(step, Part::whole(&g, 0), &mut w, g.as_slice(), &mut state);
            assert!((w[0] - before).abs() <= reach, "{beta1}, {beta2}, step {t}");
            farthest = farthest.max((w[0] - before).abs());
        }
        assert_eq!(farthest > 0.1 * 1e20, beta1 * beta1 > beta2, "{beta1}, {beta2}: {farthest:e}");
    }
}

/// A step that would overflow, or whose rate is none, is refused as a whole: the blocks before it have not moved.
#[test]
fn all_or_nothing() {
    fn refused<O: Optimizer>(rule: &O, w: [f64; 4], g: [f64; 4], block: &str)
    where
        O::State<Pair>: Tensor<Scalar = f32>,
    {
        let (before, mut state) = (pair::<f32>(&w), <O::State<Pair>>::ZEROED);
        let mut after = before.clone();
        let overflow = rule.step(1, &mut after, &pair(&g), &mut state).unwrap_err();
        assert_eq!(overflow.block.to_string(), block);
        assert_eq!(after, before);
        assert!(scalars(&state).iter().all(|s| *s == 0.0));
    }
    // Large, and large the step, but not their sum.
    let mut w = pair::<f32>(&[1e30; 4]);
    Sgd::new(1.0).unwrap().step(1, &mut w, &pair(&[-1e30; 4]), &mut zero()).unwrap();
    assert_eq!(w, pair(&[2e30; 4]));
    let max = f64::from(f32::MAX);
    let (w, g) = ([1.0, 1.0, 1.0, max], [1.0, 1.0, 1.0, -1e32]);
    refused(&Nesterov::new(1.0).unwrap(), w, g, "bias");
    refused(&WeightDecay { optimizer: Nesterov::new(1.0).unwrap(), decay: 0.5 }, w, g, "bias");
    refused(&RmsProp { learning_rate: 1e13, ..RmsProp::new(1.0).unwrap() }, w, g, "bias");
    refused(&Adagrad { learning_rate: 1e13, ..Adagrad::new(1.0).unwrap() }, w, g, "bias");
    refused(&Rprop { most: 1e32, ..Rprop::new(1.0).unwrap() }, w, g, "bias");
    let sgd = Sgd::new(1.0).unwrap();
    for factor in [f64::NAN, -1.0, f64::INFINITY] {
        let factor_of_bias = move |block: &Block| if block.role == Role::Bias { factor } else { 1.0 };
        refused(&LayerRates { optimizer: sgd, factor: factor_of_bias }, [1.0; 4], [1.0; 4], "bias");
        refused(&Scheduled { optimizer: sgd, schedule: move |_| factor }, [1.0; 4], [1.0; 4], "weights");
    }
}

/// Every rule refuses a gradient that is not finite, at any learning rate, and changes nothing.
#[test]
fn gradients_that_are_not_finite() {
    fn refuses<O: Optimizer, T: Scalar>(rule: &O, largest: f64) {
        // The smallest rate is zero in f32.
        let rates = [0.0, 1e-300, 0.1, largest];
        let found = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        for (at, bad, rate) in (0..4 * 3 * 4).map(|i| (i / 12, found[i / 4 % 3], rates[i % 4])) {
            let mut g = [1.0; 4];
            g[at] = bad;
            let mut w = pair::<T>(&[0.0, -1.0, 2.0, 3.0]);
            let mut state = zero::<O::State<Pair<T>>>();
            let refused = rule.clone().with_learning_rate(rate).step(1, &mut w, &pair(&g), &mut state);
            assert_eq!(
                refused.unwrap_err().block.to_string(),
                if at < 2 { "weights" } else { "bias" },
                "{bad} at {at}, {rate}"
            );
            assert_eq!(scalars(&w), [0.0, -1.0, 2.0, 3.0]);
            assert!(scalars(&state).iter().all(|x| *x == 0.0));
        }
    }
    fn refuses_in_both<O: Optimizer>(rule: &O, largest: f64) {
        refuses::<O, f32>(rule, largest);
        refuses::<O, f64>(rule, largest);
    }
    refuses_in_both(&Sgd::new(0.1).unwrap(), 1e30);
    refuses_in_both(&Momentum::new(0.1).unwrap(), 1e30);
    refuses_in_both(&Nesterov::new(0.1).unwrap(), 1e30);
    refuses_in_both(&Rprop::new(0.1).unwrap(), 1e30);
    // These reach 10²⁰ times as far as their rate.
    refuses_in_both(&Adam::new(0.1).unwrap(), 1e6);
    refuses_in_both(&RmsProp::new(0.1).unwrap(), 1e6);
    refuses_in_both(&Adagrad::new(0.1).unwrap(), 1e6);
}

/// The names of all hyper-parameters that were refused.
#[test]
fn bad_hyperparameters() {
    fn refused(rule: &impl Optimizer) -> &'static str {
        rule.validate().unwrap_err().name
    }
    let (nan, infinite) = (f64::NAN, f64::INFINITY);
    for rate in [-1e-9, nan, infinite] {
        let named = [
            Nesterov::new(rate).unwrap_err(),
            RmsProp::new(rate).unwrap_err(),
            Adagrad::new(rate).unwrap_err(),
            AdamW::new(rate).unwrap_err(),
            Rprop::new(rate).unwrap_err(),
        ];
        assert!(named.iter().all(|error| error.name == "learning_rate"));
    }
    for share in [1.0, -0.1, nan] {
        assert_eq!(refused(&Nesterov { learning_rate: 0.1, momentum: share }), "momentum");
        assert_eq!(refused(&RmsProp { learning_rate: 0.1, alpha: share, epsilon: 1e-8 }), "alpha");
        assert_eq!(zero::<AveragedWeights<Vector<1>>>().exponential(share, &zero()).unwrap_err().name, "decay");
    }
    for epsilon in [0.0, 1e-39, nan, infinite] {
        assert_eq!(refused(&RmsProp { learning_rate: 0.1, alpha: 0.9, epsilon }), "epsilon");
        assert_eq!(refused(&Adagrad { learning_rate: 0.1, epsilon }), "epsilon");
    }
    let rprop = Rprop::new(0.1).unwrap();
    for shrink in [0.0, -0.5, 1.0, nan] {
        assert_eq!(refused(&Rprop { shrink, ..rprop }), "shrink");
    }
    for grow in [1.0, 0.5, nan, infinite] {
        assert_eq!(refused(&Rprop { grow, ..rprop }), "grow");
    }
    for least in [0.0, -1e-6, nan, infinite] {
        assert_eq!(refused(&Rprop { least, ..rprop }), "least");
    }
    for most in [1e-7, nan, infinite] {
        assert_eq!(refused(&Rprop { most, ..rprop }), "most");
    }
    Rprop { least: 0.5, most: 0.5, ..rprop }.validate().unwrap();
    let sgd = Sgd::new(0.5).unwrap();
    for limit in [0.0, -1.0, nan, infinite] {
        assert_eq!(refused(&ClipNorm { optimizer: sgd, limit }), "limit");
        assert_eq!(refused(&ClipValue { optimizer: sgd, limit }), "limit");
    }
    for decay in [-1.0, nan, 2.5] {
        assert_eq!(refused(&WeightDecay { optimizer: sgd, decay }), "decay");
    }
    assert_eq!(refused(&Scheduled { optimizer: sgd, schedule: StepDecay { every: 0, factor: 0.5 } }), "every");
    assert_eq!(refused(&Scheduled { optimizer: sgd, schedule: StepDecay { every: 1, factor: nan } }), "factor");
    assert_eq!(refused(&Scheduled { optimizer: sgd, schedule: ExponentialDecay { factor: 1.1 } }), "factor");
    assert_eq!(refused(&Scheduled { optimizer: sgd, schedule: CosineDecay { steps: 0, floor: 0.0 } }), "steps");
    let then = CosineDecay { steps: 1, floor: 1.0 };
    assert_eq!(refused(&Scheduled { optimizer: sgd, schedule: WarmUp { steps: 1, then } }), "floor");
    // A wrapper asks the rule inside, too.
    let inner = Sgd { learning_rate: nan };
    assert_eq!(refused(&ClipNorm { optimizer: inner, limit: 1.0 }), "learning_rate");
    assert_eq!(refused(&Scheduled { optimizer: inner, schedule: ConstantRate }), "learning_rate");
    assert_eq!(refused(&LayerRates { optimizer: inner, factor: by_role }), "learning_rate");
    assert_eq!(EarlyStopping::new(0, 0.0).unwrap_err().name, "patience");
    assert_eq!(EarlyStopping::new(1, nan).unwrap_err().name, "least_improvement");
}

/// Rules nest in any order: a schedule inside clipping inside decay is the schedule's rule on a clipped gradient.
// proves eq:clip-norm, eq:layer-rate, eq:clip-value
#[test]
fn wrappers_nest() {
    let g = [3.0, 0.0, 0.0, 4.0];
    let halved = Scheduled { optimizer: Sgd::new(1.0).unwrap(), schedule: |t| 1.0 / (t + 1) as f64 };
    let rule = LayerRates { optimizer: ClipNorm { optimizer: halved, limit: 1.0 }, factor: by_role };
    let mut w = pair::<f64>(&[1.0; 4]);
    step(&rule, 2, &mut w, pair(&g), &mut zero()).unwrap();
    all_close("nested", &scalars(&w), &[1.0 - 0.05 * 0.6, 1.0, 1.0, 1.0 - 0.5 * 0.8]);
    let rule = ClipValue { optimizer: WeightDecay { optimizer: halved, decay: 0.5 }, limit: 2.0 };
    let mut w = pair::<f64>(&[1.0; 4]);
    step(&rule, 1, &mut w, pair(&g), &mut zero()).unwrap();
    all_close("nested", &scalars(&w), &[0.5 - 2.0, 0.5, 1.0, 1.0 - 2.0]);
}

/// A gradient at the threshold stays bit for bit; above it, it has exactly that length; nothing overflows.
// proves eq:clip-norm, eq:clip-value
#[test]
fn clipping() {
    fn clipped<const N: usize>(g: [f32; N], limit: f64) -> [f32; N] {
        let mut g = Vector::from(g);
        ClipNorm { optimizer: Sgd { learning_rate: 1.0 }, limit }.prepare(&mut g);
        g.into()
    }
    assert_eq!(clipped([3.0, 4.0], 5.0), [3.0, 4.0]);
    assert_eq!(clipped([0.0, -0.0, 1e-40], 5.0).map(f32::to_bits), [0.0_f32, -0.0, 1e-40].map(f32::to_bits));
    assert_eq!(clipped([0.0, 0.0], 1.0), [0.0, 0.0]);
    for g in [[1e20_f32; 100], [f32::MAX; 100], [1.0; 100]] {
        for x in clipped(g, 2.0) {
            assert!((x - 0.2).abs() <= 0.2 * 4.0 * f32::EPSILON, "{x}");
        }
    }
    // Nor does a gradient that would not be scaled by exactly 1 there.
    let root = 2.0_f32.sqrt();
    for a in (1..1000_u16).map(f32::from) {
        assert_eq!(clipped([a, a], (a * root).into()), [a, a]);
    }
    // To the threshold, not to 1, and in the same direction.
    let g = clipped([30.0, -40.0], 5.0);
    assert!((g[0] - 3.0).abs() <= 1e-6 && (g[1] + 4.0).abs() <= 1e-6, "{g:?}");
    let mut g = Vector::from([1e20_f32, -3.0, 0.5, -0.0]);
    ClipValue { optimizer: Sgd { learning_rate: 1.0 }, limit: 2.0 }.prepare(&mut g);
    assert_eq!(g, Vector::from([2.0, -2.0, 0.5, 0.0]));
    assert!(g[3].is_sign_negative());
}

// ---------------------------------------------------------------- schedules and averages

/// Schedules give PyTorch's factors, 25 of them.
// proves eq:step-decay, eq:exponential-decay, eq:cosine-decay, eq:warm-up
#[test]
fn golden_schedules() {
    fn factors(name: &str, schedule: &impl Schedule) {
        let found: Vec<f64> = (0..25).map(|t| schedule.factor(t)).collect();
        all_close(name, &found, &record("schedule", name)[0]);
    }
    factors("StepDecay", &StepDecay { every: 4, factor: 0.3 });
    factors("ExponentialDecay", &ExponentialDecay { factor: 0.9 });
    factors("CosineDecay", &CosineDecay { steps: 25, floor: 0.1 });
    factors("WarmUp", &WarmUp { steps: 8, then: ConstantRate });
}

/// Ends, floors and joints of the schedules, and a step counter at its maximum.
// proves eq:exponential-decay, eq:cosine-decay, eq:warm-up
#[test]
fn ends_of_schedules() {
    let cosine = CosineDecay { steps: 10, floor: 0.25 };
    assert_eq!([cosine.factor(0), cosine.factor(10), cosine.factor(u64::MAX)], [1.0, 0.25, 0.25]);
    assert!((1..=10).all(|t| cosine.factor(t) < cosine.factor(t - 1)));
    let schedule = WarmUp { steps: 4, then: ExponentialDecay { factor: 0.5 } };
    assert_eq!([0, 1, 2, 3, 4, 5, 6].map(|t| schedule.factor(t)), [0.25, 0.5, 0.75, 1.0, 1.0, 0.5, 0.25]);
    assert_eq!(schedule.factor(u64::MAX), 0.0);
    assert_eq!(WarmUp { steps: 0, then: ConstantRate }.factor(0), 1.0);
    // A pointer to a function is a schedule whose type has a name, so that a trainer can be a static.
    let rule: Scheduled<Sgd> = Scheduled { optimizer: Sgd { learning_rate: 1.0 }, schedule: |t| t as f64 };
    let mut w = Vector::from([0.0]);
    rule.step(3, &mut w, &Vector::from([1.0]), &mut zero()).unwrap();
    assert_eq!(w[0], -2.0, "step 3 is the third: two were made before");
}

/// Averages of weights equal PyTorch's; equal weights stay exactly what they are.
// proves eq:averaged-weights
#[test]
fn golden_averages() {
    let (mut moving, mut mean) = (AveragedWeights::<Vector<3, f64>>::ZEROED, AveragedWeights::ZEROED);
    for (moved, meant) in records("average", "exponential").iter().zip(records("average", "mean")) {
        moving.exponential(0.9, &Vector::from(array(&moved[0]))).unwrap();
        all_close("exponential", moving.weights.as_slice(), &moved[1]);
        mean.mean(&Vector::from(array::<3>(&meant[0])));
        all_close("mean", mean.weights.as_slice(), &meant[1]);
    }
    assert_eq!((moving.updates, mean.updates), (6, 6));
}

// proves eq:averaged-weights
#[test]
fn averages_of_equal_weights() {
    let weights = Vector::from([0.1_f32, -3.7e-5, 1e30]);
    let (mut moving, mut mean) = (AveragedWeights::ZEROED, AveragedWeights::ZEROED);
    for _ in 0..1000 {
        moving.exponential(0.999, &weights).unwrap();
        mean.mean(&weights);
    }
    assert_eq!((&moving.weights, &mean.weights), (&weights, &weights));
    // The mean of 0, 1, …, 9.
    let mut mean = AveragedWeights::<Vector<1, f64>>::ZEROED;
    (0..10).for_each(|k| mean.mean(&Vector::from([f64::from(k)])));
    close("mean", mean.weights[0], 4.5, 1e-14);
}
