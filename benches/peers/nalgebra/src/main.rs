//! Networks of nalgebra's matrices: of fixed sizes for one sample, of run-time sizes for batches, since only these reach
//! its fast product. A sample is a column.

use nalgebra::{DMatrix, DVector, SMatrix, SVector};
use protocol::{Dense as Weights, Task, Turns, Work};
use std::hint::black_box;

fn relu(z: f32) -> f32 {
    z.max(0.0)
}

/// One sample through a layer or several.
trait Layers<const IN: usize, const OUT: usize> {
    fn forward(&self, x: &SVector<f32, IN>) -> SVector<f32, OUT>;
}

struct Dense<const IN: usize, const OUT: usize> {
    weights: Box<SMatrix<f32, OUT, IN>>,
    bias: SVector<f32, OUT>,
}

impl<const IN: usize, const OUT: usize> Dense<IN, OUT> {
    fn new(layer: &Weights) -> Self {
        let mut weights = Box::new(SMatrix::<f32, OUT, IN>::zeros());
        weights.as_mut_slice().copy_from_slice(&layer.transposed());
        Self { weights, bias: SVector::from_column_slice(&layer.bias) }
    }
}

impl<const IN: usize, const OUT: usize> Layers<IN, OUT> for Dense<IN, OUT> {
    fn forward(&self, x: &SVector<f32, IN>) -> SVector<f32, OUT> {
        let mut y = self.bias;
        y.gemv(1.0, &self.weights, x, 1.0);
        y
    }
}

/// A layer with its activation, then what follows.
struct Chain<const IN: usize, const MIDDLE: usize, A, Rest>(Dense<IN, MIDDLE>, A, Rest);

impl<const IN: usize, const MIDDLE: usize, const OUT: usize, A: Fn(f32) -> f32, Rest: Layers<MIDDLE, OUT>>
    Layers<IN, OUT> for Chain<IN, MIDDLE, A, Rest>
{
    fn forward(&self, x: &SVector<f32, IN>) -> SVector<f32, OUT> {
        self.2.forward(&self.0.forward(x).map(&self.1))
    }
}

struct OneSample<const IN: usize, const OUT: usize, L> {
    layers: L,
    inputs: Vec<SVector<f32, IN>>,
}

fn one_sample<const IN: usize, const OUT: usize, L: Layers<IN, OUT> + 'static>(
    task: &Task,
    layers: L,
) -> Box<dyn Work> {
    let inputs = task.inputs.chunks(IN).map(SVector::from_column_slice).collect();
    Box::new(OneSample::<IN, OUT, L> { layers, inputs })
}

fn two<const I: usize, const H: usize, const O: usize>(
    task: &Task,
    activation: impl Fn(f32) -> f32 + 'static,
) -> Box<dyn Work> {
    let layers = &task.layers;
    one_sample(task, Chain(Dense::<I, H>::new(&layers[0]), activation, Dense::<H, O>::new(&layers[1])))
}

fn three<const I: usize, const H: usize, const G: usize, const O: usize>(
    task: &Task,
    activation: impl Fn(f32) -> f32 + Copy + 'static,
) -> Box<dyn Work> {
    let layers = &task.layers;
    let rest = Chain(Dense::<H, G>::new(&layers[1]), activation, Dense::<G, O>::new(&layers[2]));
    one_sample(task, Chain(Dense::<I, H>::new(&layers[0]), activation, rest))
}

impl<const IN: usize, const OUT: usize, L: Layers<IN, OUT>> Work for OneSample<IN, OUT, L> {
    fn run(&mut self, turns: Turns) -> f32 {
        turns.fold(0.0, |_, turn| black_box(self.layers.forward(&self.inputs[turn]))[0])
    }

    fn outputs(&mut self, turn: usize) -> Vec<f32> {
        self.layers.forward(&self.inputs[turn]).as_slice().to_vec()
    }
}

/// A parameter with its gradient and Adam's moments.
struct Parameter {
    value: DMatrix<f32>,
    gradient: DMatrix<f32>,
    first: DMatrix<f32>,
    second: DMatrix<f32>,
}

impl Parameter {
    fn new(value: DMatrix<f32>) -> Self {
        let zeros = DMatrix::zeros(value.nrows(), value.ncols());
        Self { value, gradient: zeros.clone(), first: zeros.clone(), second: zeros }
    }

    fn sgd(&mut self, rate: f32) {
        self.value.zip_apply(&self.gradient, |w, g| *w -= rate * g);
    }

    fn adam(&mut self, rate: f32, correction: f32) {
        let moments = self.first.iter_mut().zip(self.second.iter_mut());
        for ((w, g), (m, v)) in self.value.iter_mut().zip(self.gradient.iter()).zip(moments) {
            *m = 0.9 * *m + 0.1 * g;
            *v = 0.999 * *v + 0.001 * g * g;
            *w -= rate * *m / (v.sqrt() * correction + 1e-8);
        }
    }
}

struct Layer {
    weights: Parameter,
    bias: Parameter,
    y: DMatrix<f32>,
    d: DMatrix<f32>,
    /// Factors of the products on the way back.
    weights_transposed: DMatrix<f32>,
    x_transposed: DMatrix<f32>,
}

struct Training {
    layers: Vec<Layer>,
    inputs: Vec<DMatrix<f32>>,
    targets: Vec<DMatrix<f32>>,
    tanh: bool,
    cross_entropy: bool,
    adam: bool,
    rate: f32,
    steps: i32,
}

impl Training {
    fn new(task: &Task) -> Self {
        let training = task.training.as_ref().unwrap();
        let batches = |numbers: &[f32], rows| {
            numbers
                .chunks(rows * training.batch)
                .map(|part| DMatrix::from_column_slice(rows, training.batch, part))
                .collect()
        };
        let layers = task.layers.iter().map(|layer| Layer {
            weights: Parameter::new(DMatrix::from_row_slice(layer.outputs, layer.inputs, &layer.weights)),
            bias: Parameter::new(DMatrix::from_column_slice(layer.outputs, 1, &layer.bias)),
            y: DMatrix::zeros(layer.outputs, training.batch),
            d: DMatrix::zeros(layer.outputs, training.batch),
            weights_transposed: DMatrix::zeros(layer.inputs, layer.outputs),
            x_transposed: DMatrix::zeros(training.batch, layer.inputs),
        });
        Self {
            layers: layers.collect(),
            inputs: batches(&task.inputs, task.sizes[0]),
            targets: batches(&task.targets, task.outputs()),
            tanh: task.activation == "tanh",
            cross_entropy: training.loss == "cross-entropy",
            adam: training.optimizer == "adam",
            rate: training.rate,
            steps: 0,
        }
    }

    fn forward(&mut self, turn: usize) {
        let last = self.layers.len() - 1;
        for i in 0..=last {
            let (before, from) = self.layers.split_at_mut(i);
            let (x, layer) = (before.last().map_or(&self.inputs[turn], |layer| &layer.y), &mut from[0]);
            for mut column in layer.y.column_iter_mut() {
                column.copy_from(&layer.bias.value);
            }
            layer.y.gemm(1.0, &layer.weights.value, x, 1.0);
            match (i == last, self.tanh) {
                (true, _) => {}
                (_, true) => layer.y.apply(|y| *y = y.tanh()),
                (_, false) => layer.y.apply(|y| *y = y.max(0.0)),
            }
        }
    }

    fn step(&mut self, turn: usize) -> f32 {
        self.forward(turn);
        let (layer, targets) = (self.layers.last_mut().unwrap(), &self.targets[turn]);
        layer.d.copy_from(&layer.y);
        if self.cross_entropy {
            let share = 1.0 / targets.ncols() as f32;
            for mut column in layer.d.column_iter_mut() {
                let largest = column.max();
                column.apply(|y| *y = (*y - largest).exp());
                let factor = share / column.sum();
                column.scale_mut(factor);
            }
            layer.d.zip_apply(targets, |d, t| *d -= t * share);
        } else {
            let factor = 2.0 / targets.len() as f32;
            layer.d.zip_apply(targets, |d, t| *d = (*d - t) * factor);
        }
        for i in (0..self.layers.len()).rev() {
            let (before, from) = self.layers.split_at_mut(i);
            let layer = &mut from[0];
            if let Some(before) = before.last_mut() {
                layer.weights.value.transpose_to(&mut layer.weights_transposed);
                before.d.gemm(1.0, &layer.weights_transposed, &layer.d, 0.0);
                if self.tanh {
                    before.d.zip_apply(&before.y, |d, y| *d *= 1.0 - y * y);
                } else {
                    before.d.zip_apply(&before.y, |d, y| *d = if y > 0.0 { *d } else { 0.0 });
                }
            }
            let x = before.last().map_or(&self.inputs[turn], |layer| &layer.y);
            x.transpose_to(&mut layer.x_transposed);
            layer.weights.gradient.gemm(1.0, &layer.d, &layer.x_transposed, 0.0);
            let sum: DVector<f32> = layer.d.column_sum();
            layer.bias.gradient.copy_from(&sum);
        }
        self.steps += 1;
        let (first, second) = (1.0 - 0.9_f32.powi(self.steps), 1.0 - 0.999_f32.powi(self.steps));
        for parameter in self.layers.iter_mut().flat_map(|layer| [&mut layer.weights, &mut layer.bias]) {
            if self.adam {
                parameter.adam(self.rate / first, second.sqrt().recip());
            } else {
                parameter.sgd(self.rate);
            }
        }
        self.layers.last().unwrap().d[0]
    }
}

impl Work for Training {
    fn run(&mut self, turns: Turns) -> f32 {
        turns.fold(0.0, |_, turn| self.step(turn))
    }

    fn outputs(&mut self, turn: usize) -> Vec<f32> {
        self.forward(turn);
        self.layers.last().unwrap().y.as_slice().to_vec()
    }
}

fn main() {
    protocol::serve(|task| {
        Ok(match task.name.as_str() {
            "4-16-16-1 tanh" => three::<4, 16, 16, 1>(task, f32::tanh),
            "8-64-64-4 tanh" => three::<8, 64, 64, 4>(task, f32::tanh),
            "8-64-64-4 relu" => three::<8, 64, 64, 4>(task, relu),
            "6-64-8-4 relu" => three::<6, 64, 8, 4>(task, relu),
            "64-32-10 tanh" => two::<64, 32, 10>(task, f32::tanh),
            "784-128-10 relu" => two::<784, 128, 10>(task, relu),
            _ if task.training.is_some() => Box::new(Training::new(task)),
            name => return Err(format!("run {name}")),
        })
    });
}
