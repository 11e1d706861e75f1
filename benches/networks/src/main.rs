//! One prediction and one training step of small and large networks, and every piece by itself:
//! `cargo run --release --manifest-path benches/networks/Cargo.toml -- --bench`.
//!
//! Inputs vary from call to call and results are consumed. Times are those of one thread.

use chainrule::{
    Adam, Batch, BinaryCrossEntropy, Class, Layer, MeanSquaredError, Network, Optimizer, Random, Relu, Sgd,
    SoftmaxCrossEntropy, Tanh, Trainer, Vector, Zeroed,
};
use divan::{Bencher, black_box};

mod networks;
mod pieces;

use networks::{Deep, Digits, Fashion, Filter, Game, Policy, Tiny, Wide};

fn main() {
    divan::main();
}

fn samples<const N: usize>(count: usize, random: &mut Random) -> Vec<[f32; N]> {
    (0..count).map(|_| std::array::from_fn(|_| (2.0 * random.uniform() - 1.0) as f32)).collect()
}

/// One sample through a network, a different one each time.
fn predict<N, const IN: usize, const OUT: usize>(bencher: Bencher)
where
    N: Network<InputSample = [f32; IN]> + Layer<Vector<IN>, Output = Vector<OUT>>,
{
    let mut network = N::boxed();
    network.init(&mut Random::new(1, 0));
    let mut scratch = N::Scratch::boxed();
    let inputs = samples::<IN>(64, &mut Random::new(2, 0));
    let mut i = 0;
    bencher.bench_local(|| {
        i = (i + 1) % inputs.len();
        black_box(network.predict(Vector::from_array_ref(&inputs[i]), &mut scratch)[0])
    });
}

/// One training step, on different batches.
fn step<N, O, L, Target, const B: usize>(
    bencher: Bencher,
    optimizer: O,
    loss: L,
    target: impl Fn(&mut Random) -> Target,
) where
    N: Network<Scalar = f32> + Layer<Batch<N::InputSample, B>, Output = Batch<N::OutputSample, B>>,
    N::InputSample: Clone,
    O: Optimizer + 'static,
    L: chainrule::Loss<N::OutputSample, Target>,
{
    let mut random = Random::new(3, 0);
    let mut trainer = Trainer::<N, O, B>::boxed();
    trainer.init(1);
    let inputs: Vec<N::InputSample> = (0..4 * B)
        .map(|_| {
            let mut input = N::InputSample::ZEROED;
            input.as_mut().iter_mut().for_each(|x| *x = (2.0 * random.uniform() - 1.0) as f32);
            input
        })
        .collect();
    let targets: Vec<Target> = (0..4 * B).map(|_| target(&mut random)).collect();
    let mut i = 0;
    bencher.bench_local(|| {
        i = (i + 1) % 4;
        let part = i * B..(i + 1) * B;
        trainer.accumulate(&optimizer, &loss, &inputs[part.clone()], &targets[part]).unwrap()
    });
}

fn class(random: &mut Random) -> Class<10> {
    Class::new(random.word() as usize % 10).unwrap()
}

fn values<const K: usize>(random: &mut Random) -> [f32; K] {
    std::array::from_fn(|_| random.uniform() as f32)
}

#[divan::bench_group]
mod one_sample {
    use super::*;

    #[divan::bench]
    fn n4_16_16_1_tanh(bencher: Bencher) {
        predict::<Filter, 4, 1>(bencher);
    }
    #[divan::bench]
    fn n8_64_64_4_tanh(bencher: Bencher) {
        predict::<Policy<Tanh>, 8, 4>(bencher);
    }
    #[divan::bench]
    fn n8_64_64_4_relu(bencher: Bencher) {
        predict::<Policy<Relu>, 8, 4>(bencher);
    }
    #[divan::bench]
    fn n6_64_8_4_relu(bencher: Bencher) {
        predict::<Game, 6, 4>(bencher);
    }
    #[divan::bench]
    fn n64_32_10_tanh(bencher: Bencher) {
        predict::<Digits, 64, 10>(bencher);
    }
    #[divan::bench]
    fn n784_128_10_relu(bencher: Bencher) {
        predict::<Fashion, 784, 10>(bencher);
    }
}

#[divan::bench_group]
mod training_step {
    use super::*;

    fn sgd() -> Sgd {
        Sgd::new(1e-6).unwrap()
    }
    fn adam() -> Adam {
        Adam::new(1e-6).unwrap()
    }

    #[divan::bench]
    fn n2_4_1_tanh_4_sgd(bencher: Bencher) {
        step::<Tiny, _, _, _, 4>(bencher, sgd(), BinaryCrossEntropy, values::<1>);
    }
    #[divan::bench]
    fn n64_32_10_tanh_32_sgd(bencher: Bencher) {
        step::<Digits, _, _, _, 32>(bencher, sgd(), SoftmaxCrossEntropy, class);
    }
    #[divan::bench]
    fn n64_32_10_tanh_32_adam(bencher: Bencher) {
        step::<Digits, _, _, _, 32>(bencher, adam(), SoftmaxCrossEntropy, class);
    }
    #[divan::bench]
    fn n8_64_64_4_tanh_32_adam(bencher: Bencher) {
        step::<Policy, _, _, _, 32>(bencher, adam(), MeanSquaredError, values::<4>);
    }
    #[divan::bench]
    fn n784_128_10_relu_32_sgd(bencher: Bencher) {
        step::<Fashion, _, _, _, 32>(bencher, sgd(), SoftmaxCrossEntropy, class);
    }
    #[divan::bench]
    fn n784_128_10_relu_32_adam(bencher: Bencher) {
        step::<Fashion, _, _, _, 32>(bencher, adam(), SoftmaxCrossEntropy, class);
    }
    #[divan::bench]
    fn n784_512_512_10_relu_128_sgd(bencher: Bencher) {
        step::<Deep, _, _, _, 128>(bencher, sgd(), SoftmaxCrossEntropy, class);
    }
    #[divan::bench]
    fn n1024_x4_relu_256_sgd(bencher: Bencher) {
        step::<Wide, _, _, _, 256>(bencher, sgd(), MeanSquaredError, values::<1024>);
    }
}
