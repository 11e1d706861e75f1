//! Training as a WebAssembly module without `std`: the host writes the digits, calls [`train`], and reads the result.

#![no_std]

#[path = "../../cortex-m/src/same_bits.rs"]
mod same_bits;

use chainrule::{Strict, Zeroed};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU8, Ordering};
use same_bits::{DIGEST, DigitsTrainer, LINES, Line};

/// What the host fills. Atomic bytes, since nothing else makes a static writable without `unsafe`.
static DIGITS: [[AtomicU8; size_of::<Line>()]; LINES] = [const { [const { AtomicU8::new(0) }; _] }; _];

/// Where the host writes the digits: 65 bytes each, the pixels and then the digit.
#[unsafe(no_mangle)]
pub extern "C" fn digits() -> *const u8 {
    (&raw const DIGITS).cast()
}

/// How many bytes there are.
#[unsafe(no_mangle)]
pub extern "C" fn digits_length() -> usize {
    size_of_val(&DIGITS)
}

/// Makes the thousand steps and returns the checksum of the weights; 0 when a step was refused.
#[unsafe(no_mangle)]
pub extern "C" fn train() -> u64 {
    let mut trainer = DigitsTrainer::<Strict<f32>>::ZEROED;
    let line = |i: usize| DIGITS.get(i).map(|line| line.each_ref().map(|byte| byte.load(Ordering::Relaxed)));
    same_bits::train(&mut trainer, line).map_or(0, |_| same_bits::digest(&trainer.network))
}

/// The pinned checksum.
#[unsafe(no_mangle)]
pub extern "C" fn pinned() -> u64 {
    DIGEST
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
