//! The gradient checker is proved: it passes what is right, and fails what is wrong with a report that points there.

use chainrule::gradcheck::{
    Cotangent, Gradients, Oracle, Place, Report, Settings, check, check_activation, check_loss, check_with_loss,
};
use chainrule::*;

parameters! {
    /// Y = gain ⊙ (W·X) + b·1ᵀ, written out, with a fault in its backward.
    struct Affine<const FAULT: u32, const IN: usize, const OUT: usize, T = f32> {
        weights: Matrix<OUT, IN, T> = Role::Weight,
        gain: Vector<OUT, T> = Role::Scale,
        bias: Vector<OUT, T> = Role::Bias,
    }
}

const RIGHT: u32 = 0;
const SIGN: u32 = 1;
const TRANSPOSE: u32 = 2;
const ZERO: u32 = 3;
const OVERWRITTEN: u32 = 4;
const NAN: u32 = 5;
const D_INPUT: u32 = 6;
const ONE_ELEMENT: u32 = 7;
const BIAS_OF_FIRST_SAMPLE: u32 = 8;
const D_INPUT_ADDED: u32 = 9;
const ADDED_TWICE: u32 = 10;
const WITHOUT_INPUT: u32 = 11;
const PREDICT: u32 = 12;
const ALL_ZERO: u32 = 13;
const GAIN_FORGOTTEN: u32 = 14;

impl<const FAULT: u32, const IN: usize, const OUT: usize, T: Scalar> Parameters for Affine<FAULT, IN, OUT, T> {
    fn init(&mut self, random: &mut Random) {
        Initializer::XavierUniform.fill(&mut self.weights, random);
        self.gain.fill(T::ONE);
        self.bias.fill(T::ZERO);
    }
}

impl<const FAULT: u32, const IN: usize, const OUT: usize, const B: usize, T: Scalar> Layer<Matrix<IN, B, T>>
    for Affine<FAULT, IN, OUT, T>
{
    type Output = Matrix<OUT, B, T>;
    type Cache = (Matrix<OUT, B, T>, Matrix<OUT, B, T>);
    type Scratch = (Matrix<OUT, B, T>, Matrix<OUT, B, T>);
    const OPERATIONS: usize = 2 * OUT * IN * B;

    fn predict<'a>(&'a self, x: &'a Matrix<IN, B, T>, scratch: &'a mut Self::Scratch) -> &'a Self::Output {
        self.forward(x, scratch, &mut Pass::evaluate());
        if FAULT == PREDICT {
            scratch.1[(OUT - 1, B - 1)] += T::from_f64(1e-6);
        }
        &scratch.1
    }

    fn forward(&self, x: &Matrix<IN, B, T>, (product, y): &mut Self::Cache, _: &mut Pass) {
        product.set_product(&self.weights, x);
        for (y, product) in y.columns_mut().iter_mut().zip(product.columns()) {
            for j in 0..OUT {
                y[j] = self.gain[j] * product[j] + self.bias[j];
            }
        }
    }

    fn output((_, y): &Self::Cache) -> &Self::Output {
        y
    }

    fn backward(
        &self,
        x: &Matrix<IN, B, T>,
        (product, _): &mut Self::Cache,
        d_output: &mut Self::Output,
        gradient: Option<&mut Self>,
        d_input: Option<&mut Matrix<IN, B, T>>,
    ) {
        let alone = d_input.is_none();
        if let Some(gradient) = gradient {
            if FAULT == OVERWRITTEN {
                gradient.bias.fill(T::ZERO);
            }
            for b in 0..B {
                for j in 0..OUT {
                    let d = d_output[(j, b)];
                    if FAULT == ALL_ZERO {
                        continue;
                    }
                    if FAULT != BIAS_OF_FIRST_SAMPLE || b == 0 {
                        gradient.bias[j] += d;
                    }
                    let mut d_gain = d * product[(j, b)];
                    if FAULT == SIGN {
                        d_gain = -d_gain;
                    }
                    if FAULT == WITHOUT_INPUT && alone {
                        d_gain += d_gain * T::from_f64(1e-15);
                    }
                    gradient.gain[j] += d_gain;
                    for k in 0..IN {
                        let mut d_weight = d * self.gain[j] * x[(k, b)];
                        if FAULT == TRANSPOSE {
                            d_weight = d_output[(k % OUT, b)] * self.gain[k % OUT] * x[(j % IN, b)];
                        }
                        if FAULT == ZERO || (FAULT == ONE_ELEMENT && (j, k) == (OUT - 1, IN - 2)) {
                            d_weight = T::ZERO;
                        }
                        if FAULT == NAN && (j, k) == (1, 2) {
                            d_weight = T::from_f64(f64::NAN);
                        }
                        gradient.weights[(j, k)] += d_weight;
                        if FAULT == ADDED_TWICE {
                            gradient.weights[(j, k)] += d_weight;
                        }
                    }
                }
            }
        }
        if let Some(d_input) = d_input {
            for b in 0..B {
                for k in 0..IN {
                    let mut sum = if FAULT == D_INPUT_ADDED { d_input[(k, b)] } else { T::ZERO };
                    for j in 0..OUT {
                        let gain = if FAULT == GAIN_FORGOTTEN { T::ONE } else { self.gain[j] };
                        sum += self.weights[(j, k)] * gain * d_output[(j, b)];
                    }
                    let factor = if FAULT == D_INPUT && (k, b) == (1, B - 1) { 1.001 } else { 1.0 };
                    d_input[(k, b)] = sum * T::from_f64(factor);
                }
            }
        }
    }
}

fn report<const FAULT: u32>() -> Report {
    check::<Affine<FAULT, 5, 5, f64>, Matrix<5, 3, f64>>(&Settings::default())
}

#[track_caller]
fn assert_points_at(report: &Report, field: &str) {
    assert!(report.points_at(field), "should point at `{field}`:\n{report}");
    assert!(report.to_string().starts_with("wrong gradient"), "{report}");
}

#[test]
fn the_right_layer_passes() {
    let report = report::<RIGHT>();
    assert!(report.passed(), "{report}");
    assert_eq!(report.skipped, 0);
    assert!(report.worst_ratio() <= 1.0);
    // Each weight, gain, bias and input: dual, two differences; parameters once more.
    assert!(report.compared >= (25 + 5 + 5) * 4 + 15 * 3);
}

#[test]
fn each_fault_is_found_where_it_is() {
    assert_points_at(&report::<SIGN>(), "gain");
    assert_points_at(&report::<TRANSPOSE>(), "weights");
    assert_points_at(&report::<ZERO>(), "weights");
    assert_points_at(&report::<OVERWRITTEN>(), "bias");
    assert_points_at(&report::<NAN>(), "weights");
    assert_points_at(&report::<D_INPUT>(), "d_input");
    assert_points_at(&report::<ONE_ELEMENT>(), "weights");
    assert_points_at(&report::<BIAS_OF_FIRST_SAMPLE>(), "bias");
    assert_points_at(&report::<D_INPUT_ADDED>(), "d_input");
    assert_points_at(&report::<ADDED_TWICE>(), "weights");
    assert_points_at(&report::<WITHOUT_INPUT>(), "gain");
    assert_points_at(&report::<GAIN_FORGOTTEN>(), "d_input");
}

#[test]
fn the_report_names_the_element() {
    let worst = report::<ONE_ELEMENT>().worst.unwrap();
    assert!(matches!(worst.place, Place::Parameter { row: 4, column: 3, .. }), "{worst}");
    let worst = report::<NAN>().worst.unwrap();
    assert!(matches!(worst.place, Place::Parameter { row: 1, column: 2, .. }), "{worst}");
    assert!(worst.analytic.is_nan() && !worst.passed());
    let worst = report::<D_INPUT>().worst.unwrap();
    assert!(matches!(worst.place, Place::Input { row: 1, sample: 2 }), "{worst}");
    let text = report::<SIGN>().to_string();
    assert!(text.contains("gain[") && text.contains("equal but for the sign") && text.contains("Affine<"), "{text}");
}

#[test]
fn each_oracle_finds_what_is_its_own() {
    assert_eq!(report::<OVERWRITTEN>().worst.unwrap().oracle, Oracle::SecondBackward);
    assert_eq!(report::<WITHOUT_INPUT>().worst.unwrap().oracle, Oracle::HalfBackward);
    assert_eq!(report::<PREDICT>().worst.unwrap().oracle, Oracle::Predict);
    assert_eq!(report::<ALL_ZERO>().worst.unwrap().oracle, Oracle::NotZero);
    assert_eq!(report::<SIGN>().worst.unwrap().oracle, Oracle::Dual);
}

/// Without dual numbers the differences alone find the faults, and the other way round.
#[test]
fn each_oracle_suffices() {
    let differences = Settings { dual_tolerance: f64::INFINITY, ..Settings::DEFAULT };
    let three = Settings { five_point_absolute: f64::INFINITY, ..differences };
    let five = Settings { three_point_absolute: f64::INFINITY, ..differences };
    let dual =
        Settings { three_point_absolute: f64::INFINITY, five_point_absolute: f64::INFINITY, ..Settings::DEFAULT };
    for settings in [three, five, dual] {
        let right = check::<Affine<RIGHT, 5, 5, f64>, Matrix<5, 3, f64>>(&settings);
        assert!(right.passed(), "{right}");
        assert_points_at(&check::<Affine<SIGN, 5, 5, f64>, Matrix<5, 3, f64>>(&settings), "gain");
        assert_points_at(&check::<Affine<TRANSPOSE, 5, 5, f64>, Matrix<5, 3, f64>>(&settings), "weights");
        assert_points_at(&check::<Affine<ONE_ELEMENT, 5, 5, f64>, Matrix<5, 3, f64>>(&settings), "weights");
        assert_points_at(&check::<Affine<D_INPUT, 5, 5, f64>, Matrix<5, 3, f64>>(&settings), "d_input");
    }
}

/// One wrong element among 65·64, of which few are compared one by one: the direction finds it, bisection names it.
#[test]
fn one_wrong_element_of_a_large_block_is_found() {
    let settings = Settings { operations: 1_000_000, ..Settings::DEFAULT };
    let right = check::<Affine<RIGHT, 64, 65, f64>, Matrix<64, 2, f64>>(&settings);
    assert!(right.passed(), "{right}");
    assert!(right.compared < 65 * 64);
    let wrong = check::<Affine<ONE_ELEMENT, 64, 65, f64>, Matrix<64, 2, f64>>(&settings);
    assert_points_at(&wrong, "weights");
    let place = wrong.worst.unwrap().place;
    assert!(matches!(place, Place::Parameter { row: 64, column: 62, .. }), "{place}");
}

network! {
    struct Wrapped<const FAULT: u32, T = f32>: 4 => 2 {
        first: Dense<4, 4, Tanh, T>,
        middle: Affine<FAULT, 4, 4, T>,
        last: Dense<4, 2, Identity, T>,
    }
}

network! {
    struct Nested<const FAULT: u32, T = f32>: 4 => 2 {
        body: Wrapped<FAULT, T>,
        head: Dense<2, 2, Sigmoid, T>,
    }
}

#[test]
fn networks_name_the_users_fields() {
    assert_gradients!(Wrapped<RIGHT>, inputs = 4, batch = 2);
    assert_gradients!(Nested<RIGHT>, inputs = 4, batch = 2);
    let report = check::<Nested<SIGN, f64>, Matrix<4, 2, f64>>(&Settings::default());
    assert_points_at(&report, "body.middle.gain");
    assert!(report.to_string().contains("body.middle.gain["), "{report}");
}

// Three lines of test catch a new layer with a sign error.
#[test]
#[should_panic(expected = "gain[")]
fn three_lines_catch_a_sign_error() {
    assert_gradients!(Affine<SIGN, 4, 3>, inputs = 4, batch = 3);
}

#[test]
fn batches_may_be_parameters() {
    fn check<const B: usize>() {
        assert_gradients!(Dense<3, 2, Relu>, inputs = 3, batch = B);
    }
    check::<1>();
    check::<2>();
    check::<8>();
}

/// A leaky ReLU whose backward has the slopes swapped.
struct Swapped;
impl Activation for Swapped {
    type At = Value;
    fn value<T: Real>(z: T) -> T {
        z.maximum(z * T::from_f64(0.125))
    }
    fn derivative<T: Real>(a: T) -> T {
        a.if_positive(T::from_f64(0.125), T::ONE)
    }
}

/// tanh whose derivative takes its argument for z where it is the output.
struct AtTheOutput;
impl Activation for AtTheOutput {
    type At = Value;
    fn value<T: Real>(z: T) -> T {
        z.tanh()
    }
    fn derivative<T: Real>(z: T) -> T {
        let a = z.tanh();
        T::ONE - a * a
    }
}

/// Right, but NaN in its derivative where e^z overflows.
struct Overflows;
impl Activation for Overflows {
    type At = Input;
    fn value<T: Real>(z: T) -> T {
        z.sigmoid()
    }
    fn derivative<T: Real>(z: T) -> T {
        let e = (-z).exp();
        e / ((T::ONE + e) * (T::ONE + e))
    }
}

// proves eq:identity
// proves eq:tanh
// proves eq:sigmoid
// proves eq:relu
// proves eq:leaky-relu
// proves eq:softplus
#[test]
fn activations_of_the_crate_pass() {
    assert_gradients!(activation Identity);
    assert_gradients!(activation Tanh);
    assert_gradients!(activation Sigmoid);
    assert_gradients!(activation Relu);
    assert_gradients!(activation LeakyRelu);
    assert_gradients!(activation LeakyRelu<1, 3>);
    assert_gradients!(activation Softplus);
}

#[test]
fn wrong_activations_fail() {
    assert!(!check_activation::<Swapped>().passed());
    let report = check_activation::<AtTheOutput>();
    assert!(!report.passed(), "{report}");
    let report = check_activation::<Overflows>();
    assert!(!report.passed() && report.worst.unwrap().analytic.is_nan(), "{report}");
    // In a layer, too.
    let settings = Settings::default();
    assert!(!check::<Dense<4, 3, Swapped, f64>, Matrix<4, 2, f64>>(&settings).passed());
    assert!(!check::<Dense<4, 3, AtTheOutput, f64>, Matrix<4, 2, f64>>(&settings).passed());
}

/// Half the mean squared error, with the other half's gradient.
struct Halved;
impl<const K: usize, T: Scalar> Loss<[T; K], [T; K]> for Halved {
    fn value(&self, output: &[T; K], target: &[T; K]) -> T {
        MeanSquaredError.value(output, target) * T::from_f64(0.5)
    }
    fn gradient(&self, output: &[T; K], target: &[T; K], d_output: &mut [T; K]) -> T {
        MeanSquaredError.gradient(output, target, d_output) * T::from_f64(0.5)
    }
}

// proves eq:mean-squared-error
// proves eq:softmax-cross-entropy
// proves eq:binary-cross-entropy
#[test]
fn losses_of_the_crate_pass() {
    let settings = Settings::default();
    for output in [[0.3, -1.2, 2.5], [40.0, -40.0, 0.25], [-104.0, 710.0, 746.0], [1e4, 2e4, -1e4], [1e-9, -1e-9, 2e-9]]
    {
        let distribution = [0.25, 0.5, 0.25];
        let reports = [
            check_loss(&MeanSquaredError, &output, &distribution, &settings),
            check_loss(&BinaryCrossEntropy, &output, &distribution, &settings),
            check_loss(&SoftmaxCrossEntropy, &output, &distribution, &settings),
            check_loss(&SoftmaxCrossEntropy, &output, &Class::<3>::new(2).unwrap(), &settings),
        ];
        for report in reports {
            assert!(report.passed(), "{output:?}: {report}");
        }
    }
}

#[test]
fn a_wrong_loss_fails() {
    let report = check_loss(&Halved, &[0.3, -1.2], &[1.0, 0.0], &Settings::default());
    assert!(!report.passed());
    assert!(matches!(report.worst.unwrap().place, Place::Output { .. }), "{report}");
}

// proves eq:batch-mean
#[test]
fn networks_with_losses_pass() {
    let settings = Settings::default();
    assert_gradients!(
        Wrapped<RIGHT>, inputs = 4, batch = 3, loss = SoftmaxCrossEntropy, target = Class<2>, outputs = 2
    );
    assert_gradients!(Wrapped<RIGHT>, inputs = 4, batch = 3, loss = BinaryCrossEntropy, target = [f64; 2], outputs = 2);
    let wrong = check_with_loss::<Wrapped<RIGHT, f64>, Matrix<4, 3, f64>, [f64; 2], _, 2, 3>(&Halved, &settings);
    assert!(!wrong.passed());
}

/// A ReLU network at weights where a kink lies within the first step of many differences: these are skipped or tried
/// closer, the dual numbers are not, and the report says so.
#[test]
fn kinks_are_skipped_fairly() {
    type Kinked = Dense<2, 16, Relu, f64>;
    let mut work = Gradients::<Kinked, Matrix<2, 1, f64>>::ZEROED;
    work.draw(3);
    // One neuron stands exactly at its kink: no step is small enough.
    work.layer.weights[(0, 0)] = 0.5;
    work.layer.weights[(0, 1)] = 1.0;
    work.layer.bias[0] = 0.0;
    work.input = Vector::from([0.5, -0.25]);
    let fair = Settings { skipped_share: 0.2, ..Settings::DEFAULT };
    let report = work.run(&fair, &Cotangent::new(3));
    assert!(report.passed(), "{report}");
    // Its three parameters and both inputs, three and five points each.
    assert_eq!(report.skipped, 10, "{report}");
    let strict = work.run(&Settings::DEFAULT, &Cotangent::new(3));
    assert!(!strict.passed());
    assert_eq!(strict.worst.unwrap().oracle, Oracle::Skipped);

    // A little beside the kink a smaller step sees one side alone.
    work.layer.bias[0] = 1e-4;
    let report = work.run(&Settings::DEFAULT, &Cotangent::new(3));
    assert!(report.passed(), "{report}");
    assert_eq!(report.skipped, 0);
}

// proves eq:dropout
// proves eq:residual
// proves eq:frozen
// proves eq:chain
#[test]
fn companions_pass_in_both_modes() {
    assert_gradients!(Dropout<1, 2>, inputs = 6, batch = 3);
    assert_gradients!((Dense<6, 5, Tanh>, Dropout<1, 4>), inputs = 6, batch = 3);
    assert_gradients!(Residual<Dense<4, 4, Sigmoid>>, inputs = 4, batch = 3);
    assert_gradients!(Frozen<Dense<4, 2, Softplus>>, inputs = 4, batch = 3);
    assert_gradients!((Frozen<Dense<4, 3, Tanh>>, Residual<(Dense<3, 5, Tanh>, Dense<5, 3>)>), inputs = 4, batch = 2);
}

// proves eq:dense-affine
// proves eq:dense-activation
// proves eq:delta
// proves eq:weight-gradient
// proves eq:bias-gradient
// proves eq:input-gradient
#[test]
fn dense_passes_with_every_activation() {
    fn with<A: Activation>() {
        assert_gradients!(Dense<1, 1, A>, inputs = 1, batch = 1);
        assert_gradients!(Dense<3, 4, A>, inputs = 3, batch = 1);
        assert_gradients!(Dense<4, 3, A>, inputs = 4, batch = 3);
        assert_gradients!(Dense<5, 2, A>, inputs = 5, batch = 8);
    }
    with::<Identity>();
    with::<Tanh>();
    with::<Sigmoid>();
    with::<Relu>();
    with::<LeakyRelu>();
    with::<Softplus>();
}

/// Every kind of branch leaves its own trace, at its place in a sum, and smooth functions leave none.
#[test]
fn traces_see_every_branch() {
    use chainrule::gradcheck::Traced;
    type Function = fn(Traced) -> Traced;
    let (left, right) = (Traced::new(-0.5), Traced::new(0.5));
    let kinked: [Function; 4] = [
        |z| z.maximum(Traced::from_f64(0.0)),
        |z| z.minimum(Traced::from_f64(0.0)),
        |z| z.abs(),
        |z| z.if_positive(z + z, z),
    ];
    for f in kinked {
        assert_ne!(f(left).trace, f(right).trace);
        assert_eq!(f(right).trace, f(right + right).trace);
        // One on and one off is not one off and one on, and what follows keeps the difference.
        assert_ne!((f(left) + f(right)).trace, (f(right) + f(left)).trace);
        assert_ne!((f(left) * right).tanh().trace, (f(right) * right).tanh().trace);
    }
    let smooth: [Function; 5] = [|z| z.tanh(), |z| z.sigmoid(), |z| z.softplus(), |z| z.exp(), |z| z.exp_m1()];
    for f in smooth {
        assert_eq!(f(left).trace, f(right).trace);
    }
}

/// Magnitudes do not cancel, and propagate to first order.
#[test]
fn magnitudes_sum_absolute_terms() {
    use chainrule::gradcheck::Traced;
    let (a, b, c) = (Traced::new(3.0), Traced::new(-4.0), Traced::new(2.0));
    assert_eq!((a + b).magnitude, 7.0);
    assert_eq!((a * b).magnitude, 12.0);
    assert_eq!((a / b).magnitude, 0.75);
    // S(a·b) = S(a)·|b| + |a|·S(b) − |a·b| = 7·2 + 1·2 − 2
    assert_eq!(((a + b) * c).magnitude, 14.0);
    // S(a/b) = (S(a) + |a/b|·(S(b) − |b|)) / |b| = (2 + 2·(7 − 1)) / 1
    assert_eq!((c / (a + b)).magnitude, 14.0);
    // S(f) = |f| + |f′|·S
    let difference = (a - a).exp();
    assert_eq!((difference.value, difference.magnitude), (1.0, 7.0));
}
