//! A scalar of one's own: a fixed-point number, whose sums and products are those of integers, trains a network.
//!
//! ```text
//! cargo run --release --example custom_scalar
//! ```
//!
//! Every layer, loss and optimiser is generic over its scalar. A new one brings its operators, two conversions, `exp`, `ln`
//! and `sqrt`, and two branches. All else follows from these.

use chainrule::num_traits::{ConstOne, ConstZero, One, Zero};
use chainrule::{
    BinaryCrossEntropy, Dense, Identity, Momentum, Real, Scalar, Tanh, TrainError, Trainer, Zeroed, network, zeroed,
};
use std::error::Error;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

zeroed! {
    /// A number in Q16.16, `bits` / 2¹⁶: from −32768 to just below 32768 in steps of 1.5·10⁻⁵. What lies outside
    /// saturates; there is no NaN and no infinity.
    #[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
    struct Fixed {
        bits: i32,
    }
}

impl Fixed {
    const LEAST: Self = Self { bits: i32::MIN };
    const LN_2: Self = Self { bits: 45426 };

    fn saturating(bits: i64) -> Self {
        Self { bits: bits.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32 }
    }

    fn integer(value: i32) -> Self {
        Self::saturating(i64::from(value) << 16)
    }
}

/// Each operator, and the one that assigns: what becomes of the bits.
macro_rules! operators {
    ($($Trait:ident $method:ident $Assign:ident $assign:ident |$a:ident, $b:ident| $bits:expr;)*) => { $(
        impl $Trait for Fixed {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                let ($a, $b) = (i64::from(self.bits), i64::from(other.bits));
                Self::saturating($bits)
            }
        }
        impl $Assign for Fixed {
            fn $assign(&mut self, other: Self) {
                *self = self.$method(other);
            }
        }
    )* };
}
operators! {
    Add add AddAssign add_assign |a, b| a + b;
    Sub sub SubAssign sub_assign |a, b| a - b;
    Mul mul MulAssign mul_assign |a, b| (a * b + (1 << 15)) >> 16; // rounded to the nearest
    Div div DivAssign div_assign |a, b| if b == 0 { a << 32 } else { (a << 16) / b };
}

impl Neg for Fixed {
    type Output = Self;
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

impl Zero for Fixed {
    fn zero() -> Self {
        Self::ZERO
    }
    fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

impl One for Fixed {
    fn one() -> Self {
        Self::ONE
    }
}

impl ConstZero for Fixed {
    const ZERO: Self = Self { bits: 0 };
}

impl ConstOne for Fixed {
    const ONE: Self = Self { bits: 1 << 16 };
}

impl Scalar for Fixed {
    fn to_f64(self) -> f64 {
        f64::from(self.bits) / 65536.0
    }
}

impl Real for Fixed {
    fn from_f64(value: f64) -> Self {
        Self::saturating((value * 65536.0).round() as i64)
    }

    fn maximum(self, other: Self) -> Self {
        if self > other { self } else { other }
    }

    fn if_positive(self, yes: Self, no: Self) -> Self {
        if self > Self::ZERO { yes } else { no }
    }

    /// With x = k·ln 2 + u and 0 ≤ u < ln 2: eˣ = 2ᵏ·(1 + u/1·(1 + u/2·(1 + u/3·…))).
    fn exp(self) -> Self {
        // Beyond these, eˣ saturates or is below half a step.
        let x = self.maximum(Self::integer(-12)).minimum(Self::integer(11));
        let k = (x / Self::LN_2).bits >> 16;
        let u = x - Self::integer(k) * Self::LN_2;
        let sum = (1..=7).rev().fold(Self::ONE, |sum, n| Self::ONE + u * sum / Self::integer(n));
        let bits = i64::from(sum.bits);
        Self::saturating(if k < 0 { bits >> -k } else { bits << k })
    }

    /// With x = m·2ᵏ, 1 ≤ m < 2 and s = (m − 1)/(m + 1): ln x = k·ln 2 + 2·(s + s³/3 + s⁵/5 + …).
    fn ln(self) -> Self {
        if self <= Self::ZERO {
            return Self::LEAST; // the nearest that there is to −∞
        }
        let top = self.bits.ilog2();
        let m = Self::saturating((i64::from(self.bits) << 16) >> top);
        let s = (m - Self::ONE) / (m + Self::ONE);
        let sum = [9, 7, 5, 3, 1].iter().fold(Self::ZERO, |sum, n| sum * s * s + Self::ONE / Self::integer(*n));
        Self::integer(top as i32 - 16) * Self::LN_2 + Self::integer(2) * s * sum
    }

    /// √(bits / 2¹⁶) = √(bits·2¹⁶) / 2¹⁶; zero below zero, where others have NaN.
    fn sqrt(self) -> Self {
        let bits = u64::from(self.bits.max(0).unsigned_abs());
        Self { bits: (bits << 16).isqrt() as i32 }
    }
}

network! {
    /// Two numbers in, one out.
    struct Xor<T = f32>: 2 => 1 {
        hidden: Dense<2, 4, Tanh, T>,
        output: Dense<4, 1, Identity, T>,
    }
}

/// Trains on the exclusive or, with whatever scalar; returns the four probabilities.
fn train<T: Scalar>() -> Result<[f64; 4], TrainError> {
    let (zero, one) = (T::ZERO, T::ONE);
    let inputs = [[zero, zero], [zero, one], [one, zero], [one, one]];
    let targets = [[zero], [one], [one], [zero]];
    let mut trainer = Trainer::<Xor<T>, Momentum, 4>::ZEROED;
    trainer.init(7);
    let momentum = Momentum::new(0.2)?;
    for _ in 0..500 {
        trainer.epoch(&momentum, &BinaryCrossEntropy, &inputs, &targets)?;
    }
    let mut answers = [0.0; 4];
    trainer.predict(&inputs, |sample, [logit]| answers[sample] = logit.sigmoid().to_f64());
    Ok(answers)
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("largest error of exp, ln and sqrt: {:.1e}", largest_error());
    let (fixed, float) = (train::<Fixed>()?, train::<f32>()?);
    println!("\n          Q16.16    f32");
    for (i, (fixed, float)) in fixed.iter().zip(float).enumerate() {
        println!("{} xor {}:  {fixed:.4}  {float:.4}", i / 2, i % 2);
    }
    Ok(())
}

/// Over x from 0.1 to 5: the largest error of the elementary functions, absolute below 1 and relative above.
fn largest_error() -> f64 {
    let mut largest = 0.0_f64;
    for step in 1..=50 {
        let x = Fixed::from_f64(f64::from(step) / 10.0);
        let exact = x.to_f64();
        let pairs =
            [(x.exp(), exact.exp()), ((-x).exp(), (-exact).exp()), (x.ln(), exact.ln()), (x.sqrt(), exact.sqrt())];
        for (found, exact) in pairs {
            largest = largest.max((found.to_f64() - exact).abs() / exact.abs().max(1.0));
        }
    }
    largest
}
