//! Learns to read digits on the device: 64-32-10, the data in flash.

#![no_std]
#![no_main]

use chainrule::weights::{self, Aligned};
use chainrule::{Class, Layer, OnlineTrainer, Sgd, Shuffle, SoftmaxCrossEntropy, TrainError, Zeroed};
use chainrule_cortex_m::digits::{self, Digits};
use chainrule_cortex_m::{report, save, say, stack};
use cortex_m_rt::entry;

/// Bytes of stack that suffice.
const PROMISED_STACK: usize = 2048;

const SEED: u64 = 1;
const EPOCHS: u64 = 8;

#[entry]
fn main() -> ! {
    static mut TRAINER: OnlineTrainer<Digits> = OnlineTrainer::ZEROED;
    static mut FLASH: Aligned<[u8; weights::length::<Digits>()]> = Aligned([0xff; _]);

    let trained = train(TRAINER).is_ok();
    let accuracy = match save(&TRAINER.network, FLASH) {
        Ok(network) => accuracy(network),
        Err(_error) => {
            say!("{}", _error);
            0.0
        }
    };
    let peak = stack::peak(); // before formatting adds to it
    say!("digits accuracy on device: {:.2} %", accuracy);
    say!("training RAM: {} bytes ({} of them parameters)", size_of_val(TRAINER), size_of::<Digits>());
    say!("peak stack: {} bytes (promised {})", peak, PROMISED_STACK);
    report::finish(trained && accuracy >= 95.0 && peak <= PROMISED_STACK)
}

fn train(trainer: &mut OnlineTrainer<Digits>) -> Result<(), TrainError> {
    let sgd = Sgd::new(0.05)?;
    trainer.init(SEED);
    for epoch in 0..EPOCHS {
        let order = Shuffle::new(digits::training_len(), SEED, epoch);
        for i in 0..order.len() {
            if let Some((input, class)) = digits::training(order.index(i)) {
                trainer.step(&sgd, &SoftmaxCrossEntropy, &input, &class)?;
            }
        }
    }
    Ok(())
}

/// Of the test part, in percent.
fn accuracy(network: &Digits) -> f32 {
    let mut scratch = Zeroed::ZEROED;
    let (mut right, mut all) = (0.0, 0.0);
    for (input, class) in digits::test() {
        let outputs = network.predict(&input, &mut scratch).as_array();
        right += if Class::argmax(outputs) == Some(class) { 100.0 } else { 0.0 };
        all += 1.0;
    }
    right / all
}
