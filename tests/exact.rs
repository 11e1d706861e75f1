//! Whole training steps against integer arithmetic, for equality: no tolerance.
//!
//! Weights, inputs and targets are small integers, activations ReLU or identity, the loss half the sum of squares, the
//! rates powers of two. Every product and every partial sum, in every order and with fused operations too, is then
//! representable (docs/derivation.md, section 12), so a transposed product, a dropped edge, a stale activation or a
//! missing 1/n cannot hide behind rounding. The reference itself checks that it stays in that range, and the test that
//! it stayed long enough. Equal as numbers: +0 = −0, since the order of a sum decides the sign of its zero.

mod common;

use chainrule::{
    Activation, Dense, Identity, Loss, Matrix, Momentum, Optimizer, Real, Relu, Scalar, Sgd, Shuffle, Strict, Trainer,
    Zeroed,
};
use common::{Draws, cases};
use proptest::prelude::*;
use std::cell::Cell;

/// m · 2ᵉ, exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Dyadic {
    m: i128,
    e: i32,
}

impl Dyadic {
    const ZERO: Self = Self { m: 0, e: 0 };

    fn new(m: i128, e: i32) -> Self {
        if m == 0 {
            return Self::ZERO;
        }
        let zeros = m.trailing_zeros();
        Self { m: m >> zeros, e: e + zeros as i32 }
    }
    fn of(m: i64) -> Self {
        Self::new(m.into(), 0)
    }
    fn times(self, other: Self) -> Self {
        Self::new(self.m.checked_mul(other.m).unwrap(), self.e + other.e)
    }
    fn minus(self) -> Self {
        Self::new(-self.m, self.e)
    }
    fn to_f64(self) -> f64 {
        // The callers see to it that m fits.
        self.m as f64 * f64::powi(2.0, self.e)
    }
}

/// Σ terms, if every partial sum in every order fits into `bits` bits: on the grid of the finest term, the sum of
/// magnitudes must.
fn sum(terms: &[Dyadic], bits: u32) -> Option<Dyadic> {
    let grid = terms.iter().filter(|t| t.m != 0).map(|t| t.e).min()?.min(0);
    let (mut total, mut magnitude) = (0_i128, 0_i128);
    for t in terms.iter().filter(|t| t.m != 0) {
        let shifted = t.m.checked_mul(1_i128.checked_shl((t.e - grid) as u32)?)?;
        total += shifted;
        magnitude += shifted.abs();
    }
    (magnitude <= 1 << bits).then(|| Dyadic::new(total, grid))
}

/// As `sum`; no terms but zeros are zero.
fn add(terms: &[Dyadic], bits: u32) -> Option<Dyadic> {
    if terms.iter().all(|t| t.m == 0) { Some(Dyadic::ZERO) } else { sum(terms, bits) }
}

/// A dense layer of integers: `weights[j][k]`, and ReLU or identity.
#[derive(Clone)]
struct Plain {
    weights: Vec<Vec<Dyadic>>,
    bias: Vec<Dyadic>,
    relu: bool,
}

/// The terms of each weight's and of each bias's gradient.
type Terms = (Vec<Vec<Vec<Dyadic>>>, Vec<Vec<Dyadic>>);

/// Momentum's memory has the shape of the layers.
struct Reference {
    layers: Vec<Plain>,
    velocity: Vec<Plain>,
    /// −log₂ of the rate, and of the momentum; `None` for plain descent.
    rate: i32,
    momentum: Option<i32>,
    bits: u32,
}

impl Reference {
    /// One step on the mean over `samples`; the loss of a sample is `factor` · ½ Σ (y − t)², and `factor` / n is a
    /// whole number or a power of two. `None`, with nothing changed, when a number would not fit.
    fn step(&mut self, samples: &[(Vec<i64>, Vec<i64>)], factor: i64) -> Option<()> {
        let n = samples.len() as i64;
        let share = if factor % n == 0 {
            Dyadic::of(factor / n)
        } else {
            assert!(n.count_ones() == 1);
            Dyadic::new(factor.into(), -(n.trailing_zeros() as i32))
        };
        let bits = self.bits;
        let mut terms: Vec<Terms> = self
            .layers
            .iter()
            .map(|l| (vec![vec![Vec::new(); l.weights[0].len()]; l.bias.len()], vec![Vec::new(); l.bias.len()]))
            .collect();
        for (x, t) in samples {
            let mut inputs = vec![x.iter().map(|x| Dyadic::of(*x)).collect::<Vec<_>>()];
            let mut pre = Vec::new();
            for layer in &self.layers {
                let x = inputs.last().unwrap();
                let z: Vec<Dyadic> = (0..layer.bias.len())
                    .map(|j| {
                        let mut terms: Vec<_> = (0..x.len()).map(|k| layer.weights[j][k].times(x[k])).collect();
                        terms.push(layer.bias[j]);
                        add(&terms, bits)
                    })
                    .collect::<Option<_>>()?;
                inputs.push(z.iter().map(|z| if layer.relu && z.m < 0 { Dyadic::ZERO } else { *z }).collect());
                pre.push(z);
            }
            let y = inputs.last().unwrap();
            let mut d: Vec<Dyadic> = y
                .iter()
                .zip(t)
                .map(|(y, t)| {
                    let e = add(&[*y, Dyadic::of(-t)], bits)?;
                    // Its product with the factor has to fit, before the division too.
                    add(&[e.times(Dyadic::of(factor))], bits)?;
                    add(&[e.times(e).times(Dyadic::of(factor))], bits)?;
                    Some(e.times(share))
                })
                .collect::<Option<_>>()?;
            for i in (0..self.layers.len()).rev() {
                let layer = &self.layers[i];
                for j in 0..d.len() {
                    if layer.relu && pre[i][j].m <= 0 {
                        d[j] = Dyadic::ZERO;
                    }
                    for (k, x) in inputs[i].iter().enumerate() {
                        terms[i].0[j][k].push(d[j].times(*x));
                    }
                    terms[i].1[j].push(d[j]);
                }
                d = (0..inputs[i].len())
                    .map(|k| add(&(0..d.len()).map(|j| layer.weights[j][k].times(d[j])).collect::<Vec<_>>(), bits))
                    .collect::<Option<_>>()?;
            }
        }
        let (mut layers, mut velocity) = (self.layers.clone(), self.velocity.clone());
        for i in 0..layers.len() {
            let update = |w: &mut Dyadic, v: &mut Dyadic, terms: &[Dyadic]| -> Option<()> {
                let g = add(terms, bits)?;
                let step = match self.momentum {
                    None => g,
                    Some(momentum) => {
                        *v = add(&[v.times(Dyadic::new(1, -momentum)), g], bits)?;
                        *v
                    }
                };
                *w = add(&[*w, step.times(Dyadic::new(1, -self.rate)).minus()], bits)?;
                Some(())
            };
            for j in 0..layers[i].bias.len() {
                for k in 0..layers[i].weights[j].len() {
                    update(&mut layers[i].weights[j][k], &mut velocity[i].weights[j][k], &terms[i].0[j][k])?;
                }
                update(&mut layers[i].bias[j], &mut velocity[i].bias[j], &terms[i].1[j])?;
            }
        }
        (self.layers, self.velocity) = (layers, velocity);
        Some(())
    }
}

/// `factor` · ½ Σ (y − t)², gradient `factor` · (y − t): a loss of a user, where the derivation's has 2/K.
struct HalfSquares(i64);

impl<const K: usize, T: Scalar> Loss<[T; K], [T; K]> for HalfSquares {
    fn value(&self, y: &[T; K], t: &[T; K]) -> T {
        self.gradient(y, t, &mut [T::ZERO; K])
    }
    fn gradient(&self, y: &[T; K], t: &[T; K], d: &mut [T; K]) -> T {
        let factor = T::from_f64(self.0 as f64);
        let mut sum = T::ZERO;
        for ((d, y), t) in d.iter_mut().zip(y).zip(t) {
            let e = *y - *t;
            *d = factor * e;
            sum += factor * (e * e);
        }
        sum * T::from_f64(0.5)
    }
}

/// Layers of the crate as integers, and compared with them.
trait Exact {
    fn take(&self, layers: &mut Vec<Plain>);
    fn compare(&self, layers: &[Plain]) -> Result<(), String>;
    fn fill(&mut self, draws: &mut Draws);
}

trait Piecewise {
    const RELU: bool;
}
impl Piecewise for Relu {
    const RELU: bool = true;
}
impl Piecewise for Identity {
    const RELU: bool = false;
}

impl<const IN: usize, const OUT: usize, A: Activation + Piecewise, T: Scalar> Exact for Dense<IN, OUT, A, T> {
    fn take(&self, layers: &mut Vec<Plain>) {
        let number = |x: T| Dyadic::of(x.to_f64() as i64);
        layers.push(Plain {
            weights: (0..OUT).map(|j| (0..IN).map(|k| number(self.weights[(j, k)])).collect()).collect(),
            bias: (0..OUT).map(|j| number(self.bias[j])).collect(),
            relu: A::RELU,
        });
    }
    fn compare(&self, layers: &[Plain]) -> Result<(), String> {
        let [layer] = layers else { return Err("another number of layers".into()) };
        for j in 0..OUT {
            for k in 0..IN {
                let (found, expected) = (self.weights[(j, k)].to_f64(), layer.weights[j][k].to_f64());
                if found != expected {
                    return Err(format!("weights ({j}, {k}): found {found}, expected {expected}"));
                }
            }
            let (found, expected) = (self.bias[j].to_f64(), layer.bias[j].to_f64());
            if found != expected {
                return Err(format!("bias {j}: found {found}, expected {expected}"));
            }
        }
        Ok(())
    }
    fn fill(&mut self, draws: &mut Draws) {
        // Sparse, so that the sums stay small; never a weight without any neighbour.
        self.weights.map(|_| T::from_f64(if draws.below(2) == 0 { draws.integer(2) as f64 } else { 0.0 }));
        self.bias.map(|_| T::from_f64(draws.integer(3) as f64));
    }
}

impl<A: Exact, B: Exact> Exact for (A, B) {
    fn take(&self, layers: &mut Vec<Plain>) {
        self.0.take(layers);
        self.1.take(layers);
    }
    fn compare(&self, layers: &[Plain]) -> Result<(), String> {
        self.0.compare(&layers[..1]).map_err(|e| format!("layer 0, {e}"))?;
        self.1.compare(&layers[1..]).map_err(|e| format!("layer 1, {e}"))
    }
    fn fill(&mut self, draws: &mut Draws) {
        self.0.fill(draws);
        self.1.fill(draws);
    }
}

/// An optimiser that the reference can follow.
trait Followed: Optimizer + 'static {
    fn rule() -> Self;
    const MOMENTUM: Option<i32>;
}
const RATE: i32 = 5;
impl Followed for Sgd {
    fn rule() -> Self {
        Self { learning_rate: f64::powi(2.0, -RATE) }
    }
    const MOMENTUM: Option<i32> = None;
}
impl Followed for Momentum {
    fn rule() -> Self {
        Self { learning_rate: f64::powi(2.0, -RATE), momentum: 0.5 }
    }
    const MOMENTUM: Option<i32> = Some(1);
}

/// `cases / n`: large shapes run a share of the cases; there the shape is what is tested.
///
/// Steps on full batches of `B`, then accumulated ones over several batches with a ragged last one, then an epoch,
/// each as long as the integers fit; returns how many steps that were.
macro_rules! exact {
    ($name:ident: $Net:ty, $T:ty, $IN:literal => $OUT:literal, $bits:literal, $Rule:ty, at least $least:literal, cases / $part:literal) => {
        // proves eq:dense-affine, eq:delta, eq:weight-gradient, eq:bias-gradient, eq:input-gradient, eq:batch-mean
        // proves eq:relu, eq:identity, eq:sgd, eq:momentum
        #[test]
        fn $name() {
            fn run<const B: usize>(seed: u64) -> usize {
                let mut draws = Draws(seed);
                let mut trainer = Trainer::<$Net, $Rule, B>::boxed();
                trainer.network.fill(&mut draws);
                let mut layers = Vec::new();
                trainer.network.take(&mut layers);
                let mut zero = layers.clone();
                for layer in &mut zero {
                    layer.weights.iter_mut().flatten().chain(&mut layer.bias).for_each(|v| *v = Dyadic::ZERO);
                }
                let mut reference = Reference {
                    layers,
                    velocity: zero,
                    rate: RATE,
                    momentum: <$Rule as Followed>::MOMENTUM,
                    bits: $bits,
                };
                let rule = <$Rule as Followed>::rule();
                let number = |x: &i64| <$T as Real>::from_f64(*x as f64);
                let mut done = 0;
                // Several batches with a ragged last one. The rounded 1/n is off by at most u/2 for n = 3 · 2ᵏ and for
                // 2ᵏ, so that its product with a multiple of n is exact.
                let many = match B {
                    1 => 4,
                    2 => 3,
                    3 => 4,
                    _ => 12,
                };
                for (n, factor) in [(B, B as i64), (B, 1), (many, many as i64), (B, B as i64)] {
                    if factor % n as i64 != 0 && n.count_ones() != 1 {
                        continue;
                    }
                    let samples: Vec<(Vec<i64>, Vec<i64>)> = (0..n)
                        .map(|_| {
                            let sparse = |draws: &mut Draws| if draws.below(2) == 0 { draws.integer(2) } else { 0 };
                            ((0..$IN).map(|_| sparse(&mut draws)).collect(),
                             (0..$OUT).map(|_| draws.integer(3)).collect())
                        })
                        .collect();
                    if reference.step(&samples, factor).is_none() {
                        break;
                    }
                    let inputs: Vec<[$T; $IN]> =
                        samples.iter().map(|(x, _)| core::array::from_fn(|k| number(&x[k]))).collect();
                    let targets: Vec<[$T; $OUT]> =
                        samples.iter().map(|(_, t)| core::array::from_fn(|k| number(&t[k]))).collect();
                    let loss = HalfSquares(factor);
                    match (inputs.as_slice().try_into(), targets.as_slice().try_into()) {
                        (Ok(x), Ok(t)) => trainer.step(&rule, &loss, x, t),
                        _ => trainer.accumulate(&rule, &loss, &inputs, &targets),
                    }
                    .unwrap();
                    if let Err(report) = trainer.network.compare(&reference.layers) {
                        panic!("batch of {B}, {n} samples, after step {done}: {report}");
                    }
                    done += 1;
                }
                // A whole epoch, shuffled as the crate says: two batches, the second one ragged.
                let n = B + 1;
                let samples: Vec<(Vec<i64>, Vec<i64>)> = (0..n)
                    .map(|_| ((0..$IN).map(|_| draws.integer(1)).collect(), (0..$OUT).map(|_| draws.integer(2)).collect()))
                    .collect();
                let shuffle = Shuffle::new(n, 0, 0);
                let order: Vec<_> = (0..n).map(|i| samples[shuffle.index(i)].clone()).collect();
                let kept = (reference.layers.clone(), reference.velocity.clone());
                let factor = B as i64;
                if order.chunks(B).all(|batch| reference.step(batch, factor).is_some()) {
                    let inputs: Vec<[$T; $IN]> =
                        samples.iter().map(|(x, _)| core::array::from_fn(|k| number(&x[k]))).collect();
                    let targets: Vec<[$T; $OUT]> =
                        samples.iter().map(|(_, t)| core::array::from_fn(|k| number(&t[k]))).collect();
                    trainer.epoch(&rule, &HalfSquares(factor), &inputs, &targets).unwrap();
                    if let Err(report) = trainer.network.compare(&reference.layers) {
                        panic!("batch of {B}, an epoch of {n} samples: {report}");
                    }
                    done += 2;
                } else {
                    (reference.layers, reference.velocity) = kept;
                }
                done
            }
            // How many steps were compared, over all cases: the reference must not always give up.
            let steps = [const { Cell::new(0) }; 4];
            let cases_run = Cell::new(0);
            let config = cases(file!());
            let config = proptest::test_runner::Config { cases: config.cases.div_ceil($part), ..config };
            proptest!(config, |(seed: u64)| {
                cases_run.set(cases_run.get() + 1);
                for (steps, done) in
                    steps.iter().zip([run::<1>(seed), run::<2>(seed), run::<3>(seed), run::<8>(seed)])
                {
                    steps.set(steps.get() + done);
                }
            });
            for (batch, steps) in [1, 2, 3, 8].into_iter().zip(steps) {
                let (steps, cases_run) = (steps.get(), cases_run.get());
                // Some seeds fit longer than others.
                assert!(2 * steps >= $least * cases_run, "batch {batch}: {steps} steps in {cases_run} cases");
            }
        }
    };
}

type One<T> = Dense<5, 4, Identity, T>;
type Two<T> = (Dense<3, 4, Relu, T>, Dense<4, 2, Identity, T>);
// Just beyond the tiles of 8, 16 and 32.
type Edge<T> = (Dense<9, 17, Relu, T>, Dense<17, 3, Identity, T>);
type Wide<T> = Dense<33, 65, Relu, T>;

exact!(one_layer_f32: One<f32>, f32, 5 => 4, 24, Sgd, at least 2, cases / 1);
exact!(one_layer_momentum_f32: One<f32>, f32, 5 => 4, 24, Momentum, at least 2, cases / 1);
exact!(two_layers_f32: Two<f32>, f32, 3 => 2, 24, Sgd, at least 1, cases / 1);
exact!(two_layers_f64: Two<f64>, f64, 3 => 2, 53, Sgd, at least 2, cases / 1);
exact!(two_layers_momentum_f64: Two<f64>, f64, 3 => 2, 53, Momentum, at least 2, cases / 1);
exact!(two_layers_strict: Two<Strict<f32>>, Strict<f32>, 3 => 2, 24, Sgd, at least 1, cases / 1);
exact!(two_layers_momentum_strict: Two<Strict<f32>>, Strict<f32>, 3 => 2, 24, Momentum, at least 1, cases / 1);
exact!(tile_edges_f32: Edge<f32>, f32, 9 => 3, 24, Sgd, at least 1, cases / 8);
exact!(tile_edges_f64: Edge<f64>, f64, 9 => 3, 53, Sgd, at least 2, cases / 8);
exact!(wide_f32: Wide<f32>, f32, 33 => 65, 24, Sgd, at least 1, cases / 8);

/// The reference is checked as well: it must refuse what does not fit, and add what does.
#[test]
fn the_reference_knows_its_range() {
    let two = |e| Dyadic::new(1, e);
    assert_eq!(sum(&[two(24)], 24), Some(two(24)));
    assert_eq!(sum(&[two(24), two(0)], 24), None);
    assert_eq!(sum(&[two(0), two(-24)], 24), None);
    assert_eq!(sum(&[two(0), two(-23)], 24), Some(Dyadic::new((1 << 23) + 1, -23)));
    assert_eq!(Dyadic::new(-12, 1).to_f64(), -24.0);
    let zero = Matrix::<1, 1, f32>::ZEROED;
    assert_eq!(f64::from(zero[0]), Dyadic::ZERO.to_f64());
}
