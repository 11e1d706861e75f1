//! Learns to read handwritten digits: 64-32-10, trained by hand-written back-propagation in about a second.
//!
//! ```text
//! cargo run --release --example digits
//! cargo run --release --example digits -- --seeds 20
//! cargo run --release --example digits -- --save model.crn      # the example classify loads it
//! cargo run --release --example digits -- --resume model.crn    # after an interruption: to the same bits
//! cargo run --release --example digits -- --help
//! ```
//!
//! The 1,797 digits of `examples/data` are split 70/10/20 into training, validation and test. Loss and validation
//! accuracy are shown while it trains; the test part is read once, at the end. The loss curve and the misread digits
//! are drawn as pictures.

mod support {
    pub mod augment;
    pub mod csv_file;
    pub mod digits;
    pub mod digits_options;
    pub mod digits_pictures;
    pub mod read_error;
    pub mod samples;
    pub mod split;
}

use chainrule::weights::Checkpoints;
use chainrule::{Accuracy, Adam, Class, Confusion, Metric, SoftmaxCrossEntropy, Trainer, Zeroed, softmax};
use indicatif::{ProgressBar, ProgressStyle};
use std::error::Error;
use std::process::ExitCode;
use support::augment::Augmentation;
use support::digits::{self, Digits};
use support::digits_options::{self, Options};
use support::digits_pictures::{self, Epoch, Misread};
use support::samples::Samples;
use support::split;

const BATCH: usize = 32;

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
    let samples = digits::read()?;
    match options.seeds {
        None => run_once(options, &samples),
        Some(seeds) => run_seeds(options, seeds, &samples),
    }
}

fn run_once(options: &Options, samples: &Samples<64, 10>) -> Result<(), Box<dyn Error>> {
    let run = train(options, options.seed, samples)?;
    let pictures = draw(options, &run)?;
    println!("test accuracy: {:.2} %\n\n{}\n\n{pictures}", percent(run.accuracy), run.confusion);
    if let Some(checkpoints) = options.model().map(Checkpoints::new) {
        let (last, best) = (checkpoints.last().display(), checkpoints.best().display());
        println!("model: {last}\nlowest validation loss: {best}");
    }
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

/// What came of a training run.
struct Run {
    seed: u64,
    history: Vec<Epoch>,
    accuracy: Accuracy,
    confusion: Confusion<10>,
    misread: Vec<Misread>,
}

fn train(options: &Options, seed: u64, samples: &Samples<64, 10>) -> Result<Run, Box<dyn Error>> {
    let mut trainer = Trainer::<Digits, Adam, BATCH>::boxed();
    trainer.init(seed);
    // The rate changes with every epoch; checkpoints are those of a run that begins with this one.
    let adam = Adam::new(options.learning_rate)?;
    let mut checkpoints = options.model().map(Checkpoints::new);
    if let Some(checkpoints) = &mut checkpoints {
        if options.resume.is_some() {
            checkpoints.resume(&mut trainer, &adam)?;
            println!("{} has {} epochs", checkpoints.last().display(), trainer.epochs());
        } else {
            // Also shows at once whether there is a place for it.
            trainer.save(&adam, checkpoints.last())?;
        }
    }
    let seed = trainer.seed();
    let split = split::split(samples, seed);
    let mut augmentation = Augmentation::new(&split.training, seed);

    let bar = progress_bar(options.epochs, seed);
    bar.set_position(trainer.epochs());
    let mut history = Vec::new();
    while trainer.epochs() < options.epochs {
        let training = augmentation.epoch(trainer.epochs());
        let now = Adam::new(options.learning_rate * cosine_decay(trainer.epochs(), options.epochs))?;
        let loss = trainer.epoch(&now, &SoftmaxCrossEntropy, &training.inputs, &training.targets)?;

        let mut accuracy = Accuracy::default();
        let validation_loss = trainer.evaluate(
            &SoftmaxCrossEntropy,
            &split.validation.inputs,
            &split.validation.targets,
            &mut accuracy,
        )?;
        if let Some(checkpoints) = &mut checkpoints {
            checkpoints.save(&trainer, &adam, validation_loss.into())?;
        }
        history.push(Epoch { number: trainer.epochs(), training_loss: loss, validation_loss });
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
fn cosine_decay(epoch: u64, epochs: u64) -> f64 {
    let progress = epoch as f64 / epochs as f64;
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

fn progress_bar(epochs: u64, seed: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("seed {prefix} {bar:30} {pos}/{len} epochs, {msg}");
    let bar = ProgressBar::new(epochs).with_prefix(seed.to_string());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Draws the pictures and says where they are.
fn draw(options: &Options, run: &Run) -> Result<String, Box<dyn Error>> {
    let misread = options.out.join("misread.svg");
    digits_pictures::draw_misread(&misread, &run.misread, run.accuracy.total)?;
    let misread = format!("misread digits: {}", misread.display());
    if run.history.is_empty() {
        return Ok(misread); // resumed after its last epoch
    }
    let loss = options.out.join("loss.svg");
    digits_pictures::draw_loss(&loss, &run.history)?;
    Ok(format!("loss curve: {}\n{misread}", loss.display()))
}
