//! Calibration in the field: an interrupt predicts a thousand times a second from the network in flash, while the main
//! loop trains a candidate on new samples. Only a candidate whose error on held-out samples does not rise is saved and
//! published; after any other, network and flash are as before.

#![no_std]
#![no_main]

use chainrule::weights::flash::{self, FlashError};
use chainrule::{Class, OnlineTrainer, Sgd, Shuffle, SoftmaxCrossEntropy, Vector, Zeroed};
use chainrule_cortex_m::digits::{self, Digits};
use chainrule_cortex_m::pages::Pages;
use chainrule_cortex_m::{report, say, stack};
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::{entry, exception};

/// Bytes of stack that suffice, the interrupt's among them.
const PROMISED_STACK: usize = 5120;

/// The network in use: the newer slot in flash, or null before there is one.
static CURRENT: AtomicPtr<Digits> = AtomicPtr::new(ptr::null_mut());
/// What the interrupt has predicted so far, and how much of it right.
static PREDICTED: AtomicU32 = AtomicU32::new(0);
static RIGHT: AtomicU32 = AtomicU32::new(0);

/// A sample as the sensor sees it once its gain has fallen.
fn drifted((input, class): (Vector<64>, Class<10>)) -> (Vector<64>, Class<10>) {
    (Vector::from(input.as_array().map(|ink| 0.25 + 0.5 * ink)), class)
}

/// The same with a wrong label: a mistake of whoever calibrates.
fn mislabelled(sample: (Vector<64>, Class<10>)) -> (Vector<64>, Class<10>) {
    let (input, class) = drifted(sample);
    (input, Class::new((class.index() + 1) % 10).unwrap_or(class))
}

#[exception]
fn SysTick() {
    static mut NEXT: usize = 0;
    // SAFETY: null, or a network in the newer slot, which no save writes.
    let Some(network) = (unsafe { CURRENT.load(Ordering::Acquire).as_ref() }) else { return };
    *NEXT = if *NEXT + 1 < digits::TEST_LEN { *NEXT + 1 } else { 0 };
    if let Some(sample) = digits::test_sample(*NEXT) {
        let right = digits::is_right(network, drifted(sample));
        PREDICTED.fetch_add(1, Ordering::Relaxed);
        RIGHT.fetch_add(u32::from(right), Ordering::Relaxed);
    }
}

/// How calibration went: held-out accuracy before, and of the candidate.
struct Outcome {
    before: f32,
    candidate: f32,
    published: bool,
}

/// Trains a candidate, in RAM; publishes it if its error does not rise.
#[inline(never)] // so that its stack is not added to that of what comes before and after
fn calibrate(
    trainer: &mut OnlineTrainer<Digits>,
    pages: &mut Pages,
    view: fn((Vector<64>, Class<10>)) -> (Vector<64>, Class<10>),
) -> Result<Outcome, ()> {
    let sgd = Sgd::new(0.02).map_err(drop)?;
    let before = digits::accuracy(&trainer.network, digits::test().map(drifted));
    for epoch in 0..3 {
        let order = Shuffle::new(digits::training_len(), 7, epoch);
        for i in 0..order.len() {
            if let Some((input, class)) = digits::training(order.index(i)).map(view) {
                trainer.step(&sgd, &SoftmaxCrossEntropy, &input, &class).map_err(drop)?;
            }
        }
    }
    let candidate = digits::accuracy(&trainer.network, digits::test().map(drifted));
    let published = candidate >= before;
    if published {
        publish(trainer, pages).map_err(drop)?;
    } else {
        // The next candidate starts from the network in use.
        let region = pages.region();
        flash::load(&mut trainer.network, pages, region).map_err(drop)?;
    }
    Ok(Outcome { before, candidate, published })
}

/// Into the older slot, of which nobody reads; then the interrupt is pointed there.
#[inline(never)]
fn publish(
    trainer: &OnlineTrainer<Digits>,
    pages: &mut Pages,
) -> Result<(), FlashError<embedded_storage::nor_flash::NorFlashErrorKind>> {
    let region = pages.region();
    flash::save(&trainer.network, pages, region)?;
    let network: &Digits = flash::view(pages.bytes())?;
    CURRENT.store(ptr::from_ref(network).cast_mut(), Ordering::Release);
    Ok(())
}

/// What the interrupt got right since the last call, in percent.
fn by_interrupt() -> (u32, f32) {
    let (predicted, right) = (PREDICTED.swap(0, Ordering::Relaxed), RIGHT.swap(0, Ordering::Relaxed));
    (predicted, 100.0 * right as f32 / predicted as f32)
}

#[entry]
fn main() -> ! {
    static mut TRAINER: OnlineTrainer<Digits> = OnlineTrainer::ZEROED;
    // SAFETY: once; `CURRENT` is in the newer slot, and a save writes the older.
    let mut pages = unsafe { Pages::take() };
    let mut well = false;
    if let Some(mut peripherals) = cortex_m::Peripherals::take() {
        well = run(TRAINER, &mut pages, &mut peripherals.SYST).is_ok();
    }
    report::finish(well)
}

fn run(trainer: &mut OnlineTrainer<Digits>, pages: &mut Pages, clock: &mut SYST) -> Result<(), ()> {
    // From the factory: trained on what the sensor saw when it was new.
    let sgd = Sgd::new(0.05).map_err(drop)?;
    trainer.init(1);
    for i in 0..digits::training_len() {
        if let Some((input, class)) = digits::training(i) {
            trainer.step(&sgd, &SoftmaxCrossEntropy, &input, &class).map_err(drop)?;
        }
    }
    publish(trainer, pages).map_err(drop)?;
    clock.set_clock_source(SystClkSource::Core);
    clock.set_reload(25_000 - 1);
    clock.clear_current();
    clock.enable_counter();
    clock.enable_interrupt();

    let good = calibrate(trainer, pages, drifted)?;
    let during_first = by_interrupt();
    let (network, flash) = (CURRENT.load(Ordering::Acquire), pages.checksum());
    let bad = calibrate(trainer, pages, mislabelled)?;
    let during_second = by_interrupt();
    let untouched = network == CURRENT.load(Ordering::Acquire) && flash == pages.checksum();

    let peak = stack::peak();
    for (_outcome, (_predicted, _right)) in [(&good, during_first), (&bad, during_second)] {
        say!(
            "calibration: held-out accuracy {:.2} %, candidate {:.2} %: {}",
            _outcome.before,
            _outcome.candidate,
            if _outcome.published { "published" } else { "refused" }
        );
        say!("by interrupt meanwhile: {} predictions, {:.2} % right", _predicted, _right);
    }
    say!("network and flash after the refused one: {}", if untouched { "untouched" } else { "changed" });
    say!("calibration peak stack: {} bytes (promised {})", peak, PROMISED_STACK);
    let as_it_should = good.published && !bad.published && untouched && good.candidate > good.before;
    let alive = during_first.0 > 100 && during_second.0 > 100 && during_second.1 > during_first.1;
    if as_it_should && alive && peak <= PROMISED_STACK { Ok(()) } else { Err(()) }
}
