//! Gradients against independent oracles, over random networks: the derivation's explicit Jacobians multiplied out,
//! dual numbers through the forward code, the adjoint identity, and relations between runs.
//!
//! Every gate is 10⁻¹²·S, S being the same formula with every term replaced by its magnitude (docs/derivation.md,
//! section 12). A relative gate would fail correct code, an absolute one would pass wrong code.

mod common;

use chainrule::{
    BinaryCrossEntropy, Class, Dense, Dropout, Dual, Frozen, Identity, Layer, LeakyRelu, Loss, Matrix,
    MeanSquaredError, Mode, Parameters, Pass, Random, Relu, Residual, Scalar, Selu, Sgd, Sigmoid, SoftmaxCrossEntropy,
    Softplus, Tanh, Tensor, Trainer, Vector, Zeroed, network, softmax,
};
use common::reference::{Cost, Gradients, Part, Progress, TakeApart};
use common::{Capture, Comparison, Draws, assert_close, cases, place, scalars};
use proptest::prelude::*;

const GATE: f64 = 1e-12;

/// A kind of target: drawn as plain numbers for the reference, and handed to the crate as what its loss takes.
trait Goal {
    type Of<T: Scalar>;
    fn draw(draws: &mut Draws) -> Vec<f64>;
    fn of<T: Scalar>(t: &[f64]) -> Self::Of<T>;
}

struct Values<const K: usize>;
impl<const K: usize> Goal for Values<K> {
    type Of<T: Scalar> = [T; K];
    fn draw(draws: &mut Draws) -> Vec<f64> {
        (0..K).map(|_| 2.0 * draws.symmetric()).collect()
    }
    fn of<T: Scalar>(t: &[f64]) -> [T; K] {
        core::array::from_fn(|k| T::from_f64(t[k]))
    }
}

/// In [0, 1], and now and then 0 or 1 exactly.
struct Answers<const K: usize>;
impl<const K: usize> Goal for Answers<K> {
    type Of<T: Scalar> = [T; K];
    fn draw(draws: &mut Draws) -> Vec<f64> {
        (0..K).map(|_| (1.5 * draws.symmetric()).clamp(-1.0, 1.0) * 0.5 + 0.5).collect()
    }
    fn of<T: Scalar>(t: &[f64]) -> [T; K] {
        Values::<K>::of(t)
    }
}

struct Distribution<const K: usize>;
impl<const K: usize> Goal for Distribution<K> {
    type Of<T: Scalar> = [T; K];
    fn draw(draws: &mut Draws) -> Vec<f64> {
        let mut t: Vec<f64> = (0..K).map(|_| draws.symmetric().max(0.0)).collect();
        t[0] += 0.25;
        let sum: f64 = t.iter().sum();
        t.iter().map(|t| t / sum).collect()
    }
    fn of<T: Scalar>(t: &[f64]) -> [T; K] {
        Values::<K>::of(t)
    }
}

struct Label<const K: usize>;
impl<const K: usize> Goal for Label<K> {
    type Of<T: Scalar> = Class<K>;
    fn draw(draws: &mut Draws) -> Vec<f64> {
        let class = draws.below(K);
        (0..K).map(|k| f64::from(k == class)).collect()
    }
    fn of<T: Scalar>(t: &[f64]) -> Class<K> {
        Class::new(t.iter().position(|t| *t == 1.0).unwrap()).unwrap()
    }
}

/// A loss times 2ᵏ.
struct Times<L>(L, f64);
impl<const K: usize, T: Scalar, Target, L: Loss<[T; K], Target>> Loss<[T; K], Target> for Times<L> {
    fn value(&self, output: &[T; K], target: &Target) -> T {
        T::from_f64(self.1) * self.0.value(output, target)
    }
    fn gradient(&self, output: &[T; K], target: &Target, d_output: &mut [T; K]) -> T {
        let loss = self.0.gradient(output, target, d_output);
        for d in d_output {
            *d *= T::from_f64(self.1);
        }
        T::from_f64(self.1) * loss
    }
}

/// All oracles over one type of network.
macro_rules! architecture {
    ($name:ident: $net:ty, $IN:literal => $OUT:literal, $loss:ident, $Goal:ty) => {
        #[allow(clippy::modulo_one, reason = "some networks have one input")]
        mod $name {
            use super::*;

            type Net<T> = with_scalar!($net, T);
            type Target<T> = <$Goal as Goal>::Of<T>;
            type Sample = ([f64; $IN], Vec<f64>);

            fn draw(seed: u64, scale: f64, n: usize) -> (Net<f64>, Vec<Sample>) {
                let mut draws = Draws(seed);
                let mut net = <Net<f64>>::ZEROED;
                draws.fill(&mut net, scale);
                let samples = (0..n).map(|_| (draws.array(1.5), <$Goal>::draw(&mut draws))).collect();
                (net, samples)
            }

            fn split<T: Scalar>(samples: &[Sample]) -> (Vec<[T; $IN]>, Vec<Target<T>>) {
                samples.iter().map(|(x, t)| (x.map(T::from_f64), <$Goal>::of::<T>(t))).unzip()
            }

            /// Mean loss and gradient of the parameters, as a trainer with batches of `B` hands them to its optimiser.
            fn trained<const B: usize>(
                net: &Net<f64>,
                samples: &[Sample],
                loss: &impl Loss<[f64; $OUT], Target<f64>>,
            ) -> (f64, Vec<f64>) {
                let (inputs, targets) = split::<f64>(samples);
                let mut trainer = Trainer::<Net<f64>, Capture, B>::boxed();
                trainer.network.copy_from(net);
                let loss = trainer.accumulate(&Capture, loss, &inputs, &targets).unwrap();
                (loss, scalars(trainer.state()))
            }

            fn by_batch(
                batch: usize,
                net: &Net<f64>,
                samples: &[Sample],
                loss: &impl Loss<[f64; $OUT], Target<f64>>,
            ) -> (f64, Vec<f64>) {
                match batch {
                    1 => trained::<1>(net, samples, loss),
                    2 => trained::<2>(net, samples, loss),
                    3 => trained::<3>(net, samples, loss),
                    _ => trained::<8>(net, samples, loss),
                }
            }

            /// Gradients of the inputs of three samples at once, each handed 1/3 of its own loss.
            fn input_gradients(net: &Net<f64>, samples: &[Sample]) -> Vec<f64> {
                let (inputs, targets) = split::<f64>(samples);
                let x = Matrix::from_columns([inputs[0], inputs[1], inputs[2]]);
                let mut cache = Zeroed::ZEROED;
                net.forward(&x, &mut cache, &mut Pass::evaluate());
                let outputs = <Net<f64> as Layer<Matrix<$IN, 3, f64>>>::output(&cache).clone();
                let mut d_output = Matrix::<$OUT, 3, f64>::ZEROED;
                for s in 0..3 {
                    $loss.gradient(&outputs.columns()[s], &targets[s], &mut d_output.columns_mut()[s]);
                }
                d_output.map(|d| d / 3.0);
                // Filled with NaN: overwritten, not added to.
                let mut d_input = Matrix::<$IN, 3, f64>::filled(f64::NAN);
                net.backward(&x, &mut cache, &mut d_output, None, Some(&mut d_input));
                scalars(&d_input)
            }

            fn reference(net: &Net<f64>, samples: &[Sample]) -> Gradients {
                let samples: Vec<_> = samples.iter().map(|(x, t)| (net.parts(), x.to_vec(), t.clone())).collect();
                Gradients::of(&samples, Cost::$loss)
            }

            /// Loss and its derivative along a direction of parameters and inputs, by duals through the forward code.
            fn dual(net: &Net<Dual<f64>>, inputs: &[[Dual<f64>; $IN]], targets: &[Target<Dual<f64>>]) -> Dual<f64> {
                let mut scratch = Zeroed::boxed();
                let mut sum = Dual::constant(0.0);
                for (x, t) in inputs.iter().zip(targets) {
                    let x = Vector::from(*x);
                    let y: &Vector<$OUT, Dual<f64>> = net.predict(&x, &mut scratch);
                    sum += $loss.value(y.as_array(), t);
                }
                sum / Dual::constant(inputs.len() as f64)
            }

            /// Every gradient, of parameters and input, equals the product of explicit Jacobians.
            // proves eq:chain, eq:dense-affine, eq:dense-activation, eq:delta, eq:weight-gradient
            // proves eq:bias-gradient, eq:input-gradient, eq:batch-mean, eq:residual, eq:frozen
            // proves eq:identity, eq:tanh, eq:sigmoid, eq:relu, eq:leaky-relu, eq:softplus
            // proves eq:mean-squared-error, eq:softmax-cross-entropy, eq:binary-cross-entropy
            #[test]
            fn explicit_jacobians() {
                proptest!(cases(file!()), |(seed: u64, scale in 0.25..2.0, n in 3..10_usize, batch in 0..4_usize)| {
                    let (net, samples) = draw(seed, scale, n);
                    let expected = reference(&net, &samples);
                    let (loss, gradient) = by_batch([1, 2, 3, 8][batch], &net, &samples, &$loss);
                    let mut comparison = Comparison::default();
                    comparison.observe(|| "loss".into(), loss, expected.loss.0, GATE * expected.loss.1);
                    let blocks: Vec<_> = expected.parameters.iter().flatten().collect();
                    assert_eq!(gradient.len(), blocks.len());
                    assert!(gradient.iter().any(|g| *g != 0.0) || blocks.iter().all(|g| g.0 == 0.0));
                    for (i, (found, (expected, s))) in gradient.iter().zip(blocks).enumerate() {
                        let place = || place::<<Net<f64> as Tensor>::Gradient>(i);
                        comparison.observe(place, *found, *expected, GATE * s + f64::MIN_POSITIVE);
                    }
                    let three = reference(&net, &samples[..3]);
                    let found = input_gradients(&net, &samples[..3]);
                    for (i, (found, (expected, s))) in found.iter().zip(three.inputs.iter().flatten()).enumerate() {
                        let place = || format!("input {} of sample {}", i % $IN, i / $IN);
                        comparison.observe(place, *found, *expected, GATE * s + f64::MIN_POSITIVE);
                    }
                    comparison.finish();
                });
            }

            /// Every gradient equals the derivative that a dual number carries through `predict` and the loss's
            /// value: no backward code is run for it.
            // proves eq:chain, eq:delta, eq:weight-gradient, eq:bias-gradient, eq:input-gradient, eq:batch-mean
            // proves eq:residual, eq:frozen, eq:identity, eq:tanh, eq:sigmoid, eq:relu, eq:leaky-relu, eq:softplus
            // proves eq:mean-squared-error, eq:softmax-cross-entropy, eq:binary-cross-entropy
            #[test]
            fn dual_numbers() {
                proptest!(cases(file!()), |(seed: u64, scale in 0.25..2.0)| {
                    let (net, samples) = draw(seed, scale, 3);
                    let s = reference(&net, &samples);
                    let (_, gradient) = trained::<2>(&net, &samples, &$loss);
                    let (mut inputs, targets) = split::<Dual<f64>>(&samples);
                    let mut lifted = <Net<Dual<f64>>>::ZEROED;
                    lifted.convert_from(&net);
                    let mut comparison = Comparison::default();

                    // Trained parameters are those of slices that the gradient has, too.
                    let mut g = 0;
                    let empty = <<Net<f64> as Tensor>::Gradient as Zeroed>::ZEROED;
                    let bounds: Vec<f64> = s.parameters.iter().flatten().map(|g| g.1).collect();
                    for i in 0..<Net<f64>>::SLICES {
                        for j in 0..empty.slice(i).len() {
                            lifted.slice_mut(i)[j].derivative = 1.0;
                            let expected = dual(&lifted, &inputs, &targets).derivative;
                            lifted.slice_mut(i)[j].derivative = 0.0;
                            let place = || place::<<Net<f64> as Tensor>::Gradient>(g);
                            comparison.observe(place, gradient[g], expected, GATE * bounds[g] + f64::MIN_POSITIVE);
                            g += 1;
                        }
                    }
                    assert_eq!(g, gradient.len());

                    let found = input_gradients(&net, &samples);
                    for (i, (found, (_, s))) in found.iter().zip(s.inputs.iter().flatten()).enumerate() {
                        inputs[i / $IN][i % $IN].derivative = 1.0;
                        let expected = dual(&lifted, &inputs, &targets).derivative;
                        inputs[i / $IN][i % $IN].derivative = 0.0;
                        let place = || format!("input {} of sample {}", i % $IN, i / $IN);
                        comparison.observe(place, *found, expected, GATE * s + f64::MIN_POSITIVE);
                    }
                    comparison.finish();
                });
            }

            /// ⟨J u, v⟩ = ⟨u, Jᵀ v⟩ with J the derivative of the output by parameters and input, u and v random: J u by a
            /// dual number through `forward`, Jᵀ v by `backward`. No loss has a part in it.
            // proves eq:chain, eq:jacobian, eq:residual, eq:frozen, eq:input-gradient
            #[test]
            fn adjoint_identity() {
                proptest!(cases(file!()), |(seed: u64, scale in 0.25..2.0)| {
                    let (net, samples) = draw(seed, scale, 1);
                    let mut draws = Draws(!seed);
                    let (u_x, v): ([f64; $IN], [f64; $OUT]) = (draws.array(1.0), draws.array(1.0));

                    let x = Vector::from(samples[0].0);
                    let mut cache = Zeroed::ZEROED;
                    net.forward(&x, &mut cache, &mut Pass::evaluate());
                    let mut gradient = <<Net<f64> as Tensor>::Gradient>::ZEROED;
                    let mut d_input = Vector::<$IN, f64>::filled(f64::NAN);
                    net.backward(&x, &mut cache, &mut Vector::from(v), Some(&mut gradient), Some(&mut d_input));

                    let mut lifted = <Net<Dual<f64>>>::ZEROED;
                    lifted.convert_from(&net);
                    let mut right = 0.0;
                    for i in 0..<Net<f64>>::SLICES {
                        for (j, g) in gradient.slice(i).iter().enumerate() {
                            let u = draws.symmetric();
                            lifted.slice_mut(i)[j].derivative = u;
                            right += u * g;
                        }
                    }
                    right += (0..$IN).map(|k| u_x[k] * d_input[k]).sum::<f64>();

                    let x = Vector::from(core::array::from_fn(|k| Dual::new(samples[0].0[k], u_x[k])));
                    let mut cache = Zeroed::boxed();
                    lifted.forward(&x, &mut cache, &mut Pass::evaluate());
                    let y = <Net<Dual<f64>> as Layer<Vector<$IN, Dual<f64>>>>::output(&cache);
                    let left: f64 = (0..$OUT).map(|k| y[k].derivative * v[k]).sum();

                    let end = Progress::through(&samples[0].0, &net.parts());
                    let all = end.by_parameters.iter().chain([&end.by_input]).flat_map(|j| j.bound.iter().flatten());
                    let s: f64 = all.sum();
                    assert_close("⟨J u, v⟩", left, right, GATE * s);
                });
            }

            /// Relations between runs: a batch's gradient is the mean of its samples' gradients, in any order; a loss times 2ᵏ
            /// gives gradients times 2ᵏ, bit for bit; what is left in the buffers from another batch does not matter.
            // proves eq:batch-mean, eq:weight-gradient, eq:bias-gradient
            #[test]
            fn relations() {
                proptest!(cases(file!()), |(seed: u64, scale in 0.25..2.0, n in 3..10_usize, k in -8..9_i32)| {
                    let (net, mut samples) = draw(seed, scale, n);
                    let s: Vec<f64> = reference(&net, &samples).parameters.iter().flatten().map(|g| g.1).collect();
                    let tolerance = |i: usize| GATE * s[i] + f64::MIN_POSITIVE;
                    let (loss, whole) = trained::<8>(&net, &samples, &$loss);
                    let mut comparison = Comparison::default();
                    comparison.observe(|| "nothing to compare".into(), 0.0, 0.0, 0.0);

                    let mut mean = vec![0.0; whole.len()];
                    for sample in samples.chunks(1) {
                        let (_, gradient) = trained::<1>(&net, sample, &$loss);
                        for (sum, g) in mean.iter_mut().zip(gradient) {
                            *sum += g / n as f64;
                        }
                    }
                    for (i, (found, expected)) in whole.iter().zip(&mean).enumerate() {
                        comparison.observe(|| format!("mean of samples, {i}"), *found, *expected, tolerance(i));
                    }

                    let factor = f64::powi(2.0, k);
                    let (scaled_loss, scaled) = trained::<8>(&net, &samples, &Times($loss, factor));
                    assert_eq!(scaled_loss, loss * factor);
                    assert_eq!(scaled, whole.iter().map(|g| g * factor).collect::<Vec<_>>());

                    // A full batch first, then what is left of the samples: as if the buffers were new.
                    let rest = &samples[..n % 3 + 1];
                    let (inputs, targets) = split::<f64>(rest);
                    let mut trainer = Trainer::<Net<f64>, Capture, 8>::boxed();
                    trainer.network.copy_from(&net);
                    let (all_inputs, all_targets) = split::<f64>(&samples);
                    trainer.accumulate(&Capture, &$loss, &all_inputs, &all_targets).unwrap();
                    trainer.accumulate(&Capture, &$loss, &inputs, &targets).unwrap();
                    assert_eq!(scalars(trainer.state()), trained::<8>(&net, rest, &$loss).1);

                    let half = n / 2;
                    samples.rotate_left(half);
                    let permuted = trained::<8>(&net, &samples, &$loss).1;
                    for (i, (found, expected)) in permuted.iter().zip(&whole).enumerate() {
                        comparison.observe(|| format!("permuted, {i}"), *found, *expected, tolerance(i));
                    }
                    comparison.finish();
                });
            }
        }
    };
}

/// The same type with the scalar `T`: a network is an image of itself under another scalar.
macro_rules! with_scalar {
    ($net:ty, $T:ty) => {
        <$net as Tensor>::With<$T>
    };
}

architecture!(one_number: Dense<1, 1, Sigmoid, f64>, 1 => 1, MeanSquaredError, Values<1>);
architecture!(affine: Dense<3, 2, Identity, f64>, 3 => 2, MeanSquaredError, Values<2>);
architecture!(tanh: (Dense<2, 3, Tanh, f64>, Dense<3, 1, Identity, f64>), 2 => 1, MeanSquaredError, Values<1>);
architecture!(relu: (Dense<4, 5, Relu, f64>, Dense<5, 3, Identity, f64>), 4 => 3, SoftmaxCrossEntropy, Label<3>);
architecture!(sigmoid: (Dense<3, 3, Sigmoid, f64>, Dense<3, 2, Identity, f64>), 3 => 2, BinaryCrossEntropy, Answers<2>);
architecture!(
    three_layers: (Dense<2, 4, Softplus, f64>, (Dense<4, 4, Tanh, f64>, Dense<4, 3, Identity, f64>)),
    2 => 3, SoftmaxCrossEntropy, Distribution<3>
);
architecture!(
    leaky: (Dense<5, 3, LeakyRelu<1, 10>, f64>, Dense<3, 3, Tanh, f64>),
    5 => 3, MeanSquaredError, Values<3>
);
architecture!(
    residual: (Dense<3, 4, Tanh, f64>, (Residual<Dense<4, 4, Tanh, f64>>, Dense<4, 2, Identity, f64>)),
    3 => 2, SoftmaxCrossEntropy, Label<2>
);
architecture!(
    frozen: (Dense<3, 3, Tanh, f64>, (Frozen<Dense<3, 2, Sigmoid, f64>>, Dense<2, 1, Identity, f64>)),
    3 => 1, BinaryCrossEntropy, Answers<1>
);
architecture!(
    wide: (Dense<9, 8, LeakyRelu<1, 4>, f64>, Dense<8, 2, Softplus, f64>),
    9 => 2, MeanSquaredError, Values<2>
);
network! {
    /// Fields in place of pairs.
    struct Named<T = f64>: 3 => 2 {
        first: Dense<3, 4, Tanh, T>,
        skip: Residual<(Dense<4, 2, Relu, T>, Dense<2, 4, Identity, T>)>,
        off: Dropout<1, 2, T>,
        last: Dense<4, 2, Identity, T>,
    }
}
impl TakeApart for Named<f64> {
    fn parts(&self) -> Vec<Part> {
        [self.first.parts(), self.skip.parts(), self.last.parts()].concat()
    }
}

/// A network with names, one of its fields random while training: the masks that the trainer's pass draws are taken
/// from the layer itself, and with them the gradients are those of explicit Jacobians.
// proves eq:dropout, eq:chain, eq:residual
#[test]
fn named_network_with_dropout() {
    proptest!(cases(file!()), |(seed: u64, step in 0..1000_u64)| {
        let mut draws = Draws(seed);
        let mut net = <Named>::ZEROED;
        draws.fill(&mut net, 1.0);
        let x = Matrix::<3, 2, f64>::from_columns([draws.array(1.0), draws.array(1.0)]);
        let targets: [[f64; 2]; 2] = [draws.array(1.0), draws.array(1.0)];

        // The mask, by what the layer does to ones.
        let dropout = Dropout::<1, 2, f64>::new();
        let mut dropped = Zeroed::ZEROED;
        dropout.forward(&Matrix::<4, 2, f64>::filled(1.0), &mut dropped, &mut Pass::train(seed, step));
        let mask = <Dropout<1, 2, f64> as Layer<Matrix<4, 2, f64>>>::output(&dropped).columns().map(|m| m.to_vec());

        let samples: Vec<_> = (0..2)
            .map(|s| {
                let parts = [net.first.parts(), net.skip.parts(), vec![Part::Mask(mask[s].clone())], net.last.parts()];
                (parts.concat(), x.columns()[s].to_vec(), targets[s].to_vec())
            })
            .collect();
        let expected = Gradients::of(&samples, Cost::MeanSquaredError);

        let mut cache = Zeroed::ZEROED;
        net.forward(&x, &mut cache, &mut Pass::train(seed, step));
        let mut d_output = Matrix::<2, 2, f64>::ZEROED;
        let outputs = <Named as Layer<Matrix<3, 2, f64>>>::output(&cache);
        for s in 0..2 {
            MeanSquaredError.gradient(&outputs.columns()[s], &targets[s], &mut d_output.columns_mut()[s]);
        }
        d_output.map(|d| d / 2.0);
        let mut gradient = <<Named as Tensor>::Gradient>::ZEROED;
        let mut d_input = Matrix::filled(f64::NAN);
        net.backward(&x, &mut cache, &mut d_output, Some(&mut gradient), Some(&mut d_input));

        let mut comparison = Comparison::default();
        let found = scalars(&gradient).into_iter().chain(scalars(&d_input));
        for (i, (found, (expected, s))) in
            found.zip(expected.parameters.iter().flatten().chain(expected.inputs.iter().flatten())).enumerate()
        {
            comparison.observe(|| place::<Named>(i), found, *expected, GATE * s + f64::MIN_POSITIVE);
        }
        assert_eq!(comparison.count, Named::<f64>::LEN + 6);
        comparison.finish();
    });
}

/// The worked example of docs/derivation.md, to its six decimals, and one step of gradient descent.
// proves eq:dense-affine, eq:dense-activation, eq:delta, eq:weight-gradient, eq:bias-gradient, eq:input-gradient
// proves eq:tanh, eq:mean-squared-error, eq:sgd
#[test]
fn worked_example() {
    type Net = (Dense<2, 2, Tanh, f64>, Dense<2, 1, Tanh, f64>);
    let net: Net = (
        Dense::from_parts(Matrix::from_rows([[0.5, -0.25], [0.75, 1.5]]), Vector::from([0.125, -0.25])),
        Dense::from_parts(Matrix::from_rows([[1.5, -0.5]]), Vector::from([-0.5])),
    );
    let x = Vector::from([1.0, -0.5]);
    let mut comparison = Comparison::default();
    let mut is = |place: &str, found: f64, expected: f64| {
        comparison.observe(|| place.into(), found, expected, 5e-7);
    };

    let mut cache = Zeroed::ZEROED;
    net.0.forward(&x, &mut cache, &mut Pass::evaluate());
    let a = <Dense<2, 2, Tanh, f64> as Layer<Vector<2, f64>>>::output(&cache);
    is("a1 (0)", a[0], 0.635149);
    is("a1 (1)", a[1], -0.244919);

    let mut cache = Zeroed::ZEROED;
    net.forward(&x, &mut cache, &mut Pass::evaluate());
    let y = <Net as Layer<Vector<2, f64>>>::output(&cache);
    is("y", y[0], 0.519155);
    let mut d_output = Vector::ZEROED;
    let loss = MeanSquaredError.gradient(y.as_array(), &[1.0], &mut d_output.columns_mut()[0]);
    is("loss", loss, 0.231212);
    is("gradient of y", d_output[0], -0.961689);

    let mut gradient = Net::ZEROED;
    let mut d_input = Vector::filled(f64::NAN);
    net.backward(&x, &mut cache, &mut d_output, Some(&mut gradient), Some(&mut d_input));
    is("gradient of W2 (0, 0)", gradient.1.weights[(0, 0)], -0.446187);
    is("gradient of W2 (0, 1)", gradient.1.weights[(0, 1)], 0.172054);
    is("gradient of b2", gradient.1.bias[0], -0.702493);
    is("gradient of W1 (0, 0)", gradient.0.weights[(0, 0)], -0.628646);
    is("gradient of W1 (0, 1)", gradient.0.weights[(0, 1)], 0.314323);
    is("gradient of W1 (1, 0)", gradient.0.weights[(1, 0)], 0.330177);
    is("gradient of W1 (1, 1)", gradient.0.weights[(1, 1)], -0.165088);
    is("gradient of b1 (0)", gradient.0.bias[0], -0.628646);
    is("gradient of b1 (1)", gradient.0.bias[1], 0.330177);
    is("gradient of x (0)", d_input[0], -0.066690);
    is("gradient of x (1)", d_input[1], 0.652427);

    let mut trainer = Trainer::<Net, Sgd, 1>::ZEROED;
    trainer.network = net;
    let sgd = Sgd::new(0.5).unwrap();
    is("loss before the step", trainer.step(&sgd, &MeanSquaredError, &[[1.0, -0.5]], &[[1.0]]).unwrap(), 0.231212);
    let after = trainer.evaluate(&MeanSquaredError, &[[1.0, -0.5]], &[[1.0]], &mut ()).unwrap();
    is("loss after the step", after, 0.003852);
    comparison.finish();
}

/// Softmax and its loss do not depend on a shift of all logits, the probabilities sum to one, and the gradient of the
/// loss sums to zero: every row of the Jacobian does.
// proves eq:softmax, eq:softmax-cross-entropy
#[test]
fn softmax_shift() {
    proptest!(cases(file!()), |(seed: u64, spread in 0.0..40.0_f64, shift in -500.0..500.0_f64)| {
        const K: usize = 7;
        let mut draws = Draws(seed);
        // Multiples of 2⁻²⁰ and a whole shift: the sums are exact, so nothing but softmax can differ.
        let logits: [f64; K] = core::array::from_fn(|_| (spread * draws.symmetric() * 1024.0).round() / 1024.0);
        let shifted = logits.map(|z| z + shift.round());
        let (mut p, mut q) = (logits, shifted);
        softmax(&mut p);
        softmax(&mut q);
        assert_eq!(p.map(f64::to_bits), q.map(f64::to_bits));
        let u = f64::EPSILON / 2.0;
        assert_close("sum", p.iter().sum(), 1.0, (K + 2) as f64 * u);
        let spread = 2.0 * spread;
        let total: f64 = logits.iter().map(|z| (z - logits[0]).exp()).sum();
        for k in 0..K {
            let expected = (logits[k] - logits[0]).exp() / total;
            // Twice the bound of a softmax: the expected value has one too.
            assert_close("probability", p[k], expected, 2.0 * (K as f64 + 4.0 + 2.0 * spread) * u * expected);
        }

        let class = Class::<K>::new(draws.below(K)).unwrap();
        let (mut a, mut b) = ([f64::NAN; K], [f64::NAN; K]);
        let loss = SoftmaxCrossEntropy.gradient(&logits, &class, &mut a);
        assert_eq!(loss, SoftmaxCrossEntropy.gradient(&shifted, &class, &mut b));
        assert_eq!(a, b);
        assert_close("sum of the gradient", a.iter().sum(), 0.0, 2.0 * (K + 2) as f64 * u);
        let one_hot: [f64; K] = class.one_hot();
        let by_distribution = SoftmaxCrossEntropy.gradient(&logits, &one_hot, &mut b);
        assert_close("label and distribution", loss, by_distribution, 8.0 * u * (1.0 + loss.abs()));
        for k in 0..K {
            assert_close("label and distribution", a[k], b[k], 8.0 * u);
        }
    });
}

/// The Jacobian of softmax, by dual numbers, is diag(p) − p·pᵀ, with its off-diagonal elements.
// proves eq:softmax
#[test]
fn softmax_jacobian() {
    proptest!(cases(file!()), |(seed: u64)| {
        let mut draws = Draws(seed);
        let logits: [f64; 4] = draws.array(3.0);
        let mut p = logits;
        softmax(&mut p);
        for k in 0..4 {
            let mut lifted = logits.map(Dual::constant);
            lifted[k].derivative = 1.0;
            softmax(&mut lifted);
            for j in 0..4 {
                let expected = p[j] * (f64::from(j == k) - p[k]);
                assert_close(&format!("({j}, {k})"), lifted[j].derivative, expected, 1e-14 * p[j] * (1.0 + p[k]));
            }
        }
    });
}

/// Initial weights are where the formulas put them: the support of the uniform ones, the variance of both within five
/// standard errors, the bias zero; and normal draws have the moments of a normal distribution.
// proves eq:xavier, eq:kaiming, eq:normal-draws
#[test]
fn initial_weights() {
    const N: f64 = 128.0 * 64.0;
    fn moments(weights: &[f64]) -> (f64, f64, f64) {
        let mean = weights.iter().sum::<f64>() / N;
        let variance = weights.iter().map(|w| w * w).sum::<f64>() / N;
        (mean, variance, weights.iter().fold(0.0, |m, w| w.abs().max(m)))
    }
    use chainrule::Initializer::{KaimingNormal, KaimingUniform, XavierNormal, XavierUniform};
    let (xavier, kaiming) = (2.0 / (128.0 + 64.0), 2.0 / 128.0);
    for (initializer, expected, uniform) in [
        (XavierUniform, xavier, true),
        (XavierNormal, xavier, false),
        (KaimingUniform, kaiming, true),
        (KaimingNormal, kaiming, false),
    ] {
        for seed in 0..8 {
            let mut layer = Dense::<128, 64, Tanh, f64>::boxed();
            layer.bias.fill(1.0);
            layer.init_with(initializer, &mut Random::new(seed, 0));
            let (mean, variance, largest) = moments(layer.weights.as_slice());
            assert_close("mean", mean, 0.0, 5.0 * (expected / N).sqrt());
            // The variance of w² is (κ − 1) ν², κ = 3 for normal, 1.8 for uniform numbers.
            let kurtosis = if uniform { 1.8 } else { 3.0 };
            assert_close("variance", variance, expected, 5.0 * expected * f64::sqrt((kurtosis - 1.0) / N));
            let bound = (3.0 * expected).sqrt();
            let deviation = expected.sqrt();
            if uniform {
                assert!(largest <= bound && largest > 0.99 * bound, "{largest} against {bound}");
            } else {
                assert!(largest > 3.0 * deviation && largest < 8.6 * deviation, "{largest} against {deviation}");
            }
            assert_eq!(layer.bias, Vector::ZEROED);
        }
    }
}

/// Each activation brings the initialiser that its derivation asks for.
// proves eq:xavier, eq:kaiming, eq:lecun
#[test]
fn default_initializers() {
    fn largest<A: chainrule::Activation>() -> (f64, f64) {
        let layer = *{
            let mut layer = Dense::<100, 50, A, f64>::boxed();
            layer.init(&mut Random::new(3, 0));
            layer
        };
        let w = layer.weights.as_slice();
        (w.iter().fold(0.0, |m, w| w.abs().max(m)), w.iter().map(|w| w * w).sum::<f64>() / w.len() as f64)
    }
    let xavier = f64::sqrt(6.0 / 150.0);
    for (largest, _) in [largest::<Tanh>(), largest::<Sigmoid>(), largest::<Identity>()] {
        assert!(largest <= xavier && largest > 0.99 * xavier, "{largest} against {xavier}");
    }
    for (_, variance) in [largest::<Relu>(), largest::<LeakyRelu>(), largest::<Softplus>()] {
        assert_close("variance", variance, 2.0 / 100.0, 5.0 * 0.02 * f64::sqrt(2.0 / 5000.0));
    }
    let (_, variance) = largest::<Selu>();
    assert_close("LeCun's variance", variance, 1.0 / 100.0, 5.0 * 0.01 * f64::sqrt(2.0 / 5000.0));
}

/// Normal draws: mean, variance, skewness and kurtosis of a hundred thousand, each within five standard errors.
// proves eq:normal-draws
#[test]
fn normal_draws() {
    let n = 100_000.0;
    let mut random = Random::new(11, 5);
    let mut sums = [0.0; 4];
    for _ in 0..100_000 {
        let z = random.normal();
        assert!(z.is_finite());
        for (power, sum) in (1..).zip(&mut sums) {
            *sum += z.powi(power) / n;
        }
    }
    // The variances of z, z², z³, z⁴ are 1, 2, 15, 96.
    for ((name, found), (expected, variance)) in ["mean", "variance", "skewness", "kurtosis"]
        .into_iter()
        .zip(sums)
        .zip([(0.0, 1.0), (1.0, 2.0), (0.0, 15.0), (3.0, 96.0)])
    {
        assert_close(name, found, expected, 5.0 * f64::sqrt(variance / n));
    }
}

/// A pass for evaluation draws nothing and is the same function as prediction.
// proves eq:dropout
#[test]
fn dropout_is_the_identity_in_prediction() {
    let dropout = Dropout::<1, 4, f64>::new();
    let x = Matrix::<5, 3, f64>::from_columns(core::array::from_fn(|s| core::array::from_fn(|k| (s * 5 + k) as f64)));
    let mut cache = Zeroed::ZEROED;
    let mut pass = Pass::evaluate();
    assert_eq!(pass.mode, Mode::Evaluate);
    dropout.forward(&x, &mut cache, &mut pass);
    assert_eq!(<Dropout<1, 4, f64> as Layer<Matrix<5, 3, f64>>>::output(&cache), &x);
    assert_eq!(pass.random.word(), Pass::evaluate().random.word());
}
