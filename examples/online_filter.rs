//! A filter that is learnt online, one sample at a time: a noise canceller as in a headset.
//!
//! ```text
//! cargo run --release --example online_filter
//! ```
//!
//! One microphone hears a voice and, through an unknown and slightly overdriven path, the noise of an engine. A second
//! one hears the engine alone. The network predicts the noise in the first from the last samples of the second; what it
//! cannot predict is the voice. It learns while it filters, and there is no end of training: when the path changes
//! halfway, it follows.
//!
//! Nothing here is on the heap: each sample is one `step` of a `Trainer` with a batch of one, which takes the same time
//! and the same memory for ever.

use chainrule::{Dense, Identity, MeanSquaredError, Random, Residual, Sgd, Tanh, TrainError, Trainer, Zeroed, network};
use std::error::Error;

/// How many samples of the engine the network sees.
const TAPS: usize = 16;
/// Samples in a second.
const RATE: usize = 8000;

network! {
    /// The last samples of the engine to the noise in the microphone: a linear filter, bent by a few neurons.
    struct Filter<T = f32>: 16 => 1 {
        bent: Residual<Bend<T>>,
        output: Dense<16, 1, Identity, T>,
    }
}

network! {
    /// What is added to the samples.
    struct Bend<T = f32>: 16 => 16 {
        hidden: Dense<16, 8, Tanh, T>,
        output: Dense<8, 16, Identity, T>,
    }
}

/// The canceller: everything it needs, in one value of known size.
struct Canceller {
    trainer: Trainer<Filter, Sgd, 1>,
    engine: [f32; TAPS],
    rule: Sgd,
}

impl Canceller {
    /// What is heard once the noise that could be predicted is gone; learns from this one sample.
    fn filter(&mut self, engine: f32, microphone: f32) -> Result<f32, TrainError> {
        self.engine.rotate_right(1);
        self.engine[0] = engine;
        let mut cleaned = microphone;
        self.trainer.predict(&[self.engine], |_, [noise]| cleaned -= noise);
        self.trainer.step(&self.rule, &MeanSquaredError, &[self.engine], &[[microphone]])?;
        Ok(cleaned)
    }
}

/// What there is to hear.
struct Scene {
    random: Random,
    time: usize,
    past: [f32; TAPS],
}

impl Scene {
    /// Engine, voice, and the noise that the microphone hears beside the voice.
    fn next(&mut self) -> [f32; 3] {
        let seconds = self.time as f32 / RATE as f32;
        let turn = |hertz: f32| (std::f32::consts::TAU * (hertz * seconds).fract()).sin();
        // The engine hums and hisses; somebody speaks now and then.
        let engine = 0.5 * turn(90.0) + 0.3 * turn(270.0) + 0.2 * self.random.normal() as f32;
        let voice = 0.15 * turn(440.0) * turn(2.0).max(0.0);
        self.past.rotate_right(1);
        self.past[0] = engine;
        // After four seconds somebody turns the head.
        let path = if self.time < 4 * RATE { [0.6, -0.4, 0.25, 0.1] } else { [0.2, 0.5, -0.3, -0.2] };
        let heard: f32 = path.iter().zip(&self.past[2..]).map(|(p, x)| p * x).sum();
        self.time += 1;
        [engine, voice, (1.5 * heard).tanh()]
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut canceller = Canceller { trainer: Trainer::ZEROED, engine: [0.0; TAPS], rule: Sgd::new(0.01)? };
    canceller.trainer.init(1);
    let mut scene = Scene { random: Random::new(1, 0), time: 0, past: [0.0; TAPS] };

    println!("memory: {} bytes in all\n", size_of_val(&canceller));
    println!("second   noise heard   noise left");
    let mut left = [0.0; 8];
    for (second, left) in left.iter_mut().enumerate() {
        let (mut before, mut after) = (0.0, 0.0);
        for _ in 0..RATE {
            let [engine, voice, noise] = scene.next();
            let cleaned = canceller.filter(engine, voice + noise)?;
            before += noise.powi(2);
            after += (cleaned - voice).powi(2);
        }
        let root = |sum: f32| (sum / RATE as f32).sqrt();
        *left = root(after) / root(before);
        let remark = if second == 4 { "   the path has changed" } else { "" };
        println!(
            "{:6}   {:11.4}   {:10.4}   {:6.1} dB{remark}",
            second + 1,
            root(before),
            root(after),
            20.0 * left.log10()
        );
    }
    assert!(left[3] < 0.125 && left[7] < 0.125, "more than an eighth of the noise is left");
    Ok(())
}
