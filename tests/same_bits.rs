//! The training whose bits are pinned, on the machine of the tests; `examples/cortex-m/check` runs it on four others.

#[path = "../examples/cortex-m/src/same_bits.rs"]
mod recipe;

use chainrule::{Scalar, Strict, Zeroed};
use flate2::read::GzDecoder;
use recipe::{DIGEST, DigitsTrainer, Line};
use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::time::Instant;

fn lines() -> Vec<Line> {
    let mut text = String::new();
    let file = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/digits.csv.gz")).unwrap();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let numbers = |line: &str| line.split(',').map(|number| number.parse().unwrap()).collect::<Vec<u8>>();
    text.lines().map(|line| numbers(line).try_into().unwrap()).collect()
}

/// The trainer after the thousand steps.
fn trained<T: Scalar>(lines: &[Line]) -> DigitsTrainer<T> {
    let mut trainer = DigitsTrainer::ZEROED;
    let loss = recipe::train(&mut trainer, |i| lines.get(i).copied()).unwrap();
    assert!(loss < 0.5, "it learns nothing: mean loss {loss}");
    trainer
}

#[test]
fn a_thousand_steps_end_in_the_pinned_bits() {
    let lines = lines();
    assert_eq!(lines.len(), recipe::LINES);
    let digest = recipe::digest(&trained::<Strict<f32>>(&lines).network);
    assert_eq!(digest, DIGEST, "the bits of `Strict` changed, which is a breaking change: {digest:#018x}");
}

#[test]
#[ignore = "prints what `Strict` costs: run with --release -- --ignored --nocapture"]
fn cost_of_strict() {
    let lines = lines();
    let time = |train: &dyn Fn()| {
        let once = |_| {
            let start = Instant::now();
            train();
            start.elapsed().as_secs_f64() * 1e3
        };
        (0..20).map(once).fold(f64::INFINITY, f64::min)
    };
    let fast = time(&|| _ = black_box(trained::<f32>(&lines)));
    let strict = time(&|| _ = black_box(trained::<Strict<f32>>(&lines)));
    println!("1,000 steps: f32 {fast:.2} ms, Strict<f32> {strict:.2} ms, {:.2} times", strict / fast);
}
