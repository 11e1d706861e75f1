//! Learns the exclusive or on the device.

#![no_std]
#![no_main]

use chainrule::weights::flash;
use chainrule::{
    BinaryCrossEntropy, Dense, Identity, Layer, OnlineTrainer, Sgd, Tanh, TrainError, Vector, Zeroed, network,
};
use chainrule_cortex_m::pages::Pages;
use chainrule_cortex_m::{report, say, stack};
use cortex_m_rt::entry;

network! {
    /// Two numbers in, one out.
    pub struct Xor<T = f32>: 2 => 1 {
        hidden: Dense<2, 4, Tanh, T>,
        output: Dense<4, 1, Identity, T>,
    }
}

const INPUTS: [Vector<2>; 4] = [
    Vector::from_columns([[0.0, 0.0]]),
    Vector::from_columns([[0.0, 1.0]]),
    Vector::from_columns([[1.0, 0.0]]),
    Vector::from_columns([[1.0, 1.0]]),
];
const TARGETS: [[f32; 1]; 4] = [[0.0], [1.0], [1.0], [0.0]];

/// Bytes of stack that suffice.
const PROMISED_STACK: usize = 1024;

#[entry]
fn main() -> ! {
    static mut TRAINER: OnlineTrainer<Xor> = OnlineTrainer::ZEROED;
    // SAFETY: once, and the weights are read after they are saved.
    let mut pages = unsafe { Pages::take() };
    let region = pages.region();

    let trained = train(TRAINER).is_ok() && flash::save(&TRAINER.network, &mut pages, region).is_ok();
    let mut right = 0;
    match flash::view::<Xor>(pages.bytes()) {
        Ok(network) => {
            let mut scratch = Zeroed::ZEROED;
            for (x, [target]) in INPUTS.iter().zip(TARGETS) {
                let [logit] = network.predict(x, &mut scratch).as_array();
                right += u32::from((*logit > 0.0) == (target > 0.5));
            }
        }
        Err(_error) => say!("{}", _error),
    }
    let peak = stack::peak(); // before formatting adds to it
    say!("xor on device: {} of 4 right", right);
    say!("xor peak stack: {} bytes (promised {})", peak, PROMISED_STACK);
    report::finish(trained && right == 4 && peak <= PROMISED_STACK)
}

fn train(trainer: &mut OnlineTrainer<Xor>) -> Result<(), TrainError> {
    let sgd = Sgd::new(0.1)?;
    trainer.init(1);
    for _ in 0..500 {
        for (input, target) in INPUTS.iter().zip(&TARGETS) {
            trainer.step(&sgd, &BinaryCrossEntropy, input, target)?;
        }
    }
    Ok(())
}
