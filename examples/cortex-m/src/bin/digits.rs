//! Learns to read digits on the device, 64-32-10, the data in flash; saves the weights in flash pages, and starts anew
//! from what stands there: whoever finds weights when the power comes reads digits at once.

#![no_std]
#![no_main]

use chainrule::weights::flash::{self, FlashError};
use chainrule::{Layer, OnlineTrainer, Sgd, Shuffle, SoftmaxCrossEntropy, TrainError, Vector, Zeroed};
use chainrule_cortex_m::digits::{self, Digits};
use chainrule_cortex_m::pages::Pages;
use chainrule_cortex_m::{report, say, stack};
use cortex_m::peripheral::SCB;
use cortex_m_rt::entry;

/// Bytes of stack that suffice.
const PROMISED_STACK: usize = 2304;

const PARAMETERS: usize = size_of::<Digits>();
const TRAINING: usize = size_of::<OnlineTrainer<Digits>>();
const ACTIVATIONS: usize = size_of::<<Digits as Layer<Vector<64>>>::Scratch>();

const SEED: u64 = 1;
const EPOCHS: u64 = 8;

#[entry]
fn main() -> ! {
    static mut TRAINER: OnlineTrainer<Digits> = OnlineTrainer::ZEROED;
    // SAFETY: once, and the weights are read before the next save or after it.
    let mut pages = unsafe { Pages::take() };
    match flash::view(pages.bytes()) {
        Ok(network) => read_digits(network),
        Err(_refused) => {
            let learnt = learn(TRAINER, &mut pages);
            let peak = stack::peak(); // before formatting adds to it
            say!("without weights in flash: {}", _refused);
            say!("training RAM: {} bytes ({} of them parameters)", TRAINING, PARAMETERS);
            say!("inference RAM: {} bytes of activations, the weights in flash", ACTIVATIONS);
            say!("peak stack: {} bytes (promised {})", peak, PROMISED_STACK);
            if !learnt || peak > PROMISED_STACK {
                report::finish(false);
            }
            SCB::sys_reset()
        }
    }
}

/// Trains and saves; whether it went well.
fn learn(trainer: &mut OnlineTrainer<Digits>, pages: &mut Pages) -> bool {
    if let Err(_error) = train(trainer) {
        say!("{}", _error);
        return false;
    }
    keep(trainer, pages)
}

/// Saves, and sees that a damaged page is refused.
#[inline(never)]
fn keep(trainer: &OnlineTrainer<Digits>, pages: &mut Pages) -> bool {
    let region = pages.region();
    if let Err(_error) = flash::save(&trainer.network, pages, region) {
        say!("{}", _error);
        return false;
    }
    // The last bit of the first weight: the number stays finite, only the checksum can tell.
    pages.damage(8 * 64);
    let refused = matches!(flash::view::<Digits>(pages.bytes()), Err(FlashError::NoWeights(_)));
    pages.damage(8 * 64);
    refused
}

#[inline(never)] // so that training and saving use the same stack, one after the other
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

/// With the weights where they are, in flash.
fn read_digits(network: &Digits) -> ! {
    let accuracy = digits::accuracy(network, digits::test());
    let peak = stack::peak();
    say!("digits accuracy on device: {:.2} %", accuracy);
    say!("peak stack of inference: {} bytes", peak);
    report::finish(accuracy >= 95.0 && peak <= PROMISED_STACK)
}
