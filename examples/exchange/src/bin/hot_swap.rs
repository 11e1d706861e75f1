//! A running program gets other weights, or another network, without waiting for them.
//!
//! ```text
//! cargo run --release --bin hot_swap     # the test beside it: cargo test --bin hot_swap
//! ```
//!
//! One thread reads files; the real-time thread answers sample after sample. A triple buffer lies between them: it is
//! never waited for, and the weights lie in it by value, so that the real-time thread allocates nothing, frees nothing
//! and takes no lock. Files of our own format say which network they hold; PyTorch's are a `Controller`. Outputs fade
//! from the old network to the new one.

#![cfg_attr(realtime, feature(sanitize))]

use chainrule::weights::{self, Architecture, safetensors};
use chainrule::{Dense, LengthError, Parameters, Predict, Predictor, Tanh, Zeroed};
use chainrule_exchange::{Controller, Result};
use triple_buffer::{Input, Output, triple_buffer};

#[path = "../../../../tests/common/counting.rs"]
mod counting;

/// A smaller network for the same task.
type Small = (Dense<8, 8, Tanh>, Dense<8, 4>);

/// One of the networks that this program knows.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "in a box it would be freed, and by the real-time thread")]
enum Model {
    Small(Small),
    Controller(Controller),
}

// What is dropped could free memory on the real-time thread.
const _: () = assert!(!std::mem::needs_drop::<Model>());

impl Model {
    /// The network in a file: in our own format the architecture tells which.
    fn in_file(bytes: &[u8]) -> Result<Self> {
        const SMALL: Architecture = Architecture::of::<Small>();
        const CONTROLLER: Architecture = Architecture::of::<Controller>();
        let (mut small, mut controller) = (Small::ZEROED, Controller::ZEROED);
        match Architecture::in_file(bytes) {
            Ok(SMALL) => weights::read(&mut small, bytes).map(|()| Self::Small(small)).map_err(Into::into),
            Ok(CONTROLLER) => {
                weights::read(&mut controller, bytes).map(|()| Self::Controller(controller)).map_err(Into::into)
            }
            Ok(other) => Err(format!("expected {SMALL} or {CONTROLLER}; found {other}").into()),
            Err(_) => {
                safetensors::read(&mut controller, bytes)?;
                Ok(Self::Controller(controller))
            }
        }
    }

    fn predict(&self, x: &[f32], y: &mut [f32]) -> std::result::Result<(), LengthError> {
        let chosen: &mut dyn Predict<f32> = match self {
            Self::Small(network) => &mut Predictor::new(network),
            Self::Controller(network) => &mut Predictor::new(network),
        };
        chosen.predict_into(x, y)
    }
}

/// The reading side: whatever is wrong with a file, what runs goes on.
fn publish(input: &mut Input<Model>, bytes: &[u8]) -> Result<()> {
    *input.input_buffer_mut() = Model::in_file(bytes)?;
    input.publish();
    Ok(())
}

/// The real-time side.
struct Player {
    current: Output<Model>,
    previous: Model,
    /// Samples since the last swap.
    faded: usize,
}

impl Player {
    /// A fade takes so many samples; 1 is a swap at once.
    const FADE: usize = 64;

    fn new(current: Output<Model>) -> Self {
        Self { previous: current.output_buffer().clone(), current, faded: Self::FADE }
    }

    /// With `--cfg realtime` RealtimeSanitizer ends the program if anything in here allocates, frees, locks or waits.
    #[cfg_attr(realtime, sanitize(realtime = "nonblocking"))]
    fn next(&mut self, x: &[f32; 8]) -> std::result::Result<[f32; 4], LengthError> {
        // A swap during a fade would jump: it waits for the fade's end.
        if self.faded == Self::FADE && self.current.updated() {
            self.previous.clone_from(self.current.output_buffer()); // a copy of numbers
            self.current.update();
            self.faded = 0;
        }
        let mut y = [0.0; 4];
        self.current.output_buffer().predict(x, &mut y)?;
        if self.faded < Self::FADE {
            self.faded += 1;
            let mut old = [0.0; 4];
            self.previous.predict(x, &mut old)?;
            let share = self.faded as f32 / Self::FADE as f32;
            for (y, old) in y.iter_mut().zip(old) {
                *y = old + share * (*y - old);
            }
        }
        Ok(y)
    }
}

/// An input at a time.
fn signal(sample: usize) -> [f32; 8] {
    std::array::from_fn(|i| (0.001 * (i + 1) as f32 * sample as f32).sin())
}

fn main() -> Result<()> {
    let (mut input, output) = triple_buffer(&Model::Small(Small::new(1)));
    let mut player = Player::new(output);
    let files = [std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/pytorch/theirs.safetensors"))?, vec![0; 100], {
        let mut file = vec![0; weights::length::<Small>()];
        weights::write(&Small::new(2), &mut file)?;
        file
    }];
    let reader = std::thread::spawn(move || {
        for (number, file) in files.iter().enumerate() {
            match publish(&mut input, file) {
                Ok(()) => println!("file {number}: published"),
                Err(error) => println!("file {number}: refused: {error}"),
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    });
    let (counts, (swaps, samples)) = counting::counts(|| {
        let (mut swaps, mut samples) = (0, 0);
        while swaps < 2 {
            if player.next(&signal(samples)).is_ok_and(|_| player.faded == 1) {
                swaps += 1;
            }
            samples += 1;
        }
        (swaps, samples)
    });
    println!(
        "real-time thread: {samples} samples, {swaps} swaps, {} allocations, {} deallocations",
        counts.allocations, counts.deallocations
    );
    reader.join().map_err(|_| "the reader panicked".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chainrule_exchange::{read_npy, worst_difference};
    use std::path::Path;
    use std::sync::mpsc;

    fn pytorch(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("pytorch").join(name)
    }

    /// A network of PyTorch's takes over from one of ours while the real-time thread runs: outputs of the old one, then
    /// in between, then PyTorch's own; and that thread neither allocates nor frees, the swap included.
    #[test]
    fn weights_of_pytorch_reach_the_real_time_thread() {
        let old = Model::Small(Small::new(1));
        let (mut input, output) = triple_buffer(&old);
        let mut player = Player::new(output);
        let inputs = read_npy::<8>(&pytorch("theirs.inputs.npy")).unwrap();
        let expected = read_npy::<4>(&pytorch("theirs.outputs.npy")).unwrap();
        let (started, wait) = mpsc::channel();
        let before = |x: &[f32; 8]| {
            let mut y = [0.0; 4];
            old.predict(x, &mut y).unwrap();
            y
        };

        let reader = std::thread::spawn(move || {
            wait.recv().unwrap();
            assert!(publish(&mut input, &[1; 100]).is_err());
            publish(&mut input, &std::fs::read(pytorch("theirs.safetensors")).unwrap()).unwrap();
            input
        });
        for x in &inputs {
            assert_eq!(player.next(x).unwrap(), before(x));
        }
        started.send(()).unwrap();

        let mut outputs = vec![[0.0; 4]; inputs.len()];
        let mut fade = [[0.0; 4]; Player::FADE];
        let (counts, ()) = counting::counts(|| {
            // Until the new weights are there, however long that takes.
            loop {
                let y = player.next(&inputs[0]).unwrap();
                if player.faded == 1 {
                    fade[0] = y;
                    break;
                }
            }
            for y in &mut fade[1..] {
                *y = player.next(&inputs[0]).unwrap();
            }
            for (x, y) in inputs.iter().zip(&mut outputs) {
                *y = player.next(x).unwrap();
            }
        });
        assert_eq!((counts.allocations, counts.deallocations), (0, 0));
        assert!(worst_difference(&outputs, &expected) <= 1e-6);
        let (from, to) = (before(&inputs[0]), expected[0]);
        for (step, y) in (1..).zip(&fade) {
            let share = step as f32 / Player::FADE as f32;
            for i in 0..4 {
                assert!((y[i] - (from[i] + share * (to[i] - from[i]))).abs() <= 1e-5, "step {step} of the fade");
            }
        }
        reader.join().unwrap();
    }

    /// The counter counts: else the test above would prove nothing.
    #[test]
    fn the_counter_counts() {
        let (counts, ()) = counting::counts(|| drop(std::hint::black_box(Box::new(1))));
        assert_eq!((counts.allocations, counts.deallocations), (1, 1));
    }

    #[test]
    fn the_architecture_in_a_file_selects_the_network() {
        fn file<N: Parameters<Scalar = f32>>(network: &N) -> Vec<u8> {
            let mut bytes = vec![0; weights::length::<N>()];
            weights::write(network, &mut bytes).unwrap();
            bytes
        }
        let (small, controller) = (Small::new(3), Controller::new(3));
        assert!(matches!(Model::in_file(&file(&small)), Ok(Model::Small(found)) if found == small));
        assert!(matches!(Model::in_file(&file(&controller)), Ok(Model::Controller(found)) if found == controller));
        let error = Model::in_file(&file(&Dense::<8, 4>::new(1))).err().unwrap().to_string();
        assert!(error.starts_with("expected ") && error.contains("found 36 weights in 2 blocks"), "{error}");
    }
}
