//! Learns to read handwritten digits: 64-32-10, trained by hand-written back-propagation in about a second.
//!
//! ```text
//! cargo run --release --example digits
//! cargo run --release --example digits -- --seeds 20
//! cargo run --release --example digits -- --help
//! ```
//!
//! The 1,797 digits of `examples/data` are split 70/10/20 into training, validation and test. Loss and validation
//! accuracy are shown while it trains; the test part is read once, at the end. The loss curve and the misread digits
//! are drawn as pictures.

mod support {
    pub mod augment;
    pub mod csv_file;
    pub mod digits_options;
    pub mod digits_pictures;
    pub mod read_error;
    pub mod samples;
    pub mod split;
}

use chainrule::{
    Accuracy, Adam, Class, Confusion, Dense, Identity, Metric, SoftmaxCrossEntropy, Tanh, Trainer, Zeroed, network,
    softmax,
};
use flate2::read::GzDecoder;
use indicatif::{ProgressBar, ProgressStyle};
use std::error::Error;
use std::io::BufReader;
use std::process::ExitCode;
use support::augment::Augmentation;
use support::digits_options::Options;
use support::digits_pictures::{Epoch, Misread};
use support::samples::Samples;
use support::{csv_file, digits_options, digits_pictures, split};

network! {
    /// Reads an 8×8 digit.
    struct Digits<T = f32>: 64 => 10 {
        hidden: Dense<64, 32, Tanh, T>,
        output: Dense<32, 10, Identity, T>,
    }
}

const BATCH: usize = 32;

/// The digits, compressed; the program needs no other file.
const DATA: &[u8] = include_bytes!("data/digits.csv.gz");

fn main() -> ExitCode {
    match run(&digits_options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    Adam::new(options.learning_rate)?; // before anything is written
    digits_pictures::create_folder(&options.out)?;
    let samples = read_digits()?;
    match options.seeds {
        None => run_once(options, &samples),
        Some(seeds) => run_seeds(options, seeds, &samples),
    }
}

fn run_once(options: &Options, samples: &Samples<64, 10>) -> Result<(), Box<dyn Error>> {
    let run = train(options, options.seed, samples)?;
    let pictures = draw(options, &run)?;
    println!("test accuracy: {:.2} %\n\n{}\n\n{pictures}", percent(run.accuracy), run.confusion);
    Ok(())
}

fn run_seeds(options: &Options, seeds: u64, samples: &Samples<64, 10>) -> Result<(), Box<dyn Error>> {
    let mut runs = Vec::new();
    for seed in 0..seeds {
        let run = train(options, seed, samples)?;
        println!("seed {seed:2}: {:.2} %", percent(run.accuracy));
        runs.push(run);
    }
    runs.sort_by(|a, b| a.accuracy.value().total_cmp(&b.accuracy.value()));
    // Of an even number of runs the median is the mean of the two in the middle.
    let middle = [(runs.len() - 1) / 2, runs.len() / 2];
    let median = middle.map(|i| percent(runs[i].accuracy)).iter().sum::<f64>() / 2.0;
    let worst = &runs[0];
    let pictures = draw(options, worst)?;
    println!("\nof the worst seed, {}:\n{pictures}", worst.seed);
    println!("\nmedian test accuracy: {median:.2} % (worst {:.2} %, {seeds} seeds)", percent(worst.accuracy));
    Ok(())
}

/// The digits, with pixels from 0 (blank) to 1 (ink).
fn read_digits() -> Result<Samples<64, 10>, Box<dyn Error>> {
    let mut samples = csv_file::read("digits.csv.gz", BufReader::new(GzDecoder::new(DATA)))?;
    for pixel in samples.inputs.iter_mut().flatten() {
        *pixel /= 16.0;
    }
    Ok(samples)
}

/// What came of a training run.
struct Run {
    seed: u64,
    history: Vec<Epoch>,
    accuracy: Accuracy,
    confusion: Confusion<10>,
    misread: Vec<Misread>,
}

fn train(options: &Options, seed: u64, samples: &Samples<64, 10>) -> Result<Run, Box<dyn Error>> {
    let split = split::split(samples, seed);
    let mut augmentation = Augmentation::new(&split.training, seed);
    let mut trainer = Trainer::<Digits, Adam, BATCH>::boxed();
    trainer.init(seed);

    let bar = progress_bar(options.epochs, seed);
    let mut history = Vec::new();
    for epoch in 0..options.epochs {
        let training = augmentation.next_epoch();
        let adam = Adam::new(options.learning_rate * cosine_decay(epoch, options.epochs))?;
        let loss = trainer.epoch(&adam, &SoftmaxCrossEntropy, &training.inputs, &training.targets)?;

        let mut accuracy = Accuracy::default();
        let validation_loss = trainer.evaluate(
            &SoftmaxCrossEntropy,
            &split.validation.inputs,
            &split.validation.targets,
            &mut accuracy,
        )?;
        history.push(Epoch { training_loss: loss, validation_loss });
        bar.set_message(format!("loss {loss:.4}, validation accuracy {:.2} %", percent(accuracy)));
        bar.inc(1);
    }
    bar.finish();

    // The test part, once.
    let test = &split.test;
    let mut metrics = (Accuracy::default(), (Confusion::default(), Misreadings::default()));
    trainer.evaluate(&SoftmaxCrossEntropy, &test.inputs, &test.targets, &mut metrics)?;
    let (accuracy, (confusion, Misreadings { misread, .. })) = metrics;
    let misread = misread.into_iter().map(|(i, misread)| Misread { pixels: test.inputs[i], ..misread }).collect();
    Ok(Run { seed, history, accuracy, confusion, misread })
}

/// The learning rate falls from 1 to 0 of its first value along half a period of a cosine.
fn cosine_decay(epoch: u32, epochs: u32) -> f64 {
    let progress = f64::from(epoch) / f64::from(epochs);
    (1.0 + (std::f64::consts::PI * progress).cos()) / 2.0
}

/// A metric of our own: which samples were misread, and as what.
#[derive(Default)]
struct Misreadings {
    observed: usize,
    misread: Vec<(usize, Misread)>,
}

impl Metric<[f32; 10], Class<10>> for Misreadings {
    fn observe(&mut self, output: &[f32; 10], target: &Class<10>) {
        if let Some(predicted) = Class::argmax(output).filter(|predicted| predicted != target) {
            let mut probabilities = *output;
            softmax(&mut probabilities);
            let probability = probabilities[predicted.index()];
            let (actual, predicted) = (target.index(), predicted.index());
            self.misread.push((self.observed, Misread { pixels: [0.0; 64], actual, predicted, probability }));
        }
        self.observed += 1;
    }
}

fn percent(accuracy: Accuracy) -> f64 {
    100.0 * accuracy.value()
}

fn progress_bar(epochs: u32, seed: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("seed {prefix} {bar:30} {pos}/{len} epochs, {msg}");
    let bar = ProgressBar::new(u64::from(epochs)).with_prefix(seed.to_string());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Draws the pictures and says where they are.
fn draw(options: &Options, run: &Run) -> Result<String, Box<dyn Error>> {
    let loss = options.out.join("loss.svg");
    digits_pictures::draw_loss(&loss, &run.history)?;
    let misread = options.out.join("misread.svg");
    digits_pictures::draw_misread(&misread, &run.misread, run.accuracy.total)?;
    Ok(format!("loss curve: {}\nmisread digits: {}", loss.display(), misread.display()))
}
