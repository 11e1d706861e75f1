//! Trains to the same bits as a server: [`same_bits`](chainrule_cortex_m::same_bits).

#![no_std]
#![no_main]

use chainrule::{Strict, Zeroed};
use chainrule_cortex_m::same_bits::{DIGEST, DigitsTrainer, digest, train};
use chainrule_cortex_m::{digits, report, say};
use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    static mut TRAINER: DigitsTrainer<Strict<f32>> = DigitsTrainer::ZEROED;

    let trained = train(TRAINER, digits::line);
    let found = digest(&TRAINER.network);
    if let Err(_error) = &trained {
        say!("{}", _error);
    }
    say!("digest: {:#018x} (pinned {:#018x})", found, DIGEST);
    report::finish(trained.is_ok() && found == DIGEST)
}
