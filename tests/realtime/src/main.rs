//! Prediction and training steps in a real-time context: the sanitizer ends the program at the first allocation, lock or
//! other system call in there. With the argument `violate` one allocation is seeded, and must be found.

#![feature(sanitize)]

use chainrule::{
    Adam, Class, Dense, Dropout, Frozen, Gelu, Identity, Layer, LayerNorm, OnlineTrainer, Relu, Residual, Sgd,
    SoftmaxCrossEntropy, Tanh, TrainError, Trainer, Vector, Zeroed, network,
};
use std::hint::black_box;
use std::sync::Mutex;

network! {
    /// A layer of each kind.
    struct Net<T = f32>: 64 => 10 {
        hidden: Dense<64, 32, Tanh, T>,
        mask: Dropout<1, 4, T>,
        norm: LayerNorm<32, T>,
        block: Residual<Dense<32, 32, Gelu, T>>,
        fixed: Frozen<Dense<32, 16, Relu, T>>,
        output: Dense<16, 10, Identity, T>,
    }
}

network! {
    struct Small<T = f32>: 64 => 10 { hidden: Dense<64, 32, Tanh, T>, output: Dense<32, 10, Identity, T> }
}

/// Everything that is used in real time, of known size and in static memory.
type Everything = (Trainer<Net, Adam, 8>, OnlineTrainer<Small>, <Net as Layer<Vector<64>>>::Scratch);

static EVERYTHING: Mutex<Everything> = Mutex::new(Everything::ZEROED);

#[sanitize(realtime = "nonblocking")]
fn real_time(
    (trainer, online, scratch): &mut Everything,
    adam: &Adam,
    sgd: &Sgd,
    inputs: &[[f32; 64]],
    targets: &[Class<10>],
) -> Result<f32, TrainError> {
    let mut sum = trainer.epoch(adam, &SoftmaxCrossEntropy, inputs, targets)?;
    for (x, target) in inputs.iter().zip(targets) {
        let x = Vector::from(*x);
        sum += online.step(sgd, &SoftmaxCrossEntropy, &x, target)?;
        sum += trainer.network.predict(&x, scratch)[0];
    }
    // An error is real time, too.
    let refused = trainer.epoch(adam, &SoftmaxCrossEntropy, &[[f32::NAN; 64]], &targets[..1]);
    assert!(refused.is_err());
    Ok(sum)
}

/// What must be found.
#[sanitize(realtime = "nonblocking")]
fn violation(n: usize) -> Box<[f32]> {
    black_box(vec![1.0; n].into_boxed_slice())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut everything = EVERYTHING.lock().unwrap();
    everything.0.init(1);
    everything.1.init(1);
    let (adam, sgd) = (Adam::new(1e-3)?, Sgd::new(0.01)?);
    // Not a multiple of the batch.
    let inputs: Vec<[f32; 64]> = (0..37).map(|s| std::array::from_fn(|k| ((s * 64 + k) as f32 * 0.7).sin())).collect();
    let targets: Vec<Class<10>> = (0..37).map(|s| Class::new(s % 10)).collect::<Result<_, _>>()?;
    if std::env::args().nth(1).as_deref() == Some("violate") {
        println!("{}", violation(inputs.len()).len());
    }
    for _ in 0..3 {
        let sum = real_time(&mut everything, &adam, &sgd, &inputs, &targets)?;
        assert!(sum.is_finite());
    }
    println!("real time: no allocation, no lock, no system call");
    Ok(())
}
