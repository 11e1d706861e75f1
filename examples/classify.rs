//! Reads digits with a network that the example `digits` has saved, in another process.
//!
//! ```text
//! cargo run --release --example digits -- --save model.crn
//! cargo run --release --example classify -- model.crn
//! ```

mod support {
    pub mod csv_file;
    pub mod digits;
    pub mod read_error;
    pub mod samples;
}

use chainrule::{Accuracy, Class, Layer, Metric, Vector, Zeroed, softmax, weights};
use clap::{Arg, Command, value_parser};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use support::digits::{self, Digits};

fn main() -> ExitCode {
    let matches = Command::new("classify")
        .about("Reads the digits of examples/data with a network that the example digits has saved")
        .arg(
            Arg::new("model")
                .value_name("MODEL")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("What digits --save has written: model.crn, or the best of it, model.best.crn"),
        )
        .arg(
            Arg::new("digit")
                .long("digit")
                .value_name("N")
                .default_value("0")
                .value_parser(value_parser!(usize))
                .help("Which digit is shown, from 0 on"),
        )
        .get_matches();
    let model: &PathBuf = matches.get_one("model").expect("clap requires it");
    match run(model, *matches.get_one("digit").expect("it has a default")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(model: &Path, digit: usize) -> Result<(), Box<dyn Error>> {
    let network = weights::load::<Digits>(model)?;
    let samples = digits::read()?;
    let (Some(pixels), Some(label)) = (samples.inputs.get(digit), samples.targets.get(digit)) else {
        return Err(format!("--digit: expected a number below {}, found {digit}", samples.inputs.len()).into());
    };

    let mut scratch = Zeroed::ZEROED;
    let mut read = |pixels: &[f32; 64]| {
        let mut outputs = [0.0; 10];
        outputs.copy_from_slice(network.predict(&Vector::from(*pixels), &mut scratch).as_slice());
        outputs
    };

    for row in pixels.chunks(8) {
        println!("{}", row.iter().map(|ink| shade(*ink)).collect::<String>());
    }
    let mut probabilities = read(pixels);
    softmax(&mut probabilities);
    let class = Class::argmax(&probabilities).ok_or("the network's output is not a number")?;
    let sure = 100.0 * probabilities[class.index()];
    println!("digit {digit} is a {}: read as {}, {sure:.1} % sure\n", label.index(), class.index());

    let mut accuracy = Accuracy::default();
    for (pixels, label) in samples.inputs.iter().zip(&samples.targets) {
        accuracy.observe(&read(pixels), label);
    }
    let share = 100.0 * accuracy.value();
    println!("all {} digits, most of which it was trained on: {share:.2} % read right", samples.inputs.len());
    Ok(())
}

/// Two characters of ink.
fn shade(ink: f32) -> &'static str {
    ["  ", "░░", "▒▒", "▓▓", "██"][(ink * 4.0).round().clamp(0.0, 4.0) as usize]
}
