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

/// Every rule tells its hyper-parameters, those of a rule inside last; takes another η, and keeps all else.
#[test]
fn rules_tell_their_hyperparameters() {
    fn told(rule: &impl Optimizer) -> Vec<(&'static str, f64)> {
        let mut told = Vec::new();
        rule.hyperparameters(&mut |name, value| told.push((name, value)));
        told
    }
    fn check<O: Optimizer + PartialEq + std::fmt::Debug>(rule: O, expected: &[(&'static str, f64)]) {
        let rate = rule.learning_rate();
        assert_eq!(rate, 0.5, "{rule:?}");
        let other = rule.clone().with_learning_rate(0.125);
        assert_eq!(other.learning_rate(), 0.125, "{rule:?}");
        assert_ne!(other, rule);
        assert_eq!(other.with_learning_rate(rate), rule);
        assert_eq!(told(&rule), expected, "{rule:?}");
    }
    let (sgd, rate) = (Sgd::new(0.5).unwrap(), ("learning_rate", 0.5));
    check(sgd, &[rate]);
    check(Momentum { learning_rate: 0.5, momentum: 0.25 }, &[rate, ("momentum", 0.25)]);
    check(Nesterov { learning_rate: 0.5, momentum: 0.25 }, &[rate, ("momentum", 0.25)]);
    check(Adagrad { learning_rate: 0.5, epsilon: 1e-3 }, &[rate, ("epsilon", 1e-3)]);
    check(RmsProp { learning_rate: 0.5, alpha: 0.75, epsilon: 1e-3 }, &[rate, ("alpha", 0.75), ("epsilon", 1e-3)]);
    let steps = [rate, ("shrink", 0.5), ("grow", 1.2), ("least", 1e-3), ("most", 2.0)];
    check(Rprop { least: 1e-3, most: 2.0, ..Rprop::new(0.5).unwrap() }, &steps);
    let shares = [rate, ("beta1", 0.5), ("beta2", 0.75), ("epsilon", 1e-3)];
    check(Adam { beta1: 0.5, beta2: 0.75, epsilon: 1e-3, learning_rate: 0.5 }, &shares);
    let decay = [("decay", 0.25), rate, ("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8)];
    check(AdamW { decay: 0.25, ..AdamW::new(0.5).unwrap() }, &decay);
    check(ClipNorm { optimizer: sgd, limit: 2.0 }, &[("limit", 2.0), rate]);
    check(ClipValue { optimizer: sgd, limit: 2.0 }, &[("limit", 2.0), rate]);

    // Schedules tell their own; a function has none that could be told.
    let schedule = WarmUp { steps: 3, then: CosineDecay { steps: 9, floor: 0.25 } };
    let nested = [("steps", 3.0), ("steps", 9.0), ("floor", 0.25), rate];
    assert_eq!(told(&Scheduled { optimizer: sgd, schedule }), nested);
    let stepwise = Scheduled { optimizer: sgd, schedule: StepDecay { every: 7, factor: 0.5 } };
    assert_eq!(told(&stepwise), [("every", 7.0), ("factor", 0.5), rate]);
    assert_eq!(
        told(&Scheduled { optimizer: sgd, schedule: ExponentialDecay { factor: 0.5 } }),
        [("factor", 0.5), rate]
    );
    assert_eq!(told(&Scheduled { optimizer: sgd, schedule: ConstantRate }), [rate]);
    assert_eq!(told(&Scheduled { optimizer: sgd, schedule: |_| 1.0 }), [rate]);
    assert_eq!(told(&LayerRates { optimizer: sgd, factor: |_: &Block| 1.0 }), [rate]);
}

/// Names of rules are those of their types, rules inside rules; what is cut off in print still tells them apart.
#[test]
fn names_of_rules() {
    type Nested = ClipNorm<Scheduled<Adam, WarmUp<StepDecay>>>;
    assert_eq!(Nested::NAME.to_string(), "ClipNorm<Scheduled<Adam, WarmUp<StepDecay>>>");
    assert_eq!(format!("{:?}", Nested::NAME), Nested::NAME.to_string());
    assert_eq!(RuleName::new("Own").of(&[Sgd::NAME, Adam::NAME, Sgd::NAME]).to_string(), "Own<Sgd, Adam, Sgd>");
    assert_ne!(ClipNorm::<Adam>::NAME, ClipNorm::<Sgd>::NAME);
    type Four<O> = ClipNorm<ClipNorm<ClipNorm<ClipNorm<O>>>>;
    type Deep<O> = Four<Four<Four<O>>>;
    assert_ne!(Deep::<Adam>::NAME, Deep::<Sgd>::NAME);
    let shown = "ClipNorm<".repeat(11);
    assert_eq!(Deep::<Adam>::NAME.to_string(), shown[..RuleName::BYTES]);
    assert_eq!(Deep::<Sgd>::NAME.to_string(), shown[..RuleName::BYTES]);
}

// ---------------------------------------------------------------- layers

/// What a layer holds before it has learnt.
#[test]
fn layers_begin_as_documented() {
    assert_eq!(Prelu::<3>::new(1).slope, Vector::filled(0.25));
    let norm = LayerNorm::<3>::new(1);
    assert_eq!((norm.gain, norm.bias), (Vector::filled(1.0), Vector::filled(0.0)));
    assert_eq!(Scale::<3>::new(1), Scale::IDENTITY);
    let mut dense = Dense::<3, 2, Relu>::new(1);
    dense.init_with(Initializer::Constant(0.5), &mut Random::new(1, 0));
    assert_eq!((dense.weights, dense.bias), (Matrix::filled(0.5), Vector::filled(0.0)));
    let inside = Dense::<3, 3, Tanh>::new(7);
    assert!(inside.weights.max_abs() > 0.0);
    assert_eq!(Residual::<Dense<3, 3, Tanh>>::new(7).0, inside);
    assert_eq!(Frozen::<Dense<3, 3, Tanh>>::new(7).0, inside);
}

/// Floating-point operations of a batch: a dense layer's are a product and a sum a weight and one activation a neuron.
#[test]
fn operations_of_layers() {
    fn of<const B: usize, L: Layer<Matrix<3, B>>>() -> usize {
        L::OPERATIONS
    }
    assert_eq!((of::<1, Dense<3, 5>>(), of::<4, Dense<3, 5>>()), (35, 140));
    assert_eq!((of::<1, LayerNorm<3>>(), of::<4, LayerNorm<3>>()), (22, 88));
    assert_eq!((of::<1, Prelu<3>>(), of::<4, Prelu<3>>()), (3, 12));
    assert_eq!((of::<1, Scale<3>>(), of::<4, Scale<3>>()), (9, 36));
    assert_eq!((of::<1, Dropout<1, 2>>(), of::<4, Frozen<Dense<3, 5>>>()), (0, 140));
    assert_eq!((of::<1, Residual<Dense<3, 3>>>(), of::<4, Residual<Dense<3, 3>>>()), (24, 96));
    assert_eq!(of::<4, (Dense<3, 5>, (LayerNorm<5>, Dense<5, 2>))>(), 140 + 4 * 36 + 4 * 22);
    type Pair = (Dense<3, 5>, Prelu<5>);
    assert_eq!((Pair::SLICES, Pair::LEN), (3, 20 + 5));
    assert_eq!(Pair::block(2).name.to_string(), "1.slope");
    network! {
        struct Three<T = f32>: 3 => 2 {
            first: Dense<3, 5, Tanh, T>,
            norm: LayerNorm<5, T>,
            second: Dense<5, 2, Identity, T>,
        }
    }
    assert_eq!(of::<4, Three>(), 140 + 4 * 36 + 4 * 22);
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
    assert_eq!(Dual { value: 1.5_f64, derivative: -2.0 }.to_string(), "1.5 + -2ε");
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
