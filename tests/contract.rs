//! What the types promise, carried by the cases that strain them: scalars that are more than a number, layers without
//! parameters or without a gradient, random ones, layers and activations of a user, networks inside networks.

mod common;

use chainrule::{
    Activation, Adam, Block, Class, Dense, Differentiate, Dropout, Dual, Frozen, Identity, Input, Layer, Matrix,
    MeanSquaredError, Mode, Momentum, Network, Parameters, Pass, Point, Random, Real, Relu, Residual, Role, Scalar,
    Scale, Sgd, Shuffle, SoftmaxCrossEntropy, Strict, Summarize, Tanh, Tensor, Trainer, Vector, Zeroed, network,
    parameters,
};
use common::reference::{Progress, TakeApart};
use common::{Capture, Comparison, Draws, assert_close, bits, cases, fnv1a, scalars};
use proptest::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

// ---------------------------------------------------------------- a user's own layer and activation

// <layer>
parameters! {
    /// y = gain · x.
    pub struct Gain<T = f32> {
        /// The factor.
        pub gain: Vector<1, T> = Role::Scale,
    }
}

impl<T: Scalar> Parameters for Gain<T> {
    fn init(&mut self, _: &mut Random) {
        self.gain.fill(T::ONE);
    }
}

impl<X: Tensor<Scalar = T>, T: Scalar> Layer<X> for Gain<T> {
    type Output = X;
    type Cache = X;
    type Scratch = X;
    const OPERATIONS: usize = X::LEN;

    fn predict<'a>(&'a self, x: &'a X, y: &'a mut X) -> &'a X {
        y.copy_from(x);
        y.scale(self.gain[0]);
        y
    }

    fn forward(&self, x: &X, y: &mut X, _: &mut Pass) {
        self.predict(x, y);
    }

    fn output(y: &X) -> &X {
        y
    }

    fn backward(&self, x: &X, _: &mut X, d_y: &mut X, gradient: Option<&mut Self>, d_x: Option<&mut X>) {
        if let Some(gradient) = gradient {
            gradient.gain[0] += d_y.dot(x);
        }
        if let Some(d_x) = d_x {
            d_x.copy_from(d_y);
            d_x.scale(self.gain[0]);
        }
    }
}
// </layer>

// <activation>
/// σ(z) = z · sigmoid(z).
pub struct Swish;
impl Activation for Swish {
    type At = Input;
    fn value<T: Real>(z: T) -> T {
        z * z.sigmoid()
    }
    fn derivative<T: Real>(z: T) -> T {
        let s = z.sigmoid();
        s + z * s * (T::ONE - s)
    }
}
// </activation>

/// A user's own layer takes at most 40 lines with its parameters, an activation at most 15.
#[test]
fn a_layer_of_ones_own_is_short() {
    for (name, most) in [("layer", 40), ("activation", 15)] {
        let lines = include_str!("contract.rs").lines();
        let own = lines.skip_while(|l| *l != format!("// <{name}>")).take_while(|l| *l != format!("// </{name}>"));
        let count = own.skip(1).filter(|l| !l.is_empty()).count();
        assert!((5..=most).contains(&count), "{name}: {count} lines");
    }
}

network! {
    /// A network of a layer and an activation that the crate does not know.
    pub struct Own<T = f32>: 3 => 2 {
        /// Its own layer.
        gain: Gain<T>,
        /// Its own activation.
        hidden: Dense<3, 4, Swish, T>,
        output: Dense<4, 2, Identity, T>,
    }
}

/// All gradients of a network with a user's own parts equal the derivatives that dual numbers carry: what the library's
/// own layers are held to.
// proves eq:chain, eq:jacobian
#[test]
fn a_layer_of_ones_own_is_differentiated() {
    proptest!(cases(file!()), |(seed: u64)| {
        let mut draws = Draws(seed);
        let mut net = Own::<f64>::ZEROED;
        draws.fill(&mut net, 1.0);
        let x: [f64; 3] = draws.array(1.0);
        let t: [f64; 2] = draws.array(1.0);
        let mut trainer = Trainer::<Own<f64>, Capture, 1>::boxed();
        trainer.network.copy_from(&net);
        trainer.step(&Capture, &MeanSquaredError, &[x], &[t]).unwrap();
        let mut lifted = Own::<Dual<f64>>::ZEROED;
        lifted.convert_from(&net);
        let x = Vector::from(x.map(Dual::constant));
        let mut comparison = Comparison::default();
        for i in 0..Own::<f64>::SLICES {
            for j in 0..net.slice(i).len() {
                lifted.slice_mut(i)[j].derivative = 1.0;
                let mut scratch = Zeroed::ZEROED;
                let y = lifted.predict(&x, &mut scratch);
                let loss = chainrule::Loss::value(&MeanSquaredError, y.as_array(), &t.map(Dual::constant));
                lifted.slice_mut(i)[j].derivative = 0.0;
                let found = trainer.state().slice(i)[j];
                let place = || format!("{} {j}", Own::<f64>::block(i).name);
                // All terms are of the order of a hundred at most.
                comparison.observe(place, found, loss.derivative, 1e-12 * (100.0 + found.abs()));
            }
        }
        comparison.finish();
    });
    assert_eq!(Own::<f32>::block(0).name.to_string(), "gain.gain");
    assert_eq!(Own::<f32>::block(0).role, Role::Scale);
}

/// The user's layer trains, in f32 and through every path of a trainer.
#[test]
fn a_layer_of_ones_own_trains() {
    let mut trainer = Trainer::<Own, Adam, 4>::ZEROED;
    trainer.init(2);
    assert_eq!(trainer.network.gain.gain, Vector::filled(1.0));
    let adam = Adam::new(0.02).unwrap();
    let (inputs, targets) = data(30);
    let first = trainer.epoch(&adam, &SoftmaxCrossEntropy, &inputs, &targets).unwrap();
    for _ in 0..80 {
        trainer.epoch(&adam, &SoftmaxCrossEntropy, &inputs, &targets).unwrap();
    }
    let last = trainer.evaluate(&SoftmaxCrossEntropy, &inputs, &targets, &mut ()).unwrap();
    assert!(last < 0.7 * first, "{first} to {last}");
    assert_ne!(trainer.network.gain.gain, Vector::filled(1.0));
}

fn data<T: Scalar, const N: usize>(n: usize) -> (Vec<[T; N]>, Vec<Class<2>>) {
    let mut draws = Draws(17);
    (0..n).map(|_| (draws.array(1.0), Class::new(draws.below(2)).unwrap())).unzip()
}

// ---------------------------------------------------------------- scalars

network! {
    struct Small<T = f32>: 3 => 2 {
        hidden: Dense<3, 5, Tanh, T>,
        off: Dropout<1, 5, T>,
        output: Dense<5, 2, Identity, T>,
    }
}

/// FNV-1a of the weights after the hundred steps below: the same on every machine. To be pinned again, in a commit of
/// its own that says why, whenever initialisation, the elementary functions or the order of operations change.
const STRICT_HASH: u64 = 0xab72_01a2_2866_b711;

/// `Strict<f32>` trains to the same bits on every machine.
#[test]
fn strict_bits_are_pinned() {
    let (inputs, targets) = data::<Strict<f32>, 3>(25);
    let mut trainer = Trainer::<Small<Strict<f32>>, Adam, 5>::boxed();
    trainer.init(42);
    for _ in 0..20 {
        trainer.epoch(&Adam::new(0.01).unwrap(), &SoftmaxCrossEntropy, &inputs, &targets).unwrap();
    }
    assert_eq!(trainer.steps(), 100);
    let hash = fnv1a(scalars(&trainer.network).into_iter().map(|w| w.0.to_bits()));
    assert_eq!(hash, STRICT_HASH, "found {hash:#018x}");
}

/// `Strict<f32>` and `f32` start from the same weights and stay close: the same mathematics in another order.
#[test]
fn strict_behaves_like_the_number_inside() {
    let mut strict = Trainer::<Small<Strict<f32>>, Momentum, 5>::boxed();
    let mut plain = Trainer::<Small, Momentum, 5>::boxed();
    strict.init(1);
    plain.init(1);
    assert_eq!(bits(&strict.network), bits(&plain.network));
    let rule = Momentum::new(0.05).unwrap();
    let (inputs, targets) = data::<Strict<f32>, 3>(25);
    let loss = strict.epoch(&rule, &SoftmaxCrossEntropy, &inputs, &targets).unwrap();
    let (inputs, targets) = data::<f32, 3>(25);
    let same = plain.epoch(&rule, &SoftmaxCrossEntropy, &inputs, &targets).unwrap();
    assert_close("loss", loss.0.into(), same.into(), 1e-5);
    for (a, b) in scalars(&strict.network).into_iter().zip(scalars(&plain.network)) {
        assert_close("weight", a.0.into(), b.into(), 1e-5);
    }
}

/// Dual numbers through the *backward* code give Hessian-vector products: they are symmetric, ⟨u, H v⟩ = ⟨v, H u⟩, and
/// agree with central differences of gradients.
#[test]
fn hessian_vector_products() {
    type Net<T> = (Dense<2, 3, Tanh, T>, Dense<3, 1, Identity, T>);
    let mut draws = Draws(23);
    let mut net = Net::<f64>::ZEROED;
    draws.fill(&mut net, 1.0);
    let (x, t): ([f64; 2], [f64; 1]) = (draws.array(1.0), draws.array(1.0));
    let mut directions = [Net::<f64>::ZEROED, Net::ZEROED];
    for direction in &mut directions {
        draws.fill(direction, 1.0);
    }
    let product = |direction: &Net<f64>| -> Vec<f64> {
        let mut trainer = Trainer::<Net<Dual<f64>>, Capture, 1>::boxed();
        for i in 0..Net::<f64>::SLICES {
            for (j, w) in trainer.network.slice_mut(i).iter_mut().enumerate() {
                *w = Dual::new(net.slice(i)[j], direction.slice(i)[j]);
            }
        }
        trainer.step(&Capture, &MeanSquaredError, &[x.map(Dual::constant)], &[t.map(Dual::constant)]).unwrap();
        scalars(trainer.state()).into_iter().map(|g| g.derivative).collect()
    };
    let gradient = |step: f64| -> Vec<f64> {
        let mut trainer = Trainer::<Net<f64>, Capture, 1>::boxed();
        trainer.network.copy_from(&net);
        trainer.network.axpy(step, &directions[0]);
        trainer.step(&Capture, &MeanSquaredError, &[x], &[t]).unwrap();
        scalars(trainer.state())
    };
    let [h_u, h_v] = [product(&directions[0]), product(&directions[1])];
    let dot = |a: &[f64], b: &Net<f64>| -> f64 { a.iter().zip(scalars(b)).map(|(a, b)| a * b).sum() };
    assert_close("symmetry", dot(&h_u, &directions[1]), dot(&h_v, &directions[0]), 1e-12);
    let h = 1e-5;
    for (i, ((up, down), exact)) in gradient(h).into_iter().zip(gradient(-h)).zip(h_u).enumerate() {
        assert_close(&format!("element {i}"), (up - down) / (2.0 * h), exact, 1e-7);
    }
}

/// Values go from one scalar to another and back: widening loses nothing, narrowing rounds once, `Dual` gains nothing.
#[test]
fn conversion_between_scalars() {
    let narrow = Small::<f32>::new(9);
    let mut wide = Small::<f64>::ZEROED;
    wide.convert_from(&narrow);
    assert_eq!(bits(&narrow), bits(&wide));
    let mut back = Small::<f32>::ZEROED;
    back.convert_from(&wide);
    assert_eq!(back, narrow);
    wide.output.bias[1] = 0.1;
    back.convert_from(&wide);
    assert_eq!(back.output.bias[1], 0.1_f32);
    let mut dual = Small::<Dual<f64>>::ZEROED;
    dual.convert_from(&wide);
    assert!(scalars(&dual).iter().all(|d| d.derivative == 0.0));
    let mut strict = Small::<Strict<f32>>::ZEROED;
    strict.convert_from(&dual);
    assert_eq!(strict.output.bias[1].0, 0.1_f32);
    // The same seed means the same network, whatever its scalar.
    back.convert_from(&Small::<f64>::new(9));
    assert_eq!(back, narrow);
}

// ---------------------------------------------------------------- frozen layers

network! {
    struct Tuned<T = f32>: 3 => 2 {
        before: Dense<3, 4, Tanh, T>,
        body: Frozen<(Dense<4, 4, Tanh, T>, Dense<4, 4, Relu, T>)>,
        head: Dense<4, 2, Identity, T>,
    }
}

/// A frozen layer has no memory for gradient or moments, keeps its bytes through training, and lets gradients through:
/// the layer before it learns.
// proves eq:frozen
#[test]
fn frozen_layers() {
    assert_eq!(size_of::<<Frozen<Dense<4, 4>> as Tensor>::Gradient>(), 0);
    let trained = Dense::<3, 4>::LEN + Dense::<4, 2>::LEN;
    assert_eq!(<<Tuned as Tensor>::Gradient as Tensor>::LEN, trained);
    // Networks begin with a cache line where there are vector registers, and so end with one.
    let gradient = (4 * trained).next_multiple_of(align_of::<<Tuned as Tensor>::Gradient>());
    assert_eq!(size_of::<<Tuned as Tensor>::Gradient>(), gradient);
    assert_eq!(size_of::<<Adam as chainrule::Optimizer>::State<<Tuned as Tensor>::Gradient>>(), 2 * gradient);
    assert_eq!(Tuned::<f32>::LEN, trained + 2 * Dense::<4, 4>::LEN);

    let (inputs, targets) = data::<f32, 3>(20);
    let mut trainer = Trainer::<Tuned, Adam, 4>::boxed();
    trainer.init(1);
    let at_first = trainer.network.clone();
    for _ in 0..5 {
        trainer.epoch(&Adam::new(0.05).unwrap(), &SoftmaxCrossEntropy, &inputs, &targets).unwrap();
    }
    assert_eq!(bits(&trainer.network.body), bits(&at_first.body));
    assert!(bits(&trainer.network.before).iter().zip(bits(&at_first.before)).all(|(a, b)| *a != b));
    assert_ne!(trainer.network.head, at_first.head);
    assert_eq!(Tuned::<f32>::block(2).name.to_string(), "body.0.weights");
}

// ---------------------------------------------------------------- dropout

type Half = Dropout<1, 2, f64>;
type X = Matrix<50, 40, f64>;

fn mask<const NUM: u32, const DEN: u32>(seed: u64, step: u64) -> X {
    let mut cache = Zeroed::ZEROED;
    Dropout::<NUM, DEN, f64>::new().forward(&X::filled(1.0), &mut cache, &mut Pass::train(seed, step));
    <Dropout<NUM, DEN, f64> as Layer<X>>::output(&cache).clone()
}

/// The mask is given by seed and step: the same again, and another one otherwise; its elements are 0 and 1 / (1 − p),
/// and it keeps the mean within five standard errors.
// proves eq:dropout
#[test]
fn dropout_masks() {
    assert_eq!(mask::<1, 2>(7, 3), mask::<1, 2>(7, 3));
    for (seed, step) in [(7, 4), (8, 3), (7 | 1 << 40, 3), (7, 3 | 1 << 40)] {
        assert_ne!(mask::<1, 2>(7, 3), mask::<1, 2>(seed, step));
    }
    fn check<const NUM: u32, const DEN: u32>() {
        let p = f64::from(NUM) / f64::from(DEN);
        let mut sum = 0.0;
        for step in 0..50 {
            let mask = mask::<NUM, DEN>(1, step);
            assert!(mask.as_slice().iter().all(|m| *m == 0.0 || *m == 1.0 / (1.0 - p)));
            sum += mask.as_slice().iter().sum::<f64>();
        }
        let n = 50.0 * 2000.0;
        assert_close(&format!("mean at p = {p}"), sum / n, 1.0, 5.0 * (p / (1.0 - p) / n).sqrt());
    }
    check::<1, 2>();
    check::<1, 5>();
    check::<9, 10>();
    assert_eq!(mask::<0, 1>(1, 1), X::filled(1.0));
}

/// An input drops where the word drawn for it lies below p·2³², to the last bit of p.
// proves eq:dropout
#[test]
fn dropout_by_its_draws() {
    const WORD: u32 = 1_630_805_734;
    assert_eq!(Random::new(1, 0).word(), WORD);
    fn kept<const NUM: u32>() -> bool {
        let (x, mut cache) = (Vector::from([1.0]), Zeroed::ZEROED);
        let mut pass = Pass { mode: Mode::Train, random: Random::new(1, 0) };
        let dropout = Dropout::<NUM, { 1 << 31 }, f64>::new();
        dropout.forward(&x, &mut cache, &mut pass);
        <Dropout<NUM, { 1 << 31 }, f64> as Layer<Vector<1, f64>>>::output(&cache)[0] != 0.0
    }
    assert!(kept::<{ WORD / 2 }>() && !kept::<{ WORD / 2 + 1 }>());
}

/// Backwards the same mask as forwards, also a second time; evaluation has none; two dropouts of a pass have masks of
/// their own; and prediction does not even copy.
// proves eq:dropout
#[test]
fn dropout_backwards() {
    let x = X::from_columns(core::array::from_fn(|s| core::array::from_fn(|k| (k * 40 + s) as f64 + 1.0)));
    let mut cache = Zeroed::ZEROED;
    Half::new().forward(&x, &mut cache, &mut Pass::train(1, 2));
    let y = <Half as Layer<X>>::output(&cache).clone();
    for factor in [1.0, -3.0] {
        let mut d_x = X::filled(f64::NAN);
        Half::new().backward(&x, &mut cache, &mut X::filled(factor), None, Some(&mut d_x));
        for ((d, y), x) in d_x.as_slice().iter().zip(y.as_slice()).zip(x.as_slice()) {
            assert_eq!(*d, factor * y / x);
        }
    }
    let two: (Half, Half) = Zeroed::ZEROED;
    let mut cache = Zeroed::boxed();
    two.forward(&X::filled(1.0), &mut cache, &mut Pass::train(1, 2));
    let both = <(Half, Half) as Layer<X>>::output(&cache);
    let quarter = both.as_slice().iter().filter(|y| **y == 4.0).count();
    // Equal masks would leave half.
    assert!((400..600).contains(&quarter), "{quarter} of 2000 are left");
    assert!(std::ptr::eq(Half::new().predict(&x, &mut ()), &x));
}

/// A pass for evaluation computes what `predict` computes, whatever its random state; prediction draws nothing, so it
/// is the same every time; and the masks change from step to step of a trainer.
// proves eq:dropout
#[test]
fn evaluation_equals_prediction() {
    let net = Small::<f32>::new(3);
    let x = Matrix::<3, 4>::from_columns(core::array::from_fn(|_| Draws(5).array(1.0)));
    let (mut cache, mut scratch) = (Zeroed::ZEROED, Zeroed::ZEROED);
    net.forward(&x, &mut cache, &mut Pass::evaluate());
    let evaluated = <Small as Layer<Matrix<3, 4>>>::output(&cache).clone();
    assert_eq!(net.predict(&x, &mut scratch), &evaluated);
    net.forward(&x, &mut cache, &mut Pass::train(1, 1));
    assert_ne!(<Small as Layer<Matrix<3, 4>>>::output(&cache), &evaluated);

    let (inputs, targets) = data::<f32, 3>(5);
    let mut trainer = Trainer::<Small, Sgd, 5>::ZEROED;
    trainer.init(3);
    let still = Sgd::new(0.0).unwrap();
    let batch: (&[_; 5], &[_; 5]) = (inputs.as_slice().try_into().unwrap(), targets.as_slice().try_into().unwrap());
    let losses: Vec<f32> =
        (0..6).map(|_| trainer.step(&still, &SoftmaxCrossEntropy, batch.0, batch.1).unwrap()).collect();
    assert!(losses.iter().any(|l| *l != losses[0]), "{losses:?}");
    let evaluated = trainer.evaluate(&SoftmaxCrossEntropy, &inputs, &targets, &mut ()).unwrap();
    assert_eq!(evaluated, trainer.evaluate(&SoftmaxCrossEntropy, &inputs, &targets, &mut ()).unwrap());
}

// ---------------------------------------------------------------- composition

network! {
    struct Block2<T = f32>: 4 => 4 {
        down: Dense<4, 2, Relu, T>,
        up: Dense<2, 4, Identity, T>,
    }
}

network! {
    /// A network whose layers are networks, one of them twice, one inside a residual.
    struct Nested<T = f32>: 4 => 2 {
        first: Block2<T>,
        second: Residual<Block2<T>>,
        out: Dense<4, 2, Identity, T>,
    }
}

/// A network is a layer: names are paths, slices those of the fields, and it computes what its parts compute.
#[test]
fn a_network_inside_a_network() {
    let names: Vec<String> = (0..Nested::<f32>::SLICES).map(|i| Nested::<f32>::block(i).name.to_string()).collect();
    assert_eq!(
        names,
        [
            "first.down.weights",
            "first.down.bias",
            "first.up.weights",
            "first.up.bias",
            "second.down.weights",
            "second.down.bias",
            "second.up.weights",
            "second.up.bias",
            "out.weights",
            "out.bias",
        ]
    );
    let block = Nested::<f32>::block(0);
    assert_eq!((block.role, block.rows, block.columns), (Role::Weight, 2, 4));
    assert_eq!(Nested::<f32>::block(1).role, Role::Bias);
    let net = Nested::<f64>::new(5);
    let x = Vector::from([0.5, -1.0, 0.25, 2.0]);
    let mut scratch = Zeroed::ZEROED;
    let whole = net.predict(&x, &mut scratch).clone();
    let (mut a, mut b, mut c) = (Zeroed::ZEROED, Zeroed::ZEROED, Zeroed::ZEROED);
    let by_hand = net.out.predict(net.second.predict(net.first.predict(&x, &mut a), &mut b), &mut c);
    assert_eq!(&whole, by_hand);
}

network! {
    /// Generic over its width and its activation.
    struct Wide<const H: usize, A: Activation = Tanh, T = f32>: 3 => 2 {
        hidden: Dense<3, H, A, T>,
        output: Dense<H, 2, Identity, T>,
    }
}

/// One definition, many widths and activations, the user's own too; and code that is generic over the network.
#[test]
fn generic_networks() {
    fn trains<N>() -> f32
    where
        N: Network<Scalar = f32, InputSample = [f32; 3], OutputSample = [f32; 2]>
            + Layer<Matrix<3, 5>, Output = Matrix<2, 5>>,
    {
        let (inputs, targets) = data::<f32, 3>(20);
        let mut trainer = Trainer::<N, Adam, 5>::boxed();
        trainer.init(1);
        for _ in 0..60 {
            trainer.epoch(&Adam::new(0.02).unwrap(), &SoftmaxCrossEntropy, &inputs, &targets).unwrap();
        }
        trainer.evaluate(&SoftmaxCrossEntropy, &inputs, &targets, &mut ()).unwrap()
    }
    assert_eq!((Wide::<4>::LEN, Wide::<64>::LEN), (26, 386));
    let losses = [
        trains::<Wide<4>>(),
        trains::<Wide<32>>(),
        trains::<Wide<8, Relu>>(),
        trains::<Wide<8, Swish>>(),
        trains::<(Dense<3, 8, Swish>, Dense<8, 2, Identity>)>(),
    ];
    assert!(losses.iter().all(|l| *l < 0.6), "{losses:?}");
}

/// Pairs are plain types: a chain of three, whose slices are those of its parts and whose names are positions.
#[test]
fn pairs_are_networks() {
    type Three = (Dense<2, 3, Tanh>, (Residual<Dense<3, 3, Tanh>>, Dense<3, 1, Identity>));
    let net = Three::new(1);
    assert_eq!((Three::LEN, Three::SLICES), (9 + 12 + 4, 6));
    assert_eq!(Three::block(3).name.to_string(), "1.0.bias");
    assert_eq!(Three::block(4).name.to_string(), "1.1.weights");
    assert_eq!(net.slice(2), (net.1).0.0.weights.as_slice());
    assert!(net.slice(6).is_empty());
    let x = Vector::from([1.0, 2.0]);
    let (mut scratch, mut a, mut b, mut c) = (Zeroed::ZEROED, Zeroed::ZEROED, Zeroed::ZEROED, Zeroed::ZEROED);
    let whole = net.predict(&x, &mut scratch);
    assert_eq!(whole, (net.1).1.predict((net.1).0.predict(net.0.predict(&x, &mut a), &mut b), &mut c));
}

/// Every sample of a batch is on its own: a column changes with its own input alone, and is what one sample gives.
#[test]
fn columns_do_not_mix() {
    let net = Nested::<f64>::new(2);
    let mut draws = Draws(3);
    let mut x = Matrix::<4, 5, f64>::from_columns(core::array::from_fn(|_| draws.array(1.0)));
    let mut scratch = Zeroed::ZEROED;
    let before = net.predict(&x, &mut scratch).clone();
    for s in 0..5 {
        let mut single = Zeroed::ZEROED;
        let sample = Vector::from(x.columns()[s]);
        let one = net.predict(&sample, &mut single);
        for k in 0..2 {
            assert_close(&format!("output {k} of sample {s}"), before[(k, s)], one[k], 1e-14);
        }
    }
    x.columns_mut()[2] = draws.array(1.0);
    let after = net.predict(&x, &mut scratch);
    for s in 0..5 {
        assert_eq!(before.columns()[s] == after.columns()[s], s != 2, "sample {s}");
    }
}

/// Weights in read-only memory predict: a constant network, borrowed.
#[test]
fn weights_from_a_constant() {
    static NET: Wide<2> = Wide {
        hidden: Dense::from_parts(
            Matrix::from_rows([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
            Matrix::from_columns([[0.0, 0.0]]),
        ),
        output: Dense::from_parts(Matrix::from_rows([[2.0, 0.0], [0.0, -2.0]]), Matrix::from_columns([[0.5, 0.5]])),
    };
    let mut scratch = Zeroed::ZEROED;
    let x = Vector::from([0.0, 100.0, 7.0]);
    let y = NET.predict(&x, &mut scratch);
    assert_eq!(y.as_array(), &[0.5, -1.5]);
}

// ---------------------------------------------------------------- derivatives of the output

/// The Jacobian equals the product of explicit ones, a row for each output; `backward_input` is its transpose applied.
// proves eq:jacobian, eq:chain
#[test]
fn jacobians() {
    type Net = (Dense<3, 4, Tanh, f64>, (Residual<Dense<4, 4, Tanh, f64>>, Dense<4, 2, Identity, f64>));
    proptest!(cases(file!()), |(seed: u64)| {
        let mut draws = Draws(seed);
        let mut net = Net::ZEROED;
        draws.fill(&mut net, 1.0);
        let x: [f64; 3] = draws.array(1.0);
        let expected = Progress::through(&x, &net.parts()).by_input;
        let (mut cache, mut jacobian) = (Zeroed::ZEROED, Matrix::<2, 3, f64>::filled(f64::NAN));
        net.jacobian(&Vector::from(x), &mut cache, &mut jacobian);
        let v: [f64; 2] = draws.array(1.0);
        let mut d_input = Vector::filled(f64::NAN);
        net.backward_input(&Vector::from(x), &mut cache, &mut Vector::from(v), &mut d_input);
        for k in 0..3 {
            let (mut sum, mut s) = (0.0, 0.0);
            for j in 0..2 {
                let bound = expected.bound[j][k];
                assert_close(&format!("({j}, {k})"), jacobian[(j, k)], expected.value[j][k], 1e-12 * bound);
                sum += expected.value[j][k] * v[j];
                s += bound * v[j].abs();
            }
            assert_close(&format!("Jᵀv {k}"), d_input[k], sum, 1e-12 * s);
        }
    });
}

/// Column k of the Jacobian of a network is what a dual number in input k carries to the outputs; of an affine map it
/// is the matrix.
// proves eq:jacobian
#[test]
fn jacobians_by_dual_numbers() {
    let net = Own::<f64>::new(6);
    let x = [0.5, -1.0, 2.0];
    let (mut cache, mut jacobian) = (Zeroed::ZEROED, Matrix::<2, 3, f64>::filled(f64::NAN));
    net.jacobian(&Vector::from(x), &mut cache, &mut jacobian);
    let mut lifted = Own::<Dual<f64>>::ZEROED;
    lifted.convert_from(&net);
    for k in 0..3 {
        let mut moving = Vector::from(x.map(Dual::constant));
        moving[k].derivative = 1.0;
        let mut scratch = Zeroed::ZEROED;
        let y = lifted.predict(&moving, &mut scratch);
        for j in 0..2 {
            assert_close(&format!("({j}, {k})"), jacobian[(j, k)], y[j].derivative, 1e-14);
        }
    }
    let affine = Dense::<4, 3, Identity, f64>::new(1);
    let (mut cache, mut jacobian) = (Zeroed::ZEROED, Matrix::filled(f64::NAN));
    affine.jacobian(&Vector::filled(0.5), &mut cache, &mut jacobian);
    assert_eq!(jacobian, affine.weights);
}

/// `backward` adds to the gradient, overwrites the input's, spends nothing on what was not asked for, and can run
/// again on the same cache.
// proves eq:weight-gradient, eq:bias-gradient, eq:input-gradient
#[test]
fn backward_adds_and_overwrites() {
    let net = Own::<f64>::new(4);
    let x = Matrix::<3, 2, f64>::from_rows([[0.5, 1.0], [-1.0, 0.25], [2.0, -0.5]]);
    let d = Matrix::<2, 2, f64>::from_rows([[1.0, -2.0], [0.5, 0.25]]);
    let mut cache = Zeroed::ZEROED;
    net.forward(&x, &mut cache, &mut Pass::evaluate());
    let (mut once, mut twice) = (<Own<f64> as Tensor>::Gradient::ZEROED, <Own<f64> as Tensor>::Gradient::ZEROED);
    let (mut d_x, mut again) = (Matrix::filled(f64::NAN), Matrix::filled(f64::INFINITY));
    net.backward(&x, &mut cache, &mut d.clone(), Some(&mut once), Some(&mut d_x));
    net.backward(&x, &mut cache, &mut d.clone(), Some(&mut twice), None);
    net.backward(&x, &mut cache, &mut d.clone(), Some(&mut twice), Some(&mut again));
    assert_eq!(d_x, again);
    again.fill(f64::NAN);
    net.backward(&x, &mut cache, &mut d.clone(), None, Some(&mut again));
    assert_eq!(d_x, again);
    once.scale(2.0);
    for (a, b) in scalars(&once).into_iter().zip(scalars(&twice)) {
        assert_close("twice", b, a, 1e-14 * (1.0 + a.abs()));
    }
    assert!(once.norm() > 0.0);
}

// ---------------------------------------------------------------- what a value is

/// Everything can cross threads, and nothing runs when it is dropped: a panic in a user's layer finds nothing to drop
/// twice.
#[test]
fn plain_data() {
    fn plain<T: Send + Sync + 'static>() {
        assert!(!std::mem::needs_drop::<T>(), "{} needs drop", std::any::type_name::<T>());
    }
    plain::<Matrix<3, 4>>();
    plain::<Matrix<3, 4, Dual<f64>>>();
    plain::<Nested>();
    plain::<Tuned<f64>>();
    plain::<Trainer<Small, Adam, 8>>();
    plain::<Trainer<Tuned<Strict<f32>>, Sgd, 8>>();
    plain::<<Small as Layer<Matrix<3, 4>>>::Cache>();
    plain::<<Nested as Layer<Matrix<4, 4>>>::Scratch>();
    plain::<(Pass, Random, Shuffle, Adam, Momentum, Block, Scale<3>, Class<3>)>();
    plain::<(chainrule::TrainError, chainrule::ClassError, chainrule::LengthError, chainrule::Summary)>();
}

/// A layer that panics half way through a step leaves a trainer that can be dropped and used again.
#[test]
fn a_panic_in_a_layer() {
    static ARMED: AtomicBool = AtomicBool::new(true);
    struct Trap;
    impl Activation for Trap {
        type At = Input;
        fn value<T: Real>(z: T) -> T {
            // An activation cannot ask for a number, so the trap is set from outside.
            assert!(!ARMED.load(Ordering::Relaxed), "trapped");
            z
        }
        fn derivative<T: Real>(_: T) -> T {
            T::ONE
        }
    }
    let mut trainer = Trainer::<Dense<1, 1, Trap>, Sgd, 1>::boxed();
    trainer.init(1);
    trainer.network.weights[0] = 1.0;
    let sgd = Sgd::new(0.5).unwrap();
    let step = |trainer: &mut Trainer<Dense<1, 1, Trap>, Sgd, 1>, x| {
        trainer.step(&sgd, &MeanSquaredError, &[[x]], &[[0.0]]).map(|_| ())
    };
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| step(&mut trainer, 1.0)));
    assert!(caught.is_err());
    assert_eq!((trainer.network.weights[0], trainer.steps()), (1.0, 0));
    ARMED.store(false, Ordering::Relaxed);
    step(&mut trainer, 1.0).unwrap();
    assert_eq!(trainer.network.weights[0], 0.0);
}

/// Equality, cloning and `Debug` of a network: by fields, with the user's names.
#[test]
fn networks_are_values() {
    let a = Small::<f32>::new(1);
    let mut b = a.clone();
    assert_eq!(a, b);
    b.output.bias[1] = 1.0;
    assert_ne!(a, b);
    b.copy_from(&a);
    assert_eq!(a, b);
    let text = format!("{:?}", Wide::<2>::ZEROED);
    assert!(text.starts_with("Wide { hidden: Dense { weights: [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], bias: "), "{text}");
}

/// The table of a network with all kinds of layers, and its constants.
#[test]
fn summaries() {
    let expected = "\
Tuned
layer   type                                                  output  parameters  operations
before  Dense<3, 4, Tanh, T>                                       4          16          28
body    Frozen<(Dense<4, 4, Tanh, T>, Dense<4, 4, Relu, T>)>       4          40          72
head    Dense<4, 2, Identity, T>                                   2          10          18
total 66 parameters, 26 trainable; 118 floating-point operations a sample";
    assert_eq!(<Tuned>::ZEROED.summary().to_string(), expected);
    assert_eq!(format!("{:?}", <Tuned>::ZEROED.summary()), expected);
    assert_eq!(<Tuned as Layer<Matrix<3, 1>>>::OPERATIONS, 118);
    assert_eq!(<Tuned as Layer<Matrix<3, 10>>>::OPERATIONS, 1180);
    // A tanh layer keeps its output; swish needs z as well.
    assert_eq!(<Dense<3, 4, Tanh> as Layer<Matrix<3, 2>>>::CACHE_BYTES, 32);
    assert_eq!(<Dense<3, 4, Swish> as Layer<Matrix<3, 2>>>::CACHE_BYTES, 64);
    assert_eq!(size_of::<<Input as Point>::Kept<Vector<4>>>(), 16);
}
