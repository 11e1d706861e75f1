//! Every loss: against PyTorch, against dual numbers, against differences, and at the extremes; bad targets.
#![allow(missing_docs)]

#[path = "golden/breadth.rs"]
mod golden;

use chainrule::*;
use golden::{Draws, all_close, array, close, record};

/// A loss for four outputs: its value and its gradient.
fn evaluate_loss<L: Loss<[f64; 4], Target>, Target>(loss: &L, y: &[f64; 4], target: &Target) -> (f64, [f64; 4]) {
    loss.validate().unwrap();
    loss.check(target).unwrap();
    let mut gradient = [f64::NAN; 4];
    let found = loss.gradient(y, target, &mut gradient);
    assert_eq!(loss.value(y, target).to_bits(), found.to_bits());
    (found, gradient)
}

/// One target of every kind.
struct Targets {
    values: [f64; 4],
    signs: [f64; 4],
    distribution: [f64; 4],
    class: Class<4>,
}

impl Targets {
    /// Four numbers, or a class.
    fn new(numbers: &[f64]) -> Self {
        let values = numbers.try_into().unwrap_or_default();
        Self { values, signs: values, distribution: values, class: Class::new(numbers[0] as usize & 3).unwrap() }
    }
}

/// Runs `$check` on every loss with the kind of target that it takes.
macro_rules! losses {
    ($check:ident) => {
        $check!("MeanAbsoluteError", MeanAbsoluteError, values);
        $check!("Huber", Huber { delta: 0.75 }, values);
        $check!("Hinge", Hinge, class);
        $check!("BinaryHinge", Hinge, signs);
        $check!("KullbackLeibler", KullbackLeibler, distribution);
        $check!("CosineDistance", CosineDistance, values);
        $check!("LabelSmoothing", LabelSmoothing { epsilon: 0.2 }, class);
        let weights = [0.5, 2.0, 1.0, 3.0];
        $check!("ClassWeights", ClassWeights { weights, loss: SoftmaxCrossEntropy }, class);
    };
}

/// Several samples at once, with as many targets as there are, are the samples one after the other, to the bit.
#[test]
fn gradients_of_several_samples() {
    fn check<T: Scalar, const K: usize, Target>(
        name: &str,
        loss: &impl Loss<[T; K], Target>,
        target: impl Fn(&mut Draws) -> Target,
    ) {
        let mut draws = Draws(23 + K as u64);
        for samples in [0, 1, 2, 5, 16, 17, 40] {
            let outputs: Vec<[T; K]> =
                (0..40).map(|_| core::array::from_fn(|_| T::from_f64(3.0 * draws.next()))).collect();
            let targets: Vec<Target> = (0..samples).map(|_| target(&mut draws)).collect();
            let (mut found, mut expected) = (vec![[T::ZERO; K]; 40], vec![[T::ZERO; K]; samples]);
            let mut sum = T::ZERO;
            for ((output, target), expected) in outputs.iter().zip(&targets).zip(&mut expected) {
                sum += loss.gradient(output, target, expected);
            }
            let all = loss.gradients(&outputs, targets.iter(), &mut found);
            assert_eq!(all.to_f64().to_bits(), sum.to_f64().to_bits(), "{name}: {samples} samples of {K}");
            let bits = |gradients: &[[T; K]]| gradients.as_flattened().iter().map(|g| g.to_f64().to_bits()).collect();
            let (found_bits, expected_bits): (Vec<u64>, Vec<u64>) = (bits(&found[..samples]), bits(&expected));
            assert_eq!(found_bits, expected_bits, "{name}: {samples} samples of {K}");
        }
    }
    fn of_size<T: Scalar, const K: usize>() {
        let class =
            |draws: &mut Draws| -> Class<K> { Class::new((draws.next().abs() * K as f64) as usize % K).unwrap() };
        let distribution = |draws: &mut Draws| -> [T; K] {
            let mut t = [T::ZERO; K];
            t[class(draws).index()] += T::from_f64(0.75);
            t[class(draws).index()] += T::from_f64(0.25);
            t
        };
        let values = |draws: &mut Draws| -> [T; K] { core::array::from_fn(|_| T::from_f64(draws.next())) };
        check::<T, K, _>("SoftmaxCrossEntropy", &SoftmaxCrossEntropy, class);
        check("SoftmaxCrossEntropy of a distribution", &SoftmaxCrossEntropy, distribution);
        check("KullbackLeibler", &KullbackLeibler, distribution);
        check::<T, K, _>("LabelSmoothing", &LabelSmoothing { epsilon: 0.2 }, class);
        check("MeanSquaredError", &MeanSquaredError, values);
        check::<T, K, _>("ClassWeights", &ClassWeights { weights: [0.5; K], loss: SoftmaxCrossEntropy }, class);
    }
    of_size::<f32, 1>();
    of_size::<f32, 3>();
    of_size::<f32, 10>();
    of_size::<f32, 16>();
    of_size::<f32, 37>();
    of_size::<f64, 2>();
    of_size::<f64, 10>();
    of_size::<f64, 20>();
    of_size::<Strict<f32>, 10>();
}

/// Every loss and its gradient equal PyTorch's.
// proves eq:mean-absolute-error, eq:huber, eq:hinge, eq:binary-hinge, eq:kullback-leibler, eq:cosine-distance
// proves eq:label-smoothing, eq:class-weight
#[test]
fn golden_losses() {
    macro_rules! golden {
        ($name:literal, $loss:expr, $target:ident) => {
            let [y, t, value, gradient] = record("loss", $name).try_into().unwrap();
            let found = evaluate_loss(&$loss, &array(&y), &Targets::new(&t).$target);
            all_close($name, &[found.0], &value);
            all_close($name, &found.1, &gradient);
        };
    }
    losses!(golden);
}

/// The gradient of every loss is that of its value, by dual numbers, and by five-point differences.
// proves eq:mean-absolute-error, eq:huber, eq:hinge, eq:binary-hinge, eq:kullback-leibler, eq:cosine-distance
// proves eq:label-smoothing, eq:class-weight, eq:sample-weight
#[test]
fn gradients_of_losses() {
    let mut draws = Draws(17);
    for round in 0..300 {
        let y: [f64; 4] = draws.array(3.0);
        let values: [f64; 4] = draws.array(3.0);
        let total: f64 = values.iter().map(|v| v.abs()).sum();
        let targets = Targets {
            values,
            signs: values.map(f64::signum),
            distribution: values.map(|v| v.abs() / total),
            class: Class::new(round % 4).unwrap(),
        };
        macro_rules! dual_target {
            (class) => {
                targets.class
            };
            ($target:ident) => {
                targets.$target.map(Dual::constant)
            };
        }
        macro_rules! check {
            ($name:literal, $loss:expr, $target:ident) => {
                let (loss, target) = ($loss, dual_target!($target));
                let (_, gradient) = evaluate_loss(&loss, &y, &targets.$target);
                let weighted = Weighted { target: targets.$target, weight: 0.375 };
                let (weighted_value, weighted_gradient) = evaluate_loss(&SampleWeights(loss), &y, &weighted);
                close($name, weighted_value, 0.375 * loss.value(&y, &targets.$target), 1e-15 * weighted_value.abs());
                let mut kinks = 0;
                for k in 0..4 {
                    let mut moving = y.map(Dual::constant);
                    moving[k] = Dual::variable(y[k]);
                    let dual: Dual<f64> = loss.value(&moving, &target);
                    close($name, gradient[k], dual.derivative, 1e-12);
                    close($name, weighted_gradient[k], 0.375 * dual.derivative, 1e-12);
                    let at = |h: f64| {
                        loss.value(&core::array::from_fn(|i| y[i] + if i == k { h } else { 0.0 }), &targets.$target)
                    };
                    let h = 1e-3;
                    // At a kink the slopes left and right differ; it is counted, and may not happen often.
                    let (left, right) = ((at(0.0) - at(-2.0 * h)) / (2.0 * h), (at(2.0 * h) - at(0.0)) / (2.0 * h));
                    if (left - right).abs() > 0.02 {
                        kinks += 1;
                        continue;
                    }
                    let difference = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
                    let exact = if (left - right).abs() < 1e-9 { 1e-9 } else { 2e-3 };
                    close($name, gradient[k], difference, exact);
                }
                assert!(kinks < 4, "{}: only kinks", $name);
            };
        }
        losses!(check);
        check!("MeanSquaredError", MeanSquaredError, values);
        check!("BinaryCrossEntropy", BinaryCrossEntropy, distribution);
        check!("SoftmaxCrossEntropy", SoftmaxCrossEntropy, class);
    }
}

/// Large and saturated outputs: a finite loss and the right gradient, in f32.
#[test]
fn extremes_of_losses() {
    let mut g = [0.0_f32; 2];
    assert_eq!(Huber { delta: 1.0 }.gradient(&[1e30, 0.0], &[0.0, 0.0], &mut g), 5e29);
    assert_eq!(g, [0.5, 0.0]);
    for z in [89.0_f32, 104.0, 1e4, 1e30] {
        let loss = KullbackLeibler.gradient(&[z, -z], &[0.25, 0.75], &mut g);
        assert!((loss - 0.75 * 2.0 * z).abs() <= 2e-6 * z + 1.0, "{z}: {loss}");
        assert_eq!(g, [0.75, -0.75]);
        assert_eq!(KullbackLeibler.gradient(&[z, -z], &[1.0, 0.0], &mut g), 0.0);
        let class = Class::<2>::new(1).unwrap();
        let loss = LabelSmoothing { epsilon: 0.5 }.gradient(&[z, -z], &class, &mut g);
        assert!((loss - 0.75 * 2.0 * z).abs() <= 2e-6 * z && g == [0.75, -0.75], "{z}: {loss} {g:?}");
        assert_eq!(Hinge.gradient(&[z, -z], &class, &mut g), 0.5 * (2.0 * z + 1.0));
        assert!((CosineDistance.gradient(&[z, -z], &[-z, z], &mut g) - 2.0).abs() <= 1e-6);
        assert!(g.iter().all(|g| g.abs() <= 1e-6 / z), "{g:?}");
    }
    assert_eq!((MeanAbsoluteError.gradient(&[3.0, 1.0], &[1.0, 1.0], &mut g), g), (1.0, [0.5, 0.0]));
    let mut p = [0.0_f32, 1000.0];
    softmax(&mut p);
    assert_eq!(p, [0.0, 1.0]);
    // An output without a direction.
    assert_eq!((CosineDistance.gradient(&[0.0, 0.0], &[1.0, 0.0], &mut g), g), (1.0, [0.0, 0.0]));
    // NaN in one output is handed on by every loss.
    let y = [0.5, f64::NAN, 0.25, 1.0];
    for class in (0..4).map(|k| Class::<4>::new(k).unwrap()) {
        let targets = Targets { values: [1.0; 4], signs: [1.0; 4], distribution: [0.25; 4], class };
        macro_rules! nan {
            ($name:literal, $loss:expr, $target:ident) => {
                let value: f64 = $loss.value(&y, &targets.$target);
                assert!(value.is_nan(), "{} swallows NaN", $name);
            };
        }
        losses!(nan);
    }
}

/// Targets and hyper-parameters out of range get errors that say which, what was expected and what was found.
#[test]
fn bad_targets_and_hyperparameters() {
    type Values = [f64; 2];
    fn target<L: Loss<Values, Values>>(loss: &L, target: Values) -> String {
        loss.check(&target).unwrap_err().to_string()
    }
    assert_eq!(target(&Hinge, [1.0, 0.5]), "element 1: expected -1 or 1, found 0.5");
    assert_eq!(target(&MeanAbsoluteError, [f64::NAN, 0.5]), "element 0: expected a finite number, found NaN");
    assert_eq!(target(&Huber { delta: 1.0 }, [0.0, f64::INFINITY]), "element 1: expected a finite number, found inf");
    assert_eq!(target(&CosineDistance, [0.0, 0.0]), "expected a vector that is not zero, found 0");
    assert_eq!(target(&KullbackLeibler, [0.5, 0.25]), "expected probabilities with sum 1, found 0.75");
    assert_eq!(target(&SoftmaxCrossEntropy, [0.5, 0.25]), "expected probabilities with sum 1, found 0.75");
    assert_eq!(target(&MeanSquaredError, [f64::NAN, 0.5]), "element 0: expected a finite number, found NaN");
    assert_eq!(target(&BinaryCrossEntropy, [1.0, 1.5]), "element 1: expected a number in [0, 1], found 1.5");
    let weighted = Weighted { target: [0.0, 0.0], weight: -1.0 };
    let error = Loss::<Values, _>::check(&SampleWeights(MeanSquaredError), &weighted).unwrap_err();
    assert_eq!(error.to_string(), "expected a finite weight, 0 or above, found -1");

    for delta in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(Loss::<Values, Values>::validate(&Huber { delta }).unwrap_err().name, "delta");
    }
    for epsilon in [-0.1, 1.0, f64::NAN] {
        assert_eq!(Loss::<Values, Class<2>>::validate(&LabelSmoothing { epsilon }).unwrap_err().name, "epsilon");
    }
    let inner = SampleWeights(Huber { delta: 0.0 });
    assert_eq!(Loss::<Values, Weighted<Values, f64>>::validate(&inner).unwrap_err().name, "delta");
    for weight in [f64::NAN, f64::INFINITY, -1.0] {
        let loss = ClassWeights { weights: [1.0, weight], loss: LabelSmoothing { epsilon: 0.1 } };
        assert_eq!(Loss::<Values, Class<2>>::validate(&loss).unwrap_err().name, "weights");
    }
    let loss = ClassWeights { weights: [1.0, 0.0], loss: LabelSmoothing { epsilon: 2.0 } };
    assert_eq!(Loss::<Values, Class<2>>::validate(&loss).unwrap_err().name, "epsilon");
}

/// The divergence of a distribution from itself is 0, and from any other one above 0.
// proves eq:kullback-leibler
#[test]
fn divergence_of_a_distribution_from_itself() {
    let mut draws = Draws(17);
    for _ in 0..100 {
        let z: [f64; 4] = core::array::from_fn(|_| 3.0 * draws.next());
        let mut itself = z;
        softmax(&mut itself);
        close("itself", KullbackLeibler.value(&z, &itself), 0.0, 1e-14);
        let mut other = [z[1] + 1.0, z[0], z[2], z[3]];
        softmax(&mut other);
        assert!(KullbackLeibler.value(&z, &other) > 1e-6, "{z:?}");
    }
}

/// Balanced weights have mean 1 over the samples whose classes all occur: the loss keeps its scale.
// proves eq:class-weight
#[test]
fn balanced_weights_keep_the_scale() {
    let mut draws = Draws(18);
    for _ in 0..50 {
        let labels: Vec<_> = (0..60)
            .map(|i| Class::<3>::new(if i < 3 { i } else { usize::from(draws.next() > 0.3) }).unwrap())
            .collect();
        let loss = ClassWeights::balanced(&labels);
        let sum: f64 = labels.iter().map(|label| loss.weights[label.index()]).sum();
        close("mean weight", sum / 60.0, 1.0, 1e-14);
    }
}

/// A sample of weight 2 trains as the sample twice, and balanced classes weigh the same in sum.
// proves eq:sample-weight, eq:class-weight
#[test]
fn weights_of_samples_and_classes() {
    let inputs = [[1.0], [-0.5], [0.25]];
    let targets = [[1.0], [0.0], [2.0]];
    let rule = Sgd::new(0.5).unwrap();
    let mut twice = Trainer::<Dense<1, 1, Identity, f64>, Sgd, 4>::ZEROED;
    let mut weighted = Trainer::<Dense<1, 1, Identity, f64>, Sgd, 3>::ZEROED;
    twice.init(1);
    weighted.init(1);
    let repeated = ([inputs[0], inputs[1], inputs[2], inputs[2]], [targets[0], targets[1], targets[2], targets[2]]);
    twice.step(&rule, &MeanSquaredError, &repeated.0, &repeated.1).unwrap();
    // The divisor is the number of samples, 3 and not 4: weights of ¾ and 1½.
    let weights = [0.75, 0.75, 1.5];
    let targets = core::array::from_fn(|k| Weighted { target: targets[k], weight: weights[k] });
    weighted.step(&rule, &SampleWeights(MeanSquaredError), &inputs, &targets).unwrap();
    close("weight", twice.network.weights[0], weighted.network.weights[0], 1e-15);
    close("bias", twice.network.bias[0], weighted.network.bias[0], 1e-15);

    let labels = [0, 0, 0, 1, 3, 3].map(|k| Class::<4>::new(k).unwrap());
    let loss = ClassWeights::balanced(&labels);
    let per_class = |k: usize| labels.iter().filter(|l| l.index() == k).map(|l| loss.weights[l.index()]).sum::<f64>();
    assert_eq!([0, 1, 2, 3].map(per_class), [1.5, 1.5, 0.0, 1.5]);
}
