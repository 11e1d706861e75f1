//! One training with the same bits on every machine: the recipe and its pinned result.
//!
//! The firmware `same_bits`, the WebAssembly module `examples/wasm` and the test `tests/same_bits.rs` all compile this
//! file.

use chainrule::{
    Adam, Class, Dense, Gelu, Identity, Scalar, Sigmoid, SoftmaxCrossEntropy, Strict, Tanh, Tensor, TrainError,
    Trainer, network,
};
use crc::{CRC_64_XZ, Crc, NoTable};

/// The checksum (CRC-64/XZ) of the trained weights, little-endian, in their order. A release that changes it is a
/// breaking one.
pub const DIGEST: u64 = 0x8b78_6ac1_45db_81c9;

pub const STEPS: usize = 1000;

/// 64 numbers from 0 to 16, then the digit.
pub type Line = [u8; 65];

/// How many digits there are.
pub const LINES: usize = 1797;

network! {
    /// Reads an 8×8 digit with one of each kind of elementary function.
    pub struct Digits<T = f32>: 64 => 10 {
        first: Dense<64, 32, Tanh, T>,
        second: Dense<32, 16, Sigmoid, T>,
        third: Dense<16, 16, Gelu, T>,
        output: Dense<16, 10, Identity, T>,
    }
}

/// Samples a batch.
const B: usize = 2;

/// What it takes to train: Adam, for its roots and quotients.
pub type DigitsTrainer<T> = Trainer<Digits<T>, Adam, B>;

/// Makes the steps, sample after sample, and returns the mean loss of the last hundred.
///
/// # Errors
///
/// [`TrainError`], when a step is refused, or a line is missing or not a digit's.
pub fn train<T: Scalar>(
    trainer: &mut DigitsTrainer<T>,
    line: impl Fn(usize) -> Option<Line>,
) -> Result<f64, TrainError> {
    let adam = Adam::new(0.003)?;
    trainer.init(1);
    let mut sum = 0.0;
    for step in 0..STEPS {
        let samples: [_; B] = core::array::from_fn(|i| line((step * B + i) % LINES).and_then(sample_of));
        let [Some((x, class)), Some((next_x, next_class))] = samples else { return Err(TrainError::NoSamples) };
        let (inputs, targets) = ([x, next_x], [class, next_class]);
        let loss = trainer.step(&adam, &SoftmaxCrossEntropy, &inputs, &targets)?.to_f64();
        sum += if step < STEPS - 100 { 0.0 } else { loss };
    }
    Ok(sum / 100.0)
}

fn sample_of<T: Scalar>([pixels @ .., digit]: Line) -> Option<([T; 64], Class<10>)> {
    Some((pixels.map(|ink| T::from_f64(f64::from(ink) / 16.0)), Class::try_from(digit).ok()?))
}

/// The checksum to compare with [`DIGEST`].
pub fn digest(network: &Digits<Strict<f32>>) -> u64 {
    const CRC: Crc<u64, NoTable> = Crc::<u64, NoTable>::new(&CRC_64_XZ);
    let mut digest = CRC.digest();
    for i in 0..Digits::<Strict<f32>>::SLICES {
        for weight in network.slice(i) {
            digest.update(&weight.0.to_le_bytes());
        }
    }
    digest.finalize()
}
