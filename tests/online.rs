//! Descent on one sample without a gradient in memory: the bits of `Trainer` with `Sgd`, and nothing half-changed.

mod common;

use chainrule::{
    Class, Dense, Dropout, Dual, Frozen, Gelu, Identity, Layer, Matrix, MeanSquaredError, Network, Online,
    OnlineTrainer, Parameters, Pass, Relu, Residual, Scalar, Sgd, Sigmoid, SoftmaxCrossEntropy, Strict, Tanh, Tensor,
    TrainError, Trainer, Vector, Zeroed, network,
};
use common::texts;
use proptest::prelude::*;

network! {
    /// Every layer that can be trained online.
    struct Small<T = f32>: 5 => 3 {
        hidden: Dense<5, 9, Tanh, T>,
        dropout: Dropout<1, 4, T>,
        fixed: Frozen<Dense<9, 17, Gelu, T>>,
        residual: Residual<Dense<17, 17, Sigmoid, T>>,
        pair: (Dense<17, 4, Relu, T>, Dense<4, 3, Identity, T>),
    }
}

network! {
    struct Digits<T = f32>: 64 => 10 {
        hidden: Dense<64, 32, Tanh, T>,
        output: Dense<32, 10, Identity, T>,
    }
}

/// Twenty steps of both trainers, compared after each.
fn same_as_trainer<T: Scalar>(seed: u64, rate: f64, samples: &[([f64; 5], usize)]) -> Result<(), TestCaseError> {
    let sgd = Sgd::new(rate).unwrap();
    let mut online = OnlineTrainer::<Small<T>>::boxed();
    let mut stored = Trainer::<Small<T>, Sgd, 1>::boxed();
    online.init(seed);
    stored.init(seed);
    let before = texts(&stored.network);
    for (x, class) in samples {
        let (x, target) = (x.map(T::from_f64), Class::<3>::new(*class).unwrap());
        let a = online.step(&sgd, &SoftmaxCrossEntropy, &Vector::from(x), &target);
        let b = stored.step(&sgd, &SoftmaxCrossEntropy, &[x], &[target]);
        // By text: a loss that is NaN equals itself there.
        prop_assert_eq!(format!("{a:?}"), format!("{b:?}"));
        prop_assert_eq!(texts(&online.network), texts(&stored.network));
        prop_assert_eq!(online.steps(), stored.steps());
    }
    if rate > 0.0 && online.steps() > 0 {
        prop_assert_ne!(texts(&online.network), before);
    }
    Ok(())
}

proptest! {
    #[test]
    fn has_the_bits_of_trainer_with_sgd(
        seed: u64,
        // Steps that overflow too: both trainers must refuse the same ones.
        rate in prop_oneof![4 => 1e-3..0.5, 1 => Just(0.0), 1 => Just(1e37)],
        samples in prop::collection::vec((prop::array::uniform5(-2.0..2.0), 0_usize..3), 1..8),
    ) {
        same_as_trainer::<f32>(seed, rate, &samples)?;
        same_as_trainer::<f64>(seed, rate, &samples)?;
        same_as_trainer::<Strict<f32>>(seed, rate, &samples)?;
        same_as_trainer::<Strict<f64>>(seed, rate, &samples)?;
        same_as_trainer::<Dual<f64>>(seed, rate, &samples)?;
    }
}

/// The proof before a step knows the largest element of every gradient that is not stored, to the bit.
fn bounds_of_gradients<T: Scalar>(seed: u64, x: [f64; 5], d: [f64; 3]) -> Result<(), TestCaseError> {
    let network = <Small<T>>::new(seed);
    let (x, mut d) = (Vector::from(x.map(T::from_f64)), Vector::from(d.map(T::from_f64)));
    let (mut cache, mut gradient) = (Zeroed::boxed(), <Small<T> as Tensor>::Gradient::boxed());
    network.forward(&x, &mut cache, &mut Pass::train(seed, 0));
    network.backward(&x, &mut cache, &mut d, Some(&mut *gradient), None);
    for i in 0..<Small<T>>::SLICES {
        let largest = T::max_abs(gradient.slice(i));
        let bound = <Small<T>>::gradient_bound(i, &x, &cache, &d).unwrap();
        prop_assert_eq!(format!("{bound:?}"), format!("{largest:?}"), "{}", Small::<T>::block(i).name);
    }
    Ok(())
}

proptest! {
    #[test]
    fn bounds_are_the_largest_elements(
        seed: u64,
        x in prop::array::uniform5(-2.0..2.0),
        d in prop::array::uniform3(-2.0..2.0),
    ) {
        bounds_of_gradients::<f32>(seed, x, d)?;
        bounds_of_gradients::<f64>(seed, x, d)?;
    }
}

/// A step that must fail, and must leave every bit.
fn refused<N>(mut spoil: impl FnMut(&mut N) -> bool, rate: f64, expected: impl Fn(&TrainError) -> bool)
where
    N: Network<InputSample = [f32; 64], OutputSample = [f32; 10]> + Online<Vector<64>, Output = Vector<10>>,
    N: Tensor<Scalar = f32> + Parameters + Layer<Vector<64>>,
{
    let mut trainer = OnlineTrainer::<N>::boxed();
    trainer.init(3);
    while spoil(&mut trainer.network) {
        let before = texts(&trainer.network);
        let error = trainer
            .step(&Sgd::new(rate).unwrap(), &MeanSquaredError, &Vector::from([0.5; 64]), &[0.25; 10])
            .expect_err("refused");
        assert!(expected(&error), "{error}");
        assert_eq!(texts(&trainer.network), before);
        assert_eq!(trainer.steps(), 0);
        trainer.init(3);
    }
}

#[test]
fn a_number_that_is_not_finite_changes_nothing() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut slice = 0;
        refused::<Digits>(
            |network| {
                // One block after the other: both weights and both biases.
                if slice == Digits::<f32>::SLICES {
                    return false;
                }
                network.slice_mut(slice)[5] = bad;
                slice += 1;
                true
            },
            0.1,
            // An infinite weight may end in a finite tanh: then its own update is what is refused.
            |error| matches!(error, TrainError::Loss { .. } | TrainError::Gradient { .. } | TrainError::Update { .. }),
        );
    }
}

#[test]
fn an_update_that_overflows_changes_nothing() {
    let mut once = true;
    refused::<Digits>(
        |network| {
            // The hidden layer could stand still; the layer after it is what would overflow.
            network.output.weights.set_zero();
            network.output.bias.fill(3e18);
            std::mem::take(&mut once)
        },
        1e22,
        |error| matches!(error, TrainError::Update { block } if block.to_string() == "output.weights"),
    );
}

/// Both factors of a gradient are finite, and the gradient that nobody stores is not.
#[test]
fn a_gradient_that_overflows_changes_nothing() {
    let mut trainer = OnlineTrainer::<Dense<1, 1>>::boxed();
    let before = trainer.network.clone();
    let sgd = Sgd::new(1e-30).unwrap();
    let error = trainer.step(&sgd, &MeanSquaredError, &Vector::from([1e30]), &[1e10]).unwrap_err();
    assert!(matches!(error, TrainError::Gradient { block } if block.to_string() == "weights"), "{error}");
    assert_eq!((&trainer.network, trainer.steps()), (&before, 0));
}

/// A weight that may not grow any more, and whose step is finite: only their sum overflows.
#[test]
fn a_sum_that_overflows_changes_nothing() {
    let mut trainer = OnlineTrainer::<Dense<2, 1>>::boxed();
    trainer.network.weights = Matrix::from_rows([[f32::MAX, 0.0]]);
    let before = trainer.network.clone();
    let step = |rate| (Sgd::new(rate).unwrap(), Vector::from([0.0, 1.0]));
    let (sgd, x) = step(1e32);
    let error = trainer.step(&sgd, &MeanSquaredError, &x, &[1.0]).unwrap_err();
    assert!(matches!(error, TrainError::Update { block } if block.to_string() == "weights"), "{error}");
    assert_eq!(trainer.network, before);
    let (sgd, x) = step(0.5);
    trainer.step(&sgd, &MeanSquaredError, &x, &[1.0]).unwrap();
    assert_ne!(trainer.network, before);
}

#[test]
fn bad_input_is_named() {
    let mut trainer = OnlineTrainer::<Digits>::boxed();
    trainer.init(1);
    let before = texts(&trainer.network);
    let mut x = [0.0; 64];
    x[7] = f32::NAN;
    let error = trainer.step(&Sgd::new(0.1).unwrap(), &MeanSquaredError, &Vector::from(x), &[0.0; 10]).unwrap_err();
    assert!(matches!(error, TrainError::Input { sample: 0, element: 7, .. }), "{error}");
    let sgd = Sgd { learning_rate: -1.0 };
    let error = trainer.step(&sgd, &MeanSquaredError, &Vector::from([0.0; 64]), &[0.0; 10]).unwrap_err();
    assert!(matches!(error, TrainError::Hyperparameter(_)), "{error}");
    assert_eq!(texts(&trainer.network), before);
}

/// Parameters, one activation and one delta a neuron, and two counters of eight bytes; at most 1.1 × the parameters.
#[test]
fn memory_is_parameters_and_two_numbers_a_neuron() {
    let parameters = size_of::<f32>() * <Digits>::LEN;
    let trainer = size_of::<OnlineTrainer<Digits>>();
    println!("OnlineTrainer<64-32-10>: {trainer} bytes, parameters {parameters}");
    let needed = parameters + size_of::<f32>() * 2 * (32 + 10) + 16;
    assert_eq!(trainer, needed.next_multiple_of(align_of::<Digits>()));
    assert!(trainer * 10 <= parameters * 11);
}
