//! dfdx on the CPU: sizes are types, as here.

use dfdx::optim::{Adam, AdamConfig, Sgd, SgdConfig};
use dfdx::prelude::*;
use dfdx::tensor::Gradients;
use protocol::{Dense as Weights, Task, Turns, Work};

type Device = Cpu;

/// Takes its weights from a task.
trait Set {
    fn set(&mut self, layers: &mut std::slice::Iter<Weights>);
}

impl<const I: usize, const O: usize> Set for modules::Linear<I, O, f32, Device> {
    fn set(&mut self, layers: &mut std::slice::Iter<Weights>) {
        let layer = layers.next().unwrap();
        self.weight.copy_from(&layer.weights);
        self.bias.copy_from(&layer.bias);
    }
}

impl Set for Tanh {
    fn set(&mut self, _: &mut std::slice::Iter<Weights>) {}
}

impl Set for ReLU {
    fn set(&mut self, _: &mut std::slice::Iter<Weights>) {}
}

impl<A: Set, B: Set> Set for (A, B) {
    fn set(&mut self, layers: &mut std::slice::Iter<Weights>) {
        self.0.set(layers);
        self.1.set(layers);
    }
}

impl<A: Set, B: Set, C: Set> Set for (A, B, C) {
    fn set(&mut self, layers: &mut std::slice::Iter<Weights>) {
        self.0.set(layers);
        self.1.set(layers);
        self.2.set(layers);
    }
}

impl<A: Set, B: Set, C: Set, D: Set> Set for (A, B, C, D) {
    fn set(&mut self, layers: &mut std::slice::Iter<Weights>) {
        self.0.set(layers);
        self.1.set(layers);
        self.2.set(layers);
        self.3.set(layers);
    }
}

enum Rule<M> {
    Sgd(Sgd<M, f32, Device>),
    Adam(Adam<M, f32, Device>),
}

struct Network<M, const B: usize, const I: usize, const O: usize> {
    model: M,
    rule: Option<Rule<M>>,
    gradients: Option<Gradients<f32, Device>>,
    inputs: Vec<Tensor<Rank2<B, I>, f32, Device>>,
    targets: Vec<Tensor<Rank2<B, O>, f32, Device>>,
    cross_entropy: bool,
}

fn network<Config, const B: usize, const I: usize, const O: usize>(task: &Task) -> Box<dyn Work>
where
    Config: BuildOnDevice<Device, f32>,
    Network<Config::Built, B, I, O>: Work,
    Config::Built: Set + ZeroGrads<f32, Device> + 'static,
{
    let device = Device::default();
    let mut model = device.build_module::<Config, f32>();
    model.set(&mut task.layers.iter());
    let gradients = task.training.is_some().then(|| model.alloc_grads());
    let rule = task.training.as_ref().map(|training| {
        let lr = training.rate.into();
        if training.optimizer == "adam" {
            Rule::Adam(Adam::new(&model, AdamConfig { lr, ..AdamConfig::default() }))
        } else {
            Rule::Sgd(Sgd::new(&model, SgdConfig { lr, ..SgdConfig::default() }))
        }
    });
    let inputs = task.inputs.chunks(B * I).map(|part| device.tensor(part.to_vec())).collect();
    let targets = task.targets.chunks(B * O).map(|part| device.tensor(part.to_vec())).collect();
    let cross_entropy = task.training.as_ref().is_some_and(|training| training.loss == "cross-entropy");
    Box::new(Network::<Config::Built, B, I, O> { model, rule, gradients, inputs, targets, cross_entropy })
}

impl<M, const B: usize, const I: usize, const O: usize> Work for Network<M, B, I, O>
where
    M: Module<Tensor<Rank2<B, I>, f32, Device>, Output = Tensor<Rank2<B, O>, f32, Device>>
        + Module<
            Tensor<Rank2<B, I>, f32, Device, OwnedTape<f32, Device>>,
            Output = Tensor<Rank2<B, O>, f32, Device, OwnedTape<f32, Device>>,
        > + ZeroGrads<f32, Device>
        + TensorCollection<f32, Device>,
{
    fn run(&mut self, turns: Turns) -> f32 {
        let mut last = 0.0;
        for turn in turns {
            let Some(rule) = &mut self.rule else {
                let y = self.model.forward(self.inputs[turn].clone());
                last = std::hint::black_box(y).array()[0][0];
                continue;
            };
            let (x, t) = (&self.inputs[turn], self.targets[turn].clone());
            let y = self.model.forward(x.trace(self.gradients.take().unwrap()));
            let loss = if self.cross_entropy { cross_entropy_with_logits_loss(y, t) } else { mse_loss(y, t) };
            last = loss.array();
            let mut gradients = loss.backward();
            match rule {
                Rule::Sgd(sgd) => sgd.update(&mut self.model, &gradients).unwrap(),
                Rule::Adam(adam) => adam.update(&mut self.model, &gradients).unwrap(),
            }
            self.model.zero_grads(&mut gradients);
            self.gradients = Some(gradients);
        }
        last
    }

    fn outputs(&mut self, turn: usize) -> Vec<f32> {
        self.model.forward(self.inputs[turn].clone()).as_vec()
    }
}

type Two<const I: usize, const H: usize, const O: usize, A> = ((Linear<I, H>, A), Linear<H, O>);
type Three<const I: usize, const H: usize, const G: usize, const O: usize, A> =
    ((Linear<I, H>, A), (Linear<H, G>, A), Linear<G, O>);
type Four<const N: usize, A> = ((Linear<N, N>, A), (Linear<N, N>, A), (Linear<N, N>, A), Linear<N, N>);

fn main() {
    protocol::serve(|task| {
        Ok(match task.name.as_str() {
            "4-16-16-1 tanh" => network::<Three<4, 16, 16, 1, Tanh>, 1, 4, 1>(task),
            "8-64-64-4 tanh" => network::<Three<8, 64, 64, 4, Tanh>, 1, 8, 4>(task),
            "8-64-64-4 relu" => network::<Three<8, 64, 64, 4, ReLU>, 1, 8, 4>(task),
            "6-64-8-4 relu" => network::<Three<6, 64, 8, 4, ReLU>, 1, 6, 4>(task),
            "64-32-10 tanh" => network::<Two<64, 32, 10, Tanh>, 1, 64, 10>(task),
            "784-128-10 relu" => network::<Two<784, 128, 10, ReLU>, 1, 784, 10>(task),
            "2-4-1 tanh 4 sgd mse" => network::<Two<2, 4, 1, Tanh>, 4, 2, 1>(task),
            "8-64-64-4 tanh 32 adam mse" => network::<Three<8, 64, 64, 4, Tanh>, 32, 8, 4>(task),
            "64-32-10 tanh 32 sgd cross-entropy" | "64-32-10 tanh 32 adam cross-entropy" => {
                network::<Two<64, 32, 10, Tanh>, 32, 64, 10>(task)
            }
            "784-128-10 relu 32 sgd cross-entropy" | "784-128-10 relu 32 adam cross-entropy" => {
                network::<Two<784, 128, 10, ReLU>, 32, 784, 10>(task)
            }
            "784-512-512-10 relu 128 sgd cross-entropy" => {
                network::<Three<784, 512, 512, 10, ReLU>, 128, 784, 10>(task)
            }
            "1024-1024-1024-1024-1024 relu 256 sgd mse" => network::<Four<1024, ReLU>, 256, 1024, 1024>(task),
            name => return Err(format!("run {name}")),
        })
    });
}
