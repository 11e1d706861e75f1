//! One prediction and one training step of small and large networks, and every piece by itself:
//! `cargo run --release --manifest-path benches/networks/Cargo.toml -- --bench`.
//!
//! Inputs vary from call to call and results are consumed. Times are those of one thread.

use chainrule::{MeanSquaredError, Relu, SoftmaxCrossEntropy, Tanh};
use divan::Bencher;

mod networks;
mod pieces;

use networks::{Deep, Digits, Fashion, Filter, Game, Policy, Tiny, Wide, adam, class, predict, sgd, step, values};

fn main() {
    divan::main();
}

#[divan::bench_group]
mod one_sample {
    use super::*;

    #[divan::bench]
    fn n4_16_16_1_tanh(bencher: Bencher) {
        bencher.bench_local(predict::<Filter, 4, 1>());
    }
    #[divan::bench]
    fn n8_64_64_4_tanh(bencher: Bencher) {
        bencher.bench_local(predict::<Policy<Tanh>, 8, 4>());
    }
    #[divan::bench]
    fn n8_64_64_4_relu(bencher: Bencher) {
        bencher.bench_local(predict::<Policy<Relu>, 8, 4>());
    }
    #[divan::bench]
    fn n6_64_8_4_relu(bencher: Bencher) {
        bencher.bench_local(predict::<Game, 6, 4>());
    }
    #[divan::bench]
    fn n64_32_10_tanh(bencher: Bencher) {
        bencher.bench_local(predict::<Digits, 64, 10>());
    }
    #[divan::bench]
    fn n784_128_10_relu(bencher: Bencher) {
        bencher.bench_local(predict::<Fashion, 784, 10>());
    }
}

#[divan::bench_group]
mod training_step {
    use super::*;

    #[divan::bench]
    fn n2_4_1_tanh_4_sgd(bencher: Bencher) {
        bencher.bench_local(step::<Tiny, _, _, _, 4>(sgd(), MeanSquaredError, values::<1>, 1.0));
    }
    #[divan::bench]
    fn n64_32_10_tanh_32_sgd(bencher: Bencher) {
        bencher.bench_local(step::<Digits, _, _, _, 32>(sgd(), SoftmaxCrossEntropy, class, 1.0));
    }
    #[divan::bench]
    fn n64_32_10_tanh_32_adam(bencher: Bencher) {
        bencher.bench_local(step::<Digits, _, _, _, 32>(adam(), SoftmaxCrossEntropy, class, 1.0));
    }
    #[divan::bench]
    fn n8_64_64_4_tanh_32_adam(bencher: Bencher) {
        bencher.bench_local(step::<Policy, _, _, _, 32>(adam(), MeanSquaredError, values::<4>, 1.0));
    }
    #[divan::bench]
    fn n784_128_10_relu_32_sgd(bencher: Bencher) {
        bencher.bench_local(step::<Fashion, _, _, _, 32>(sgd(), SoftmaxCrossEntropy, class, 1.0));
    }
    #[divan::bench]
    fn n784_128_10_relu_32_adam(bencher: Bencher) {
        bencher.bench_local(step::<Fashion, _, _, _, 32>(adam(), SoftmaxCrossEntropy, class, 1.0));
    }
    #[divan::bench]
    fn n784_512_512_10_relu_128_sgd(bencher: Bencher) {
        bencher.bench_local(step::<Deep, _, _, _, 128>(sgd(), SoftmaxCrossEntropy, class, 1.0));
    }
    #[divan::bench]
    fn n1024_x4_relu_256_sgd(bencher: Bencher) {
        bencher.bench_local(step::<Wide, _, _, _, 256>(sgd(), MeanSquaredError, values::<1024>, 1.0));
    }
}
