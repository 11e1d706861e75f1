//! The report over semihosting, and what happens on a panic. Without the feature `report` nothing is said.

use core::panic::PanicInfo;

/// Prints a line on the host.
#[cfg(feature = "report")]
#[macro_export]
macro_rules! say {
    ($($argument:tt)*) => { cortex_m_semihosting::hprintln!($($argument)*) };
}

/// Prints nothing; the arguments are used all the same.
#[cfg(not(feature = "report"))]
#[macro_export]
macro_rules! say {
    ($format:literal $(, $argument:expr)* $(,)?) => { { $( core::hint::black_box(&$argument); )* } };
}

/// The end of the firmware: the host hears whether all went well, a device waits.
pub fn finish(well: bool) -> ! {
    #[cfg(feature = "report")]
    {
        use cortex_m_semihosting::debug::{EXIT_FAILURE, EXIT_SUCCESS, exit};
        exit(if well { EXIT_SUCCESS } else { EXIT_FAILURE });
    }
    core::hint::black_box(well);
    loop {
        cortex_m::asm::nop();
    }
}

#[panic_handler]
fn panic(_information: &PanicInfo) -> ! {
    say!("{}", _information);
    finish(false)
}
