//! Bad input, and input at the edges: each gets the outcome that is promised, an error with position and value and
//! nothing changed, or a finite and right number. Never a panic, nothing half-changed.

mod common;

use chainrule::{
    Accuracy, Activation, Adam, BinaryCrossEntropy, Class, Confusion, Dense, Dual, Elu, Identity, LeakyRelu, Loss,
    Matrix, MeanSquaredError, Metric, Momentum, Optimizer, Relu, Rmse, Scalar, Scale, Sgd, Sigmoid,
    SoftmaxCrossEntropy, Softplus, Strict, Tanh, Tensor, TrainError, Trainer, Vector, Zeroed, network, softmax,
};
use common::{Comparison, assert_close, bits};

network! {
    struct Net<T = f32>: 2 => 3 {
        hidden: Dense<2, 4, Tanh, T>,
        output: Dense<4, 3, Identity, T>,
    }
}

network! {
    /// Unbounded, so that overflows reach the loss.
    struct Linear<T = f32>: 2 => 2 {
        first: Dense<2, 2, Identity, T>,
        second: Dense<2, 2, Identity, T>,
    }
}

const INPUTS: [[f32; 2]; 2] = [[0.5, -1.0], [1.0, 0.25]];
const VALUES: [[f32; 2]; 2] = [[0.5, -1.0], [1.0, 0.25]];

fn classes() -> [Class<3>; 2] {
    [Class::new(0).unwrap(), Class::new(2).unwrap()]
}

/// A trainer in the middle of a run, so that every counter and every moment is in use.
fn trained<O: Optimizer + 'static>(rule: &O) -> Box<Trainer<Net, O, 2>> {
    let mut trainer = Trainer::<Net, O, 2>::boxed();
    trainer.init(1);
    for _ in 0..3 {
        trainer.epoch(rule, &SoftmaxCrossEntropy, &INPUTS, &classes()).unwrap();
    }
    trainer
}

fn linear<O: Optimizer + 'static>(rule: &O) -> Box<Trainer<Linear, O, 2>> {
    let mut trainer = Trainer::<Linear, O, 2>::boxed();
    trainer.init(1);
    for _ in 0..3 {
        trainer.epoch(rule, &MeanSquaredError, &INPUTS, &VALUES).unwrap();
    }
    trainer
}

/// Runs `call`, which must fail; parameters, optimiser state and counters must be bit for bit what they were. Returns
/// the error's text.
macro_rules! refused {
    ($trainer:expr, |$t:ident| $call:expr) => {{
        let $t = &mut *$trainer;
        let before = (bits(&$t.network), bits($t.state()), $t.steps(), $t.epochs());
        let error = $call.expect_err("this must be refused");
        assert_eq!(before, (bits(&$t.network), bits($t.state()), $t.steps(), $t.epochs()), "{error}");
        error.to_string()
    }};
}

// ---------------------------------------------------------------- numbers

/// NaN and infinities in an input are refused before anything is computed, with sample, element and value; whatever
/// the call.
#[test]
fn inputs_that_are_not_finite() {
    let adam = Adam::new(0.01).unwrap();
    let mut trainer = trained(&adam);
    for (bad, text) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        for (sample, element) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let mut inputs = INPUTS;
            inputs[sample][element] = bad;
            let expected =
                format!("input of sample {sample}, element {element}: expected a finite number, found {text}");
            let loss = &SoftmaxCrossEntropy;
            assert_eq!(refused!(trainer, |t| t.step(&adam, loss, &inputs, &classes())), expected);
            assert_eq!(refused!(trainer, |t| t.accumulate(&adam, loss, &inputs, &classes())), expected);
            assert_eq!(refused!(trainer, |t| t.epoch(&adam, loss, &inputs, &classes())), expected);
            assert_eq!(refused!(trainer, |t| t.evaluate(loss, &inputs, &classes(), &mut ())), expected);
        }
    }
    // The only bad sample is the last one of many: it is found before the first step.
    let mut inputs = vec![INPUTS[0]; 101];
    inputs[100][1] = f32::NAN;
    let message = refused!(trainer, |t| t.epoch(&adam, &SoftmaxCrossEntropy, &inputs, &[classes()[0]; 101]));
    assert_eq!(message, "input of sample 100, element 1: expected a finite number, found NaN");
}

/// A weight that is not finite makes a step an error, wherever it is, and prediction hands the NaN on.
#[test]
fn weights_that_are_not_finite() {
    let rule = Momentum::new(0.01).unwrap();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for block in 0..4 {
            let mut trainer = trained(&rule);
            trainer.network.slice_mut(block)[1] = bad;
            let message = refused!(trainer, |t| t.step(&rule, &SoftmaxCrossEntropy, &INPUTS, &classes()));
            assert!(message.starts_with("expected a finite") || message.starts_with("expected finite"), "{message}");
            refused!(trainer, |t| t.accumulate(&rule, &SoftmaxCrossEntropy, &INPUTS, &classes()));
            refused!(trainer, |t| t.epoch(&rule, &SoftmaxCrossEntropy, &INPUTS, &classes()));
        }
    }
    let mut trainer = trained(&rule);
    trainer.network.output.bias[1] = f32::NAN;
    let message = refused!(trainer, |t| t.step(&rule, &SoftmaxCrossEntropy, &INPUTS, &classes()));
    assert_eq!(message, "expected a finite loss, found NaN: are the parameters finite, the learning rate too large?");
    let mut seen = 0;
    trainer.predict(&INPUTS, |_, y| {
        assert!(y[1].is_nan() && y[0].is_finite());
        assert_eq!(Class::argmax(y), None);
        seen += 1;
    });
    assert_eq!(seen, 2);
    // An evaluation shows it instead of hiding it: in the loss, and as samples without a prediction.
    let mut metrics = (Accuracy::default(), Confusion::<3>::default());
    let loss = trainer.evaluate(&SoftmaxCrossEntropy, &INPUTS, &classes(), &mut metrics).unwrap();
    assert!(loss.is_nan());
    assert_eq!((metrics.0.right, metrics.0.total, metrics.1.unpredicted), (0, 2, 2));
    assert!(metrics.1.to_string().ends_with("\n2 samples had a NaN among their outputs"));
}

/// An infinite weight in front of a saturated tanh leaves loss and gradient finite: the update must still refuse it.
#[test]
fn an_infinite_weight_behind_saturation() {
    let rule = Sgd::new(0.1).unwrap();
    let mut trainer = trained(&rule);
    trainer.network.hidden.weights[(2, 0)] = f32::INFINITY;
    let message = refused!(trainer, |t| t.step(&rule, &SoftmaxCrossEntropy, &INPUTS, &classes()));
    assert!(message.contains("`hidden.weights`"), "{message}");
}

/// A NaN in front of a ReLU is no zero behind it: the step is refused, and prediction shows it.
// proves eq:relu, eq:leaky-relu
#[test]
fn nan_in_front_of_a_relu() {
    fn check<A: Activation>() {
        let sgd = Sgd::new(0.1).unwrap();
        let mut trainer = Trainer::<(Dense<2, 4, A>, Dense<4, 3, Identity>), Sgd, 2>::boxed();
        trainer.init(1);
        trainer.network.0.weights[(1, 0)] = f32::NAN;
        let message = refused!(trainer, |t| t.step(&sgd, &SoftmaxCrossEntropy, &INPUTS, &classes()));
        assert!(message.starts_with("expected a finite loss, found NaN"), "{message}");
        trainer.predict(&INPUTS, |_, y| assert!(y.iter().all(|y| y.is_nan())));
    }
    check::<Relu>();
    check::<LeakyRelu>();
}

/// Weights of f32::MAX overflow in the forward pass: an error and no panic. Behind a tanh they saturate, and that is
/// a finite function.
#[test]
fn largest_weights() {
    let rule = Adam::new(0.01).unwrap();
    let mut trainer = linear(&rule);
    trainer.network.first.weights.fill(f32::MAX);
    let message = refused!(trainer, |t| t.step(&rule, &MeanSquaredError, &INPUTS, &VALUES));
    assert!(message.starts_with("expected a finite loss, found "), "{message}");
    // Zero times infinity further on is NaN, and an error as well.
    trainer.network.second.weights.fill(0.0);
    refused!(trainer, |t| t.step(&rule, &MeanSquaredError, &INPUTS, &VALUES));

    let sgd = Sgd::new(0.01).unwrap();
    let mut trainer = trained(&sgd);
    trainer.network.hidden.weights.fill(f32::MAX / 4.0);
    let loss = trainer.step(&sgd, &SoftmaxCrossEntropy, &INPUTS, &classes()).unwrap();
    assert!(loss.is_finite() && trainer.network.all_finite());
}

/// Subnormal numbers and −0 go through exactly: nothing flushes them.
#[test]
fn subnormals_and_negative_zero() {
    let least = f32::from_bits(1);
    let layer =
        Dense::<2, 2, Identity>::from_parts(Matrix::from_rows([[1.0, 0.0], [2.0, 1.0]]), Vector::from([0.0; 2]));
    let mut y = Vector::from([f32::NAN; 2]);
    y.set_affine(&layer.weights, &Vector::from([least, 3.0 * least]), &layer.bias);
    assert_eq!(y.as_array().map(f32::to_bits), [1, 5]);
    assert_eq!(Relu::value(least).to_bits(), 1);
    assert_eq!(<Identity as Activation>::value(-0.0_f32).to_bits(), (-0.0_f32).to_bits());
    assert_eq!((Relu::derivative(-0.0_f32), <LeakyRelu as Activation>::derivative(-0.0)), (0.0, 0.01));
    assert_eq!((Relu::derivative(least), <LeakyRelu as Activation>::derivative(least)), (1.0, 1.0));
    assert_eq!(Relu::derivative(Relu::value(-least)), 0.0);
}

/// NaN is swallowed by no activation, no comparison and no reduction.
#[test]
fn nan_is_swallowed_by_nothing() {
    fn check<T: Scalar>(nan: T) {
        let is_nan = |x: T| x.to_f64().is_nan();
        assert!(is_nan(<Relu as Activation>::value(nan)) && is_nan(<LeakyRelu as Activation>::value(nan)));
        assert!(is_nan(<Tanh as Activation>::value(nan)) && is_nan(<Sigmoid as Activation>::value(nan)));
        assert!(is_nan(<Softplus as Activation>::value(nan)) && is_nan(<Identity as Activation>::value(nan)));
        assert!(is_nan(nan.maximum(T::ONE)) && is_nan(T::ONE.maximum(nan)));
        assert!(is_nan(nan.minimum(T::ONE)) && is_nan(T::ONE.minimum(nan)) && is_nan(nan.abs()));
        let v = Vector::from([T::ONE, nan, T::ONE]);
        assert!(is_nan(v.norm()) && is_nan(v.max_abs()) && is_nan(v.dot(&v)) && !v.all_finite());
        let mut p = [T::ONE, nan];
        softmax(&mut p);
        assert!(is_nan(p[0]) && is_nan(p[1]));
        assert!(is_nan(MeanSquaredError.value(&[nan], &[T::ONE])));
        assert!(is_nan(BinaryCrossEntropy.value(&[nan], &[T::ONE])));
        assert!(is_nan(SoftmaxCrossEntropy.value(&[T::ONE, nan], &Class::<2>::new(0).unwrap())));
    }
    check(f32::NAN);
    check(f64::NAN);
    check(Strict(f32::NAN));
    check(Dual::constant(f64::NAN));
    for at in 0..3 {
        let mut outputs = [0.0_f32, 1.0, 2.0];
        outputs[at] = f32::NAN;
        assert_eq!(Class::argmax(&outputs), None);
    }
    let mut rmse = Rmse::default();
    rmse.observe(&[f32::NAN], &[0.0]);
    assert!(rmse.value().is_nan());
    assert!(Accuracy::default().value().is_nan());
}

/// Cross-entropy at logits that overflow or erase an exponential: the loss is finite and the gradient right, for
/// labels and distributions.
// proves eq:softmax-cross-entropy, eq:softmax
#[test]
fn extreme_logits() {
    fn check<T: Scalar>(large: f64, u: f64) {
        for (logits, expected, p) in [
            ([large, 0.0], [0.0, large], [1.0, 0.0]),
            ([-large, 0.0], [large, 0.0], [0.0, 1.0]),
            ([large, large], [2_f64.ln(), 2_f64.ln()], [0.5, 0.5]),
            ([-large, -large], [2_f64.ln(), 2_f64.ln()], [0.5, 0.5]),
        ] {
            let logits = logits.map(T::from_f64);
            for class in 0..2 {
                let label = Class::<2>::new(class).unwrap();
                let (mut d, mut e) = ([T::from_f64(f64::NAN); 2], [T::from_f64(f64::NAN); 2]);
                let loss = SoftmaxCrossEntropy.gradient(&logits, &label, &mut d).to_f64();
                let by_distribution = SoftmaxCrossEntropy.gradient(&logits, &label.one_hot::<T>(), &mut e).to_f64();
                // What e^(−large) adds is below the tolerance.
                let slack = 8.0 * u * (1.0 + expected[class]) + (-large).exp();
                assert_close(&format!("loss at {large}"), loss, expected[class], slack);
                assert_close(&format!("loss at {large}"), by_distribution, expected[class], slack);
                for k in 0..2 {
                    let right = p[k] - f64::from(k == class);
                    assert_close(&format!("gradient at {large}"), d[k].to_f64(), right, 8.0 * u + (-large).exp());
                    assert_close(&format!("gradient at {large}"), e[k].to_f64(), right, 8.0 * u + (-large).exp());
                }
            }
        }
    }
    let (u32, u64) = (f64::from(f32::EPSILON), f64::EPSILON);
    for large in [17.0, 88.0, 89.0, 103.0, 104.0, 1e4, f64::from(f32::MAX)] {
        check::<f32>(large, u32);
        check::<Strict<f32>>(large, u32);
    }
    for large in [37.0, 89.0, 709.0, 710.0, 745.0, 746.0, 1e4, f64::MAX] {
        check::<f64>(large, u64);
    }
    // From one end of the range to the other the class of the largest logit costs nothing …
    let certain = Class::<2>::new(0).unwrap();
    let mut d = [f32::NAN; 2];
    assert_eq!(SoftmaxCrossEntropy.gradient(&[f32::MAX, -f32::MAX], &certain, &mut d), 0.0);
    assert_eq!(d, [0.0, 0.0]);
    assert_eq!(SoftmaxCrossEntropy.gradient(&[f32::MAX, -f32::MAX], &[1.0, 0.0], &mut d), 0.0);
    // … and an infinite logit costs NaN or infinity, which a trainer refuses.
    assert!(!SoftmaxCrossEntropy.value(&[f32::INFINITY, 0.0], &certain).is_finite());
    assert!(!SoftmaxCrossEntropy.value(&[0.0, f32::INFINITY], &certain).is_finite());
}

/// One logit that is infinite is an error of the step.
#[test]
fn an_infinite_logit() {
    let rule = Sgd::new(0.1).unwrap();
    let mut trainer = trained(&rule);
    trainer.network.output.bias[0] = f32::INFINITY;
    let message = refused!(trainer, |t| t.step(&rule, &SoftmaxCrossEntropy, &INPUTS, &classes()));
    assert!(message.starts_with("expected a finite loss, found "), "{message}");
}

/// Sigmoid, softplus, tanh and ELU where naive forms give NaN or infinity: values and derivatives are finite and right.
// proves eq:sigmoid, eq:softplus, eq:tanh, eq:elu
#[test]
fn saturated_activations() {
    let mut comparison = Comparison::default();
    for z in [0.0, 1e-6, 16.0, 17.0, 37.0, 88.0, 89.0, 90.0, 103.0, 104.0, 548.0, 1e4, 1e30] {
        for z in [z, -z] {
            // In f64, by forms that cannot overflow; the exponential of −|z| is all there is to it.
            let e = f64::exp(-f64::abs(z));
            let sigmoid = if z >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) };
            let softplus = f64::max(z, 0.0) + e.ln_1p();
            let slope = sigmoid * (1.0 - sigmoid);
            let mut check = |name: &str, found: f32, expected: f64| {
                let tolerance = 1e-6 * expected.abs() + 2.0 * f64::from(f32::from_bits(1));
                comparison.observe(|| format!("{name} at {z}"), found.into(), expected, tolerance);
            };
            let narrow = z as f32;
            let a = Sigmoid::value(narrow);
            check("sigmoid", a, sigmoid);
            check("softplus", Softplus::value(narrow), softplus);
            check("σ′ of softplus", Softplus::derivative(narrow), sigmoid);
            check("tanh", Tanh::value(narrow), f64::tanh(z));
            // From a, so absolutely and not relatively right (derivation, eq:tanh); never negative, never NaN.
            assert_close(&format!("σ′ of sigmoid at {z}"), Sigmoid::derivative(a).into(), slope, 2e-7);
            let t = Tanh::value(narrow);
            assert_close(&format!("σ′ of tanh at {z}"), Tanh::derivative(t).into(), 1.0 - f64::tanh(z).powi(2), 5e-7);
            assert!(Sigmoid::derivative(a) >= 0.0 && Tanh::derivative(t) >= 0.0);
        }
    }
    comparison.finish();
    // An exponential that overflows where it is not wanted must not show: ∞ · 0 would be NaN.
    for z in [89.0_f32, 1e4, f32::MAX] {
        assert_eq!((Elu::value(z), Elu::value(-z), Elu::derivative(z)), (z, -1.0, 1.0));
    }
    // Infinities have limits, too.
    assert_eq!((Sigmoid::value(f32::INFINITY), Sigmoid::value(f32::NEG_INFINITY)), (1.0, 0.0));
    assert_eq!((Tanh::value(f32::INFINITY), Tanh::value(f32::NEG_INFINITY)), (1.0, -1.0));
    assert_eq!(Softplus::value(f32::NEG_INFINITY), 0.0);
    // A sigmoid is exactly 1 from there on, and not before.
    assert!(Sigmoid::value(16.6_f32) < 1.0 && Sigmoid::value(16.7_f32) == 1.0);
    assert!(Sigmoid::value(36.7_f64) < 1.0 && Sigmoid::value(36.8_f64) == 1.0);
    // f64 beyond its own limits.
    for z in [709.0, 710.0, 745.0, 746.0, 1e300] {
        assert_eq!((Softplus::value(z), Sigmoid::value(z)), (z, 1.0));
        assert!((0.0..=f64::exp(-709.0)).contains(&Softplus::value(-z)));
        assert!((0.0..=f64::exp(-709.0)).contains(&Sigmoid::value(-z)));
    }
}

/// A step through saturated layers, pre-activations at ±200 and ±1000 in f32, is a step: loss, gradient and parameters
/// are finite, and outputs are what the functions are there.
// proves eq:sigmoid, eq:softplus, eq:tanh
#[test]
fn a_step_through_saturated_layers() {
    fn check<A: Activation>(high: fn(f32) -> f32, low: f32) {
        for z in [200.0, 1000.0] {
            let mut trainer = Trainer::<(Dense<1, 2, A>, Dense<2, 2, Identity>), Sgd, 2>::boxed();
            trainer.network.0.weights = Matrix::from_rows([[z], [-z]]);
            trainer.network.1.weights = Matrix::from_rows([[1.0, 0.0], [0.0, 1.0]]);
            trainer.predict(&[[1.0]], |_, y| assert_eq!(*y, [high(z), low]));
            let targets = [Class::new(0).unwrap(), Class::new(1).unwrap()];
            let sgd = Sgd::new(0.01).unwrap();
            let loss = trainer.step(&sgd, &SoftmaxCrossEntropy, &[[1.0], [-1.0]], &targets).unwrap();
            assert!(loss.is_finite() && trainer.network.all_finite());
        }
    }
    check::<Sigmoid>(|_| 1.0, 0.0);
    check::<Tanh>(|_| 1.0, -1.0);
    check::<Softplus>(|z| z, 0.0);
}

/// Binary cross-entropy where ln(1 − σ(z)) is −∞: a wrong and confident logit costs |z|, a right one nothing.
// proves eq:binary-cross-entropy
#[test]
fn extreme_binary_cross_entropy() {
    fn check<T: Scalar>(z: f64, u: f64) {
        for (z, t, loss, slope) in [(z, 0.0, z, 1.0), (z, 1.0, 0.0, 0.0), (-z, 0.0, 0.0, 0.0), (-z, 1.0, z, -1.0)] {
            let mut d = [T::from_f64(f64::NAN)];
            let found = BinaryCrossEntropy.gradient(&[T::from_f64(z)], &[T::from_f64(t)], &mut d).to_f64();
            // To the precision of the scalar, ln(1 + e⁻ᶻ) is e⁻ᶻ here.
            let rest = f64::exp(-f64::abs(z)) * (1.0 + 8.0 * u);
            assert_close(&format!("loss at {z}, target {t}"), found, loss, rest + u * loss);
            assert_close(&format!("gradient at {z}, target {t}"), d[0].to_f64(), slope, rest + u);
            let value = BinaryCrossEntropy.value(&[T::from_f64(z)], &[T::from_f64(t)]).to_f64();
            assert_eq!(value, found);
        }
        // A target in between, at both ends.
        let half = BinaryCrossEntropy.value(&[T::from_f64(z)], &[T::from_f64(0.5)]).to_f64();
        assert_close(&format!("loss at {z}, target ½"), half, z / 2.0, f64::exp(-z) + u * z);
    }
    for z in [16.0, 17.0, 40.0, 89.0, 104.0, 1e4, 1e38] {
        check::<f32>(z, f64::from(f32::EPSILON));
        check::<Strict<f32>>(z, f64::from(f32::EPSILON));
        check::<f64>(z, f64::EPSILON);
    }
    check::<f64>(746.0, f64::EPSILON);
    check::<f64>(1e300, f64::EPSILON);
}

/// A step whose logits are certain, rightly and wrongly, is a step: binary cross-entropy of a whole batch.
// proves eq:binary-cross-entropy
#[test]
fn binary_cross_entropy_in_a_step() {
    let sgd = Sgd::new(0.5).unwrap();
    let mut trainer = Trainer::<Dense<1, 1, Identity>, Sgd, 2>::ZEROED;
    trainer.network.weights[0] = 200.0;
    // Logits 200 and −200, each with the wrong answer: 200 a sample, and slopes of 1 and −1.
    let loss = trainer.step(&sgd, &BinaryCrossEntropy, &[[1.0], [-1.0]], &[[0.0], [1.0]]).unwrap();
    assert_eq!((loss, trainer.network.weights[0], trainer.network.bias[0]), (200.0, 199.5, 0.0));
    let right = trainer.step(&sgd, &BinaryCrossEntropy, &[[1.0], [-1.0]], &[[1.0], [0.0]]).unwrap();
    assert_eq!((right, trainer.network.weights[0]), (0.0, 199.5));
}

// ---------------------------------------------------------------- labels and batches

/// A class outside its range is an error with both numbers, whatever integer it comes as.
#[test]
fn classes_out_of_range() {
    assert_eq!(Class::<10>::new(10).unwrap_err().to_string(), "expected a class in 0..10, found 10");
    assert_eq!(
        Class::<10>::new(usize::MAX).unwrap_err().to_string(),
        format!("expected a class in 0..10, found {}", usize::MAX)
    );
    assert_eq!(Class::<10>::try_from(-1_i8).unwrap_err().to_string(), "expected a class in 0..10, found -1");
    let least = Class::<3>::try_from(i64::MIN).unwrap_err();
    assert_eq!(least.to_string(), "expected a class in 0..3, found -9223372036854775808");
    assert_eq!(Class::<3>::try_from(u64::MAX).unwrap_err().found, i128::from(u64::MAX));
    // 2³² + 1 is not 1.
    assert!(Class::<3>::try_from(0x1_0000_0001_u64).is_err());
    assert_eq!(Class::<3>::try_from(2_u8).unwrap().index(), 2);
    assert_eq!(Class::<1>::new(0).unwrap().index(), 0);
}

/// No samples, different numbers of inputs and targets: errors, in every call that takes slices.
#[test]
fn empty_and_mismatched() {
    let adam = Adam::new(0.01).unwrap();
    let mut trainer = trained(&adam);
    let loss = &SoftmaxCrossEntropy;
    let none = "expected at least one sample, found none";
    assert_eq!(refused!(trainer, |t| t.epoch::<_, Class<3>>(&adam, loss, &[], &[])), none);
    assert_eq!(refused!(trainer, |t| t.accumulate::<_, Class<3>>(&adam, loss, &[], &[])), none);
    assert_eq!(refused!(trainer, |t| t.evaluate::<_, Class<3>>(loss, &[], &[], &mut ())), none);
    let lengths = "expected as many targets as inputs, found 1 inputs and 2 targets";
    assert_eq!(refused!(trainer, |t| t.epoch(&adam, loss, &INPUTS[..1], &classes())), lengths);
    assert_eq!(refused!(trainer, |t| t.accumulate(&adam, loss, &INPUTS[..1], &classes())), lengths);
    assert_eq!(refused!(trainer, |t| t.evaluate(loss, &INPUTS[..1], &classes(), &mut ())), lengths);
    let lengths = "expected as many targets as inputs, found 2 inputs and 0 targets";
    assert_eq!(refused!(trainer, |t| t.epoch::<_, Class<3>>(&adam, loss, &INPUTS, &[])), lengths);
    // Nothing to predict is nothing to do.
    trainer.predict(&[], |_, _| unreachable!());
}

/// A batch larger than the data is no error: its mean is over the samples that there are.
#[test]
fn batch_larger_than_the_data() {
    let sgd = Sgd::new(0.5).unwrap();
    let mut large = Trainer::<Net<f64>, Sgd, 64>::boxed();
    let mut exact = Trainer::<Net<f64>, Sgd, 2>::boxed();
    large.init(1);
    exact.init(1);
    let inputs = INPUTS.map(|x| x.map(f64::from));
    let a = large.accumulate(&sgd, &SoftmaxCrossEntropy, &inputs, &classes()).unwrap();
    let b = exact.accumulate(&sgd, &SoftmaxCrossEntropy, &inputs, &classes()).unwrap();
    assert_close("loss", a, b, 1e-15);
    for (a, b) in common::scalars(&large.network).into_iter().zip(common::scalars(&exact.network)) {
        assert_close("weight", a, b, 1e-15);
    }
}

/// Target distributions, answers and values that a loss cannot use: errors that name sample, element and value.
#[test]
fn bad_targets() {
    let adam = Adam::new(0.01).unwrap();
    let mut trainer = trained(&adam);
    let good = [0.25, 0.5, 0.25];
    for (bad, text) in [
        ([0.5, f32::NAN, 0.5], "target of sample 1: element 1: expected a probability in [0, 1], found NaN"),
        ([0.5, 1.0, -0.5], "target of sample 1: element 2: expected a probability in [0, 1], found -0.5"),
        ([f32::INFINITY, 0.0, 0.0], "target of sample 1: element 0: expected a probability in [0, 1], found inf"),
        ([1.5, 0.0, 0.0], "target of sample 1: element 0: expected a probability in [0, 1], found 1.5"),
        ([0.5, 0.5, 0.5], "target of sample 1: expected probabilities with sum 1, found 1.5"),
        ([0.0; 3], "target of sample 1: expected probabilities with sum 1, found 0"),
    ] {
        let targets = [good, bad];
        let loss = &SoftmaxCrossEntropy;
        assert_eq!(refused!(trainer, |t| t.step(&adam, loss, &INPUTS, &targets)), text);
        assert_eq!(refused!(trainer, |t| t.accumulate(&adam, loss, &INPUTS, &targets)), text);
        assert_eq!(refused!(trainer, |t| t.epoch(&adam, loss, &INPUTS, &targets)), text);
        assert_eq!(refused!(trainer, |t| t.evaluate(loss, &INPUTS, &targets, &mut ())), text);
    }
    for (bad, text) in [(f32::NAN, "NaN"), (-0.1, "-0.10000000149011612"), (1.1, "1.100000023841858")] {
        let expected = format!("target of sample 0: element 2: expected a number in [0, 1], found {text}");
        let targets = [[0.0, 1.0, bad], [0.0; 3]];
        assert_eq!(refused!(trainer, |t| t.step(&adam, &BinaryCrossEntropy, &INPUTS, &targets)), expected);
    }
    for (bad, text) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let expected = format!("target of sample 0: element 1: expected a finite number, found {text}");
        let targets = [[0.0, bad, 1.0], [0.0; 3]];
        assert_eq!(refused!(trainer, |t| t.step(&adam, &MeanSquaredError, &INPUTS, &targets)), expected);
    }
    // Rounded thirds are a distribution.
    trainer.step(&adam, &SoftmaxCrossEntropy, &INPUTS, &[[0.333, 0.333, 0.333], good]).unwrap();
}

/// What is wrong with the last sample alone, and would do no harm to the loss, is found before the first step: an
/// infinite input that a tanh hides, an answer of 2.
#[test]
fn harmless_looking_samples() {
    let sgd = Sgd::new(0.1).unwrap();
    let mut trainer = trained(&sgd);
    trainer.network.hidden.weights.fill(1.0);
    let mut inputs = vec![INPUTS[0]; 9];
    inputs[8][0] = f32::INFINITY;
    let message = refused!(trainer, |t| t.epoch(&sgd, &SoftmaxCrossEntropy, &inputs, &[classes()[0]; 9]));
    assert_eq!(message, "input of sample 8, element 0: expected a finite number, found inf");
    let mut targets = vec![[0.5_f32; 3]; 9];
    targets[8][1] = 2.0;
    let message = refused!(trainer, |t| t.epoch(&sgd, &BinaryCrossEntropy, &[INPUTS[0]; 9], &targets));
    assert_eq!(message, "target of sample 8: element 1: expected a number in [0, 1], found 2");
}

/// An optimiser of one's own never sees a gradient that is not finite: it need not check.
#[test]
fn optimizers_see_finite_gradients() {
    struct Infinite;
    impl Loss<[f32; 3], Class<3>> for Infinite {
        fn value(&self, _: &[f32; 3], _: &Class<3>) -> f32 {
            0.0
        }
        fn gradient(&self, _: &[f32; 3], _: &Class<3>, d: &mut [f32; 3]) -> f32 {
            d.fill(f32::INFINITY);
            0.0
        }
    }
    let mut trainer = trained(&common::Capture);
    let message = refused!(trainer, |t| t.step(&common::Capture, &Infinite, &INPUTS, &classes()));
    assert!(message.starts_with("expected a finite gradient, found one that is not in `"), "{message}");
}

/// A refused call leaves nothing behind: what follows is what would have followed without it, bit for bit.
#[test]
fn errors_leave_no_trace() {
    let adam = Adam::new(0.01).unwrap();
    let (mut plain, mut troubled) = (trained(&adam), trained(&adam));
    troubled.step(&adam, &SoftmaxCrossEntropy, &[[f32::NAN; 2]; 2], &classes()).unwrap_err();
    let weights = troubled.network.clone();
    troubled.network.output.weights.fill(f32::INFINITY);
    troubled.step(&adam, &SoftmaxCrossEntropy, &INPUTS, &classes()).unwrap_err();
    troubled.network = weights;
    for _ in 0..3 {
        let a = plain.epoch(&adam, &SoftmaxCrossEntropy, &INPUTS, &classes()).unwrap();
        let b = troubled.epoch(&adam, &SoftmaxCrossEntropy, &INPUTS, &classes()).unwrap();
        assert_eq!(a, b);
    }
    assert_eq!(bits(&plain.network), bits(&troubled.network));
    assert_eq!(bits(plain.state()), bits(troubled.state()));
}

/// The second batch of an epoch overflows: the first one stands, the epoch is not counted, and the error is the
/// step's.
#[test]
fn an_epoch_that_fails_half_way() {
    let sgd = Sgd::new(1.0).unwrap();
    let mut trainer = Trainer::<Dense<1, 1, Identity>, Sgd, 1>::ZEROED;
    // y = w x: the first step makes w of the order of 10³⁰, the second then overflows.
    let error = trainer.epoch(&sgd, &MeanSquaredError, &[[1e15], [1e15]], &[[1e15], [1e15]]).unwrap_err();
    assert!(matches!(error, TrainError::Loss { .. }), "{error}");
    assert_eq!((trainer.steps(), trainer.epochs()), (1, 0));
    assert!(trainer.network.all_finite() && trainer.network.weights[0] != 0.0);
}

// ---------------------------------------------------------------- hyper-parameters

/// Learning rate 0 leaves the weights bit for bit, −0 among them, whatever the sign of the gradient.
#[test]
fn learning_rate_zero() {
    fn check<O: Optimizer + 'static>(rule: &O) {
        let mut trainer = Trainer::<Net, O, 2>::boxed();
        trainer.init(3);
        trainer.network.output.bias = Vector::from([-0.0, 0.0, -0.0]);
        trainer.network.hidden.bias.fill(-0.0);
        trainer.network.output.weights[(0, 0)] = f32::from_bits(1);
        let before = bits(&trainer.network);
        for _ in 0..3 {
            trainer.epoch(rule, &SoftmaxCrossEntropy, &INPUTS, &classes()).unwrap();
        }
        assert_eq!(bits(&trainer.network), before);
    }
    check(&Sgd::new(0.0).unwrap());
    check(&Momentum::new(0.0).unwrap());
    check(&Adam::new(0.0).unwrap());
}

/// Rates, momentum, betas and ε out of range: refused by the constructor, and again by every call, since the fields
/// are public.
#[test]
fn hyperparameters_out_of_range() {
    let rate = |found: &str| format!("learning_rate: expected a finite number, 0 or above, found {found}");
    for (bad, text) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf"), (-1e-9, "-0.000000001")]
    {
        assert_eq!(Sgd::new(bad).unwrap_err().to_string(), rate(text));
        assert_eq!(Momentum::new(bad).unwrap_err().to_string(), rate(text));
        assert_eq!(Adam::new(bad).unwrap_err().to_string(), rate(text));
        let mut trainer = trained(&Sgd { learning_rate: 0.1 });
        let sgd = Sgd { learning_rate: bad };
        let loss = &SoftmaxCrossEntropy;
        assert_eq!(refused!(trainer, |t| t.step(&sgd, loss, &INPUTS, &classes())), rate(text));
        assert_eq!(refused!(trainer, |t| t.accumulate(&sgd, loss, &INPUTS, &classes())), rate(text));
        assert_eq!(refused!(trainer, |t| t.epoch(&sgd, loss, &INPUTS, &classes())), rate(text));
    }
    let good = Adam::new(0.1).unwrap();
    let mut trainer = trained(&good);
    for (bad, text) in [(1.0, "1"), (-0.1, "-0.1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf"), (1.5, "1.5")] {
        let first = Adam { beta1: bad, ..good };
        let message = refused!(trainer, |t| t.step(&first, &SoftmaxCrossEntropy, &INPUTS, &classes()));
        assert_eq!(message, format!("beta1: expected a number in [0, 1), found {text}"));
        let second = Adam { beta2: bad, ..good };
        let message = refused!(trainer, |t| t.step(&second, &SoftmaxCrossEntropy, &INPUTS, &classes()));
        assert_eq!(message, format!("beta2: expected a number in [0, 1), found {text}"));
        let rule = Momentum { learning_rate: 0.1, momentum: bad };
        assert_eq!(
            rule.validate().unwrap_err().to_string(),
            format!("momentum: expected a number in [0, 1), found {text}")
        );
    }
    for bad in [0.0, -1e-8, 1e-39, f64::NAN, f64::INFINITY] {
        let rule = Adam { epsilon: bad, ..good };
        let message = refused!(trainer, |t| t.step(&rule, &SoftmaxCrossEntropy, &INPUTS, &classes()));
        assert!(message.starts_with("epsilon: expected a finite number, at least"), "{message}");
    }
    // The ends that belong to the range.
    Adam { learning_rate: 0.0, beta1: 0.0, beta2: 0.0, epsilon: f64::from(f32::MIN_POSITIVE) }.validate().unwrap();
    Momentum { learning_rate: 1e300, momentum: 0.0 }.validate().unwrap();
}

/// A finite rate that overflows the scalar throws no parameter: an error of the step.
#[test]
fn a_rate_beyond_the_scalar() {
    let sgd = Sgd::new(1e300).unwrap();
    let mut trainer = trained(&Sgd::new(0.1).unwrap());
    let message = refused!(trainer, |t| t.step(&sgd, &SoftmaxCrossEntropy, &INPUTS, &classes()));
    assert_eq!(
        message,
        "expected finite parameters, but the step would overflow in `hidden.weights`: is the learning rate too large?"
    );
}

/// At the last step that can be counted the corrections are 1, and nothing overflows.
// proves eq:adam-step
#[test]
fn the_last_step_of_all() {
    let adam = Adam::new(0.5).unwrap();
    let (mut w, mut state) = (Vector::from([1.0_f64]), (Vector::from([2.0]), Vector::from([4.0])));
    adam.step(u64::MAX, &mut w, &Vector::from([2.0]), &mut state).unwrap();
    assert_close("weight", w[0], 1.0 - 0.5 * 2.0 / 2.0, 1e-8);
}

/// Gradients whose square overflows or vanishes: the parameter moves by what the formula says, is neither frozen
/// nor thrown, and the moments recover.
// proves eq:adam-moments, eq:adam-step
#[test]
fn adam_with_extreme_gradients() {
    // A second moment that forgets in a thousand steps; with the usual 0.999 it would take 83,000.
    let adam = Adam { beta1: 0.5, beta2: 0.9, ..Adam::new(0.01).unwrap() };
    for g in [1e20_f32, 3e38, 1e18, 1.9e19, -1e20, -f32::MAX] {
        let (mut w, mut state) = (Vector::from([1.0_f32]), Zeroed::ZEROED);
        for step in 1..=5 {
            adam.step(step, &mut w, &Vector::from([g]), &mut state).unwrap();
            let expected = 1.0 - 0.01 * step as f32 * g.signum();
            assert_close(&format!("{g}, step {step}"), w[0].into(), expected.into(), 1e-4);
            assert!(state.0.all_finite() && state.1.all_finite());
        }
        // It moves again afterwards: with gradients back at 1 the second moment decays.
        for step in 6..=1000 {
            adam.step(step, &mut w, &Vector::from([1.0]), &mut state).unwrap();
        }
        let late = w[0];
        adam.step(1001, &mut w, &Vector::from([1.0]), &mut state).unwrap();
        assert_close(&format!("recovered from {g}"), f64::from(late - w[0]), 0.01, 1e-5);
    }
    for g in [1e-24_f32, 2.6e-23, 1e-30, f32::MIN_POSITIVE] {
        let (mut w, mut state) = (Vector::from([0.0_f32]), Zeroed::ZEROED);
        adam.step(1, &mut w, &Vector::from([g]), &mut state).unwrap();
        let expected = -0.01 * f64::from(g) / (f64::from(g) + 1e-8);
        assert_close(&format!("{g}"), w[0].into(), expected, 1e-5 * expected.abs() + f64::from(f32::from_bits(1)));
    }
}

/// A gradient that overflows where the loss does not, and an update that would: errors that name the block, nothing
/// changed.
#[test]
fn overflow_behind_a_finite_loss() {
    struct Steep(f32);
    impl Loss<[f32; 2], [f32; 2]> for Steep {
        fn value(&self, _: &[f32; 2], _: &[f32; 2]) -> f32 {
            0.0
        }
        fn gradient(&self, _: &[f32; 2], _: &[f32; 2], d: &mut [f32; 2]) -> f32 {
            d.fill(self.0);
            0.0
        }
    }
    let rule = Momentum::new(1.0).unwrap();
    let mut trainer = linear(&rule);
    trainer.network.second.weights.fill(1e5);
    let message = refused!(trainer, |t| t.step(&rule, &Steep(1e38), &INPUTS, &VALUES));
    assert_eq!(
        message,
        "expected a finite gradient, found one that is not in `first.weights`: is the learning rate too large?"
    );
    let message = refused!(trainer, |t| t.step(&rule, &Steep(f32::NAN), &INPUTS, &VALUES));
    assert!(message.contains("finite gradient"), "{message}");
    trainer.network.second.weights.fill(0.0);
    trainer.network.second.bias.fill(f32::MAX);
    let sgd = Sgd::new(100.0).unwrap();
    let mut plain = Trainer::<Linear, Sgd, 2>::boxed();
    plain.network.copy_from(&trainer.network);
    let message = refused!(plain, |t| t.step(&sgd, &Steep(-1e37), &INPUTS, &VALUES));
    assert!(message.starts_with("expected finite parameters, but the step would overflow in `"), "{message}");
    // Momentum: the velocity itself would overflow, at a rate of zero.
    let still = Momentum { learning_rate: 0.0, momentum: 0.999 };
    let mut trainer = Trainer::<Linear, Momentum, 2>::boxed();
    trainer.init(1);
    let mut steps = 0;
    while trainer.step(&still, &Steep(1e38), &[[1.0, 1.0]; 2], &VALUES).is_ok() {
        steps += 1;
        assert!(trainer.state().all_finite(), "after {steps} steps");
        assert!(steps < 100);
    }
    refused!(trainer, |t| t.step(&still, &Steep(1e38), &[[1.0, 1.0]; 2], &VALUES));
}

// ---------------------------------------------------------------- standardisation at the edges

/// Features whose squares overflow or vanish are still standardised.
// proves eq:standardisation
#[test]
fn standardisation_of_extreme_features() {
    for size in [1e-170, 1e-300, 1.0, 1e170, 1e300] {
        let fitted = Scale::fit(&[[size], [3.0 * size]]).unwrap();
        let mut sample = [3.0 * size];
        fitted.apply(&mut sample);
        assert_close(&format!("size {size}"), sample[0], 1.0, 1e-12);
    }
    for size in [1e-38_f32, 1e38] {
        let fitted = Scale::fit(&[[size], [3.0 * size]]).unwrap();
        let mut sample = [3.0 * size];
        fitted.apply(&mut sample);
        assert_close(&format!("size {size} in f32"), sample[0].into(), 1.0, 1e-6);
    }
}
