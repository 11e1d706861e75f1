//! A network as one writes it by hand: arrays, loops that the compiler can turn into vector instructions, no crate.

use protocol::{Dense as Weights, Task, Turns, Work};
use std::hint::black_box;

trait Activation {
    fn value(z: f32) -> f32;
    /// By the value.
    fn derivative(y: f32) -> f32;
}

struct Tanh;
struct Relu;
struct Identity;

impl Activation for Tanh {
    fn value(z: f32) -> f32 {
        z.tanh()
    }
    fn derivative(y: f32) -> f32 {
        1.0 - y * y
    }
}

impl Activation for Relu {
    fn value(z: f32) -> f32 {
        z.max(0.0)
    }
    fn derivative(y: f32) -> f32 {
        if y > 0.0 { 1.0 } else { 0.0 }
    }
}

impl Activation for Identity {
    fn value(z: f32) -> f32 {
        z
    }
    fn derivative(_: f32) -> f32 {
        1.0
    }
}

type Block<const ROWS: usize, const N: usize> = Box<[[f32; N]; ROWS]>;

fn zeros<const ROWS: usize, const N: usize>() -> Block<ROWS, N> {
    vec![[0.0; N]; ROWS].try_into().unwrap()
}

fn add_scaled<const N: usize>(sum: &mut [f32; N], factor: f32, x: &[f32; N]) {
    for (s, x) in sum.iter_mut().zip(x) {
        *s += factor * x;
    }
}

/// In sixteen sums, as the compiler may not reorder one.
fn dot<const N: usize>(x: &[f32; N], y: &[f32; N]) -> f32 {
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<16>(), y.as_chunks::<16>());
    let mut sums = [0.0; 16];
    for (x, y) in x.iter().zip(y) {
        for i in 0..16 {
            sums[i] += x[i] * y[i];
        }
    }
    sums.iter().sum::<f32>() + x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum::<f32>()
}

#[derive(Clone, Copy)]
struct Adam {
    rate: f32,
    correction: f32,
}

enum Optimizer {
    Sgd { rate: f32 },
    Adam(Adam),
}

/// A layer or several, on `B` samples at once.
trait Layers<const IN: usize, const OUT: usize, const B: usize> {
    fn from(layers: &mut std::slice::Iter<Weights>) -> Self;
    fn forward(&mut self, x: &[[f32; IN]; B]) -> &[[f32; OUT]; B];
    /// Overwrites `d` with what it needs, and the gradient.
    fn backward(&mut self, x: &[[f32; IN]; B], d: &mut [[f32; OUT]; B], d_input: Option<&mut [[f32; IN]; B]>);
    fn update(&mut self, optimizer: &Optimizer);
}

struct Dense<const IN: usize, const OUT: usize, const B: usize, A> {
    /// One row an input.
    weights: Block<IN, OUT>,
    bias: Block<1, OUT>,
    gradient: (Block<IN, OUT>, Block<1, OUT>),
    first: (Block<IN, OUT>, Block<1, OUT>),
    second: (Block<IN, OUT>, Block<1, OUT>),
    y: Block<B, OUT>,
    activation: std::marker::PhantomData<A>,
}

impl<const IN: usize, const OUT: usize, const B: usize, A: Activation> Layers<IN, OUT, B> for Dense<IN, OUT, B, A> {
    fn from(layers: &mut std::slice::Iter<Weights>) -> Self {
        let layer = layers.next().unwrap();
        let (mut weights, mut bias) = (zeros(), zeros());
        weights.as_flattened_mut().copy_from_slice(&layer.transposed());
        bias.as_flattened_mut().copy_from_slice(&layer.bias);
        let moments = || (zeros(), zeros());
        let activation = std::marker::PhantomData;
        Self { weights, bias, gradient: moments(), first: moments(), second: moments(), y: zeros(), activation }
    }

    fn forward(&mut self, x: &[[f32; IN]; B]) -> &[[f32; OUT]; B] {
        for (x, y) in x.iter().zip(&mut *self.y) {
            y.copy_from_slice(&self.bias[0]);
            for (x, row) in x.iter().zip(&*self.weights) {
                add_scaled(y, *x, row);
            }
            y.iter_mut().for_each(|y| *y = A::value(*y));
        }
        &self.y
    }

    fn backward(&mut self, x: &[[f32; IN]; B], d: &mut [[f32; OUT]; B], d_input: Option<&mut [[f32; IN]; B]>) {
        self.gradient.0.as_flattened_mut().fill(0.0);
        self.gradient.1.as_flattened_mut().fill(0.0);
        for ((x, y), d) in x.iter().zip(&*self.y).zip(&mut *d) {
            for (d, y) in d.iter_mut().zip(y) {
                *d *= A::derivative(*y);
            }
            add_scaled(&mut self.gradient.1[0], 1.0, d);
            for (x, row) in x.iter().zip(&mut *self.gradient.0) {
                add_scaled(row, *x, d);
            }
        }
        if let Some(d_input) = d_input {
            for (d, d_input) in d.iter().zip(d_input) {
                for (d_x, row) in d_input.iter_mut().zip(&*self.weights) {
                    *d_x = dot(row, d);
                }
            }
        }
    }

    fn update(&mut self, optimizer: &Optimizer) {
        let blocks = [
            (
                self.weights.as_flattened_mut(),
                self.gradient.0.as_flattened(),
                self.first.0.as_flattened_mut(),
                self.second.0.as_flattened_mut(),
            ),
            (
                self.bias.as_flattened_mut(),
                self.gradient.1.as_flattened(),
                self.first.1.as_flattened_mut(),
                self.second.1.as_flattened_mut(),
            ),
        ];
        for (w, g, m, v) in blocks {
            match optimizer {
                Optimizer::Sgd { rate } => w.iter_mut().zip(g).for_each(|(w, g)| *w -= rate * g),
                Optimizer::Adam(Adam { rate, correction }) => {
                    for (((w, g), m), v) in w.iter_mut().zip(g).zip(m).zip(v) {
                        *m = 0.9 * *m + 0.1 * g;
                        *v = 0.999 * *v + 0.001 * g * g;
                        *w -= rate * *m / (v.sqrt() * correction + 1e-8);
                    }
                }
            }
        }
    }
}

/// One after the other.
struct Chain<const MIDDLE: usize, const B: usize, First, Second> {
    first: First,
    second: Second,
    /// The output of `first`, and the gradient with respect to it.
    between: Block<B, MIDDLE>,
    d_between: Block<B, MIDDLE>,
}

impl<const IN: usize, const MIDDLE: usize, const OUT: usize, const B: usize, First, Second> Layers<IN, OUT, B>
    for Chain<MIDDLE, B, First, Second>
where
    First: Layers<IN, MIDDLE, B>,
    Second: Layers<MIDDLE, OUT, B>,
{
    fn from(layers: &mut std::slice::Iter<Weights>) -> Self {
        Self { first: First::from(layers), second: Second::from(layers), between: zeros(), d_between: zeros() }
    }

    fn forward(&mut self, x: &[[f32; IN]; B]) -> &[[f32; OUT]; B] {
        self.between.copy_from_slice(self.first.forward(x));
        self.second.forward(&self.between)
    }

    fn backward(&mut self, x: &[[f32; IN]; B], d: &mut [[f32; OUT]; B], d_input: Option<&mut [[f32; IN]; B]>) {
        self.second.backward(&self.between, d, Some(&mut self.d_between));
        self.first.backward(x, &mut self.d_between, d_input);
    }

    fn update(&mut self, optimizer: &Optimizer) {
        self.first.update(optimizer);
        self.second.update(optimizer);
    }
}

type Two<const I: usize, const H: usize, const O: usize, const B: usize, A> =
    Chain<H, B, Dense<I, H, B, A>, Dense<H, O, B, Identity>>;
type Three<const I: usize, const H: usize, const G: usize, const O: usize, const B: usize, A> =
    Chain<H, B, Dense<I, H, B, A>, Two<H, G, O, B, A>>;
type Four<const N: usize, const B: usize, A> = Chain<N, B, Dense<N, N, B, A>, Three<N, N, N, N, B, A>>;

struct Network<const IN: usize, const OUT: usize, const B: usize, L> {
    layers: L,
    inputs: Vec<[f32; IN]>,
    targets: Vec<[f32; OUT]>,
    d_output: Block<B, OUT>,
    cross_entropy: bool,
    adam: bool,
    rate: f32,
    steps: i32,
    trains: bool,
}

fn network<const IN: usize, const OUT: usize, const B: usize, L: Layers<IN, OUT, B> + 'static>(
    task: &Task,
) -> Box<dyn Work> {
    let training = task.training.as_ref();
    Box::new(Network::<IN, OUT, B, L> {
        layers: L::from(&mut task.layers.iter()),
        inputs: task.inputs.as_chunks().0.to_vec(),
        targets: task.targets.as_chunks().0.to_vec(),
        d_output: zeros(),
        cross_entropy: training.is_some_and(|t| t.loss == "cross-entropy"),
        adam: training.is_some_and(|t| t.optimizer == "adam"),
        rate: training.map_or(0.0, |t| t.rate),
        steps: 0,
        trains: training.is_some(),
    })
}

impl<const IN: usize, const OUT: usize, const B: usize, L: Layers<IN, OUT, B>> Network<IN, OUT, B, L> {
    fn step(&mut self, turn: usize) -> f32 {
        let (inputs, targets) = (&self.inputs.as_chunks::<B>().0[turn], &self.targets.as_chunks::<B>().0[turn]);
        let y = self.layers.forward(inputs);
        for ((y, t), d) in y.iter().zip(targets).zip(&mut *self.d_output) {
            if self.cross_entropy {
                let largest = y.iter().fold(f32::NEG_INFINITY, |a, b| a.max(*b));
                d.iter_mut().zip(y).for_each(|(d, y)| *d = (y - largest).exp());
                let sum: f32 = d.iter().sum();
                d.iter_mut().zip(t).for_each(|(d, t)| *d = (*d / sum - t) / B as f32);
            } else {
                for k in 0..OUT {
                    d[k] = (y[k] - t[k]) * (2.0 / (OUT * B) as f32);
                }
            }
        }
        self.layers.backward(inputs, &mut self.d_output, None);
        self.steps += 1;
        let optimizer = if self.adam {
            let (first, second) = (1.0 - 0.9_f32.powi(self.steps), 1.0 - 0.999_f32.powi(self.steps));
            Optimizer::Adam(Adam { rate: self.rate / first, correction: second.sqrt().recip() })
        } else {
            Optimizer::Sgd { rate: self.rate }
        };
        self.layers.update(&optimizer);
        self.d_output[0][0]
    }
}

impl<const IN: usize, const OUT: usize, const B: usize, L: Layers<IN, OUT, B>> Work for Network<IN, OUT, B, L> {
    fn run(&mut self, turns: Turns) -> f32 {
        let mut last = 0.0;
        for turn in turns {
            last = if self.trains {
                self.step(turn)
            } else {
                black_box(self.layers.forward(&self.inputs.as_chunks::<B>().0[turn]))[0][0]
            };
        }
        last
    }

    fn outputs(&mut self, turn: usize) -> Vec<f32> {
        self.layers.forward(&self.inputs.as_chunks::<B>().0[turn]).as_flattened().to_vec()
    }
}

fn main() {
    protocol::serve(|task| {
        Ok(match task.name.as_str() {
            "4-16-16-1 tanh" => network::<4, 1, 1, Three<4, 16, 16, 1, 1, Tanh>>(task),
            "8-64-64-4 tanh" => network::<8, 4, 1, Three<8, 64, 64, 4, 1, Tanh>>(task),
            "8-64-64-4 relu" => network::<8, 4, 1, Three<8, 64, 64, 4, 1, Relu>>(task),
            "6-64-8-4 relu" => network::<6, 4, 1, Three<6, 64, 8, 4, 1, Relu>>(task),
            "64-32-10 tanh" => network::<64, 10, 1, Two<64, 32, 10, 1, Tanh>>(task),
            "784-128-10 relu" => network::<784, 10, 1, Two<784, 128, 10, 1, Relu>>(task),
            "2-4-1 tanh 4 sgd mse" => network::<2, 1, 4, Two<2, 4, 1, 4, Tanh>>(task),
            "8-64-64-4 tanh 32 adam mse" => network::<8, 4, 32, Three<8, 64, 64, 4, 32, Tanh>>(task),
            "64-32-10 tanh 32 sgd cross-entropy" | "64-32-10 tanh 32 adam cross-entropy" => {
                network::<64, 10, 32, Two<64, 32, 10, 32, Tanh>>(task)
            }
            "784-128-10 relu 32 sgd cross-entropy" | "784-128-10 relu 32 adam cross-entropy" => {
                network::<784, 10, 32, Two<784, 128, 10, 32, Relu>>(task)
            }
            "784-512-512-10 relu 128 sgd cross-entropy" => {
                network::<784, 10, 128, Three<784, 512, 512, 10, 128, Relu>>(task)
            }
            "1024-1024-1024-1024-1024 relu 256 sgd mse" => network::<1024, 1024, 256, Four<1024, 256, Relu>>(task),
            name => return Err(format!("run {name}")),
        })
    });
}
