//! burn with Flex, its fastest backend on the CPU: its layers, losses and optimisers.

use burn::backend::{Autodiff, Flex};
use burn::module::{AutodiffModule, Module, Param};
use burn::nn::loss::{CrossEntropyLossConfig, MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, Optimizer, SgdConfig};
use burn::tensor::activation::{relu, tanh};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use protocol::{Task, Training, Turns, Work};

type Gradient = Autodiff<Flex>;

#[derive(Module, Debug)]
struct Network<B: Backend> {
    layers: Vec<Linear<B>>,
    relu: bool,
}

impl<B: Backend> Network<B> {
    fn new(task: &Task, device: &B::Device) -> Self {
        let layers = task.layers.iter().map(|layer| {
            let mut linear = LinearConfig::new(layer.inputs, layer.outputs).init(device);
            let shape = [layer.inputs, layer.outputs];
            let weights = TensorData::new(layer.transposed(), shape);
            let bias = TensorData::new(layer.bias.clone(), [layer.outputs]);
            linear.weight = Param::from_data(weights, device);
            linear.bias = Some(Param::from_data(bias, device));
            linear
        });
        Self { layers: layers.collect(), relu: task.activation == "relu" }
    }

    fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let (last, hidden) = self.layers.split_last().unwrap();
        let x = hidden.iter().fold(x, |x, layer| {
            let x = layer.forward(x);
            if self.relu { relu(x) } else { tanh(x) }
        });
        last.forward(x)
    }
}

/// Batch after batch, `width` numbers a sample.
fn batches<B: Backend>(numbers: &[f32], batch: usize, width: usize, device: &B::Device) -> Vec<Tensor<B, 2>> {
    numbers
        .chunks(batch * width)
        .map(|part| Tensor::from_data(TensorData::new(part.to_vec(), [batch, width]), device))
        .collect()
}

fn numbers(tensor: Tensor<Flex, 2>) -> Vec<f32> {
    tensor.into_data().to_vec().unwrap()
}

struct OneSample {
    network: Network<Flex>,
    inputs: Vec<Tensor<Flex, 2>>,
}

impl OneSample {
    fn new(task: &Task) -> Self {
        let device = Default::default();
        Self { network: Network::new(task, &device), inputs: batches(&task.inputs, 1, task.sizes[0], &device) }
    }
}

impl Work for OneSample {
    fn run(&mut self, turns: Turns) -> f32 {
        let mut last = None;
        for turn in turns {
            last = Some(self.network.forward(self.inputs[turn].clone()));
        }
        last.map_or(0.0, |y| numbers(y)[0])
    }

    fn outputs(&mut self, turn: usize) -> Vec<f32> {
        numbers(self.network.forward(self.inputs[turn].clone()))
    }
}

enum Targets {
    Classes(Vec<Tensor<Gradient, 1, Int>>),
    Values(Vec<Tensor<Gradient, 2>>),
}

struct Steps<O> {
    /// Absent only while a step makes of it the next.
    network: Option<Network<Gradient>>,
    optimizer: O,
    rate: f64,
    inputs: Vec<Tensor<Gradient, 2>>,
    targets: Targets,
}

impl<O: Optimizer<Network<Gradient>, Gradient>> Steps<O> {
    fn new(task: &Task, training: &Training, optimizer: O) -> Self {
        let device = Default::default();
        let targets = if training.loss == "cross-entropy" {
            let classes: Vec<i64> = task.classes().iter().map(|class| *class as i64).collect();
            let batches = classes.chunks(training.batch);
            Targets::Classes(batches.map(|part| Tensor::from_data(part, &device)).collect())
        } else {
            Targets::Values(batches(&task.targets, training.batch, task.outputs(), &device))
        };
        Self {
            network: Some(Network::new(task, &device)),
            optimizer,
            rate: training.rate.into(),
            inputs: batches(&task.inputs, training.batch, task.sizes[0], &device),
            targets,
        }
    }

    fn step(&mut self, turn: usize) -> Tensor<Gradient, 1> {
        let network = self.network.take().unwrap();
        let y = network.forward(self.inputs[turn].clone());
        let loss = match &self.targets {
            Targets::Classes(classes) => {
                let loss = CrossEntropyLossConfig::new().init(&y.device());
                loss.forward(y, classes[turn].clone())
            }
            Targets::Values(values) => MseLoss::new().forward(y, values[turn].clone(), Reduction::Mean),
        };
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        self.network = Some(self.optimizer.step(self.rate, network, gradients));
        loss
    }
}

impl<O: Optimizer<Network<Gradient>, Gradient>> Work for Steps<O> {
    fn run(&mut self, turns: Turns) -> f32 {
        let mut last = None;
        for turn in turns {
            last = Some(self.step(turn));
        }
        last.map_or(0.0, |loss| loss.into_scalar())
    }

    fn outputs(&mut self, turn: usize) -> Vec<f32> {
        let network = self.network.as_ref().unwrap().valid();
        numbers(network.forward(self.inputs[turn].clone().inner()))
    }
}

fn main() {
    protocol::serve(|task| {
        Ok(match &task.training {
            None => Box::new(OneSample::new(task)),
            Some(training) if training.optimizer == "adam" => {
                let adam = AdamConfig::new().with_epsilon(1e-8).init();
                Box::new(Steps::new(task, training, adam))
            }
            Some(training) => Box::new(Steps::new(task, training, SgdConfig::new().init())),
        })
    });
}
