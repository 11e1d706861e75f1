//! What the examples `digits` and `classify` share: the network that one trains and the other loads, and the data.

use super::csv_file;
use super::samples::Samples;
use chainrule::{Dense, Identity, Tanh, network};
use flate2::read::GzDecoder;
use std::error::Error;
use std::io::BufReader;

network! {
    /// Reads an 8×8 digit.
    pub struct Digits<T = f32>: 64 => 10 {
        hidden: Dense<64, 32, Tanh, T>,
        output: Dense<32, 10, Identity, T>,
    }
}

/// The digits, compressed; the programs need no other file.
const DATA: &[u8] = include_bytes!("../data/digits.csv.gz");

/// The digits, with pixels from 0 (blank) to 1 (ink).
///
/// # Errors
///
/// When the data are damaged.
pub fn read() -> Result<Samples<64, 10>, Box<dyn Error>> {
    let mut samples = csv_file::read("digits.csv.gz", BufReader::new(GzDecoder::new(DATA)))?;
    for pixel in samples.inputs.iter_mut().flatten() {
        *pixel /= 16.0;
    }
    Ok(samples)
}
