//! A step that makes its gradient in parts: the bits of a step by the whole gradient, and nothing half-changed.

mod common;

use chainrule::{
    Adagrad, Adam, AdamW, Batch, Block, Class, ClipNorm, Dense, Dropout, Dual, Frozen, Gelu, Identity, Layer,
    LayerNorm, LayerRates, Loss, Matrix, MeanSquaredError, Momentum, Name, Nesterov, Network, Optimizer, Parameters,
    Part, Pass, Relu, Residual, RmsProp, Role, Rprop, Scalar, Scheduled, Sgd, SoftmaxCrossEntropy, Strict, Tanh,
    Tensor, TrainError, Trainer, Zeroed, network,
};
use common::{cases, texts};
use proptest::prelude::*;

network! {
    /// Gradients in parts, whole ones, and none; every kind of layer that hands them on.
    struct Mixed<T = f32>: 190 => 3 {
        wide: Dense<190, 70, Tanh, T>,
        dropout: Dropout<1, 4, T>,
        normal: LayerNorm<70, T>,
        residual: Residual<Dense<70, 70, Gelu, T>>,
        fixed: Frozen<Dense<70, 90, Relu, T>>,
        pair: (Dense<90, 130, Relu, T>, Dense<130, 3, Identity, T>),
    }
}

network! {
    /// A gradient larger than a second cache.
    struct Broad<T = f32>: 700 => 2 {
        wide: Dense<700, 400, Relu, T>,
        output: Dense<400, 2, Identity, T>,
    }
}

fn inputs<N: Network, const B: usize>(seed: u64, size: f64) -> Box<[N::InputSample; B]> {
    let mut draws = chainrule::Random::new(seed, 7);
    let mut samples = Vec::from_iter((0..B).map(|_| N::InputSample::ZEROED));
    for x in samples.iter_mut().flat_map(AsMut::as_mut) {
        *x = chainrule::Real::from_f64(size * (2.0 * draws.uniform() - 1.0));
    }
    samples.try_into().unwrap_or_else(|_| unreachable!())
}

fn batch<T: Scalar, const N: usize, const B: usize>(samples: &[[T; N]; B]) -> Box<Matrix<N, B, T>> {
    let mut batch = Matrix::boxed();
    batch.columns_mut().copy_from_slice(samples);
    batch
}

/// Steps of a trainer, compared after each with the same steps by hand, which keep the whole gradient.
fn same_as_whole<N, O, L, Target, const B: usize>(optimizer: &O, loss: &L, target: impl Fn(usize) -> Target, seed: u64)
where
    N: Network + Layer<Batch<N::InputSample, B>, Output = Batch<N::OutputSample, B>>,
    O: Optimizer + 'static,
    L: Loss<N::OutputSample, Target>,
    N::OutputSample: chainrule::Sample<Scalar = N::Scalar>,
{
    let beyond = same_as_whole_from::<N, O, L, Target, B>(optimizer, loss, target, seed, 2.0, |_| {});
    assert!(!beyond, "a bound is infinite");
}

/// The same, of inputs up to `size` and a network that `begin` has changed; whether a bound was infinite.
fn same_as_whole_from<N, O, L, Target, const B: usize>(
    optimizer: &O,
    loss: &L,
    target: impl Fn(usize) -> Target,
    seed: u64,
    size: f64,
    begin: impl Fn(&mut N),
) -> bool
where
    N: Network + Layer<Batch<N::InputSample, B>, Output = Batch<N::OutputSample, B>>,
    O: Optimizer + 'static,
    L: Loss<N::OutputSample, Target>,
    N::OutputSample: chainrule::Sample<Scalar = N::Scalar>,
{
    use chainrule::Sample;
    let mut trainer = Trainer::<N, O, B>::boxed();
    trainer.init(seed);
    begin(&mut trainer.network);
    let mut beyond = false;
    let (mut network, mut gradient, mut state) = (N::boxed(), N::Gradient::boxed(), <O::State<N::Gradient>>::boxed());
    let (mut cache, mut d_outputs) = (N::Cache::boxed(), <Batch<N::OutputSample, B>>::boxed());
    let mut x = <Batch<N::InputSample, B>>::boxed();
    network.copy_from(&trainer.network);
    let targets: Box<[Target; B]> = Vec::from_iter((0..B).map(target)).try_into().unwrap_or_else(|_| unreachable!());
    for step in 0..3 {
        let inputs = inputs::<N, B>(seed ^ step, size);
        trainer.step(optimizer, loss, &inputs, &targets).unwrap();

        for (column, input) in N::InputSample::samples_mut::<B>(&mut x).iter_mut().zip(inputs.iter()) {
            column.copy_from(input);
        }
        network.forward(&x, &mut cache, &mut Pass::train(seed, step));
        let outputs = N::OutputSample::samples::<B>(N::output(&cache));
        let share = num_traits::one::<N::Scalar>() / chainrule::Real::from_f64(B as f64);
        for ((output, target), d) in
            outputs.iter().zip(targets.iter()).zip(N::OutputSample::samples_mut::<B>(&mut d_outputs))
        {
            loss.gradient(output, target, d);
            d.as_mut().iter_mut().for_each(|d| *d *= share);
        }
        gradient.set_zero();
        network.backward(&x, &mut cache, &mut d_outputs, Some(&mut gradient), None);
        let bound = |i| N::gradient_bound(i, &x, &cache, &d_outputs);
        beyond |= (0..N::SLICES).filter_map(bound).any(|bound| !bound.is_finite());
        optimizer.prepare(&mut *gradient);
        optimizer.step(step + 1, &mut *network, &gradient, &mut state).unwrap();
        assert!(texts(&trainer.network) == texts(&*network), "{}, step {step}", O::NAME);
        assert!(texts(trainer.state()) == texts(&*state), "{}, step {step}", O::NAME);
        if beyond {
            break; // By so large a gradient the weights have become too large for another step.
        }
    }
    assert!(texts(&trainer.network).iter().all(|w| w != "NaN"));
    beyond
}

fn class<const K: usize>(i: usize) -> Class<K> {
    Class::new(i % K).unwrap()
}

#[test]
fn every_rule() {
    fn check<O: Optimizer + 'static>(rule: &O, in_parts: bool) {
        assert_eq!(O::TAKES_PARTS, in_parts);
        same_as_whole::<Mixed, O, _, _, 16>(rule, &SoftmaxCrossEntropy, class, 3);
    }
    let sgd = Sgd::new(0.1).unwrap();
    check(&sgd, true);
    check(&Momentum::new(0.1).unwrap(), true);
    check(&Nesterov::new(0.1).unwrap(), true);
    check(&Adam::new(0.01).unwrap(), true);
    check(&AdamW::new(0.01).unwrap(), true);
    check(&RmsProp::new(0.01).unwrap(), true);
    check(&Adagrad::new(0.01).unwrap(), true);
    check(&Rprop::new(0.01).unwrap(), true);
    let slower = |block: &Block| if block.role == Role::Bias { 0.5 } else { 1.0 };
    check(&LayerRates { optimizer: AdamW::new(0.01).unwrap(), factor: slower }, true);
    check(&Scheduled { optimizer: sgd, schedule: |t| 1.0 / (1.0 + t as f64) }, true);
    check(&ClipNorm { optimizer: sgd, limit: 1e-3 }, false);
    check(&LayerRates { optimizer: ClipNorm { optimizer: sgd, limit: 1e-3 }, factor: slower }, false);
}

#[test]
fn every_scalar_and_other_batches() {
    let (sgd, adam) = (Sgd::new(0.1).unwrap(), Adam::new(0.01).unwrap());
    let target = |i| [0.5, -1.0, i as f64];
    same_as_whole::<Mixed<f64>, _, _, _, 16>(&adam, &MeanSquaredError, target, 4);
    same_as_whole::<Mixed<Strict<f32>>, _, _, _, 5>(
        &adam,
        &MeanSquaredError,
        |i| target(i).map(|t| Strict(t as f32)),
        5,
    );
    same_as_whole::<Mixed<Dual<f64>>, _, _, _, 2>(&sgd, &MeanSquaredError, |i| target(i).map(Dual::constant), 6);
    same_as_whole::<Mixed, _, _, _, 1>(&sgd, &SoftmaxCrossEntropy, class, 7);
    same_as_whole::<Mixed, _, _, _, 3>(&adam, &SoftmaxCrossEntropy, class, 8);
    same_as_whole::<Mixed, _, _, _, 40>(&sgd, &SoftmaxCrossEntropy, class, 9);
}

/// Gradients larger than the first cache, and than the second: the portable kernels of a build with debug assertions make no parts
/// of them, and would take minutes.
#[cfg(not(debug_assertions))]
#[test]
fn large_gradients() {
    let (sgd, adam) = (Sgd::new(0.1).unwrap(), Adam::new(0.01).unwrap());
    same_as_whole::<Broad, _, _, _, 24>(&sgd, &SoftmaxCrossEntropy, class, 10);
    same_as_whole::<Broad<f64>, _, _, _, 24>(&adam, &SoftmaxCrossEntropy, class, 10);
    // Around the depth up to which no sum is cut.
    same_as_whole::<Dense<1500, 1000, Relu>, _, _, _, 256>(&sgd, &MeanSquaredError, |_| [0.25; 1000], 11);
    same_as_whole::<Dense<1500, 1100, Relu>, _, _, _, 256>(&sgd, &MeanSquaredError, |_| [0.25; 1100], 11);
    same_as_whole::<Dense<1500, 1100, Relu>, _, _, _, 257>(&adam, &MeanSquaredError, |_| [0.25; 1100], 12);
}

/// The parts of Δ·Xᵀ have the bits of the whole, which is cut along its depth where that is long; and so has a step that takes
/// them from weights.
#[test]
fn products_of_any_shape() {
    fn check<T: Scalar, const OUT: usize, const IN: usize, const B: usize>() {
        let delta = inputs::<Dense<OUT, OUT, Identity, T>, B>(1, 1.0);
        let x = inputs::<Dense<IN, IN, Identity, T>, B>(2, 1.0);
        let (mut whole, mut room, mut parts) =
            (Matrix::<OUT, IN, T>::boxed(), Matrix::<OUT, IN, T>::boxed(), Matrix::<OUT, IN, T>::boxed());
        whole.set_product_transpose(&batch(&delta), &batch(&x));
        parts.add_product_transpose(&batch(&delta), &batch(&x));
        assert!(texts(&*parts) == texts(&*whole), "{OUT}, {IN}, {B}: added to nothing");
        parts.fill(T::ZERO);
        let mut next = 0;
        T::outer_product_parts(&delta, &x, room.columns_mut(), |start, g| {
            assert_eq!(start, next);
            next += g.len();
            parts.as_mut_slice()[start..next].copy_from_slice(g);
        });
        assert_eq!(next, OUT * IN);
        assert!(texts(&*parts) == texts(&*whole), "{OUT}, {IN}, {B}");

        let rate = chainrule::Real::from_f64(0.3);
        let (mut taken, mut weights) = (Matrix::<OUT, IN, T>::boxed(), Matrix::<OUT, IN, T>::boxed());
        weights.as_mut_slice().copy_from_slice(inputs::<Dense<IN, IN, Identity, T>, OUT>(3, 1.0).as_flattened());
        taken.copy_from(&weights);
        T::descend_outer_product(rate, &delta, &x, taken.columns_mut(), room.columns_mut());
        for (w, g) in weights.as_mut_slice().iter_mut().zip(whole.as_slice()) {
            *w -= rate * *g;
        }
        assert!(texts(&*taken) == texts(&*weights), "{OUT}, {IN}, {B}");
    }
    check::<f32, 3, 4, 2>();
    check::<f32, 10, 900, 7>();
    check::<f32, 10, 900, 40>();
    check::<f32, 10, 33, 40>();
    check::<f32, 16, 896, 64>();
    check::<f32, 100, 300, 1>();
    check::<f32, 900, 10, 7>();
    check::<f32, 130, 70, 33>();
    check::<f32, 128, 130, 257>();
    check::<f32, 40, 250, 600>();
    check::<f32, 512, 50, 128>();
    check::<f32, 2000, 50, 250>();
    check::<f64, 70, 130, 400>();
}

/// Parts of a gradient: every element once, each that of the whole gradient, none above its bound.
fn make_up_the_gradient<const B: usize>(seed: u64, size: f64) -> Result<(), TestCaseError> {
    let mut network = Mixed::<f32>::boxed();
    network.init(&mut chainrule::Random::new(seed, 0));
    let x = &batch(&inputs::<Mixed, B>(seed, size));
    let mut cache = Zeroed::boxed();
    network.forward(x, &mut cache, &mut Pass::train(seed, 0));
    let d = Matrix::from_columns(std::array::from_fn(|b| [size as f32, 0.5 - b as f32, -1.0]));
    let (mut delta, mut whole) = (d.clone(), <Mixed as Tensor>::Gradient::boxed());
    network.backward(x, &mut cache, &mut delta, Some(&mut *whole), None);

    let (mut delta, mut gradient) = (d, <Mixed as Tensor>::Gradient::boxed());
    // Whatever was there before.
    (0..Mixed::<f32>::SLICES).for_each(|i| gradient.slice_mut(i).fill(f32::NAN));
    network.backward_for_parts(x, &mut cache, &mut delta, &mut gradient, None);
    let bounds: Vec<_> =
        (0..Mixed::<f32>::SLICES).map(|i| Mixed::<f32>::gradient_bound(i, x, &cache, &delta)).collect();
    let (mut told, mut times) = (<Mixed as Tensor>::Gradient::boxed(), <Mixed as Tensor>::Gradient::boxed());
    Mixed::<f32>::gradient_parts(x, &cache, &delta, &mut gradient, |part: Part, g: &[f32]| {
        assert_eq!(part.len, g.len());
        part.of_mut(&mut *told).copy_from_slice(g);
        part.of_mut(&mut *times).iter_mut().for_each(|times| *times += 1.0);
    });
    for i in 0..Mixed::<f32>::SLICES {
        let name: Name = Mixed::<f32>::block(i).name;
        prop_assert!(times.slice(i).iter().all(|times| *times == 1.0), "{}", name);
        prop_assert!(told.slice(i).iter().zip(whole.slice(i)).all(|(a, b)| a.to_bits() == b.to_bits()), "{}", name);
        if let Some(bound) = bounds[i] {
            prop_assert!(whole.slice(i).iter().all(|g| g.abs() <= bound), "{}: {:e}", name, bound);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..cases(file!()) })]

    #[test]
    fn parts_make_up_the_gradient(seed: u64, size in prop_oneof![Just(0.0), 0.1..10.0, Just(1e15)]) {
        make_up_the_gradient::<1>(seed, size)?;
        make_up_the_gradient::<3>(seed, size)?;
        make_up_the_gradient::<17>(seed, size)?;
    }
}

/// Steps of which only the bound is infinite are those by the whole gradient, through every kind of layer.
#[test]
fn steps_beyond_the_bound() {
    fn check<O: Optimizer + 'static>(rule: &O) {
        // Large inputs, small weights, large deltas.
        let (x, w, target) = (1e37, 1e-36, [100.0; 3]);
        let begin = |network: &mut Mixed| network.wide.weights.as_mut_slice().iter_mut().for_each(|x| *x *= w);
        let loss = MeanSquaredError;
        assert!(same_as_whole_from::<Mixed, O, _, _, 16>(rule, &loss, |_| target, 13, x, begin));
    }
    check(&Sgd::new(1e-30).unwrap());
    check(&Momentum::new(1e-30).unwrap());
    check(&Adam::new(1e-3).unwrap());
}

/// A product that vanishes has a sign, which a sum does not: what a rule remembers of it is the same.
#[test]
fn zeros_are_remembered_without_a_sign() {
    let (mut step, mut sum) =
        (Trainer::<Dense<64, 64>, Rprop, 32>::boxed(), Trainer::<Dense<64, 64>, Rprop, 32>::boxed());
    let rule = Rprop::new(0.01).unwrap();
    let (inputs, targets) = ([[1e-20; 64]; 32], [[1e-26; 64]; 32]);
    step.step(&rule, &MeanSquaredError, &inputs, &targets).unwrap();
    sum.accumulate(&rule, &MeanSquaredError, &inputs, &targets).unwrap();
    assert!(texts(step.state()) == texts(sum.state()));
}

/// The bound of dual numbers bounds derivatives too, of whichever element the largest is.
#[test]
fn derivatives_are_bounded() {
    type Layer8 = Dense<8, 8, Identity, Dual<f64>>;
    let network = Layer8::boxed();
    let mut x = Matrix::<8, 2, Dual<f64>>::boxed();
    let mut delta = Matrix::<8, 2, Dual<f64>>::boxed();
    for b in 0..2 {
        (x[(0, b)], delta[(0, b)]) = (Dual::constant(0.9), Dual { value: 0.9, derivative: 1e308 });
    }
    (x[(1, 1)], delta[(1, 1)]) = (Dual::constant(0.95), Dual::constant(1.0));
    let (mut cache, mut gradient) = (Zeroed::boxed(), Layer8::boxed());
    network.forward(&x, &mut cache, &mut Pass::evaluate());
    network.backward(&x, &mut cache, &mut delta, Some(&mut *gradient), None);
    assert!(!gradient.weights[(0, 0)].is_finite());
    assert!(Layer8::gradient_bound(0, &x, &cache, &delta).is_some_and(|bound| !bound.is_finite()));
}

/// A step of one layer whose inputs are all `x` and weights 0, so that its outputs are its bias; all targets are 0, and the
/// gradient is bias / 4, times x for the weights.
fn step(x: f32, bias: f32, rate: f64) -> (Result<f32, TrainError>, Box<Trainer<Dense<64, 8>, Sgd, 2>>) {
    let mut trainer = Trainer::<Dense<64, 8>, Sgd, 2>::boxed();
    trainer.network.bias.fill(bias);
    let result = trainer.step(&Sgd::new(rate).unwrap(), &MeanSquaredError, &[[x; 64]; 2], &[[0.0; 8]; 2]);
    (result, trainer)
}

fn holds(trainer: &Trainer<Dense<64, 8>, Sgd, 2>, weight: f32, bias: f32) -> bool {
    let all = |slice: &[f32], value: f32| slice.iter().all(|w| w.to_bits() == value.to_bits());
    all(trainer.network.weights.as_slice(), weight) && all(trainer.network.bias.as_slice(), bias)
}

/// Where only the bound is infinite and the gradient is not, the step is made all the same.
#[test]
fn a_bound_refuses_nothing() {
    let x = 3e38;
    // Two samples with δ = 3/8: the gradient is 2.25·10³⁸, its bound twice that, which is no number.
    let (result, trainer) = step(x, 3.0, 0.5);
    assert_eq!((result.unwrap(), trainer.steps()), (9.0, 1));
    assert!(holds(&trainer, -(0.375 * x), 3.0 - 0.375));
}

/// A step that must fail says why, and leaves every bit.
#[test]
fn refused_as_a_whole() {
    let (result, trainer) = step(3e38, 10.0, 1e-30);
    assert!(matches!(&result, Err(TrainError::Gradient { block }) if block.to_string() == "weights"), "{result:?}");
    assert!(holds(&trainer, 0.0, 10.0) && trainer.steps() == 0);

    let (result, trainer) = step(1e19, 1e18, 800.0);
    assert!(matches!(&result, Err(TrainError::Update { block }) if block.to_string() == "weights"), "{result:?}");
    assert!(holds(&trainer, 0.0, 1e18) && trainer.steps() == 0);

    let (result, trainer) = step(3e38, 1e20, 0.0);
    assert!(matches!(&result, Err(TrainError::Loss { .. })), "{result:?}");
    assert!(holds(&trainer, 0.0, 1e20) && trainer.steps() == 0);
}
