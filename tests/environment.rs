//! The floating-point environment is the caller's: the library neither changes nor needs it.

#![cfg(target_arch = "x86_64")]
#![allow(unsafe_code, reason = "the register is read in assembly")]

use chainrule::{
    Adam, Class, Dense, Gelu, Identity, Relu, Sigmoid, SoftmaxCrossEntropy, Tanh, Trainer, Zeroed, network,
};
use std::arch::asm;
use std::hint::black_box;

network! {
    struct Net<T = f32>: 16 => 4 {
        first: Dense<16, 33, Tanh, T>,
        second: Dense<33, 64, Gelu, T>,
        third: Dense<64, 17, Relu, T>,
        fourth: Dense<17, 8, Sigmoid, T>,
        output: Dense<8, 4, Identity, T>,
    }
}

/// The control and status register, without the flags of exceptions that were seen.
fn control() -> u32 {
    let mut register = 0_u32;
    // SAFETY: stores the register into a variable of its size.
    unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut register, options(nostack)) };
    register & !0x3f
}

/// Rounding, flushing and masks are after an epoch what they were before, and so are the weights of a second run.
#[test]
fn training_leaves_the_environment_alone() {
    let before = control();
    let inputs: Vec<[f32; 16]> =
        (0..40).map(|s| core::array::from_fn(|k| ((s * 16 + k) as f32 * 0.37).sin())).collect();
    let targets: Vec<Class<4>> = (0..40).map(|s| Class::new(s % 4).unwrap()).collect();
    let train = || {
        let mut trainer = Trainer::<Net, Adam, 8>::boxed();
        trainer.init(3);
        for _ in 0..3 {
            trainer.epoch(&Adam::new(0.01).unwrap(), &SoftmaxCrossEntropy, &inputs, &targets).unwrap();
        }
        trainer
    };
    let first = train();
    assert_eq!(control(), before);
    assert_eq!(train().network, first.network);
}

/// Holds only under tests/flush_to_zero/run, which so knows that the rest ran flushed.
#[test]
#[ignore = "subnormal numbers are kept unless the caller says otherwise"]
fn subnormal_numbers_are_flushed() {
    assert_eq!(black_box(1e-40_f32) * black_box(1.0), 0.0);
    assert_eq!(black_box(1e-30_f32) * black_box(1e-15), 0.0);
}
