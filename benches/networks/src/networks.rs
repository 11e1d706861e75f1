//! The networks that are measured, and the calls: inputs vary from one to the next.

use chainrule::{
    Activation, Adam, Batch, Class, Dense, Identity, Layer, Loss, Network, Optimizer, Random, Relu, Sgd, Tanh, Trainer,
    Vector, Zeroed, network,
};

network! {
    pub struct Tiny<T = f32>: 2 => 1 { a: Dense<2, 4, Tanh, T>, b: Dense<4, 1, Identity, T> }
}
network! {
    pub struct Filter<T = f32>: 4 => 1 {
        a: Dense<4, 16, Tanh, T>, b: Dense<16, 16, Tanh, T>, c: Dense<16, 1, Identity, T>,
    }
}
network! {
    pub struct Policy<A: Activation = Tanh, T = f32>: 8 => 4 {
        a: Dense<8, 64, A, T>, b: Dense<64, 64, A, T>, c: Dense<64, 4, Identity, T>,
    }
}
network! {
    pub struct Game<T = f32>: 6 => 4 { a: Dense<6, 64, Relu, T>, b: Dense<64, 8, Relu, T>, c: Dense<8, 4, Identity, T> }
}
network! {
    pub struct Digits<T = f32>: 64 => 10 { a: Dense<64, 32, Tanh, T>, b: Dense<32, 10, Identity, T> }
}
network! {
    pub struct Fashion<T = f32>: 784 => 10 { a: Dense<784, 128, Relu, T>, b: Dense<128, 10, Identity, T> }
}
network! {
    pub struct Deep<T = f32>: 784 => 10 {
        a: Dense<784, 512, Relu, T>, b: Dense<512, 512, Relu, T>, c: Dense<512, 10, Identity, T>,
    }
}
network! {
    pub struct Wide<T = f32>: 1024 => 1024 {
        a: Dense<1024, 1024, Relu, T>, b: Dense<1024, 1024, Relu, T>,
        c: Dense<1024, 1024, Relu, T>, d: Dense<1024, 1024, Identity, T>,
    }
}

/// One sample through a network.
pub fn predict<N, const IN: usize, const OUT: usize>() -> impl FnMut() -> f32
where
    N: Network<InputSample = [f32; IN]> + Layer<Vector<IN>, Output = Vector<OUT>>,
{
    let mut network = N::boxed();
    network.init(&mut Random::new(1, 0));
    let mut scratch = N::Scratch::boxed();
    let mut random = Random::new(2, 0);
    let inputs: Vec<[f32; IN]> = (0..64).map(|_| drawn(&mut random, 1.0)).collect();
    let mut i = 0;
    move || {
        i = (i + 1) % inputs.len();
        network.predict(Vector::from_array_ref(&inputs[i]), &mut scratch)[0]
    }
}

/// One training step, the elements of its inputs between −`scale` and `scale`.
pub fn step<N, O, L, Target, const B: usize>(
    optimizer: O,
    loss: L,
    target: impl Fn(&mut Random) -> Target,
    scale: f32,
) -> impl FnMut() -> f32
where
    N: Network<Scalar = f32> + Layer<Batch<N::InputSample, B>, Output = Batch<N::OutputSample, B>>,
    O: Optimizer + 'static,
    L: Loss<N::OutputSample, Target>,
{
    let mut random = Random::new(3, 0);
    let mut trainer = Trainer::<N, O, B>::boxed();
    trainer.init(1);
    let inputs: Vec<N::InputSample> = (0..4 * B).map(|_| drawn(&mut random, scale)).collect();
    let targets: Vec<Target> = (0..4 * B).map(|_| target(&mut random)).collect();
    let mut i = 0;
    move || {
        i = (i + 1) % 4;
        trainer.step(&optimizer, &loss, &inputs.as_chunks().0[i], &targets.as_chunks().0[i]).unwrap()
    }
}

fn drawn<Sample: Zeroed + AsMut<[f32]>>(random: &mut Random, scale: f32) -> Sample {
    let mut sample = Sample::ZEROED;
    sample.as_mut().iter_mut().for_each(|x| *x = scale * (2.0 * random.uniform() - 1.0) as f32);
    sample
}

pub fn class(random: &mut Random) -> Class<10> {
    Class::new(random.word() as usize % 10).unwrap()
}

pub fn values<const K: usize>(random: &mut Random) -> [f32; K] {
    std::array::from_fn(|_| random.uniform() as f32)
}

pub fn sgd() -> Sgd {
    Sgd::new(1e-6).unwrap()
}

pub fn adam() -> Adam {
    Adam::new(1e-6).unwrap()
}
