//! What types can say about networks on stable Rust, one experiment after the other; each asserts what it shows.
//!
//! What they cannot say yet: a size that is computed from other sizes. `Dense<{ A + B }, 4>` in generic code, two inputs
//! side by side as one of `A + B`, or a depth as a number all need `generic_const_exprs`. So depths below are types, and
//! sums of sizes are asserted, not inferred.

use chainrule::{
    Activation, Adam, Dense, Identity, Layer, MeanSquaredError, Network, Parameters, Relu, Tanh, Tensor, Trainer,
    Vector, Zeroed, network,
};
use std::marker::PhantomData;

// ---- 1. Budgets: a network that has grown out of its device does not compile.

network! {
    /// Its width and its activation are parameters.
    struct Controller<const WIDTH: usize, A: Activation = Tanh, T = f32>: 4 => 2 {
        hidden: Dense<4, WIDTH, A, T>,
        output: Dense<WIDTH, 2, Identity, T>,
    }
}

const _: () = assert!(<Controller<16>>::LEN <= 128, "the weights have half a KiB of flash");
const _: () = assert!(size_of::<<Controller<16> as Layer<Vector<4>>>::Scratch>() <= 128, "a prediction has 128 bytes");
const _: () = assert!(<Controller<16> as Layer<Vector<4>>>::OPERATIONS <= 300, "and 300 operations");

// ---- 2. Generic over width: one function for a family of networks, each compiled for its size.

/// How many parameters more the wider one of two controllers has.
fn growth<const NARROW: usize, const WIDE: usize>() -> usize {
    const { assert!(NARROW < WIDE, "the second width is the larger one") };
    <Controller<WIDE, Relu>>::LEN - <Controller<NARROW, Relu>>::LEN
}

// ---- 3. Generic over depth: natural numbers as types, and a tower of as many layers by recursion over them.

struct One;
struct Next<N>(PhantomData<N>);

/// A depth. Its tower maps vectors of any width to vectors of the same width: whoever has a `Depth` knows that much.
trait Depth {
    const LAYERS: usize;
    type Tower<const WIDTH: usize>: Layer<Vector<WIDTH>, Output = Vector<WIDTH>> + Tensor<Scalar = f32>;
}

impl Depth for One {
    const LAYERS: usize = 1;
    type Tower<const WIDTH: usize> = Dense<WIDTH, WIDTH, Tanh>;
}

impl<N: Depth> Depth for Next<N> {
    const LAYERS: usize = 1 + N::LAYERS;
    type Tower<const WIDTH: usize> = (Dense<WIDTH, WIDTH, Tanh>, N::Tower<WIDTH>);
}

type Five = Next<Next<Next<Next<One>>>>;

// ---- 4. A proof that two networks compose: a value that cannot be made unless they do.

/// Exists only if the outputs of `A` lead to the inputs of `B`, at once or through other networks.
struct Composes<A, B>(PhantomData<(A, B)>);

impl<A: Network, B: Network<InputSample = A::OutputSample>> Composes<A, B> {
    const PROOF: Self = Self(PhantomData);
}

impl<A, B> Composes<A, B> {
    /// From A → B and B → C follows A → C.
    fn then<C>(&self, _: &Composes<B, C>) -> Composes<A, C> {
        Composes(PhantomData)
    }
}

network! {
    struct Sensor<T = f32>: 3 => 4 { layer: Dense<3, 4, Tanh, T> }
}

network! {
    struct Filter<T = f32>: 4 => 4 { layer: Dense<4, 4, Tanh, T> }
}

// ---- 5. States: what was never trained does not predict.

struct Untrained;
struct Trained;

/// A network, and whether it has seen data: known to the compiler, in no memory.
struct Model<N, State>(N, PhantomData<State>);

impl<N: Parameters> Model<N, Untrained> {
    fn new(seed: u64) -> Self {
        Self(N::new(seed), PhantomData)
    }

    /// Consumes the untrained model, so that nobody keeps using it.
    fn train(self, train: impl FnOnce(N) -> N) -> Model<N, Trained> {
        Model(train(self.0), PhantomData)
    }
}

impl<N> Model<N, Trained> {
    fn predict<const IN: usize, const OUT: usize>(&self, x: &Vector<IN>) -> [f32; OUT]
    where
        N: Layer<Vector<IN>, Output = Vector<OUT>>,
    {
        let mut scratch = Zeroed::ZEROED;
        *self.0.predict(x, &mut scratch).as_array()
    }
}

// ---- 6. Units: a network from volts to degrees reads no amperes.

struct Volt;
struct Degree;

/// Numbers of one unit.
struct Quantity<U, const N: usize>(Vector<N>, PhantomData<U>);

/// A network between units.
struct Between<N, From, To>(N, PhantomData<(From, To)>);

impl<N, From, To> Between<N, From, To> {
    fn predict<const IN: usize, const OUT: usize>(&self, x: &Quantity<From, IN>) -> Quantity<To, OUT>
    where
        N: Layer<Vector<IN>, Output = Vector<OUT>>,
    {
        let mut scratch = Zeroed::ZEROED;
        Quantity(self.0.predict(&x.0, &mut scratch).clone(), PhantomData)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("1. a controller of width 16: {} parameters, known while compiling", <Controller<16>>::LEN);
    assert_eq!(<Controller<16>>::LEN, 4 * 16 + 16 + 16 * 2 + 2);

    println!("2. from width 16 to 64: {} parameters more", growth::<16, 64>());
    assert_eq!(growth::<16, 64>(), (64 - 16) * (4 + 1 + 2));

    let tower = <<Five as Depth>::Tower<8>>::new(1);
    let mut scratch = Zeroed::ZEROED;
    let x = Vector::filled(0.5);
    let y = tower.predict(&x, &mut scratch);
    println!(
        "3. a tower of {} layers: {} parameters, outputs {:.2?}",
        Five::LAYERS,
        <Five as Depth>::Tower::<8>::LEN,
        y.as_array()
    );
    assert_eq!(<Five as Depth>::Tower::<8>::LEN, 5 * (8 * 8 + 8));

    let (sensor, filter) = (Composes::<Sensor, Filter>::PROOF, Composes::<Filter, Controller<16>>::PROOF);
    let _: Composes<Sensor, Controller<16>> = sensor.then(&filter);
    // `Composes::<Sensor, Sensor>::PROOF` does not compile: `<Sensor as Network>::InputSample = [f32; 4]` is not satisfied.
    let composed = <(Sensor, (Filter, Controller<16>))>::new(2);
    let mut scratch = Zeroed::ZEROED;
    let x = Vector::filled(0.5);
    let y = composed.predict(&x, &mut scratch);
    println!("4. sensor, filter and controller compose: {:.2?}", y.as_array());

    let (inputs, targets) = ([[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]], [[1.0, -1.0], [-1.0, 1.0]]);
    let adam = Adam::new(0.01)?;
    let mut outcome = Ok(0.0);
    let model = Model::<Controller<16>, Untrained>::new(3).train(|network| {
        let mut trainer = Trainer::<Controller<16>, Adam, 2>::boxed();
        trainer.init(3);
        trainer.network = network;
        outcome = (0..300).try_fold(0.0, |_, _| trainer.epoch(&adam, &MeanSquaredError, &inputs, &targets));
        trainer.network.clone()
    });
    let loss = outcome?;
    let y = model.predict::<4, 2>(&Vector::from(inputs[0]));
    println!("5. a trained model predicts {y:.2?}, loss {loss:.1e}; an untrained one has no `predict`");
    assert!((y[0] - 1.0).abs() <= 0.1 && (y[1] + 1.0).abs() <= 0.1);

    let thermometer = Between::<Dense<1, 1>, Volt, Degree>(Dense::new(4), PhantomData);
    let degrees: Quantity<Degree, 1> = thermometer.predict(&Quantity(Vector::from([0.7]), PhantomData));
    println!("6. 0.7 V is {:.2} degrees to an untrained thermometer; amperes do not compile", degrees.0[0]);
    assert_eq!(degrees.0[0], thermometer.0.weights[(0, 0)] * 0.7);
    Ok(())
}
