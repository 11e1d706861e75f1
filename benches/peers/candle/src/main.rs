//! candle on the CPU: its layers, losses and optimisers.

use candle_core::{Device, Result, Tensor, Var};
use candle_nn::{Activation, AdamW, Linear, Module, Optimizer, ParamsAdamW, SGD, loss};
use protocol::{Task, Turns, Work};

enum Rule {
    Sgd(SGD),
    Adam(AdamW),
}

struct Network {
    layers: Vec<Linear>,
    /// candle has tanh as a method of tensors only.
    relu: bool,
    inputs: Vec<Tensor>,
    targets: Vec<Tensor>,
    cross_entropy: bool,
    rule: Option<Rule>,
}

impl Network {
    fn new(task: &Task) -> Result<Self> {
        let cpu = &Device::Cpu;
        let (mut layers, mut variables) = (Vec::new(), Vec::new());
        for layer in &task.layers {
            let weights = Tensor::from_slice(&layer.weights, (layer.outputs, layer.inputs), cpu)?;
            let bias = Tensor::from_slice(&layer.bias, layer.outputs, cpu)?;
            if task.training.is_some() {
                let (weights, bias) = (Var::from_tensor(&weights)?, Var::from_tensor(&bias)?);
                layers.push(Linear::new(weights.as_tensor().clone(), Some(bias.as_tensor().clone())));
                variables.extend([weights, bias]);
            } else {
                layers.push(Linear::new(weights, Some(bias)));
            }
        }
        let batch = task.training.as_ref().map_or(1, |training| training.batch);
        let batches = |numbers: &[f32], width: usize| -> Result<Vec<Tensor>> {
            numbers.chunks(batch * width).map(|part| Tensor::from_slice(part, (batch, width), cpu)).collect()
        };
        let cross_entropy = task.training.as_ref().is_some_and(|training| training.loss == "cross-entropy");
        let targets = if cross_entropy {
            let classes: Vec<u32> = task.classes().iter().map(|class| *class as u32).collect();
            classes.chunks(batch).map(|part| Tensor::from_slice(part, batch, cpu)).collect::<Result<_>>()?
        } else {
            batches(&task.targets, task.outputs())?
        };
        let rule = match &task.training {
            None => None,
            Some(training) if training.optimizer == "adam" => {
                let parameters = ParamsAdamW { lr: training.rate.into(), weight_decay: 0.0, ..ParamsAdamW::default() };
                Some(Rule::Adam(AdamW::new(variables, parameters)?))
            }
            Some(training) => Some(Rule::Sgd(SGD::new(variables, training.rate.into())?)),
        };
        let inputs = batches(&task.inputs, task.sizes[0])?;
        Ok(Self { layers, relu: task.activation == "relu", inputs, targets, cross_entropy, rule })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (last, hidden) = self.layers.split_last().unwrap();
        let mut x = x.clone();
        for layer in hidden {
            x = layer.forward(&x)?;
            x = if self.relu { Activation::Relu.forward(&x)? } else { x.tanh()? };
        }
        last.forward(&x)
    }

    fn iterate(&mut self, turn: usize) -> Result<Tensor> {
        let y = self.forward(&self.inputs[turn])?;
        let Some(rule) = &mut self.rule else {
            return Ok(y);
        };
        let t = &self.targets[turn];
        let loss = if self.cross_entropy { loss::cross_entropy(&y, t)? } else { loss::mse(&y, t)? };
        match rule {
            Rule::Sgd(sgd) => sgd.backward_step(&loss)?,
            Rule::Adam(adam) => adam.backward_step(&loss)?,
        }
        Ok(loss)
    }
}

impl Work for Network {
    fn run(&mut self, turns: Turns) -> f32 {
        let mut last = None;
        for turn in turns {
            last = Some(self.iterate(turn).unwrap());
        }
        last.map_or(0.0, |tensor| tensor.flatten_all().unwrap().to_vec1().unwrap()[0])
    }

    fn outputs(&mut self, turn: usize) -> Vec<f32> {
        let y = self.forward(&self.inputs[turn]).unwrap();
        y.flatten_all().unwrap().to_vec1().unwrap()
    }
}

fn main() {
    protocol::serve(|task| match Network::new(task) {
        Ok(network) => Ok(Box::new(network)),
        Err(error) => Err(format!("load: {error}")),
    });
}
