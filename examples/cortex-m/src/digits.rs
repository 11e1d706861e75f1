//! The digits network, and its data in flash.

use crate::same_bits::Line;
use chainrule::{Class, Dense, Identity, Layer, Tanh, Vector, Zeroed, network};

network! {
    /// Reads an 8×8 digit.
    pub struct Digits<T = f32>: 64 => 10 {
        hidden: Dense<64, 32, Tanh, T>,
        output: Dense<32, 10, Identity, T>,
    }
}

const DATA: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/digits.bin"));

/// Every fifth digit is for the test.
const FOLD: usize = 5;

/// How many digits there are to train with.
pub fn training_len() -> usize {
    let lines = lines().len();
    lines - lines.div_ceil(FOLD)
}

/// Line `i` of all.
pub fn line(i: usize) -> Option<Line> {
    lines().get(i).copied()
}

/// Digit `i` of the training part.
pub fn training(i: usize) -> Option<(Vector<64>, Class<10>)> {
    sample(lines().get(i / (FOLD - 1) * FOLD + i % (FOLD - 1) + 1)?)
}

/// How many digits there are to test with.
pub const TEST_LEN: usize = (DATA.len() / 65).div_ceil(FOLD);

/// Digit `i` of the test part.
pub fn test_sample(i: usize) -> Option<(Vector<64>, Class<10>)> {
    sample(lines().get(i * FOLD)?)
}

/// The test part.
pub fn test() -> impl Iterator<Item = (Vector<64>, Class<10>)> {
    (0..TEST_LEN).filter_map(test_sample)
}

fn lines() -> &'static [Line] {
    DATA.as_chunks().0
}

fn sample([pixels @ .., digit]: &Line) -> Option<(Vector<64>, Class<10>)> {
    Some((Vector::from(pixels.map(|ink| f32::from(ink) / 16.0)), Class::try_from(*digit).ok()?))
}

/// How many of the samples the network reads right, in percent.
pub fn accuracy(network: &Digits, samples: impl Iterator<Item = (Vector<64>, Class<10>)>) -> f32 {
    let (mut right, mut all) = (0.0, 0.0);
    for sample in samples {
        right += if is_right(network, sample) { 100.0 } else { 0.0 };
        all += 1.0;
    }
    right / all
}

/// Whether the network reads a digit right.
pub fn is_right(network: &Digits, (input, class): (Vector<64>, Class<10>)) -> bool {
    let mut scratch = Zeroed::ZEROED;
    Class::argmax(network.predict(&input, &mut scratch).as_array()) == Some(class)
}
