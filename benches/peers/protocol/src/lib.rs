//! What a peer in Rust says to `run`, by lines on standard input and output. `../README.md` describes it.

use std::io::{BufRead, Write};

/// A network with its data.
pub struct Task {
    /// `8-64-64-4 tanh` or `8-64-64-4 tanh 32 adam mse`.
    pub name: String,
    pub sizes: Vec<usize>,
    /// Of the hidden layers: `tanh` or `relu`; the last layer has none.
    pub activation: String,
    /// Absent for one sample.
    pub training: Option<Training>,
    pub layers: Vec<Dense>,
    /// Sample after sample.
    pub inputs: Vec<f32>,
    /// Sample after sample, one-hot for cross-entropy.
    pub targets: Vec<f32>,
}

pub struct Training {
    pub batch: usize,
    /// `sgd` or `adam` with β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
    pub optimizer: String,
    /// `mse`, the mean over outputs and batch, or `cross-entropy` of the softmax, the mean over the batch.
    pub loss: String,
    pub rate: f32,
}

pub struct Dense {
    pub inputs: usize,
    pub outputs: usize,
    /// Row after row, one an output.
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
}

impl Dense {
    /// Column after column, one an input.
    pub fn transposed(&self) -> Vec<f32> {
        (0..self.weights.len()).map(|i| self.weights[i % self.outputs * self.inputs + i / self.outputs]).collect()
    }
}

impl Task {
    pub fn outputs(&self) -> usize {
        self.sizes[self.sizes.len() - 1]
    }

    /// How many batches there are, or samples where there is no batch.
    pub fn turns(&self) -> usize {
        let batch = self.training.as_ref().map_or(1, |training| training.batch);
        self.inputs.len() / (batch * self.sizes[0])
    }

    /// The targets as numbers of classes.
    pub fn classes(&self) -> Vec<usize> {
        self.targets.chunks(self.outputs()).map(|row| row.iter().position(|t| *t == 1.0).unwrap()).collect()
    }

    fn parse(line: &str) -> Self {
        let (path, line) = line.split_once(' ').unwrap();
        let (rate, name) = line.split_once(' ').unwrap();
        let words: Vec<&str> = name.split(' ').collect();
        let sizes: Vec<usize> = words[0].split('-').map(|size| size.parse().unwrap()).collect();
        let training = words.get(2).map(|batch| Training {
            batch: batch.parse().unwrap(),
            optimizer: words[3].into(),
            loss: words[4].into(),
            rate: rate.parse().unwrap(),
        });
        let bytes = std::fs::read(path).unwrap();
        let mut numbers = bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap()));
        let mut take = |count| numbers.by_ref().take(count).collect::<Vec<f32>>();
        let layers = sizes
            .windows(2)
            .map(|ends| Dense {
                inputs: ends[0],
                outputs: ends[1],
                weights: take(ends[0] * ends[1]),
                bias: take(ends[1]),
            })
            .collect();
        let parameters: usize = sizes.windows(2).map(|ends| (ends[0] + 1) * ends[1]).sum();
        let rest = bytes.len() / 4 - parameters;
        let samples = rest / (sizes[0] + sizes[sizes.len() - 1]);
        let inputs = take(samples * sizes[0]);
        let targets = take(samples * sizes[sizes.len() - 1]);
        Self { name: name.into(), activation: words[1].into(), sizes, training, layers, inputs, targets }
    }
}

/// The numbers of the batches, or samples where there is no batch, that take turns; after the last comes the first.
pub struct Turns {
    next: usize,
    all: usize,
    left: usize,
}

impl Iterator for Turns {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let turn = self.next;
        self.next = if turn + 1 == self.all { 0 } else { turn + 1 };
        Some(turn)
    }
}

/// A task as the peer holds it.
pub trait Work {
    /// A prediction or a step for each turn. What is returned depends on the last one.
    fn run(&mut self, turns: Turns) -> f32;

    /// The outputs of the batch or sample of this turn, one sample after the other.
    fn outputs(&mut self, turn: usize) -> Vec<f32>;
}

/// Answers until the input ends. `load` says why it cannot.
pub fn serve(mut load: impl FnMut(&Task) -> Result<Box<dyn Work>, String>) {
    let mut work: Option<Box<dyn Work>> = None;
    let (mut outputs, mut all) = (0, 0);
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let answer = match line.split_once(' ').unwrap() {
            ("load", rest) => {
                drop(work.take());
                let task = Task::parse(rest);
                (outputs, all) = (task.outputs(), task.turns());
                match load(&task) {
                    Ok(loaded) => {
                        work = Some(loaded);
                        "ok".into()
                    }
                    Err(reason) => format!("cannot {reason}"),
                }
            }
            ("run", rest) => {
                let (first, iterations) = rest.split_once(' ').unwrap();
                let turns = Turns { next: first.parse().unwrap(), all, left: iterations.parse().unwrap() };
                let work = work.as_mut().unwrap();
                let start = std::time::Instant::now();
                let last = work.run(turns);
                format!("{:e} {last}", start.elapsed().as_secs_f64())
            }
            ("outputs", samples) => {
                let work = work.as_mut().unwrap();
                let count = outputs * samples.parse::<usize>().unwrap();
                let numbers = (0..all).flat_map(|turn| work.outputs(turn)).take(count);
                numbers.map(|y| y.to_string()).collect::<Vec<_>>().join(" ")
            }
            (other, _) => panic!("expected load, run or outputs; found {other}"),
        };
        println!("{answer}");
        std::io::stdout().flush().unwrap();
    }
}
