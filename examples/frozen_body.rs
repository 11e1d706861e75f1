//! A policy whose body is a constant in flash and whose head is learnt in RAM, on the device.
//!
//! ```text
//! cargo run --release --example frozen_body
//! ```
//!
//! The policy turns the state of a pendulum into the torque of its motor. The body was trained elsewhere to imitate
//! controllers for loads of ¼, ½, 1 and 2; its weights, rounded to three digits, stand below. It is an immutable
//! `static`, which a linker for a microcontroller places in flash, and it is read there: prediction needs its weights
//! for reading only. On the device the load is another one and the motor is connected the wrong way round. A head of
//! seven weights learns that from demonstrations, one sample at a time and without the heap.

use chainrule::{Dense, Layer, Matrix, MeanSquaredError, Random, Rmse, Sgd, Tanh, Trainer, Vector, Zeroed, network};
use std::error::Error;

network! {
    /// Sine, cosine and speed of a pendulum to what matters about its state.
    struct Body<T = f32>: 3 => 6 {
        first: Dense<3, 11, Tanh, T>,
        second: Dense<11, 6, Tanh, T>,
    }
}

/// Features of the body to a torque.
type Head = Dense<6, 1>;

/// In flash.
static BODY: Body = Body {
    first: Dense::from_parts(
        Matrix::from_rows([
            [1.356, -1.429, 0.252],
            [-1.311, -0.054, -0.086],
            [-0.889, 1.374, -0.296],
            [0.635, 1.264, -0.328],
            [0.276, 1.301, 0.374],
            [-0.869, 0.863, 0.416],
            [-1.118, 4.557, -0.117],
            [-1.159, -2.18, -0.335],
            [-1.014, -0.968, 0.063],
            [-0.513, -0.926, 0.714],
            [0.587, 0.017, -0.532],
        ]),
        Vector::from_columns([[-0.071, 0.089, -1.709, -0.749, -1.846, -0.168, 0.413, -0.089, -0.069, 0.528, -1.02]]),
    ),
    second: Dense::from_parts(
        Matrix::from_rows([
            [-0.635, -0.532, 2.221, 0.437, -1.744, 0.916, 0.418, 1.064, 0.308, -1.263, -1.181],
            [-1.059, 1.086, 0.591, 0.575, -1.422, 0.113, 0.767, 0.763, 0.591, 0.188, 0.192],
            [1.036, -1.082, -2.121, -0.233, 0.837, 0.073, -0.011, -1.786, -1.11, -0.135, -0.577],
            [0.297, 0.115, -0.948, -0.428, 1.149, 0.369, 0.172, -0.895, 0.57, 0.174, -0.19],
            [-0.045, -0.178, 0.34, 0.641, -0.941, -0.134, -0.189, 0.224, -0.432, 0.266, 0.476],
            [-0.195, -1.035, -0.919, -0.478, 1.034, 0.602, -0.443, -0.211, -0.631, -0.57, -0.893],
        ]),
        Vector::from_columns([[0.665, -0.422, -0.905, -0.207, 0.156, 0.124]]),
    ),
};

/// What the body sees in a state.
fn features(state: [f32; 3]) -> [f32; 6] {
    let mut scratch = Zeroed::ZEROED;
    *BODY.predict(&Vector::from(state), &mut scratch).as_array()
}

/// What a demonstrator does: it works against gravity and slows the swing, hardest at the bottom; its motor is limited.
fn demonstrated([sine, cosine, speed]: [f32; 3], load: f32) -> f32 {
    (-1.5 * load * sine - 0.6 * speed * (0.5 + cosine.max(0.0))).clamp(-2.0, 2.0)
}

/// A state of the pendulum, and the torque on this device: load 1.5, and a motor that turns the other way.
fn observe(random: &mut Random) -> ([f32; 3], [f32; 1]) {
    let angle = std::f64::consts::TAU * (random.uniform() - 0.5);
    let speed = 6.0 * (random.uniform() - 0.5);
    let state = [angle.sin(), angle.cos(), speed].map(|x| x as f32);
    (state, [-demonstrated(state, 1.5)])
}

/// How far off the policy is, in the mean over 1000 states that it never learnt from.
fn error(trainer: &mut Trainer<Head, Sgd, 1>) -> Result<f64, Box<dyn Error>> {
    let mut random = Random::new(2, 0);
    let (inputs, targets): (Vec<_>, Vec<_>) =
        (0..1000).map(|_| observe(&mut random)).map(|(state, torque)| (features(state), torque)).unzip();
    let mut rmse = Rmse::default();
    trainer.evaluate(&MeanSquaredError, &inputs, &targets, &mut rmse)?;
    Ok(rmse.value())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut trainer = Trainer::<Head, Sgd, 1>::ZEROED; // on a device: a `static`, in .bss
    trainer.init(1);

    println!("body, in flash:             {:5} bytes", size_of_val(&BODY));
    println!("to read it, on the stack:   {:5} bytes", size_of::<<Body as Layer<Vector<3>>>::Scratch>());
    println!("head and its trainer, RAM:  {:5} bytes", size_of_val(&trainer));
    println!("were all of it trained:     {:5} bytes of RAM\n", size_of::<Trainer<(Body, Head), Sgd, 1>>());

    let rule = Sgd::new(0.02)?;
    let mut random = Random::new(1, 0);
    let before = error(&mut trainer)?;
    println!("demonstrations   error of the torque, which goes to 2");
    println!("{:14}   {before:.3}", 0);
    for seen in 1..=10_000 {
        let (state, torque) = observe(&mut random);
        trainer.step(&rule, &MeanSquaredError, &[features(state)], &[torque])?;
        if [10, 100, 1000, 10_000].contains(&seen) {
            println!("{seen:14}   {:.3}", error(&mut trainer)?);
        }
    }
    let after = error(&mut trainer)?;
    assert!(after < 0.1 * before);
    Ok(())
}
