//! Every activation and layer: against PyTorch, against dual numbers, against differences, and at the extremes.
#![allow(missing_docs)]

#[path = "golden/breadth.rs"]
mod golden;

use chainrule::*;
use golden::{Draws, all_close, array, close, record, records};

// ---------------------------------------------------------------- activations

/// σ(z) and σ′ as a layer evaluates it, at the value or at z.
fn evaluate<A: Activation, T: Scalar>(z: T) -> (T, T) {
    let (value, z) = (Vector::from([A::value(z)]), Vector::from([z]));
    let mut kept = Zeroed::ZEROED;
    A::At::keep(&z, &mut kept);
    let at = <A::At as Point>::at(&value, &kept);
    (value[0], A::derivative(at[0]))
}

struct Golden(usize);
impl VisitActivation for Golden {
    fn visit<A: Activation>(&mut self, name: &'static str) {
        for record in records("activation", name) {
            let [z, values, derivatives] = record.try_into().unwrap();
            for ((z, value), derivative) in z.into_iter().zip(values).zip(derivatives) {
                let found = evaluate::<A, f64>(z);
                close(&format!("{name}({z})"), found.0, value, 1e-12 * value.abs().max(1.0));
                // PyTorch rounds the sixth of its hard sigmoid to f32.
                let tolerance = if name == "HardSigmoid" { 1e-8 } else { 1e-12 };
                close(&format!("{name}'({z})"), found.1, derivative, tolerance);
                self.0 += 1;
            }
        }
    }
}

/// Every activation and its derivative equal PyTorch's at 27 points, kinks at 0 included.
// proves eq:elu, eq:selu, eq:gelu, eq:gelu-tanh, eq:silu, eq:mish, eq:hard-sigmoid, eq:hard-tanh
#[test]
fn golden_activations() {
    let mut golden = Golden(0);
    visit_activations(&mut golden);
    assert!(golden.0 >= 14 * 27, "{} points", golden.0);
}

struct Derivatives;
impl VisitActivation for Derivatives {
    fn visit<A: Activation>(&mut self, name: &'static str) {
        let mut draws = Draws(7);
        let fixed = [0.0, -1e-300, 1e-12, -30.0, 30.0, -100.0, 100.0, -700.0, 700.0];
        for z in fixed.into_iter().chain((0..2000).map(|_| 8.0 * draws.next())) {
            let (value, derivative) = evaluate::<A, f64>(z);
            let dual = A::value(Dual::variable(z));
            assert_eq!(dual.value.to_bits(), value.to_bits(), "{name}({z})");
            close(&format!("{name}'({z}) as a dual"), derivative, dual.derivative, 1e-12);

            // Five points; the error is below h⁴·|σ⁽⁵⁾|/30, away from kinks.
            let f = A::value::<f64>;
            let h = 1e-3;
            if [0.0, 1.0, 3.0].iter().any(|kink: &f64| (z.abs() - kink).abs() <= 2.0 * h) {
                continue;
            }
            let difference = (8.0 * (f(z + h) - f(z - h)) - (f(z + 2.0 * h) - f(z - 2.0 * h))) / (12.0 * h);
            close(&format!("{name}'({z}) by differences"), derivative, difference, 1e-10 * z.abs().max(1.0));
        }
    }
}

/// Every derivative is that of its value: by dual numbers, and by five-point differences.
// proves eq:elu, eq:selu, eq:gelu, eq:gelu-tanh, eq:silu, eq:mish, eq:hard-sigmoid, eq:hard-tanh
#[test]
fn derivatives_of_activations() {
    visit_activations(&mut Derivatives);
}

struct Extremes;
impl VisitActivation for Extremes {
    fn visit<A: Activation>(&mut self, name: &'static str) {
        let magnitudes = [0.0, 1e-45, 1e-38, 16.7, 36.8, 87.4, 88.8, 89.0, 90.0, 103.9, 104.1, 548.0, 746.0, 1e4, 1e20];
        for z in magnitudes.into_iter().chain([f32::MAX / 2.0]).flat_map(|z| [z, -z]) {
            let (value, derivative) = evaluate::<A, f32>(z);
            assert!(value.is_finite() && value.abs() <= 1.76 + 1.06 * z.abs(), "{name}({z}) = {value}");
            assert!((-0.2..=1.76).contains(&derivative), "{name}'({z}) = {derivative}");
            let strict = A::value(Strict(z)).0;
            assert!((strict - value).abs() <= 4e-7 * value.abs().max(1.0), "{name}({z}) strictly: {strict}, {value}");
            let (wide, wide_derivative) = evaluate::<A, f64>(f64::from(z));
            close(&format!("{name}({z})"), f64::from(value), wide, 4e-7 * wide.abs().max(1.0));
            close(&format!("{name}'({z})"), f64::from(derivative), wide_derivative, 2e-6);
        }
        for z in [f64::MAX / 2.0, -f64::MAX / 2.0, 745.2, -745.2] {
            let (value, derivative) = evaluate::<A, f64>(z);
            assert!(value.is_finite() && (-0.2..=1.76).contains(&derivative), "{name}({z}) = {value}, {derivative}");
        }
        assert!(A::value(f32::NAN).is_nan(), "{name} swallows NaN");
        assert!(A::value(f64::NAN).is_nan(), "{name} swallows NaN");
    }
}

/// No overflow, no NaN and no lost NaN where others failed: exponentials at their limits, squares, MAX.
#[test]
fn extremes_of_activations() {
    visit_activations(&mut Extremes);
}

/// The negative tails keep their relative precision: reference values with 50 digits.
// proves eq:gelu, eq:silu, eq:mish
#[test]
fn tails_of_activations() {
    let gelu = [
        (-1.0, -0.158_655_253_931_457_05),
        (-5.0, -1.433_257_859_395_969_6e-6),
        (-10.0, -7.619_853_024_160_526e-23),
        (-20.0, -5.507_248_237_212_467e-88),
        (-37.0, -2.118_461_352_334_093_4e-298),
    ];
    for (z, expected) in gelu {
        close(&format!("gelu({z})"), Gelu::value(z), expected, 1e-15 * (z * z).max(1.0) * f64::abs(expected));
    }
    for z in [-40.0, -90.0, -700.0_f64] {
        // z·eᶻ, to within e^z
        for (name, found) in [("silu", Silu::value(z)), ("mish", Mish::value(z))] {
            close(name, found, z * z.exp(), 1e-13 * f64::abs(z * z.exp()));
        }
    }
    assert!(Silu::value(-90.0_f32) < 0.0 && Mish::value(-87.0_f32) < 0.0);
}

// ---------------------------------------------------------------- layers

/// A layer's output and both gradients for two samples of three features, element by element against dual numbers.
fn check_layer<L>(name: &str, layer: &L, x: [[f64; 3]; 2], d: [[f64; 3]; 2]) -> (Vec<f64>, Vec<f64>, Vec<Vec<f64>>)
where
    L: Layer<Matrix<3, 2, f64>, Output = Matrix<3, 2, f64>> + Tensor<Scalar = f64>,
    L::With<Dual<f64>>:
        Layer<Matrix<3, 2, Dual<f64>>, Output = Matrix<3, 2, Dual<f64>>> + Tensor<Scalar = Dual<f64>, With<f64> = L>,
{
    let x = Matrix::from_columns(x);
    let (mut cache, mut scratch) = (L::Cache::ZEROED, L::Scratch::ZEROED);
    layer.forward(&x, &mut cache, &mut Pass::evaluate());
    let y = L::output(&cache).as_slice().to_vec();
    assert_eq!(layer.predict(&x, &mut scratch).as_slice(), y, "{name}: predict and forward");
    let (mut gradient, mut d_x) = (L::Gradient::ZEROED, Matrix::filled(f64::NAN));
    let mut d_y = Matrix::from_columns(d);
    layer.backward(&x, &mut cache, &mut d_y, Some(&mut gradient), Some(&mut d_x));

    let mut dual_layer = <L::With<Dual<f64>>>::ZEROED;
    let mut dual_x = Matrix::<3, 2, Dual<f64>>::ZEROED;
    dual_layer.convert_from::<f64>(layer);
    dual_x.convert_from(&x);
    let along = |layer: &L::With<Dual<f64>>, x: &Matrix<3, 2, Dual<f64>>| {
        let mut scratch = <L::With<Dual<f64>> as Layer<Matrix<3, 2, Dual<f64>>>>::Scratch::ZEROED;
        let y = layer.predict(x, &mut scratch);
        y.as_slice().iter().zip(d.as_flattened()).map(|(y, d)| y.derivative * d).sum::<f64>()
    };
    for k in 0..6 {
        dual_x.as_mut_slice()[k].derivative = 1.0;
        close(&format!("{name}: d_input[{k}]"), d_x.as_slice()[k], along(&dual_layer, &dual_x), 1e-12);
        dual_x.as_mut_slice()[k].derivative = 0.0;
    }
    for i in 0..L::SLICES {
        for k in 0..gradient.slice(i).len() {
            dual_layer.slice_mut(i)[k].derivative = 1.0;
            let place = format!("{name}: {}[{k}]", L::block(i).name);
            close(&place, gradient.slice(i)[k], along(&dual_layer, &dual_x), 1e-12);
            dual_layer.slice_mut(i)[k].derivative = 0.0;
        }
    }
    // A second pass adds.
    let once: Vec<Vec<f64>> = (0..L::SLICES).map(|i| gradient.slice(i).to_vec()).collect();
    layer.backward(&x, &mut cache, &mut Matrix::from_columns(d), Some(&mut gradient), None);
    for (i, once) in once.iter().enumerate() {
        all_close(name, gradient.slice(i), &once.iter().map(|g| 2.0 * g).collect::<Vec<_>>());
    }
    (y, d_x.as_slice().to_vec(), once)
}

/// Random layers of every kind against dual numbers.
// proves eq:layer-norm, eq:layer-norm-gradient, eq:prelu, eq:scale
#[test]
fn gradients_of_layers() {
    let mut draws = Draws(3);
    for scale in [1e-3, 1.0, 30.0] {
        for _ in 0..100 {
            let x = [draws.array(scale), draws.array(scale)];
            let d = [draws.array(1.0), draws.array(1.0)];
            let mut norm = LayerNorm::<3, f64>::ZEROED;
            (norm.gain, norm.bias) = (draws.array(2.0).into(), draws.array(2.0).into());
            // Small inputs have steep derivatives, of the size of 1 / √(v + ε).
            check_layer("LayerNorm", &norm, x, d.map(|d| d.map(|d| d * scale.min(1.0))));
            check_layer("Prelu", &Prelu { slope: draws.array(1.0).into() }, x, d);
            let (center, factor, offset) = (draws.array(1.0), draws.array(1.0), draws.array(1.0));
            check_layer("Scale", &Scale { center: center.into(), factor: factor.into(), offset: offset.into() }, x, d);
        }
    }
}

/// Layer normalisation and PReLU equal PyTorch's, with all gradients.
// proves eq:layer-norm, eq:layer-norm-gradient, eq:prelu
#[test]
fn golden_layers() {
    let [x, p, y, d, d_x, d_g, d_b] = record("layer", "LayerNorm").try_into().unwrap();
    let columns = |x: &[f64]| [array(&x[..3]), array(&x[3..])];
    let norm: LayerNorm<3, f64> = LayerNormalization { gain: array(&p[..3]).into(), bias: array(&p[3..]).into() };
    let found = check_layer("LayerNorm", &norm, columns(&x), columns(&d));
    all_close("output", &found.0, &y);
    all_close("d_input", &found.1, &d_x);
    all_close("gain", &found.2[0], &d_g);
    all_close("bias", &found.2[1], &d_b);

    let [x, p, y, d, d_x, d_s] = record("layer", "Prelu").try_into().unwrap();
    let found = check_layer("Prelu", &Prelu { slope: array(&p).into() }, columns(&x), columns(&d));
    all_close("output", &found.0, &y);
    all_close("d_input", &found.1, &d_x);
    all_close("slope", &found.2[0], &d_s);
}

/// The same shape of features at 10⁻³⁰ to MAX/4: normal numbers come out, and NaN stays NaN.
#[test]
fn layer_norm_at_extremes() {
    let norm = LayerNorm::<4>::new(1);
    let mut scratch = Zeroed::ZEROED;
    for scale in [1e10_f32, 1e19, 1e25, 8e37] {
        let x = Vector::from([scale, 2.0 * scale, 3.0 * scale, 4.0 * scale]);
        let y = norm.predict(&x, &mut scratch).as_slice();
        for (found, expected) in y.iter().zip([-1.341_640_8_f32, -0.447_213_6, 0.447_213_6, 1.341_640_8]) {
            assert!((found - expected).abs() <= 1e-5, "{scale}: {y:?}");
        }
        let mut cache = Zeroed::ZEROED;
        norm.forward(&x, &mut cache, &mut Pass::evaluate());
        let mut d_x = Vector::ZEROED;
        let mut d_y = Vector::from([1.0, -2.0, 3.0, 0.5]);
        norm.backward(&x, &mut cache, &mut d_y, None, Some(&mut d_x));
        assert!(d_x.all_finite(), "{scale}: {d_x:?}");
    }
    // Equal features have no direction: the bias remains.
    assert_eq!(norm.predict(&Vector::filled(5.0), &mut scratch), &Vector::filled(0.0));
    let x = Vector::from([1.0, f32::NAN, 2.0, 3.0]);
    assert!(norm.predict(&x, &mut scratch).as_slice().iter().all(|y| y.is_nan()));
}

/// A fitted `Scale` folded into either neighbour gives the same outputs, and leaves the identity.
// proves eq:fold, eq:scale
#[test]
fn scale_folds() {
    let mut draws = Draws(11);
    for _ in 0..50 {
        let samples: Vec<[f64; 3]> =
            (0..20).map(|_| [1e3 + 7.0 * draws.next(), draws.next(), 1e-4 * draws.next()]).collect();
        let scale = Scale::fit(&samples).unwrap();
        let mut dense = Dense::<3, 3, Tanh, f64>::new(draws.0);
        dense.bias = draws.array(1.0).into();
        let mut net = (scale.clone(), dense);
        let x = Vector::from(samples[0]);
        let mut scratch = Zeroed::ZEROED;
        let before = net.predict(&x, &mut scratch).clone();
        // The bias holds W·f·c, up to 10³ / 4 times a weight: its rounding is the bound.
        net.0.fold_into_next(&mut net.1);
        assert_eq!(net.0, Scale::IDENTITY);
        let after = net.predict(&x, &mut scratch);
        for (b, a) in before.as_slice().iter().zip(after.as_slice()) {
            close("folded into the next", *a, *b, 1e-12);
        }

        let mut dense = Dense::<3, 3, Identity, f64>::new(draws.0);
        dense.bias = draws.array(1.0).into();
        let mut net = (dense, scale.inverse());
        let x = Vector::from(draws.array(1.0));
        let mut scratch = Zeroed::ZEROED;
        let before = net.predict(&x, &mut scratch).clone();
        net.1.fold_into_previous(&mut net.0);
        assert_eq!(net.1, Scale::IDENTITY);
        let after = net.predict(&x, &mut scratch);
        for (b, a) in before.as_slice().iter().zip(after.as_slice()) {
            close("folded into the previous", *a, *b, 1e-15 * b.abs().max(1.0) * 8.0);
        }
    }
}

/// Small whole numbers: folding is exact, and so are the moments of two samples.
// proves eq:fold, eq:welford
#[test]
fn folding_is_exact_in_integers() {
    let scale = Scale::fit(&[[1.0_f64, 10.0], [5.0, 26.0]]).unwrap();
    assert_eq!((&scale.center, &scale.factor), (&Vector::from([3.0, 18.0]), &Vector::from([0.5, 0.125])));
    let dense = Dense::from_parts(Matrix::from_rows([[2.0, 16.0], [-4.0, 8.0]]), Vector::from([1.0, -1.0]));
    let mut next = (scale.clone(), dense.clone());
    next.0.fold_into_next(&mut next.1);
    assert_eq!(next.1.weights, Matrix::from_rows([[1.0, 2.0], [-2.0, 1.0]]));
    assert_eq!(next.1.bias, Vector::from([1.0 - 3.0 - 36.0, -1.0 + 6.0 - 18.0]));
    let mut previous: (Dense<2, 2, Identity, f64>, _) = (dense, scale.inverse());
    previous.1.fold_into_previous(&mut previous.0);
    assert_eq!(previous.0.weights, Matrix::from_rows([[4.0, 32.0], [-32.0, 64.0]]));
    assert_eq!(previous.0.bias, Vector::from([2.0 + 3.0, -8.0 + 18.0]));
}

/// One pass gives what two passes give, also far from 0, where the mean of squares would cancel.
// proves eq:welford, eq:scale
#[test]
fn moments_of_one_pass() {
    let mut draws = Draws(5);
    for offset in [0.0, 1e3, 1e9] {
        let samples: Vec<[f64; 2]> = (0..1000).map(|_| [offset + draws.next(), 0.1]).collect();
        let mut moments = Moments::<2>::default();
        for sample in &samples {
            moments.observe(sample);
        }
        let mean = samples.iter().map(|s| s[0] - offset).sum::<f64>() / 1000.0;
        let variance = samples.iter().map(|s| (s[0] - offset - mean).powi(2)).sum::<f64>() / 1000.0;
        close("mean", moments.mean()[0], offset + mean, 1e-15 * offset.max(1.0) * 4.0);
        close("deviation", moments.deviation()[0], variance.sqrt(), 1e-14 * offset.max(1.0).sqrt());
        assert_eq!((moments.mean()[1], moments.deviation()[1]), (0.1, 0.0), "a constant feature, exactly");
    }
    let found = Moments::<1>::default().scale::<f32>().unwrap_err();
    assert_eq!(found, LengthError { expected: 1, found: 0 });
    assert!(Scale::fit(&[[f32::NAN], [1.0]]).unwrap().factor[0].is_nan(), "NaN is handed on");
}

/// A `Scale` in a network has no gradient, and is saved with it.
#[test]
fn scale_is_not_trained() {
    network! {
        struct Net<T = f32>: 1 => 1 {
            standardize: Scale<1, T>,
            body: Dense<1, 1, Identity, T>,
            restore: Scale<1, T>,
        }
    }
    assert_eq!((<Net>::LEN, <Net as Tensor>::Gradient::LEN), (8, 2));
    let (inputs, targets): (Vec<_>, Vec<_>) = (0..32).map(|k| ([1000.0 + k as f32], [5.0 - 3.0 * k as f32])).unzip();
    let mut trainer = Trainer::<Net, Momentum, 8>::ZEROED;
    trainer.init(1);
    trainer.network.standardize = Scale::fit(&inputs).unwrap();
    trainer.network.restore = Scale::fit(&targets).unwrap().inverse();
    let fitted = trainer.network.clone();
    // The gradient passes the factor of `restore`, about 28: the rate is its inverse square.
    let rule = Momentum { learning_rate: 1e-4, momentum: 0.9 };
    for _ in 0..100 {
        trainer.epoch(&rule, &MeanSquaredError, &inputs, &targets).unwrap();
    }
    assert_eq!((&trainer.network.standardize, &trainer.network.restore), (&fitted.standardize, &fitted.restore));
    let mut rmse = Rmse::default();
    trainer.evaluate(&MeanSquaredError, &inputs, &targets, &mut rmse).unwrap();
    assert!(rmse.value() < 1e-2, "{}", rmse.value());
}
