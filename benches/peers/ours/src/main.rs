//! The networks of chainrule.

mod machine;

use chainrule::{
    Activation, Adam, Batch, Class, Dense, Identity, Layer, Loss, MeanSquaredError, Network, Optimizer, Relu, Sgd,
    SoftmaxCrossEntropy, Tanh, Tensor, Trainer, Vector, Zeroed, network,
};
use protocol::{Task, Turns, Work};
use std::hint::black_box;

network! {
    struct Xor<T = f32>: 2 => 1 { a: Dense<2, 4, Tanh, T>, b: Dense<4, 1, Identity, T> }
}
network! {
    struct Filter<T = f32>: 4 => 1 {
        a: Dense<4, 16, Tanh, T>, b: Dense<16, 16, Tanh, T>, c: Dense<16, 1, Identity, T>,
    }
}
network! {
    struct Policy<A: Activation, T = f32>: 8 => 4 {
        a: Dense<8, 64, A, T>, b: Dense<64, 64, A, T>, c: Dense<64, 4, Identity, T>,
    }
}
network! {
    struct Game<T = f32>: 6 => 4 { a: Dense<6, 64, Relu, T>, b: Dense<64, 8, Relu, T>, c: Dense<8, 4, Identity, T> }
}
network! {
    struct Digits<T = f32>: 64 => 10 { a: Dense<64, 32, Tanh, T>, b: Dense<32, 10, Identity, T> }
}
network! {
    struct Clothes<T = f32>: 784 => 10 { a: Dense<784, 128, Relu, T>, b: Dense<128, 10, Identity, T> }
}
network! {
    struct Deep<T = f32>: 784 => 10 {
        a: Dense<784, 512, Relu, T>, b: Dense<512, 512, Relu, T>, c: Dense<512, 10, Identity, T>,
    }
}
network! {
    struct Wide<T = f32>: 1024 => 1024 {
        a: Dense<1024, 1024, Relu, T>, b: Dense<1024, 1024, Relu, T>,
        c: Dense<1024, 1024, Relu, T>, d: Dense<1024, 1024, Identity, T>,
    }
}

fn main() {
    protocol::serve(load);
}

fn load(task: &Task) -> Result<Box<dyn Work>, String> {
    Ok(match task.name.as_str() {
        "4-16-16-1 tanh" => one_sample::<Filter, 4, 1>(task),
        "8-64-64-4 tanh" => one_sample::<Policy<Tanh>, 8, 4>(task),
        "8-64-64-4 relu" => one_sample::<Policy<Relu>, 8, 4>(task),
        "6-64-8-4 relu" => one_sample::<Game, 6, 4>(task),
        "64-32-10 tanh" => one_sample::<Digits, 64, 10>(task),
        "784-128-10 relu" => one_sample::<Clothes, 784, 10>(task),
        "2-4-1 tanh 4 sgd mse" => training::<Xor, _, _, _, 4>(task, sgd(task), MeanSquaredError, values(task)),
        "64-32-10 tanh 32 sgd cross-entropy" => {
            training::<Digits, _, _, _, 32>(task, sgd(task), SoftmaxCrossEntropy, classes(task))
        }
        "64-32-10 tanh 32 adam cross-entropy" => {
            training::<Digits, _, _, _, 32>(task, adam(task), SoftmaxCrossEntropy, classes(task))
        }
        "8-64-64-4 tanh 32 adam mse" => {
            training::<Policy<Tanh>, _, _, _, 32>(task, adam(task), MeanSquaredError, values(task))
        }
        "784-128-10 relu 32 sgd cross-entropy" => {
            training::<Clothes, _, _, _, 32>(task, sgd(task), SoftmaxCrossEntropy, classes(task))
        }
        "784-128-10 relu 32 adam cross-entropy" => {
            training::<Clothes, _, _, _, 32>(task, adam(task), SoftmaxCrossEntropy, classes(task))
        }
        "784-512-512-10 relu 128 sgd cross-entropy" => {
            training::<Deep, _, _, _, 128>(task, sgd(task), SoftmaxCrossEntropy, classes(task))
        }
        "1024-1024-1024-1024-1024 relu 256 sgd mse" => {
            training::<Wide, _, _, _, 256>(task, sgd(task), MeanSquaredError, values(task))
        }
        _ => return machine::load(task),
    })
}

fn rate(task: &Task) -> f64 {
    f64::from(task.training.as_ref().unwrap().rate)
}

fn sgd(task: &Task) -> Sgd {
    Sgd::new(rate(task)).unwrap()
}

fn adam(task: &Task) -> Adam {
    Adam::new(rate(task)).unwrap()
}

fn samples<const N: usize>(numbers: &[f32]) -> Vec<[f32; N]> {
    numbers.as_chunks().0.to_vec()
}

fn values<const K: usize>(task: &Task) -> Vec<[f32; K]> {
    samples(&task.targets)
}

fn classes<const K: usize>(task: &Task) -> Vec<Class<K>> {
    task.classes().into_iter().map(|class| Class::new(class).unwrap()).collect()
}

fn set_weights<N: Tensor<Scalar = f32>>(network: &mut N, task: &Task) {
    for (i, layer) in task.layers.iter().enumerate() {
        network.slice_mut(2 * i).copy_from_slice(&layer.transposed());
        network.slice_mut(2 * i + 1).copy_from_slice(&layer.bias);
    }
}

struct OneSample<N: Network + Layer<Vector<IN>>, const IN: usize> {
    network: Box<N>,
    scratch: Box<N::Scratch>,
    inputs: Vec<[f32; IN]>,
}

fn one_sample<N, const IN: usize, const OUT: usize>(task: &Task) -> Box<dyn Work>
where
    N: Network<Scalar = f32> + Layer<Vector<IN>, Output = Vector<OUT>> + 'static,
{
    let mut network = N::boxed();
    set_weights(&mut *network, task);
    Box::new(OneSample::<N, IN> { network, scratch: N::Scratch::boxed(), inputs: samples(&task.inputs) })
}

impl<N, const IN: usize, const OUT: usize> Work for OneSample<N, IN>
where
    N: Network<Scalar = f32> + Layer<Vector<IN>, Output = Vector<OUT>>,
{
    fn run(&mut self, turns: Turns) -> f32 {
        let mut last = 0.0;
        for turn in turns {
            let input = Vector::from_array_ref(&self.inputs[turn]);
            last = black_box(self.network.predict(input, &mut self.scratch))[0];
        }
        last
    }

    fn outputs(&mut self, turn: usize) -> Vec<f32> {
        let input = Vector::from_array_ref(&self.inputs[turn]);
        self.network.predict(input, &mut self.scratch).as_slice().to_vec()
    }
}

struct Steps<N, O, L, Target, const B: usize>
where
    N: Network + Layer<Batch<N::InputSample, B>>,
    O: Optimizer,
{
    trainer: Box<Trainer<N, O, B>>,
    optimizer: O,
    loss: L,
    inputs: Vec<N::InputSample>,
    targets: Vec<Target>,
}

fn training<N, O, L, Target: 'static, const B: usize>(
    task: &Task,
    optimizer: O,
    loss: L,
    targets: Vec<Target>,
) -> Box<dyn Work>
where
    N: Network<Scalar = f32> + Layer<Batch<N::InputSample, B>, Output = Batch<N::OutputSample, B>> + 'static,
    O: Optimizer + 'static,
    L: Loss<N::OutputSample, Target> + 'static,
{
    let mut trainer = Trainer::<N, O, B>::boxed();
    set_weights(&mut trainer.network, task);
    let inputs = task.inputs.chunks(task.sizes[0]).map(|numbers| {
        let mut sample = N::InputSample::ZEROED;
        sample.as_mut().copy_from_slice(numbers);
        sample
    });
    Box::new(Steps { trainer, optimizer, loss, inputs: inputs.collect(), targets })
}

impl<N, O, L, Target, const B: usize> Work for Steps<N, O, L, Target, B>
where
    N: Network<Scalar = f32> + Layer<Batch<N::InputSample, B>, Output = Batch<N::OutputSample, B>>,
    O: Optimizer + 'static,
    L: Loss<N::OutputSample, Target>,
{
    fn run(&mut self, turns: Turns) -> f32 {
        let (inputs, targets) = (self.inputs.as_chunks::<B>().0, self.targets.as_chunks::<B>().0);
        let mut last = 0.0;
        for turn in turns {
            last = self.trainer.step(&self.optimizer, &self.loss, &inputs[turn], &targets[turn]).unwrap();
        }
        last
    }

    fn outputs(&mut self, turn: usize) -> Vec<f32> {
        let mut outputs = Vec::new();
        self.trainer
            .predict(&self.inputs.as_chunks::<B>().0[turn], |_, output| outputs.extend_from_slice(output.as_ref()));
        outputs
    }
}
