//! Initialisers, training aids, the choice among networks, metrics: against their definitions.
#![allow(missing_docs)]

#[path = "golden/breadth.rs"]
mod golden;

use chainrule::*;
use core::ops::ControlFlow;
use golden::{Draws, all_close, close};

// ---------------------------------------------------------------- initialisers

/// Mean and variance of 40,000 draws.
// proves eq:lecun
#[test]
fn lecun_has_its_variance() {
    for initializer in [Initializer::LecunUniform, Initializer::LecunNormal] {
        let mut weights = Matrix::<400, 100, f64>::ZEROED;
        initializer.fill(&mut weights, &mut Random::new(1, 0));
        let n = weights.as_slice().len() as f64;
        let mean = weights.as_slice().iter().sum::<f64>() / n;
        let variance = weights.as_slice().iter().map(|w| w * w).sum::<f64>() / n;
        // Five standard errors: 0.1/√n of the mean, 0.01·√(2/n) of the variance.
        close("mean", mean, 0.0, 5.0 * 0.1 / n.sqrt());
        close("variance", variance, 0.01, 5.0 * 0.01 * (2.0 / n).sqrt());
    }
}

/// A deep SELU network with LeCun weights keeps mean 0 and variance 1, which is what both are for.
// proves eq:lecun, eq:selu
#[test]
fn selu_normalizes_itself() {
    let mut random = Random::new(3, 0);
    let mut x: [f64; 200] = core::array::from_fn(|_| random.normal());
    for _ in 0..30 {
        let mut layer = Dense::<200, 200, Selu, f64>::ZEROED;
        layer.init(&mut random);
        let mut scratch = Zeroed::ZEROED;
        x = layer.predict(&Vector::from(x), &mut scratch).clone().into();
    }
    let mean = x.iter().sum::<f64>() / 200.0;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 200.0;
    assert!(mean.abs() < 0.3 && (0.6..1.6).contains(&variance), "mean {mean}, variance {variance}");
}

// proves eq:orthogonal
#[test]
fn orthogonal_weights_are() {
    fn check<const R: usize, const C: usize>() {
        let mut w = Matrix::<R, C, f64>::ZEROED;
        Initializer::Orthogonal.fill(&mut w, &mut Random::new(R as u64, 0));
        // WᵀW for a tall matrix, WWᵀ for a wide one.
        let element = |v: usize, k: usize| if C <= R { w[(k, v)] } else { w[(v, k)] };
        for a in 0..R.min(C) {
            for b in 0..R.min(C) {
                let dot: f64 = (0..R.max(C)).map(|k| element(a, k) * element(b, k)).sum();
                close(&format!("{R}×{C} ({a}, {b})"), dot, f64::from(u8::from(a == b)), 1e-14);
            }
        }
    }
    check::<5, 3>();
    check::<3, 5>();
    check::<16, 16>();
    check::<1, 4>();
}

// proves eq:orthogonal
#[test]
fn orthogonal_layers_keep_lengths() {
    let mut random = Random::new(9, 0);
    let mut x = Vector::from(Draws(1).array::<12>(1.0).map(|x| x as f32));
    let before = x.norm();
    for _ in 0..50 {
        let mut w = Matrix::<12, 12>::ZEROED;
        Initializer::Orthogonal.fill(&mut w, &mut random);
        let mut y = Vector::ZEROED;
        y.set_product(&w, &x);
        x = y;
    }
    assert!((x.norm() / before - 1.0).abs() < 1e-5, "{} {before}", x.norm());
}

// ---------------------------------------------------------------- training aids

network! {
    struct Line<T = f32>: 1 => 1 {
        dense: Dense<1, 1, Identity, T>,
    }
}

fn data() -> ([[f32; 1]; 8], [[f32; 1]; 8]) {
    let inputs = core::array::from_fn(|k| [k as f32 / 8.0]);
    (inputs, inputs.map(|[x]| [3.0 * x - 1.0]))
}

/// Training stops when the validation loss rises, and the best weights, not the last, are kept.
#[test]
fn early_stopping_keeps_the_best() {
    let (inputs, targets) = data();
    let mut trainer = Trainer::<Line, Sgd, 4>::ZEROED;
    trainer.init(1);
    let mut best = <Line>::ZEROED;
    let mut stopping = EarlyStopping::new(3, 0.0).unwrap();
    // A validation loss that is lowest at the fifth epoch.
    let mut fifth = None;
    let mut epochs = 0;
    let rule = Sgd::new(0.1).unwrap();
    trainer
        .fit(&rule, &MeanSquaredError, &inputs, &targets, 100, |trainer, _| {
            epochs += 1;
            assert_eq!((trainer.epochs(), trainer.steps()), (epochs, 2 * epochs));
            if epochs == 5 {
                fifth = Some(trainer.network.clone());
            }
            let validation = (epochs as f64 - 5.0).abs();
            match stopping.observe(validation, &trainer.network, &mut best) {
                Verdict::Stop => ControlFlow::Break(()),
                Verdict::Improved | Verdict::Waiting => ControlFlow::Continue(()),
            }
        })
        .unwrap();
    assert_eq!((epochs, trainer.epochs(), stopping.best_loss()), (8, 8, 0.0));
    assert_eq!(Some(&best), fifth.as_ref());
    assert_ne!(best, trainer.network);

    // Too small an improvement is none; a NaN is none, and not the best either.
    let mut stopping = EarlyStopping::new(3, 0.5).unwrap();
    let weights = <Line>::new(1);
    let verdicts = [f64::NAN, 1.0, 0.6, 0.4, f64::NAN].map(|loss| stopping.observe(loss, &weights, &mut best));
    assert_eq!(verdicts.map(|v| v == Verdict::Improved), [false, true, false, true, false]);
}

/// `fit` makes the same steps as `epoch` after `epoch`, and reports what they report.
#[test]
fn fit_is_epochs() {
    let (inputs, targets) = data();
    let rule = AdamW::new(0.05).unwrap();
    let (mut one, mut other) = (Trainer::<Line, AdamW, 3>::ZEROED, Trainer::<Line, AdamW, 3>::ZEROED);
    one.init(7);
    other.init(7);
    let mut losses = Vec::new();
    let last = one
        .fit(&rule, &MeanSquaredError, &inputs, &targets, 10, |_, loss| {
            losses.push(loss);
            ControlFlow::Continue(())
        })
        .unwrap();
    let expected: Vec<f32> =
        (0..10).map(|_| other.epoch(&rule, &MeanSquaredError, &inputs, &targets).unwrap()).collect();
    assert_eq!((losses, last), (expected.clone(), expected[9]));
    assert_eq!(one.network, other.network);
    let none = one.fit(&rule, &MeanSquaredError, &inputs, &targets, 0, |_, _| ControlFlow::Continue(()));
    assert_eq!(none, Err(TrainError::NoSamples));
}

/// Rates grow geometrically, batch after batch, and the test ends when the loss explodes or the closure says so.
#[test]
fn range_test_finds_the_explosion() {
    let (inputs, targets) = data();
    let mut trainer = Trainer::<Line, Sgd, 8>::ZEROED;
    trainer.init(1);
    let mut rates = Vec::new();
    let rule = Sgd::new(1.0).unwrap();
    let mut test = |from, to, steps, each: &mut dyn FnMut(f64) -> bool| {
        trainer.range_test(&rule, &MeanSquaredError, &inputs, &targets, from, to, steps, |rate, loss| {
            assert!(loss.is_finite());
            if each(rate) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
    };
    test(1e-3, 1e-1, 3, &mut |rate| {
        rates.push(rate);
        true
    })
    .unwrap();
    all_close("rates", &rates, &[1e-3, 1e-2, 1e-1]);
    let (mut last, mut count) = (0.0, 0);
    test(1e-3, 1e3, 60, &mut |rate| {
        last = rate;
        true
    })
    .unwrap();
    // The larger eigenvalue of the Hessian 2·[[mean x², mean x], [mean x, 1]] is about 2.4: divergence from 0.83 on.
    assert!((0.5..50.0).contains(&last), "{last}");
    test(1e-3, 1.0, 60, &mut |_| {
        count += 1;
        count < 5
    })
    .unwrap();
    assert_eq!(count, 5);
    let found = test(0.0, 1.0, 2, &mut |_| true).unwrap_err();
    assert!(matches!(found, TrainError::Hyperparameter(HyperparameterError { name: "from", .. })), "{found}");
    let found = test(1.0, 0.5, 2, &mut |_| true).unwrap_err();
    assert!(matches!(found, TrainError::Hyperparameter(HyperparameterError { name: "to", .. })), "{found}");
    // What is no divergence is an error here as anywhere.
    let mut test = |targets: &[[f32; 1]]| {
        let each = |_, _| ControlFlow::Continue(());
        trainer.range_test(&rule, &MeanSquaredError, &inputs, targets, 1e-3, 1e-2, 3, each).unwrap_err()
    };
    let found = test(&targets[1..]);
    assert!(matches!(found, TrainError::Lengths { .. }), "{found}");
    let found = test(&vec![[f32::NAN]; targets.len()]);
    assert!(matches!(found, TrainError::Target { sample: 0, .. }), "{found}");
}

/// Two networks of different shapes behind one reference, chosen at run time, without the heap.
#[test]
fn networks_behind_a_reference() {
    network! {
        struct Deep<T = f32>: 2 => 3 {
            hidden: Dense<2, 5, Tanh, T>,
            dropout: Dropout<1, 2, T>,
            output: Dense<5, 3, Identity, T>,
        }
    }
    let (line, deep) = (<Line>::new(1), <Deep>::new(2));
    let (mut first, mut second) = (Predictor::new(&line), Predictor::new(&deep));
    let choices: [&mut dyn Predict<f32>; 2] = [&mut first, &mut second];
    for chosen in choices {
        let (inputs, outputs) = (chosen.inputs(), chosen.outputs());
        let (x, mut y) = ([0.5, -1.0, 2.0], [9.0; 4]);
        chosen.predict_into(&x[..inputs], &mut y[..outputs]).unwrap();
        let mut scratch = Zeroed::ZEROED;
        if outputs == 1 {
            assert_eq!(y[0], line.predict(&Vector::from([0.5]), &mut scratch)[0]);
        } else {
            let mut scratch = Zeroed::ZEROED;
            assert_eq!(y[..3], *deep.predict(&Vector::from([0.5, -1.0]), &mut scratch).as_slice());
        }
        let (before, expected) = (y, LengthError { expected: inputs, found: 3 });
        assert_eq!(chosen.predict_into(&x, &mut y[..outputs]), Err(expected));
        let expected = LengthError { expected: outputs, found: 4 };
        assert_eq!(chosen.predict_into(&x[..inputs], &mut y), Err(expected));
        assert_eq!(y, before);
    }
}

// ---------------------------------------------------------------- metrics

/// Against the definitions, counted by hand: three classes, one of them never predicted, an output with a NaN.
// proves eq:precision-recall
#[test]
fn precision_recall_f1() {
    let mut confusion = Confusion::<4>::default();
    let mut observe = |predicted: usize, actual: usize| {
        let mut output = [0.0_f32; 4];
        output[predicted] = 1.0;
        confusion.observe(&output, &Class::new(actual).unwrap());
    };
    for (predicted, actual) in [(0, 0), (0, 0), (0, 1), (1, 1), (1, 1), (1, 0), (1, 2), (0, 2)] {
        observe(predicted, actual);
    }
    assert_eq!((confusion.precision(0), confusion.recall(0)), (2.0 / 4.0, 2.0 / 3.0));
    close("f1", confusion.f1(0), 2.0 * (0.5 * 2.0 / 3.0) / (0.5 + 2.0 / 3.0), 1e-15);
    assert!(confusion.precision(2).is_nan() && confusion.recall(2) == 0.0 && confusion.f1(2) == 0.0);
    assert!(confusion.recall(3).is_nan() && confusion.f1(3).is_nan() && confusion.f1(99).is_nan());
    close("macro f1", confusion.macro_f1(), (4.0 / 7.0 + 4.0 / 7.0 + 0.0) / 3.0, 1e-15);
}

// proves eq:precision-recall
#[test]
fn perfect_and_useless_predictions() {
    let mut confusion = Confusion::<3>::default();
    (0..9).for_each(|k| {
        let class = Class::<3>::new(k % 3).unwrap();
        confusion.observe(&class.one_hot::<f64>(), &class);
    });
    assert_eq!((0..3).map(|k| confusion.f1(k)).collect::<Vec<_>>(), [1.0; 3]);
    assert_eq!(confusion.macro_f1(), 1.0);
    assert!(Confusion::<2>::default().macro_f1().is_nan());
    // One class always: all of its samples are found, and two thirds of the finds are wrong.
    let mut always = Confusion::<3>::default();
    (0..9).for_each(|k| always.observe(&[1.0_f64, 0.0, 0.0], &Class::<3>::new(k % 3).unwrap()));
    assert_eq!((always.recall(0), always.precision(0)), (1.0, 1.0 / 3.0));
}

#[test]
fn top_of_the_outputs() {
    let class = |k| Class::<4>::new(k).unwrap();
    let mut metrics = (Top::<1>::default(), (Top::<2>::default(), (Accuracy::default(), Top::<9>::default())));
    // Ties: the first is the larger. A NaN anywhere is wrong.
    let outputs = [[0.4, 0.4, 0.1, 0.1], [0.1, 0.2, 0.3, 0.4], [0.1, f32::NAN, 0.3, 0.9]];
    for (output, target) in [(0, 0), (0, 1), (0, 2), (1, 3), (1, 2), (2, 3)] {
        metrics.observe(&outputs[output], &class(target));
    }
    let (one, (two, (accuracy, nine))) = metrics;
    assert_eq!((one.right, two.right, nine.right, nine.total), (2, 4, 5, 6));
    assert_eq!(one.value(), accuracy.value(), "the top one is the accuracy");
}

// proves eq:r-squared
#[test]
fn r_squared_of_two_outputs() {
    let targets = [[1.0, 1e9], [2.0, 1e9 + 2.0], [3.0, 1e9 + 4.0]];
    let mut r = RSquared::<2>::default();
    for t in targets {
        r.observe(&[2.0, t[1] + 1.0], &t);
    }
    // Always the mean: 0. Off by 1 where the deviations are −2, 0, 2: 1 − 3/8, far from 0 too.
    assert_eq!(r.values(), [0.0, 1.0 - 3.0 / 8.0]);
    assert_eq!(r.value(), 0.5 * (1.0 - 3.0 / 8.0));
}

// proves eq:r-squared
#[test]
fn r_squared_of_perfect_outputs() {
    let mut r = RSquared::<1>::default();
    (0..5).for_each(|k| r.observe(&[k as f32], &[k as f32]));
    assert_eq!(r.value(), 1.0);
    // Three times as far from the mean: residuals twice the deviations, squares four times theirs.
    let mut far = RSquared::<1>::default();
    (-2..=2).for_each(|k| far.observe(&[3.0 * k as f32], &[k as f32]));
    assert_eq!(far.value(), 1.0 - 4.0);
    let mut constant = RSquared::<1>::default();
    (0..5).for_each(|k| constant.observe(&[k as f32], &[1.0]));
    assert_eq!(constant.value(), f64::NEG_INFINITY);
}
