//! Small promises, each a sentence of the documentation: what a scalar of one's own is given, the generator as rand
//! sees it, prediction while learning online, learning rates, and what things print.
#![allow(missing_docs)]

use chainrule::num_traits::{ConstOne, ConstZero, One, Zero};
use chainrule::rand::Rng;
use chainrule::*;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

// ---------------------------------------------------------------- a scalar of one's own

/// A number with what [`Real`] requires and nothing more.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bare(f64);

macro_rules! operators {
    ($($Trait:ident $method:ident $Assign:ident $assign:ident $operator:tt)*) => { $(
        impl $Trait for Bare {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                Self(self.0 $operator other.0)
            }
        }
        impl $Assign for Bare {
            fn $assign(&mut self, other: Self) {
                *self = *self $operator other;
            }
        }
    )* };
}
operators! {
    Add add AddAssign add_assign +
    Sub sub SubAssign sub_assign -
    Mul mul MulAssign mul_assign *
    Div div DivAssign div_assign /
}

impl Neg for Bare {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}
impl Zero for Bare {
    fn zero() -> Self {
        Self::ZERO
    }
    fn is_zero(&self) -> bool {
        self.0 == 0.0
    }
}
impl One for Bare {
    fn one() -> Self {
        Self::ONE
    }
}
impl ConstZero for Bare {
    const ZERO: Self = Self(0.0);
}
impl ConstOne for Bare {
    const ONE: Self = Self(1.0);
}

impl Real for Bare {
    fn from_f64(value: f64) -> Self {
        Self(value)
    }
    fn exp(self) -> Self {
        Self(f64::exp(self.0))
    }
    fn ln(self) -> Self {
        Self(f64::ln(self.0))
    }
    fn sqrt(self) -> Self {
        Self(f64::sqrt(self.0))
    }
    fn maximum(self, other: Self) -> Self {
        Self(if self.0 > other.0 || self.0.is_nan() { self.0 } else { other.0 })
    }
    fn if_positive(self, yes: Self, no: Self) -> Self {
        if self.0 > 0.0 { yes } else { no }
    }
}

/// Six methods and the operators are enough: all others follow from these, right to rounding, without overflow.
#[test]
fn a_scalar_is_given_what_it_does_not_say() {
    let close = |name: &str, x: f64, found: Bare, expected: f64, tolerance: f64| {
        assert!((found.0 - expected).abs() <= tolerance, "{name}({x}) = {found:?}, not {expected}");
    };
    for x in [0.0, 1e-3, 0.3, 0.5, 1.0, 2.5, 5.9, 7.0, 30.0, 800.0].into_iter().flat_map(|x| [x, -x]) {
        let bare = Bare(x);
        close("abs", x, bare.abs(), x.abs(), 0.0);
        close("minimum", x, bare.minimum(Bare(0.4)), x.min(0.4), 0.0);
        close("tanh", x, Real::tanh(bare), x.tanh(), 1e-15);
        close("sigmoid", x, bare.sigmoid(), 1.0 / (1.0 + (-x).exp()), 1e-15);
        close("softplus", x, bare.softplus(), Real::softplus(x), 1e-15 * x.abs().max(1.0));
        close("erf", x, bare.erf(), Real::erf(x), 4e-15);
        close("normal_cdf", x, bare.normal_cdf(), Real::normal_cdf(x), 4e-15);
        if x < 700.0 {
            close("exp_m1", x, Real::exp_m1(bare), x.exp_m1(), 4e-15 * x.exp().max(1.0));
        }
        if x > -1.0 {
            close("ln_1p", x, Real::ln_1p(bare), x.ln_1p(), 1e-15 * x.max(1.0));
        }
    }
    // 50 digits, by a series in another system.
    close("erf", 0.5, Bare(0.5).erf(), 0.520_499_877_813_046_5, 4e-16);
    close("erf", -1.0, Bare(-1.0).erf(), -0.842_700_792_949_714_9, 4e-16);
}

/// What a proof carries along does not take part in comparisons: they are those of the values.
#[test]
fn proving_scalars_compare_by_value() {
    let (one, sharp) = (RunningError { value: 1.0_f64, bound: 0.5 }, RunningError { value: 1.0, bound: 0.0 });
    assert!(one == sharp && one < RunningError { value: 1.25, bound: 0.0 } && one != RunningError::ZERO);
    let (a, b) = (Dual { value: 1.0_f64, derivative: 3.0 }, Dual { value: 1.0, derivative: -3.0 });
    assert!(a == b && a < Dual { value: 2.0, derivative: 0.0 } && a != Dual::ZERO);
}

// ---------------------------------------------------------------- the generator, online prediction, learning rates

/// The generator is one of rand: bytes are the little-endian words, and one seed is one sequence.
#[test]
fn random_is_a_generator_of_rand() {
    let (mut words, mut bytes) = (Random::new(5, 1), Random::new(5, 1));
    let mut filled = [0_u8; 11];
    bytes.fill_bytes(&mut filled);
    let expected: Vec<u8> = (0..3).flat_map(|_| words.next_u32().to_le_bytes()).take(11).collect();
    assert_eq!(filled.as_slice(), expected);
    assert_eq!(words.next_u64(), bytes.next_u64(), "the last word is used up, though a byte of it was not");
    assert_ne!(words.next_u64(), words.next_u64());
}

/// Prediction in the online trainer's own memory is the network's prediction.
#[test]
fn online_prediction() {
    let mut trainer = OnlineTrainer::<Dense<3, 2, Tanh>>::ZEROED;
    trainer.init(1);
    for x in [[0.5, -1.0, 2.0], [0.0, 0.25, -3.0]] {
        let x = Vector::from(x);
        let mut scratch = Zeroed::ZEROED;
        let expected = trainer.network.predict(&x, &mut scratch).as_slice().to_vec();
        assert_eq!(trainer.predict(&x).as_slice(), expected);
    }
}

/// Every rule tells its η, takes another one, and keeps all else.
#[test]
fn rules_tell_and_take_their_learning_rate() {
    fn check<O: Optimizer + PartialEq + std::fmt::Debug>(rule: O) {
        let rate = rule.learning_rate();
        assert_eq!(rate, 0.5, "{rule:?}");
        let other = rule.clone().with_learning_rate(0.125);
        assert_eq!(other.learning_rate(), 0.125, "{rule:?}");
        assert_ne!(other, rule);
        assert_eq!(other.with_learning_rate(rate), rule);
    }
    let sgd = Sgd::new(0.5).unwrap();
    check(sgd);
    check(Momentum { learning_rate: 0.5, momentum: 0.25 });
    check(Nesterov { learning_rate: 0.5, momentum: 0.25 });
    check(Adagrad { learning_rate: 0.5, epsilon: 1e-3 });
    check(RmsProp { learning_rate: 0.5, alpha: 0.5, epsilon: 1e-3 });
    check(Rprop { least: 1e-3, most: 2.0, ..Rprop::new(0.5).unwrap() });
    check(Adam { beta1: 0.5, beta2: 0.75, epsilon: 1e-3, learning_rate: 0.5 });
    check(AdamW { decay: 0.25, ..AdamW::new(0.5).unwrap() });
    check(ClipNorm { optimizer: sgd, limit: 2.0 });
    check(ClipValue { optimizer: sgd, limit: 2.0 });
}

// ---------------------------------------------------------------- what things print

/// Errors, proofs and layers print what a person asks for: values and bounds, names and shares.
#[test]
fn what_things_print() {
    assert_eq!(Interval::<true>::new(-0.5, 2.0).to_string(), "[-0.5, 2]");
    let sum = RunningError { value: 1.5_f64, bound: 0.25 };
    assert_eq!((sum.to_string(), format!("{sum:?}")), ("1.5 ± 2.5e-1".into(), "1.5 ± 2.5e-1".into()));
    assert_eq!(format!("{:?}", Dropout::<1, 5>::default()), "Dropout<1, 5>");
    assert_eq!(Dropout::<1, 5>::new().clone(), Dropout::new());
    assert_eq!(format!("{:?}", Dense::<2, 1>::block(0).name), Dense::<2, 1>::block(0).name.to_string());
    let nothing = Empty::<Dense<2, 1>>::ZEROED;
    assert_eq!((format!("{nothing:?}"), nothing.clone() == nothing), ("Empty".into(), true));
}

/// Two tensors, element by element.
#[test]
fn tensors_are_zipped_slice_by_slice() {
    let net = |w, b| Dense::<2, 1, Identity>::from_parts(Matrix::from_rows([w]), Vector::from([b]));
    let mut sum = net([1.0, 2.0], 3.0);
    Tensor::zip(&mut sum, &net([5.0, 6.0], 7.0), |x, y| 10.0 * x + y);
    assert_eq!(sum, net([15.0, 26.0], 37.0));
}
