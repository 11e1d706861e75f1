//! What the feature `rayon` gains: training steps on one thread and on as many as the machine has, in turns:
//! `cargo run --release --manifest-path benches/networks/Cargo.toml --features rayon --bin threads`, and a part of a name
//! to measure that alone.

#[path = "../networks.rs"]
#[allow(dead_code, reason = "a part of them")]
mod networks;

use chainrule::{Batch, Layer, Loss, MeanSquaredError, Network, Optimizer, Random, SoftmaxCrossEntropy, Trainer};
use networks::{Deep, Digits, Fashion, Policy, Wide, adam, class, sgd, values};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::time::{Duration, Instant};

fn main() {
    let threads = rayon::current_num_threads();
    println!("| training step | 1 thread, µs | {threads} threads, µs | times faster | called from outside the pool |");
    println!("|---|---|---|---|---|");
    let one = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    step::<Digits, _, _, _, 32>("64-32-10 batch 32 Adam", &one, adam(), SoftmaxCrossEntropy, class);
    step::<Policy, _, _, _, 32>("8-64-64-4 batch 32 Adam", &one, adam(), MeanSquaredError, values::<4>);
    step::<Fashion, _, _, _, 32>("784-128-10 batch 32 SGD", &one, sgd(), SoftmaxCrossEntropy, class);
    step::<Fashion, _, _, _, 32>("784-128-10 batch 32 Adam", &one, adam(), SoftmaxCrossEntropy, class);
    step::<Fashion, _, _, _, 128>("784-128-10 batch 128 SGD", &one, sgd(), SoftmaxCrossEntropy, class);
    step::<Deep, _, _, _, 8>("784-512-512-10 batch 8 SGD", &one, sgd(), SoftmaxCrossEntropy, class);
    step::<Deep, _, _, _, 32>("784-512-512-10 batch 32 SGD", &one, sgd(), SoftmaxCrossEntropy, class);
    step::<Deep, _, _, _, 128>("784-512-512-10 batch 128 SGD", &one, sgd(), SoftmaxCrossEntropy, class);
    step::<Deep, _, _, _, 128>("784-512-512-10 batch 128 Adam", &one, adam(), SoftmaxCrossEntropy, class);
    step::<Wide, _, _, _, 256>("1024-wide × 4 batch 256 SGD", &one, sgd(), MeanSquaredError, values::<1024>);
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// One row: a step on one thread, on the pool's, and called from outside. What is gained is the median of turns, since the machine's
/// speed may change between them.
fn step<N, O, L, Target, const B: usize>(
    name: &str,
    one: &ThreadPool,
    optimizer: O,
    loss: L,
    target: impl Fn(&mut Random) -> Target,
) where
    N: Network<Scalar = f32> + Layer<Batch<N::InputSample, B>, Output = Batch<N::OutputSample, B>>,
    N::InputSample: Send,
    O: Optimizer + Send + 'static,
    L: Loss<N::OutputSample, Target> + Send,
    Target: Send,
    Trainer<N, O, B>: Send,
{
    if std::env::args().nth(1).is_some_and(|part| !name.contains(&part)) {
        return;
    }
    let mut call = networks::step::<N, O, L, Target, B>(optimizer, loss, target, 1.0);
    let mut step = || {
        let start = Instant::now();
        call();
        1e6 * start.elapsed().as_secs_f64()
    };
    step();
    // So many steps a turn that most find caches, and the clock of the core, as their like left them.
    let count = ((20e3 / step()) as usize).clamp(8, 10_000);
    let mut turn = || median((0..count).map(|_| step()).collect());
    let [mut single, mut inside, mut gain, mut gain_outside] = [const { Vec::new() }; 4];
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3) {
        single.push(one.install(&mut turn));
        inside.push(rayon::scope(|_| turn()));
        let (single, inside) = (single[single.len() - 1], inside[inside.len() - 1]);
        gain.push(single / inside);
        gain_outside.push(single / turn());
    }
    let [single, inside, gain, gain_outside] = [single, inside, gain, gain_outside].map(median);
    println!("| {name} | {single:.1} | {inside:.1} | {gain:.2} | {gain_outside:.2} |");
}
