//! Instructions, counted: in QEMU with `-icount shift=8` one takes 256 ns of the board's time, which is 6.4 ticks of the
//! system timer, so it is exact.

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{Peripherals, SYST};

/// Starts the system timer.
pub fn start() {
    if let Some(peripherals) = Peripherals::take() {
        let mut timer = peripherals.SYST;
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(0x00ff_ffff);
        timer.clear_current();
        timer.enable_counter();
    }
}

/// The instructions of `work`, at most 2.6 million.
pub fn instructions(work: &mut dyn FnMut()) -> u32 {
    let none = ticks(&mut || ());
    (ticks(work).saturating_sub(none) * 10 + 32) / 64
}

/// The ticks of a call of `work`.
#[inline(never)]
fn ticks(work: &mut dyn FnMut()) -> u32 {
    let start = SYST::get_current();
    work();
    start.wrapping_sub(SYST::get_current()) & 0x00ff_ffff
}
