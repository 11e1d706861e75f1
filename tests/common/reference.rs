//! The derivation, multiplied out: every Jacobian is a dense matrix of `f64`, and gradients are products of them.
//! Not clever, and no code shared with the crate.
//!
//! Beside every value stands its bound: the same formula with every term replaced by its magnitude. It is the S of
//! the gate 10⁻¹²·S.

use chainrule::{
    Activation, Dense, Dropout, Frozen, Identity, LeakyRelu, Relu, Residual, Scalar, Sigmoid, Softplus, Tanh,
};

/// Rows of columns.
pub type Rows = Vec<Vec<f64>>;

/// A matrix and its bound.
#[derive(Clone, Debug)]
pub struct Bounded {
    pub value: Rows,
    pub bound: Rows,
}

fn multiply(a: &Rows, b: &Rows) -> Rows {
    let columns = b.first().map_or(0, Vec::len);
    let mut product = vec![vec![0.0; columns]; a.len()];
    for j in 0..a.len() {
        for k in 0..columns {
            for i in 0..b.len() {
                product[j][k] += a[j][i] * b[i][k];
            }
        }
    }
    product
}

fn add(a: &Rows, b: &Rows) -> Rows {
    a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + b).collect()).collect()
}

fn magnitudes(a: &Rows) -> Rows {
    a.iter().map(|row| row.iter().map(|x| x.abs()).collect()).collect()
}

fn diagonal(d: &[f64]) -> Rows {
    let mut rows = vec![vec![0.0; d.len()]; d.len()];
    for (j, d) in d.iter().enumerate() {
        rows[j][j] = *d;
    }
    rows
}

impl Bounded {
    fn exactly(value: Rows) -> Self {
        Self { bound: magnitudes(&value), value }
    }
    fn times(&self, other: &Self) -> Self {
        Self { value: multiply(&self.value, &other.value), bound: multiply(&self.bound, &other.bound) }
    }
    fn plus(&self, other: &Self) -> Self {
        Self { value: add(&self.value, &other.value), bound: add(&self.bound, &other.bound) }
    }

    /// Jᵀ·g as pairs (value, bound).
    fn transpose_times(&self, g: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let columns = self.value.first().map_or(0, Vec::len);
        let mut product = vec![(0.0, 0.0); columns];
        for (k, p) in product.iter_mut().enumerate() {
            for (j, g) in g.iter().enumerate() {
                p.0 += self.value[j][k] * g.0;
                p.1 += self.bound[j][k] * g.1;
            }
        }
        product
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Function {
    Identity,
    Tanh,
    Sigmoid,
    Relu,
    LeakyRelu(f64),
    Softplus,
}

impl Function {
    /// σ(z) with its bound, given that of z. |σ′| ≤ 1 for all of them, so an error of z reaches σ(z) at most whole.
    fn value(self, z: f64, bound: f64) -> (f64, f64) {
        match self {
            Self::Identity => (z, bound),
            Self::Tanh => (z.tanh(), bound.min(1.0)),
            Self::Sigmoid => (1.0 / (1.0 + (-z).exp()), (1.0 / (1.0 + (-z).exp()) + bound).min(1.0)),
            Self::Relu => (if z > 0.0 { z } else { 0.0 }, bound),
            Self::LeakyRelu(slope) => (if z > 0.0 { z } else { slope * z }, bound),
            Self::Softplus => ((1.0 + z.exp()).ln(), (1.0 + z.exp()).ln() + bound),
        }
    }

    /// σ′(z), always from z, with its bound.
    fn derivative(self, z: f64, bound: f64) -> (f64, f64) {
        match self {
            Self::Identity => (1.0, 1.0),
            Self::Tanh => {
                // Not 1 − tanh²: another form of the same.
                let c = z.cosh();
                (1.0 / (c * c), 1.0 + bound.min(1.0))
            }
            Self::Sigmoid => {
                let e = (-z.abs()).exp();
                let a = Self::Sigmoid.value(z, bound).1;
                (e / ((1.0 + e) * (1.0 + e)), a * (1.0 + a))
            }
            Self::Relu => (f64::from(z > 0.0), f64::from(z > 0.0)),
            Self::LeakyRelu(slope) => {
                let d = if z > 0.0 { 1.0 } else { slope };
                (d, d)
            }
            Self::Softplus => Self::Sigmoid.value(z, bound),
        }
    }
}

/// A layer, taken apart.
#[derive(Clone, Debug)]
pub enum Part {
    Dense {
        weights: Rows,
        bias: Vec<f64>,
        function: Function,
    },
    Frozen(Vec<Part>),
    Residual(Vec<Part>),
    /// Dropout with this mask for this sample.
    Mask(Vec<f64>),
}

/// Where a sample has got to: its values, and the Jacobians of them by the input and by each block of parameters, all
/// multiplied out.
#[derive(Clone, Debug)]
pub struct Progress {
    pub output: Vec<f64>,
    pub bound: Vec<f64>,
    pub by_input: Bounded,
    pub by_parameters: Vec<Bounded>,
}

impl Progress {
    pub fn start(x: &[f64]) -> Self {
        Self {
            output: x.to_vec(),
            bound: x.iter().map(|x| x.abs()).collect(),
            by_input: Bounded::exactly(diagonal(&vec![1.0; x.len()])),
            by_parameters: Vec::new(),
        }
    }

    pub fn through(x: &[f64], parts: &[Part]) -> Self {
        parts.iter().fold(Self::start(x), Self::after)
    }

    fn after(self, part: &Part) -> Self {
        match part {
            Part::Dense { weights, bias, function } => self.dense(weights, bias, *function),
            Part::Frozen(parts) => {
                let kept = self.by_parameters.len();
                let mut after = parts.iter().fold(self, Self::after);
                for block in &mut after.by_parameters[kept..] {
                    // No columns: no parameters.
                    *block = Bounded::exactly(vec![Vec::new(); after.output.len()]);
                }
                after
            }
            Part::Residual(parts) => {
                let inner = parts.iter().fold(self.clone(), Self::after);
                let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + b).collect();
                let mut by_parameters = inner.by_parameters.clone();
                for (whole, skip) in by_parameters.iter_mut().zip(&self.by_parameters) {
                    *whole = whole.plus(skip);
                }
                Self {
                    output: sum(&self.output, &inner.output),
                    bound: sum(&self.bound, &inner.bound),
                    by_input: self.by_input.plus(&inner.by_input),
                    by_parameters,
                }
            }
            Part::Mask(mask) => {
                let jacobian = Bounded::exactly(diagonal(mask));
                Self {
                    output: self.output.iter().zip(mask).map(|(x, m)| x * m).collect(),
                    bound: self.bound.iter().zip(mask).map(|(x, m)| x * m).collect(),
                    by_input: jacobian.times(&self.by_input),
                    by_parameters: self.by_parameters.iter().map(|p| jacobian.times(p)).collect(),
                }
            }
        }
    }

    fn dense(self, weights: &Rows, bias: &[f64], function: Function) -> Self {
        let (outputs, inputs) = (weights.len(), self.output.len());
        let mut z = bias.to_vec();
        let mut z_bound: Vec<f64> = bias.iter().map(|b| b.abs()).collect();
        for j in 0..outputs {
            for k in 0..inputs {
                z[j] += weights[j][k] * self.output[k];
                z_bound[j] += weights[j][k].abs() * self.bound[k];
            }
        }
        let (output, bound) = z.iter().zip(&z_bound).map(|(z, b)| function.value(*z, *b)).unzip();
        let (slope, slope_bound): (Vec<f64>, Vec<f64>) =
            z.iter().zip(&z_bound).map(|(z, b)| function.derivative(*z, *b)).unzip();
        let by_z = Bounded { value: diagonal(&slope), bound: diagonal(&slope_bound) };
        let by_x = by_z.times(&Bounded::exactly(weights.clone()));

        // ∂z_j / ∂W_lk = [j = l] x_k, the W_lk numbered column by column.
        let mut z_by_w = Bounded::exactly(vec![vec![0.0; outputs * inputs]; outputs]);
        for j in 0..outputs {
            for k in 0..inputs {
                z_by_w.value[j][k * outputs + j] = self.output[k];
                z_by_w.bound[j][k * outputs + j] = self.bound[k];
            }
        }
        let z_by_b = Bounded::exactly(diagonal(&vec![1.0; outputs]));

        let mut by_parameters: Vec<Bounded> = self.by_parameters.iter().map(|p| by_x.times(p)).collect();
        by_parameters.push(by_z.times(&z_by_w));
        by_parameters.push(by_z.times(&z_by_b));
        Self { output, bound, by_input: by_x.times(&self.by_input), by_parameters }
    }
}

/// A loss of one sample: value and gradient, each with its bound.
#[derive(Clone, Copy, Debug)]
pub enum Cost {
    MeanSquaredError,
    SoftmaxCrossEntropy,
    BinaryCrossEntropy,
}

impl Cost {
    pub fn value(self, y: &[f64], bound: &[f64], t: &[f64]) -> (f64, f64) {
        let k = y.len() as f64;
        let mut sum = (0.0, 0.0);
        match self {
            Self::MeanSquaredError => {
                for j in 0..y.len() {
                    sum.0 += (y[j] - t[j]) * (y[j] - t[j]) / k;
                    sum.1 += (bound[j] + t[j].abs()) * (bound[j] + t[j].abs()) / k;
                }
            }
            Self::SoftmaxCrossEntropy => {
                // Without the shift: these logits are small.
                let total: f64 = y.iter().map(|y| y.exp()).sum();
                for j in 0..y.len() {
                    sum.0 -= t[j] * (y[j].exp() / total).ln();
                    sum.1 += t[j] * (bound[j] + total.ln().abs() + 1.0 + bound.iter().sum::<f64>());
                }
            }
            Self::BinaryCrossEntropy => {
                for j in 0..y.len() {
                    sum.0 -= (t[j] * -(1.0 + (-y[j]).exp()).ln() + (1.0 - t[j]) * -(1.0 + y[j].exp()).ln()) / k;
                    sum.1 += (2.0 * bound[j] + 1.0) / k;
                }
            }
        }
        sum
    }

    pub fn gradient(self, y: &[f64], bound: &[f64], t: &[f64]) -> Vec<(f64, f64)> {
        let k = y.len() as f64;
        match self {
            Self::MeanSquaredError => {
                (0..y.len()).map(|j| (2.0 / k * (y[j] - t[j]), 2.0 / k * (bound[j] + t[j].abs()))).collect()
            }
            Self::SoftmaxCrossEntropy => {
                // By the explicit Jacobian diag(p) − p pᵀ and h = −t / p, the division included.
                let total: f64 = y.iter().map(|y| y.exp()).sum();
                let p: Vec<f64> = y.iter().map(|y| y.exp() / total).collect();
                let h: Vec<(f64, f64)> = p.iter().zip(t).map(|(p, t)| (-t / p, t / p)).collect();
                // An error of a logit is a relative error of its exponential.
                let spread = 1.0 + bound.iter().sum::<f64>();
                let mut jacobian = Bounded::exactly(diagonal(&p));
                for i in 0..p.len() {
                    for j in 0..p.len() {
                        jacobian.value[i][j] -= p[i] * p[j];
                        jacobian.bound[i][j] += p[i] * p[j];
                        jacobian.bound[i][j] *= spread;
                    }
                }
                jacobian.transpose_times(&h)
            }
            Self::BinaryCrossEntropy => (0..y.len())
                .map(|j| {
                    let (p, bound) = Function::Sigmoid.value(y[j], bound[j]);
                    ((p - t[j]) / k, (bound + t[j]) / k)
                })
                .collect(),
        }
    }
}

/// All gradients of a batch: of every block of parameters, summed over the samples, and of the input of each sample.
pub struct Gradients {
    pub loss: (f64, f64),
    /// In the order of the crate's slices.
    pub parameters: Vec<Vec<(f64, f64)>>,
    pub inputs: Vec<Vec<(f64, f64)>>,
}

impl Gradients {
    /// Of (1/n) Σ cost over the samples.
    pub fn of(samples: &[(Vec<Part>, Vec<f64>, Vec<f64>)], cost: Cost) -> Self {
        let n = samples.len() as f64;
        let mut sum = Self { loss: (0.0, 0.0), parameters: Vec::new(), inputs: Vec::new() };
        for (parts, x, t) in samples {
            let end = Progress::through(x, parts);
            let value = cost.value(&end.output, &end.bound, t);
            sum.loss.0 += value.0 / n;
            sum.loss.1 += value.1 / n;
            let mut d_output = cost.gradient(&end.output, &end.bound, t);
            for d in &mut d_output {
                d.0 /= n;
                d.1 /= n;
            }
            sum.inputs.push(end.by_input.transpose_times(&d_output));
            let blocks: Vec<_> = end.by_parameters.iter().map(|p| p.transpose_times(&d_output)).collect();
            if sum.parameters.is_empty() {
                sum.parameters = blocks;
            } else {
                for (sum, block) in sum.parameters.iter_mut().flatten().zip(blocks.into_iter().flatten()) {
                    sum.0 += block.0;
                    sum.1 += block.1;
                }
            }
        }
        sum
    }
}

/// The reference's name of an activation.
pub trait Named {
    const FUNCTION: Function;
}
impl Named for Identity {
    const FUNCTION: Function = Function::Identity;
}
impl Named for Tanh {
    const FUNCTION: Function = Function::Tanh;
}
impl Named for Sigmoid {
    const FUNCTION: Function = Function::Sigmoid;
}
impl Named for Relu {
    const FUNCTION: Function = Function::Relu;
}
impl Named for Softplus {
    const FUNCTION: Function = Function::Softplus;
}
impl<const NUM: u32, const DEN: u32> Named for LeakyRelu<NUM, DEN> {
    const FUNCTION: Function = Function::LeakyRelu(NUM as f64 / DEN as f64);
}

/// A network of the crate, taken apart by its fields: rows and columns, not the storage.
pub trait TakeApart {
    fn parts(&self) -> Vec<Part>;
}

impl<const IN: usize, const OUT: usize, A: Named + Activation, T: Scalar> TakeApart for Dense<IN, OUT, A, T> {
    fn parts(&self) -> Vec<Part> {
        let row = |j| (0..IN).map(|k| self.weights[(j, k)].to_f64()).collect();
        vec![Part::Dense {
            weights: (0..OUT).map(row).collect(),
            bias: (0..OUT).map(|j| self.bias[j].to_f64()).collect(),
            function: A::FUNCTION,
        }]
    }
}
impl<A: TakeApart, B: TakeApart> TakeApart for (A, B) {
    fn parts(&self) -> Vec<Part> {
        [self.0.parts(), self.1.parts()].concat()
    }
}
impl<L: TakeApart> TakeApart for Residual<L> {
    fn parts(&self) -> Vec<Part> {
        vec![Part::Residual(self.0.parts())]
    }
}
impl<L: TakeApart> TakeApart for Frozen<L> {
    fn parts(&self) -> Vec<Part> {
        vec![Part::Frozen(self.0.parts())]
    }
}
impl<const NUM: u32, const DEN: u32, T: Scalar> TakeApart for Dropout<NUM, DEN, T> {
    /// As in prediction: nothing.
    fn parts(&self) -> Vec<Part> {
        Vec::new()
    }
}
