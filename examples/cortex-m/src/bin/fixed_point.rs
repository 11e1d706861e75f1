//! Digits in fixed point beside `f32` in software, on a core without a floating-point unit: trains 64-32-10 in either,
//! converts the trained weights too, and compares accuracy and instructions.

#![no_std]
#![no_main]

#[path = "../fixed_point.rs"]
mod fixed_point;

use chainrule::{
    Class, Layer, OnlineTrainer, Scalar, Sgd, Shuffle, SoftmaxCrossEntropy, Tensor, TrainError, Vector, Zeroed,
};
use chainrule_cortex_m::digits::{self, Digits};
use chainrule_cortex_m::{count, report, say};
use core::hint::black_box;
use cortex_m_rt::entry;
use fixed_point::Fixed;

const SEED: u64 = 1;
const EPOCHS: u64 = 4;

#[entry]
fn main() -> ! {
    static mut FLOAT: OnlineTrainer<Digits> = OnlineTrainer::ZEROED;
    static mut FIXED: OnlineTrainer<Digits<Fixed>> = OnlineTrainer::ZEROED;

    count::start();
    match measure(FLOAT, FIXED) {
        Ok(well) => report::finish(well),
        Err(_error) => {
            say!("a step was refused"); // why takes more flash than there is
            report::finish(false)
        }
    }
}

/// Whether fixed point is as good as it is said to be.
fn measure(float: &mut OnlineTrainer<Digits>, fixed: &mut OnlineTrainer<Digits<Fixed>>) -> Result<bool, TrainError> {
    let float_step = train(float)?;
    let (in_float, float_inference) = test(&float.network);

    fixed.network.convert_from(&float.network);
    let (converted, fixed_inference) = test(&fixed.network);
    let difference = difference(&float.network, &fixed.network);

    let fixed_step = train(fixed)?;
    let (in_fixed, _) = test(&fixed.network);

    say!("trained in f32: {:.2} % in f32, {:.2} % in fixed point", in_float, converted);
    say!("largest difference of an output: {:.7}", difference);
    say!("trained in fixed point: {:.2} %, lost {:.2} %", in_fixed, in_float - in_fixed);
    say!("inference: {} instructions in fixed point, {} in f32", fixed_inference, float_inference);
    say!("training step: {} instructions in fixed point, {} in f32", fixed_step, float_step);
    let near = |accuracy: f32| accuracy >= 95.0 && accuracy >= in_float - 0.5;
    let good = near(converted) && near(in_fixed) && difference < 1e-5;
    Ok(good && 10 * fixed_inference < float_inference && 6 * fixed_step < float_step)
}

/// Trains from random weights; the most instructions of a step.
fn train<T: Scalar>(trainer: &mut OnlineTrainer<Digits<T>>) -> Result<u32, TrainError> {
    let sgd = Sgd::new(0.05)?;
    trainer.init(SEED);
    let mut most = 0;
    for epoch in 0..EPOCHS {
        let order = Shuffle::new(digits::training_len(), SEED, epoch);
        for (input, class) in (0..order.len()).filter_map(|i| digits::training(order.index(i))) {
            let input = converted(&input);
            let mut step = Ok(T::ZERO);
            let count = count::instructions(&mut || {
                step = trainer.step(&sgd, &SoftmaxCrossEntropy, black_box(&input), black_box(&class));
            });
            step?;
            most = most.max(count);
        }
    }
    Ok(most)
}

/// How much of the test part it reads right, in percent, and the most instructions of a prediction.
fn test<T: Scalar>(network: &Digits<T>) -> (f32, u32) {
    let mut scratch = Zeroed::ZEROED;
    let (mut right, mut most) = (0.0, 0);
    for (input, class) in digits::test() {
        let input = converted(&input);
        let count = count::instructions(&mut || {
            black_box(network.predict(black_box(&input), &mut scratch));
        });
        most = most.max(count);
        right +=
            if Class::argmax(network.predict(&input, &mut scratch).as_array()) == Some(class) { 100.0 } else { 0.0 };
    }
    (right / digits::TEST_LEN as f32, most)
}

/// The largest difference of an output, over the test part.
fn difference(float: &Digits, fixed: &Digits<Fixed>) -> f32 {
    let (mut float_scratch, mut fixed_scratch) = (Zeroed::ZEROED, Zeroed::ZEROED);
    let mut largest = 0.0_f32;
    for (input, _) in digits::test() {
        let expected = float.predict(&input, &mut float_scratch);
        let mut found = Vector::<10>::ZEROED;
        found.convert_from(fixed.predict(&converted(&input), &mut fixed_scratch));
        for (expected, found) in expected.as_array().iter().zip(found.as_array()) {
            largest = largest.max((expected - found).abs());
        }
    }
    largest
}

fn converted<T: Scalar>(input: &Vector<64>) -> Vector<64, T> {
    let mut converted = Vector::ZEROED;
    converted.convert_from(input);
    converted
}
