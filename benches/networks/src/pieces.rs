//! One row a piece: 1,024 values and 1,024 derivatives of an activation; one gradient of a loss with respect to ten
//! outputs; one update of 10,240 parameters.

use chainrule::{
    Activation, Adagrad, Adam, AdamW, BinaryCrossEntropy, Class, CosineDistance, Hinge, Huber, KullbackLeibler,
    LabelSmoothing, Loss, Matrix, MeanAbsoluteError, MeanSquaredError, Momentum, Nesterov, Optimizer, Random, RmsProp,
    Rprop, Scalar, Sgd, SoftmaxCrossEntropy, VisitActivation, Zeroed, visit_activations,
};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use std::fmt;

const COUNT: usize = 1024;

struct Piece {
    name: &'static str,
    value: fn(&mut [f32]),
    derivative: fn(&mut [f32], &[f32]),
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

struct All(Vec<Piece>);

impl VisitActivation for All {
    fn visit<A: Activation>(&mut self, name: &'static str) {
        self.0.push(Piece { name, value: f32::activate::<A>, derivative: f32::scale_by_derivative::<A> });
    }
}

fn activations() -> Vec<Piece> {
    let mut all = All(Vec::new());
    visit_activations(&mut all);
    all.0
}

/// Numbers in (−4, 4), other ones each time.
fn numbers(random: &mut Random) -> [f32; COUNT] {
    std::array::from_fn(|_| (8.0 * random.uniform() - 4.0) as f32)
}

#[divan::bench(args = activations())]
fn activation(bencher: Bencher, piece: &Piece) {
    let mut random = Random::new(1, 0);
    bencher.counter(ItemsCount::new(COUNT)).with_inputs(|| numbers(&mut random)).bench_local_refs(|z| {
        (piece.value)(z);
        black_box(z[0])
    });
}

#[divan::bench(args = activations())]
fn derivative(bencher: Bencher, piece: &Piece) {
    let mut random = Random::new(2, 0);
    let at = numbers(&mut random);
    bencher.counter(ItemsCount::new(COUNT)).with_inputs(|| numbers(&mut random)).bench_local_refs(|d| {
        (piece.derivative)(d, black_box(&at));
        black_box(d[0])
    });
}

/// A row whose work is a function of its own.
struct Row(&'static str, fn(Bencher));

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Rows that run one function, each with its piece.
macro_rules! rows {
    ($run:ident: $($Piece:ident $(= $value:expr)?),+) => {
        vec![$(Row(stringify!($Piece), |bencher| $run(bencher, rows!(@$Piece $($value)?)))),+]
    };
    (@$Piece:ident $value:expr) => { $value };
    (@$Piece:ident) => { $Piece::new(1e-3).unwrap() };
}

fn optimizers() -> Vec<Row> {
    rows![update: Adagrad, Adam, AdamW, Momentum, Nesterov, RmsProp, Rprop, Sgd]
}

#[divan::bench(args = optimizers())]
fn optimizer(bencher: Bencher, row: &Row) {
    (row.1)(bencher);
}

fn update<O: Optimizer>(bencher: Bencher, optimizer: O) {
    let mut random = Random::new(3, 0);
    let mut parameters = Matrix::<64, 160>::boxed();
    let mut state = <O::State<Matrix<64, 160>>>::boxed();
    let gradients: [Box<Matrix<64, 160>>; 4] = std::array::from_fn(|_| {
        let mut gradient = Matrix::boxed();
        gradient.as_mut_slice().fill_with(|| (random.uniform() - 0.5) as f32);
        gradient
    });
    let mut step = 0;
    bencher.counter(ItemsCount::new(64_usize * 160)).bench_local(|| {
        step += 1;
        optimizer.step(step, &mut *parameters, &gradients[step as usize % 4], &mut state).unwrap();
        black_box(parameters[(0, 0)])
    });
}

fn losses() -> Vec<Row> {
    let mut rows = rows![of_class: Hinge = Hinge, LabelSmoothing = LabelSmoothing { epsilon: 0.1 },
        SoftmaxCrossEntropy = SoftmaxCrossEntropy];
    rows.extend(rows![of_numbers: BinaryCrossEntropy = BinaryCrossEntropy, CosineDistance = CosineDistance,
        Huber = Huber { delta: 1.0 }, KullbackLeibler = KullbackLeibler, MeanAbsoluteError = MeanAbsoluteError,
        MeanSquaredError = MeanSquaredError]);
    rows
}

fn of_class(bencher: Bencher, loss: impl Loss<[f32; 10], Class<10>>) {
    gradient(bencher, loss, |i| Class::new(i).unwrap());
}

/// Numbers that are a distribution, most of it at class `i`.
fn of_numbers(bencher: Bencher, loss: impl Loss<[f32; 10], [f32; 10]>) {
    gradient(bencher, loss, |i| std::array::from_fn(|k| if k == i { 0.91 } else { 0.01 }));
}

#[divan::bench(args = losses())]
fn loss(bencher: Bencher, row: &Row) {
    (row.1)(bencher);
}

fn gradient<L: Loss<[f32; 10], Target>, Target>(bencher: Bencher, loss: L, target: impl Fn(usize) -> Target) {
    let mut random = Random::new(4, 0);
    let targets: Vec<Target> = (0..10).map(target).collect();
    let outputs: Vec<[f32; 10]> =
        (0..64).map(|_| std::array::from_fn(|_| (8.0 * random.uniform() - 4.0) as f32)).collect();
    let (mut d_output, mut i) = ([0.0; 10], 0);
    bencher.bench_local(|| {
        i += 1;
        loss.gradient(&outputs[i % 64], &targets[i % 10], &mut d_output);
        black_box(d_output[i % 10])
    });
}
