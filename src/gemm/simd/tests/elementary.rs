//! The elementary functions on every register, against the references of those on plain numbers.

use super::*;
use crate::elementary::tests::{OVERFLOW, SUBJECTS, error_in_ulp};
use crate::elementary::{Precision, erf, exp, exp_m1, ln, ln_1p, sigmoid, softplus, tanh};
use std::println;

/// The function of this number in [`SUBJECTS`].
#[derive(Clone, Copy)]
struct Function(usize);

impl<T: Precision> Epilogue<T> for Function {
    #[inline(always)]
    fn apply<V: Lanes<Element = T>>(self, x: V) -> V {
        match self.0 {
            0 => exp(x),
            1 => exp_m1(x),
            2 => ln(x),
            3 => ln_1p(x),
            4 => tanh(x),
            5 => sigmoid(x),
            6 => softplus(x),
            _ => erf(x),
        }
    }
}

/// Finds out whether a register looks numbers up in tables.
struct LooksUp<'a>(&'a mut bool);

impl Kernel<f32> for LooksUp<'_> {
    #[inline(always)]
    fn run<V: Register<Element = f32>>(self) {
        *self.0 = V::splat(1.0).look_up(&[0.0; 16]).is_some();
    }
}

/// Prints the worst error of each function, for `--nocapture` to show.
fn check(patterns: impl Iterator<Item = u32> + Clone + Send) {
    for isa in Isa::available() {
        std::thread::scope(|scope| {
            for (number, subject) in SUBJECTS.iter().enumerate() {
                let mut patterns = patterns.clone();
                // In pieces tanh is more precise than by the exponential.
                let mut in_pieces = false;
                f32::enter(isa, LooksUp(&mut in_pieces));
                in_pieces &= subject.name == "tanh";
                let bound = if in_pieces { 1.2 } else { subject.bounds.0 };
                scope.spawn(move || {
                    let (mut worst, mut at) = (0.0, 0.0);
                    loop {
                        let x: Vec<f32> = patterns.by_ref().take(1 << 12).map(f32::from_bits).collect();
                        if x.is_empty() {
                            break;
                        }
                        let mut y = x.clone();
                        f32::enter(isa, Map(&mut y, Function(number)));
                        for (x, y) in x.into_iter().zip(y) {
                            let exact = (subject.reference)(f64::from(x));
                            let error = error_in_ulp(f64::from(y), exact, 24, -126, OVERFLOW);
                            let name = subject.name;
                            assert!(error <= bound, "{isa:?}: {name}({x:e}) = {y:e}, not {exact:e}: {error} ulp");
                            if error > worst {
                                (worst, at) = (error, x);
                            }
                        }
                    }
                    println!("{isa:?}: {}: at most {worst:.3} ulp, at {at:e}", subject.name);
                });
            }
        });
    }
}

#[test]
fn f32_is_within_its_stated_error_on_registers() {
    check((0..=u32::MAX).step_by(4096));
    // The largest numbers, infinity and the first NaN; small ones, and where tanh levels off.
    check((0..64).flat_map(|i| [0x7F80_0000 - 32 + i, 0xFF80_0000 - 32 + i, i, 0x8000_0000 + i, 0x4110_2D00 + 64 * i]));
}

/// Another offset in each group of 64, so that all last bits occur.
#[test]
#[ignore = "for optimised builds, as in .ci/run"]
fn every_64th_f32_pattern_on_registers() {
    check((0..1_u32 << 26).map(|i| i << 6 | i.wrapping_mul(0x9E37_79B1) >> 26));
}

#[test]
#[ignore = "for optimised builds, and long: all 2^32 patterns"]
fn every_f32_pattern_on_registers() {
    check(0..=u32::MAX);
}

/// The hyperbolic tangent and the error function are odd to the bit, never beyond ±1, and keep a NaN.
#[test]
fn symmetries_on_registers() {
    let x: Vec<f32> = (0..=u32::MAX >> 1).step_by(1021).map(f32::from_bits).collect();
    for isa in Isa::available() {
        for number in [4, 7] {
            let (mut positive, mut negative) = (x.clone(), x.iter().map(|x| -x).collect::<Vec<_>>());
            f32::enter(isa, Map(&mut positive, Function(number)));
            f32::enter(isa, Map(&mut negative, Function(number)));
            for i in 0..x.len() {
                let (p, n) = (positive[i], negative[i]);
                if x[i].is_nan() {
                    assert!(p.is_nan() && n.is_nan(), "{isa:?} {number}: {p} of NaN");
                    continue;
                }
                assert_eq!(p.to_bits(), (-n).to_bits(), "{isa:?} {number}: {:e}", x[i]);
                assert!(p <= 1.0, "{isa:?} {number}: {p} of {:e}", x[i]);
            }
        }
    }
}
