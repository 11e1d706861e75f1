//! Every layer × activation × loss: the gradients of `f64` against dual numbers, within 10⁻¹²·S, and against five-point
//! differences, within 10⁻⁹·S; the gradients of `f32` within twice the running error.
//!
//! One network holds every kind of layer. It is built with each activation, and differentiated under each loss.

use chainrule::gradcheck::{self, Proof, Settings, check_with_loss};
use chainrule::*;
use std::cell::Cell;
use std::marker::PhantomData;

/// Every kind of layer, and `A` wherever a layer has an activation.
type Every<A, T> = (
    Scale<3, T>,
    (
        Dense<3, 5, A, T>,
        (
            LayerNorm<5, T>,
            (
                Residual<Dense<5, 5, A, T>>,
                (Prelu<5, T>, (Dropout<1, 4, T>, (Frozen<Dense<5, 4, A, T>>, Dense<4, 4, A, T>))),
            ),
        ),
    ),
);

/// A target for every loss.
struct Goal<T> {
    numbers: [T; 4],
    signs: [T; 4],
    class: Class<4>,
    weight: T,
}

impl<T: Scalar> Goal<T> {
    fn convert<U: Scalar>(&self) -> Goal<U> {
        let convert = |x: &T| U::from_f64(x.to_f64());
        Goal {
            numbers: self.numbers.each_ref().map(convert),
            signs: self.signs.each_ref().map(convert),
            class: self.class,
            weight: convert(&self.weight),
        }
    }
}

impl gradcheck::Target for Goal<f64> {
    type Image = Goal<Proof>;
    fn image(&self) -> Goal<Proof> {
        self.convert()
    }
    fn draw(random: &mut Random) -> Self {
        Self {
            // A distribution serves the losses that take one and those that take any number.
            numbers: gradcheck::Target::draw(random),
            signs: core::array::from_fn(|_| if random.uniform() < 0.5 { -1.0 } else { 1.0 }),
            class: gradcheck::Target::draw(random),
            weight: 0.25 + random.uniform(),
        }
    }
}

thread_local! {
    /// The number of the activation under test.
    static CHOSEN: Cell<usize> = const { Cell::new(0) };
}

/// One of the activations, by its number: two instances of the code for all of them, since the point where a derivative
/// is evaluated is a type.
struct AnyActivation<P>(PhantomData<P>);

/// A call of activation number `left`, counted down.
struct Call<T> {
    left: Option<usize>,
    derivative: bool,
    argument: T,
    result: T,
}

impl<T: Real> VisitActivation for Call<T> {
    fn visit<A: Activation>(&mut self, _: &'static str) {
        if self.left == Some(0) {
            self.result = if self.derivative { A::derivative(self.argument) } else { A::value(self.argument) };
        }
        self.left = self.left.and_then(|left| left.checked_sub(1));
    }
}

fn call<T: Real>(derivative: bool, argument: T) -> T {
    let mut call = Call { left: Some(CHOSEN.get()), derivative, argument, result: T::from_f64(f64::NAN) };
    visit_activations(&mut call);
    call.result
}

impl<P: Point> Activation for AnyActivation<P> {
    type At = P;
    fn value<T: Real>(z: T) -> T {
        call(false, z)
    }
    fn derivative<T: Real>(at: T) -> T {
        call(true, at)
    }
}

/// What is checked with each activation.
trait Check {
    fn check<A: Activation>(&mut self, name: &str);
}

/// Runs a check with each activation.
struct WithEach<C>(C);

impl<C: Check> VisitActivation for WithEach<C> {
    fn visit<A: Activation>(&mut self, name: &'static str) {
        if A::At::KEEPS_INPUT {
            self.0.check::<AnyActivation<Input>>(name);
        } else {
            self.0.check::<AnyActivation<Value>>(name);
        }
        CHOSEN.set(CHOSEN.get() + 1);
    }
}

fn with_each<C: Check>(check: C) -> C {
    CHOSEN.set(0);
    let mut each = WithEach(check);
    visit_activations(&mut each);
    assert!(CHOSEN.get() >= 14);
    each.0
}

/// One of the losses, by its number: one instance of the code for all of them.
struct AnyLoss(usize);

/// How many losses there are.
const LOSSES: usize = 13;

macro_rules! with_loss {
    ($number:expr, $goal:ident, $call:ident $($rest:tt)*) => {
        match $number {
            0 => with_loss!(@ MeanSquaredError, &$goal.numbers, $call $($rest)*),
            1 => with_loss!(@ SoftmaxCrossEntropy, &$goal.class, $call $($rest)*),
            2 => with_loss!(@ SoftmaxCrossEntropy, &$goal.numbers, $call $($rest)*),
            3 => with_loss!(@ BinaryCrossEntropy, &$goal.numbers, $call $($rest)*),
            4 => with_loss!(@ MeanAbsoluteError, &$goal.numbers, $call $($rest)*),
            5 => with_loss!(@ Huber { delta: 0.3 }, &$goal.numbers, $call $($rest)*),
            6 => with_loss!(@ Hinge, &$goal.class, $call $($rest)*),
            7 => with_loss!(@ Hinge, &$goal.signs, $call $($rest)*),
            8 => with_loss!(@ KullbackLeibler, &$goal.numbers, $call $($rest)*),
            9 => with_loss!(@ CosineDistance, &$goal.numbers, $call $($rest)*),
            10 => with_loss!(@ LabelSmoothing { epsilon: 0.2 }, &$goal.class, $call $($rest)*),
            11 => {
                let weights = [0.5, 2.0, 1.0, 3.0];
                with_loss!(@ ClassWeights { weights, loss: SoftmaxCrossEntropy }, &$goal.class, $call $($rest)*)
            }
            _ => {
                let target = Weighted { target: $goal.numbers, weight: $goal.weight };
                with_loss!(@ SampleWeights(MeanSquaredError), &target, $call $($rest)*)
            }
        }
    };
    (@ $loss:expr, $target:expr, $call:ident ($output:expr $(, $more:expr)?)) => {
        $loss.$call($output, $target $(, $more)?)
    };
}

impl<T: Scalar> Loss<[T; 4], Goal<T>> for AnyLoss {
    fn value(&self, output: &[T; 4], goal: &Goal<T>) -> T {
        with_loss!(self.0, goal, value(output))
    }
    fn gradient(&self, output: &[T; 4], goal: &Goal<T>, d_output: &mut [T; 4]) -> T {
        with_loss!(self.0, goal, gradient(output, d_output))
    }
}

struct Wide(usize);
impl Check for Wide {
    fn check<A: Activation>(&mut self, name: &str) {
        for loss in 0..LOSSES {
            let settings = Settings { seed: 1 + loss as u64, ..Settings::DEFAULT };
            let report =
                check_with_loss::<Every<A, f64>, Matrix<3, 2, f64>, Goal<f64>, _, 4, 2>(&AnyLoss(loss), &settings);
            assert!(report.passed(), "{name}, loss {loss}: {report}");
            self.0 += report.compared;
        }
    }
}

// proves eq:elu, eq:selu, eq:gelu, eq:gelu-tanh, eq:silu, eq:mish, eq:hard-sigmoid, eq:hard-tanh
// proves eq:identity, eq:tanh, eq:sigmoid, eq:relu, eq:leaky-relu, eq:softplus
// proves eq:mean-squared-error, eq:softmax-cross-entropy, eq:binary-cross-entropy
// proves eq:mean-absolute-error, eq:huber, eq:hinge, eq:binary-hinge, eq:kullback-leibler, eq:cosine-distance
// proves eq:label-smoothing, eq:class-weight, eq:sample-weight
// proves eq:chain, eq:residual, eq:frozen, eq:dropout, eq:prelu, eq:layer-norm, eq:layer-norm-gradient, eq:scale
#[test]
fn every_layer_activation_and_loss_in_double_precision() {
    assert_eq!(Settings::DEFAULT.dual_tolerance, 1e-12);
    assert_eq!(Settings::DEFAULT.five_point_absolute, 1e-9);
    let wide = with_each(Wide(0));
    assert!(wide.0 >= 14 * LOSSES * 100, "{} comparisons", wide.0);
}

/// Loss, gradients of the parameters and gradients of the input, in a row.
fn gradients<A: Activation, T: Scalar>(net: &Every<A, f32>, x: &[f32; 3], goal: &Goal<f32>, loss: usize) -> Vec<T> {
    let mut lifted = <Every<A, T>>::ZEROED;
    for i in 0..<Every<A, T>>::SLICES {
        for (y, x) in lifted.slice_mut(i).iter_mut().zip(net.slice(i)) {
            *y = T::from_f64(f64::from(*x));
        }
    }
    let x = Vector::from(x.map(|x| T::from_f64(f64::from(x))));
    let (mut cache, mut scratch) = (Zeroed::ZEROED, Zeroed::ZEROED);
    lifted.forward(&x, &mut cache, &mut Pass::evaluate());
    let mut d_output = Vector::ZEROED;
    let output: &Vector<4, T> = lifted.predict(&x, &mut scratch);
    let value = AnyLoss(loss).gradient(output.as_array(), &goal.convert(), &mut d_output.columns_mut()[0]);
    let mut gradient = <<Every<A, T> as Tensor>::Gradient>::ZEROED;
    let mut d_input = Vector::<3, T>::ZEROED;
    lifted.backward(&x, &mut cache, &mut d_output, Some(&mut gradient), Some(&mut d_input));
    let slices = (0..<Every<A, T>>::SLICES).flat_map(|i| gradient.slice(i).to_vec());
    [value].into_iter().chain(slices).chain(d_input.as_slice().to_vec()).collect()
}

#[derive(Default)]
struct Narrow {
    useful: usize,
    compared: usize,
}
impl Check for Narrow {
    fn check<A: Activation>(&mut self, name: &str) {
        for loss in 0..LOSSES {
            for seed in 0..8 {
                let mut net = <Every<A, f32>>::new(seed);
                let mut random = Random::new(seed, 99);
                for i in 0..<Every<A, f32>>::SLICES {
                    for x in net.slice_mut(i) {
                        *x += (0.25 * random.uniform()) as f32;
                    }
                }
                let x = core::array::from_fn(|_| (2.0 * random.uniform() - 1.0) as f32);
                let goal = <Goal<f64> as gradcheck::Target>::draw(&mut random).convert::<f32>();
                let narrow = gradients::<A, f32>(&net, &x, &goal, loss);
                let wide = gradients::<A, f64>(&net, &x, &goal, loss);
                let bounds = gradients::<A, RunningError<f32>>(&net, &x, &goal, loss);
                assert_eq!((narrow.len(), wide.len()), (bounds.len(), bounds.len()));
                for (k, ((found, expected), bound)) in narrow.iter().zip(&wide).zip(&bounds).enumerate() {
                    let error = (f64::from(*found) - expected).abs();
                    assert!(
                        error <= 2.0 * bound.bound,
                        "{name}, loss {loss}, seed {seed}, element {k}: {found} against {expected}, {bound:?}"
                    );
                    self.useful += usize::from(bound.bound <= 1e-3 * expected.abs().max(1.0));
                    self.compared += 1;
                }
            }
        }
    }
}

// proves eq:delta, eq:weight-gradient, eq:bias-gradient, eq:input-gradient
#[test]
fn every_layer_activation_and_loss_in_single_precision() {
    let narrow = with_each(Narrow::default());
    assert!(narrow.compared >= 14 * LOSSES * 8 * 80, "{} comparisons", narrow.compared);
    // A branch that may go either way has no useful bound; most take none.
    assert!(10 * narrow.useful > 9 * narrow.compared, "{} of {}", narrow.useful, narrow.compared);
}
