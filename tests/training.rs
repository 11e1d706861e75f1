//! Training as a whole: the same seed gives the same bytes, every sample is seen once an epoch, ragged batches and
//! accumulated ones are exact, and whole trajectories agree with another system.

mod common;

use chainrule::{
    Activation, Adam, BinaryCrossEntropy, Class, Dense, Dropout, Identity, LeakyRelu, Loss, MeanSquaredError, Momentum,
    Network, Optimizer, Parameters, Relu, Scalar, Scale, Sgd, Shuffle, Sigmoid, SoftmaxCrossEntropy, Softplus, Tanh,
    Tensor, Trainer, Vector, Zeroed, network,
};
use common::{Capture, Comparison, Draws, assert_close, bits, cases, scalars};
use proptest::prelude::*;
use std::collections::HashMap;

// ---------------------------------------------------------------- golden values of another system

/// The generator of tests/golden/generate.py.
struct Congruential(u64);

impl Congruential {
    fn next(&mut self) -> f64 {
        self.0 = (1_103_515_245 * self.0 + 12345) % (1 << 31);
        (((self.0 >> 16) % 128) as f64 - 64.0) / 64.0
    }
    fn array<const N: usize>(&mut self) -> [f64; N] {
        core::array::from_fn(|_| self.next())
    }
}

type Two<const K: usize, A> = (Dense<3, 4, A, f64>, Dense<4, K, Identity, f64>);
type Golden = HashMap<(String, String, u64), Vec<f64>>;

fn golden() -> Golden {
    let mut golden = HashMap::new();
    for line in include_str!("golden/trajectories.csv").lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split(',').collect();
        let key = (fields[0].to_owned(), fields[1].to_owned(), fields[2].parse().unwrap());
        golden.insert(key, fields[3..].iter().map(|f| f.parse().unwrap()).collect());
    }
    golden
}

fn compare<const K: usize, A, O, Target>(
    key: (&str, &str),
    optimizer: &O,
    loss: &impl Loss<[f64; K], Target>,
    target: impl Fn([f64; K]) -> Target,
) where
    A: Activation,
    O: Optimizer + 'static,
{
    let golden = golden();
    let mut draws = Congruential(key.0.len() as u64);
    let mut trainer = Trainer::<Two<K, A>, O, 4>::boxed();
    // Row by row, as the script draws them.
    for j in 0..4 {
        for k in 0..3 {
            trainer.network.0.weights[(j, k)] = draws.next();
        }
    }
    trainer.network.0.bias = Vector::from(draws.array());
    for j in 0..K {
        for k in 0..4 {
            trainer.network.1.weights[(j, k)] = draws.next();
        }
    }
    trainer.network.1.bias = Vector::from(draws.array());

    let mut comparison = Comparison::default();
    for step in 1..=20 {
        let inputs: [[f64; 3]; 4] = core::array::from_fn(|_| draws.array());
        let targets = core::array::from_fn(|_| target(draws.array()));
        let found = trainer.step(optimizer, loss, &inputs, &targets).unwrap();
        let Some(expected) = golden.get(&(key.0.to_owned(), key.1.to_owned(), step)) else { continue };
        let net = &trainer.network;
        let mut values = vec![found];
        values.extend((0..4).flat_map(|j| net.0.weights.row(j).copied()));
        values.extend(net.0.bias.as_slice());
        values.extend((0..K).flat_map(|j| net.1.weights.row(j).copied()));
        values.extend(net.1.bias.as_slice());
        assert_eq!(values.len(), expected.len());
        for (i, (found, expected)) in values.into_iter().zip(expected).enumerate() {
            // All weights, inputs and losses are of the order of 1, and so is S.
            let place = || format!("{} by {}, step {step}, value {i}", key.0, key.1);
            comparison.observe(place, found, *expected, 1e-12 * expected.abs().max(1.0));
        }
    }
    assert!(comparison.count >= 3 * 20, "the golden values of {key:?} are missing");
    comparison.finish();
}

fn compare_all<O: Optimizer + 'static>(name: &str, optimizer: &O) {
    compare::<2, Tanh, _, _>(("tanh_mse", name), optimizer, &MeanSquaredError, |t| t);
    compare::<2, Sigmoid, _, _>(("sigmoid_bce", name), optimizer, &BinaryCrossEntropy, |t| t.map(|t| (t + 1.0) / 2.0));
    compare::<3, Relu, _, _>(("relu_ce", name), optimizer, &SoftmaxCrossEntropy, |t| Class::argmax(&t).unwrap());
    let distribution = |t: [f64; 3]| {
        let sum: f64 = t.iter().map(|t| t + 1.125).sum();
        t.map(|t| (t + 1.125) / sum)
    };
    compare::<3, Softplus, _, _>(("softplus_ce_distribution", name), optimizer, &SoftmaxCrossEntropy, distribution);
    compare::<2, LeakyRelu<1, 4>, _, _>(("leaky_mse", name), optimizer, &MeanSquaredError, |t| t);
}

/// Twenty steps equal PyTorch's, step for step: gradients through five activations and four losses, and the rule.
// proves eq:sgd, eq:batch-mean, eq:tanh, eq:sigmoid, eq:relu, eq:leaky-relu, eq:softplus, eq:mean-squared-error
// proves eq:binary-cross-entropy, eq:softmax-cross-entropy, eq:softmax
#[test]
fn golden_sgd() {
    compare_all("sgd", &Sgd::new(0.1).unwrap());
}

/// Twenty steps equal PyTorch's: the velocity is not damped, and the rate scales the whole step.
// proves eq:momentum
#[test]
fn golden_momentum() {
    compare_all("momentum", &Momentum { learning_rate: 0.05, momentum: 0.9 });
}

/// Twenty steps equal PyTorch's: bias correction, and ε outside the root.
// proves eq:adam-moments, eq:adam-step
#[test]
fn golden_adam() {
    compare_all("adam", &Adam::new(0.02).unwrap());
}

// ---------------------------------------------------------------- the rules by themselves

/// The optimisers against their formulas, a number at a time, over random gradients of many magnitudes.
// proves eq:sgd, eq:momentum, eq:adam-moments, eq:adam-step
#[test]
fn optimizers_by_their_formulas() {
    proptest!(cases(file!()), |(seed: u64, rate in 0.0..0.5_f64, b1 in 0.0..0.99_f64, b2 in 0.0..0.9999_f64)| {
        let mut draws = Draws(seed);
        let start: [f64; 3] = draws.array(2.0);
        let (mut sgd, mut momentum, mut adam) = (Vector::from(start), Vector::from(start), Vector::from(start));
        let mut nothing = Zeroed::ZEROED;
        let (mut velocity, mut moments) = (Vector::ZEROED, <(Vector<3, f64>, Vector<3, f64>)>::ZEROED);
        let (mut w_sgd, mut w_momentum, mut w_adam) = (start, start, start);
        let (mut v, mut m, mut s) = ([0.0; 3], [0.0; 3], [0.0; 3]);
        let adam_rule = Adam { learning_rate: rate, beta1: b1, beta2: b2, epsilon: 1e-8 };
        let momentum_rule = Momentum { learning_rate: rate, momentum: b1 };
        for t in 1..=7_i32 {
            let scale = 10_f64.powi(draws.integer(6) as i32);
            let g: [f64; 3] = draws.array(scale);
            Sgd::new(rate).unwrap().step(t as u64, &mut sgd, &Vector::from(g), &mut nothing).unwrap();
            momentum_rule.step(t as u64, &mut momentum, &Vector::from(g), &mut velocity).unwrap();
            adam_rule.step(t as u64, &mut adam, &Vector::from(g), &mut moments).unwrap();
            for i in 0..3 {
                w_sgd[i] -= rate * g[i];
                v[i] = b1 * v[i] + g[i];
                w_momentum[i] -= rate * v[i];
                m[i] = b1 * m[i] + (1.0 - b1) * g[i];
                s[i] = b2 * s[i] + (1.0 - b2) * g[i] * g[i];
                let (m_hat, v_hat) = (m[i] / (1.0 - b1.powi(t)), s[i] / (1.0 - b2.powi(t)));
                w_adam[i] -= rate * m_hat / (v_hat.sqrt() + 1e-8);
                let gate = |w: f64| 1e-12 * (w.abs() + 7.0 * 1e6);
                assert_close(&format!("sgd {i}, step {t}"), sgd[i], w_sgd[i], 1e-12 * (w_sgd[i].abs() + scale));
                assert_close(&format!("velocity {i}, step {t}"), velocity[i], v[i], gate(v[i]));
                assert_close(&format!("momentum {i}, step {t}"), momentum[i], w_momentum[i], gate(w_momentum[i]));
                assert_close(&format!("m {i}, step {t}"), moments.0[i], m[i], gate(m[i]));
                assert_close(&format!("v {i}, step {t}"), moments.1[i], s[i], 1e-12 * (s[i] + 1e-12));
                assert_close(&format!("adam {i}, step {t}"), adam[i], w_adam[i], 1e-9 * (w_adam[i].abs() + 1.0));
            }
        }
    });
}

/// The first step of Adam with a gradient of 10⁻⁴ tells a missing correction (a step of 0.3 η) and an ε inside the
/// root (0.7 η) from the formula, which gives η·g / (|g| + ε).
// proves eq:adam-step
#[test]
fn first_step_of_adam() {
    for g in [1e-4, -1e-4, 1e-8, 3.0] {
        let (mut w, mut state) = (Vector::from([0.0_f64]), Zeroed::ZEROED);
        Adam::new(0.5).unwrap().step(1, &mut w, &Vector::from([g]), &mut state).unwrap();
        let expected = -0.5 * g / (f64::abs(g) + 1e-8);
        assert_close(&format!("{g}"), w[0], expected, 1e-13 * expected.abs());
    }
}

/// Under a constant gradient the velocity approaches g / (1 − μ).
// proves eq:momentum
#[test]
fn momentum_under_a_constant_gradient() {
    let rule = Momentum { learning_rate: 0.25, momentum: 0.5 };
    let (mut w, mut v) = (Vector::from([0.0_f64]), Vector::ZEROED);
    for step in 1..=50 {
        rule.step(step, &mut w, &Vector::from([1.0]), &mut v).unwrap();
        // Σ ½ʳ = 2 − ½ᵗ⁻¹, exact in binary.
        assert_eq!(v[0], 2.0 - f64::powi(0.5, step as i32 - 1));
    }
}

// ---------------------------------------------------------------- seeds, epochs, batches

network! {
    /// Random in all three ways: initial weights, order of samples, masks.
    struct Net<T = f32>: 3 => 2 {
        first: Dense<3, 8, Tanh, T>,
        off: Dropout<1, 4, T>,
        last: Dense<8, 2, Identity, T>,
    }
}

network! {
    /// The same without masks.
    struct Plain<T = f64>: 3 => 2 {
        first: Dense<3, 8, Tanh, T>,
        last: Dense<8, 2, Identity, T>,
    }
}

fn data<T: Scalar>(n: usize) -> (Vec<[T; 3]>, Vec<Class<2>>) {
    let mut draws = Draws(5);
    (0..n).map(|_| (draws.array(1.0), Class::new(draws.below(2)).unwrap())).unzip()
}

fn three_epochs(seed: u64, masks: bool) -> Vec<u64> {
    let (inputs, targets) = data(37);
    if masks {
        let mut trainer = Trainer::<Net, Adam, 8>::boxed();
        trainer.init(seed);
        for _ in 0..3 {
            trainer.epoch(&Adam::new(0.01).unwrap(), &SoftmaxCrossEntropy, &inputs, &targets).unwrap();
        }
        assert_eq!((trainer.steps(), trainer.epochs()), (15, 3));
        [bits(&trainer.network), bits(trainer.state())].concat()
    } else {
        let mut trainer = Trainer::<Plain<f32>, Adam, 8>::boxed();
        trainer.init(seed);
        for _ in 0..3 {
            trainer.epoch(&Adam::new(0.01).unwrap(), &SoftmaxCrossEntropy, &inputs, &targets).unwrap();
        }
        [bits(&trainer.network), bits(trainer.state())].concat()
    }
}

/// The same seed and the same calls give the same bytes; another seed gives others.
#[test]
fn seeds() {
    for masks in [false, true] {
        let run = three_epochs(7, masks);
        assert_eq!(run, three_epochs(7, masks));
        for seed in [0, 8, 7 | 1 << 32, 7 | 1 << 63] {
            assert_ne!(run, three_epochs(seed, masks), "seed {seed} is ignored");
        }
    }
}

/// Initial weights alone depend on the seed, all of it, and a trainer that is initialised again forgets everything.
#[test]
fn init_begins_anew() {
    let (inputs, targets) = data(20);
    let adam = Adam::new(0.1).unwrap();
    let mut trainer = Trainer::<Net, Adam, 4>::ZEROED;
    trainer.init(3);
    assert_eq!(trainer.network, Net::new(3));
    assert_ne!(trainer.network, Net::new(4));
    assert_ne!(trainer.network, Net::new(3 | 1 << 40));
    trainer.epoch(&adam, &SoftmaxCrossEntropy, &inputs, &targets).unwrap();
    let first = bits(&trainer.network);
    assert_ne!(first, bits(&Net::<f32>::new(3)));
    trainer.init(3);
    assert_eq!((trainer.steps(), trainer.epochs()), (0, 0));
    assert!(scalars(trainer.state()).iter().all(|s| *s == 0.0));
    trainer.epoch(&adam, &SoftmaxCrossEntropy, &inputs, &targets).unwrap();
    assert_eq!(first, bits(&trainer.network));
}

/// Every shuffle is a permutation, for every length around powers of two; epochs and seeds differ; and no position
/// keeps its index more often than chance has it.
#[test]
fn shuffles_are_permutations() {
    for n in (0..70).chain([127, 128, 129, 1000, 1023, 1024, 1025]) {
        for epoch in 0..3 {
            let shuffle = Shuffle::new(n, 9, epoch);
            assert_eq!((shuffle.len(), shuffle.is_empty()), (n, n == 0));
            let mut seen = vec![false; n];
            for i in 0..n {
                let index = shuffle.index(i);
                assert!(!seen[index], "{index} of {n} appears twice");
                seen[index] = true;
            }
            assert_eq!(shuffle.index(n), n);
        }
    }
    let order = |seed, epoch| -> Vec<usize> { (0..500).map(|i| Shuffle::new(500, seed, epoch).index(i)).collect() };
    assert_ne!(order(1, 0), order(1, 1));
    assert_ne!(order(1, 0), order(2, 0));
    // Fixed points are one a shuffle on average; 200 shuffles have 200 ± 14.
    let fixed: usize =
        (0..200).map(|epoch| order(3, epoch).iter().enumerate().filter(|(i, index)| i == *index).count()).sum();
    assert!((130..=270).contains(&fixed), "{fixed} fixed points in 200 shuffles");
    // And every sample is first about as often as any other.
    let mut first = [0; 8];
    for epoch in 0..8000 {
        first[Shuffle::new(8, 4, epoch).index(0)] += 1;
    }
    assert!(first.iter().all(|count| (850..=1150).contains(count)), "{first:?}");
}

/// An epoch is the loop that one would write by hand over the shuffled samples, the last batch with its own mean:
/// bit for bit, ragged or not.
// proves eq:batch-mean
#[test]
fn epoch_is_the_loop_by_hand() {
    fn check<const B: usize>(n: usize) {
        let (inputs, targets) = data::<f64>(n);
        let rule = Momentum::new(0.1).unwrap();
        let mut epoch = Trainer::<Plain, Momentum, B>::boxed();
        let mut hand = Trainer::<Plain, Momentum, B>::boxed();
        epoch.init(2);
        hand.init(2);
        for round in 0..2 {
            let mean = epoch.epoch(&rule, &SoftmaxCrossEntropy, &inputs, &targets).unwrap();
            let shuffle = Shuffle::new(n, 2, round);
            let order: Vec<usize> = (0..n).map(|i| shuffle.index(i)).collect();
            let mut sum = 0.0;
            for batch in order.chunks(B) {
                let (x, t): (Vec<_>, Vec<_>) = batch.iter().map(|i| (inputs[*i], targets[*i])).unzip();
                // A full batch by `step`, the ragged one by `accumulate`, which divides by the number that it has.
                let loss = match (x.as_slice().try_into(), t.as_slice().try_into()) {
                    (Ok(x), Ok(t)) => hand.step(&rule, &SoftmaxCrossEntropy, x, t),
                    _ => hand.accumulate(&rule, &SoftmaxCrossEntropy, &x, &t),
                };
                sum += loss.unwrap() * batch.len() as f64;
            }
            assert_close("mean loss", mean, sum / n as f64, 1e-14);
            assert_eq!(bits(&epoch.network), bits(&hand.network), "batches of {B} out of {n}");
            assert_eq!(bits(epoch.state()), bits(hand.state()));
            assert_eq!(epoch.steps(), hand.steps());
        }
    }
    check::<1>(5);
    check::<2>(7);
    check::<3>(9);
    check::<3>(10);
    check::<8>(27);
    // Larger than the data, and one sample alone.
    check::<8>(3);
    check::<8>(1);
    check::<1>(1);
}

/// Every sample has a part in every epoch, and no more than one: with one-hot samples and rate 1, weight k moves by
/// exactly what sample k demands.
// proves eq:sgd, eq:weight-gradient
#[test]
fn every_sample_once_an_epoch() {
    struct Linear;
    impl Loss<[f64; 1], usize> for Linear {
        fn value(&self, y: &[f64; 1], _: &usize) -> f64 {
            y[0]
        }
        fn gradient(&self, y: &[f64; 1], batch: &usize, d: &mut [f64; 1]) -> f64 {
            // Undoes the mean: a power of two, exact.
            *d = [*batch as f64];
            y[0]
        }
    }
    const N: usize = 21;
    let inputs: Vec<[f64; N]> = (0..N).map(|s| core::array::from_fn(|k| f64::from(s == k))).collect();
    let mut trainer = Trainer::<Dense<N, 1, Identity, f64>, Sgd, 4>::ZEROED;
    for epoch in 1..=5 {
        trainer.epoch(&Sgd::new(1.0).unwrap(), &Linear, &inputs, &[4; N]).unwrap();
        // Twenty samples in batches of four move by 1; the one in a batch of its own by 4.
        let moved: Vec<f64> = trainer.network.weights.as_slice().iter().map(|w| -w).collect();
        assert_eq!(moved.iter().sum::<f64>(), f64::from(epoch) * 24.0);
        assert!(moved.iter().all(|m| *m >= f64::from(epoch)), "{moved:?}");
        let alone = Shuffle::new(N, 0, u64::from(epoch as u32) - 1).index(N - 1);
        assert!(moved[alone] >= f64::from(epoch) + 3.0);
    }
}

/// Accumulated over many small batches, the gradient is that of one large batch.
// proves eq:batch-mean
#[test]
fn accumulated_equals_one_batch() {
    let (inputs, targets) = data::<f64>(24);
    let mut small = Trainer::<Plain, Capture, 5>::boxed();
    let mut large = Trainer::<Plain, Capture, 24>::boxed();
    small.init(1);
    large.init(1);
    let a = small.accumulate(&Capture, &SoftmaxCrossEntropy, &inputs, &targets).unwrap();
    let (x, t) = (inputs.as_slice().try_into().unwrap(), targets.as_slice().try_into().unwrap());
    let b = large.step(&Capture, &SoftmaxCrossEntropy, x, t).unwrap();
    assert_close("loss", a, b, 1e-14);
    assert_eq!((small.steps(), large.steps()), (1, 1));
    for (i, (a, b)) in scalars(small.state()).into_iter().zip(scalars(large.state())).enumerate() {
        assert_close(&format!("gradient {i}"), a, b, 1e-14);
    }
}

/// The value that a step returns is the loss before it, and evaluation gives the same for the same samples.
// proves eq:batch-mean
#[test]
fn losses_are_means() {
    let (inputs, targets) = data::<f64>(11);
    let mut trainer = Trainer::<Plain, Sgd, 4>::boxed();
    trainer.init(8);
    let before = trainer.evaluate(&SoftmaxCrossEntropy, &inputs, &targets, &mut ()).unwrap();
    let mut by_hand = 0.0;
    trainer.predict(&inputs, |i, y| by_hand += SoftmaxCrossEntropy.value(y, &targets[i]) / 11.0);
    assert_close("evaluate", before, by_hand, 1e-14);
    let still = Sgd::new(0.0).unwrap();
    assert_close(
        "accumulate",
        trainer.accumulate(&still, &SoftmaxCrossEntropy, &inputs, &targets).unwrap(),
        before,
        1e-14,
    );
    assert_close("epoch", trainer.epoch(&still, &SoftmaxCrossEntropy, &inputs, &targets).unwrap(), before, 1e-14);
}

/// Dropout's masks are drawn anew in every step, and from (seed, step) alone: the gradients of twenty steps that move
/// nothing differ, and a second run repeats them.
// proves eq:dropout
#[test]
fn masks_of_a_run() {
    let (inputs, targets) = data::<f32>(4);
    let (x, t): (&[_; 4], &[_; 4]) = (inputs.as_slice().try_into().unwrap(), targets.as_slice().try_into().unwrap());
    let run = |seed| -> Vec<Vec<u64>> {
        let mut trainer = Trainer::<Net, Capture, 4>::boxed();
        trainer.init(seed);
        trainer.network.copy_from(&Net::new(0));
        let gradients = (0..20).map(|_| {
            trainer.step(&Capture, &SoftmaxCrossEntropy, x, t).unwrap();
            bits(trainer.state())
        });
        gradients.collect()
    };
    let (first, second, other) = (run(1), run(1), run(2));
    assert_eq!(first, second);
    assert_ne!(first, other);
    let mut distinct = first.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 20);
}

/// Training learns: a loss that must fall does, for each optimiser, on one sample and on batches.
#[test]
fn it_learns() {
    fn falls<O: Optimizer + 'static>(rule: &O) {
        let (inputs, targets) = data::<f64>(40);
        let mut trainer = Trainer::<Plain, O, 8>::boxed();
        trainer.init(1);
        let before = trainer.evaluate(&SoftmaxCrossEntropy, &inputs, &targets, &mut ()).unwrap();
        for _ in 0..60 {
            trainer.epoch(rule, &SoftmaxCrossEntropy, &inputs, &targets).unwrap();
        }
        let after = trainer.evaluate(&SoftmaxCrossEntropy, &inputs, &targets, &mut ()).unwrap();
        assert!(after < 0.75 * before, "{before} to {after}");
    }
    falls(&Sgd::new(0.5).unwrap());
    falls(&Momentum::new(0.1).unwrap());
    falls(&Adam::new(0.02).unwrap());
    let mut single = Trainer::<Plain, Sgd, 1>::ZEROED;
    single.init(1);
    let (x, t) = ([[0.5, -0.25, 1.0]], [Class::new(1).unwrap()]);
    let losses: Vec<f64> =
        (0..20).map(|_| single.step(&Sgd::new(0.1).unwrap(), &SoftmaxCrossEntropy, &x, &t).unwrap()).collect();
    assert!(losses.windows(2).all(|w| w[1] < w[0]), "{losses:?}");
}

/// A whole network as `dyn`-free generic code sees it: its samples are arrays of its own scalar.
#[test]
fn ends_are_known() {
    fn ends<N: Network>() -> (usize, usize) {
        (size_of::<N::InputSample>() / size_of::<N::Scalar>(), size_of::<N::OutputSample>() / size_of::<N::Scalar>())
    }
    assert_eq!(ends::<Net>(), (3, 2));
    assert_eq!(ends::<Plain<f64>>(), (3, 2));
}

// ---------------------------------------------------------------- standardisation

/// The fitted samples have mean 0 and deviation 1, other samples go through the same map, and back again.
// proves eq:standardisation
#[test]
fn standardisation() {
    proptest!(cases(file!()), |(seed: u64, n in 2..40_usize, offset in -1e3..1e3_f64)| {
        let mut draws = Draws(seed);
        let samples: Vec<[f64; 2]> = (0..n).map(|_| [offset + draws.symmetric(), 3.0 * draws.symmetric()]).collect();
        let fitted = Scale::fit(&samples).unwrap();
        let mut standard = samples.clone();
        for sample in &mut standard {
            fitted.apply(sample);
        }
        for k in 0..2 {
            let mean = standard.iter().map(|s| s[k]).sum::<f64>() / n as f64;
            let variance = standard.iter().map(|s| s[k] * s[k]).sum::<f64>() / n as f64;
            assert_close("mean", mean, 0.0, 1e-9);
            assert_close("variance", variance, 1.0, 1e-9);
        }
        let inverse = fitted.inverse();
        for (sample, standard) in samples.iter().zip(&mut standard) {
            inverse.apply(standard);
            for k in 0..2 {
                assert_close("inverted", standard[k], sample[k], 1e-12 * (1.0 + offset.abs()));
            }
        }
    });
}

/// The divisor is the number of samples.
// proves eq:standardisation
#[test]
fn standardisation_by_hand() {
    let fitted = Scale::fit(&[[1.0_f64, 0.1], [2.0, 0.1], [6.0, 0.1]]).unwrap();
    assert_eq!(fitted.center.as_array(), &[3.0, 0.1]);
    assert_close("factor", fitted.factor[0], f64::sqrt(3.0 / 14.0), 1e-15);
    assert_eq!((fitted.factor[1], fitted.offset.as_array()), (1.0, &[0.0; 2]));
    assert_eq!(Scale::<3>::fit(&[]).unwrap_err().to_string(), "expected 1 element, found 0");
}

/// A feature that is constant becomes exactly 0, whatever its value and however its mean rounds; so does one sample.
// proves eq:standardisation
#[test]
fn constant_features() {
    proptest!(cases(file!()), |(value in -1e3..1e3_f64, n in 1..50_usize)| {
        let fitted = Scale::fit(&vec![[value, 0.1]; n]).unwrap();
        let mut sample = [value, 0.1];
        fitted.apply(&mut sample);
        assert_eq!((sample, fitted.factor.as_array()), ([0.0; 2], &[1.0; 2]));
    });
    let single = Scale::fit(&[[0.1_f32]; 7]).unwrap();
    assert_eq!((single.center[0], single.factor[0]), (0.1, 1.0));
}
