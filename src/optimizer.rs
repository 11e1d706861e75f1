//! [`Optimizer`]: how a gradient moves parameters. Each is a loop over the slices of a [`Tensor`].

#[macro_use]
mod delegate;

mod adagrad;
mod adam;
mod averaged_weights;
mod clip;
mod layer_rates;
mod momentum;
mod nesterov;
mod rms_prop;
mod rprop;
mod rule_name;
mod schedule;
mod sgd;
mod weight_decay;

pub use adagrad::Adagrad;
pub use adam::Adam;
pub use averaged_weights::AveragedWeights;
pub use clip::{ClipNorm, ClipValue};
pub use layer_rates::LayerRates;
pub use momentum::Momentum;
pub use nesterov::Nesterov;
pub use rms_prop::RmsProp;
pub use rprop::Rprop;
pub use rule_name::RuleName;
pub use schedule::{ConstantRate, CosineDecay, ExponentialDecay, Schedule, Scheduled, StepDecay, WarmUp};
pub use sgd::Sgd;
pub use weight_decay::{AdamW, WeightDecay};

use crate::error::{HyperparameterError, check};
use crate::threads::elementwise;
use crate::{Name, Part, Scalar, Tensor};

/// A rule that moves parameters against their gradient. Hyper-parameters are in the value; what is remembered from
/// step to step is in [`State`](Optimizer::State), apart from it and all zeros at the beginning.
///
/// A rule first says how far it would move any parameter of a slice ([`reach`](Optimizer::reach)), then moves them, a part of a
/// slice at a time ([`update`](Optimizer::update)). Rules that wrap another
/// ([`Scheduled`], [`ClipNorm`], [`WeightDecay`], [`LayerRates`]) hand these calls on, so they nest in any order.
pub trait Optimizer: Clone {
    /// Tells this rule from others, with the rules inside it: [checkpoints](crate::Trainer::read_checkpoint) compare it.
    const NAME: RuleName;

    /// Whether a gradient may come in parts, each to be used before the next is made. [`prepare`](Optimizer::prepare) and
    /// [`step`](Optimizer::step), which see all of it, may then never be called.
    const TAKES_PARTS: bool = false;

    /// What follows from the number of a step, and is worked out once for all its parts; the number itself, or `()`, if there is
    /// nothing to work out.
    type Step: Copy;

    /// What is remembered: as many gradients as the rule needs, [`Empty`](crate::Empty) for none.
    type State<G: Tensor>: Tensor<Scalar = G::Scalar>;

    /// Whether all hyper-parameters lie in their ranges.
    ///
    /// # Errors
    ///
    /// [`HyperparameterError`] names the first one that does not.
    fn validate(&self) -> Result<(), HyperparameterError>;

    /// Calls `each` with the name and the value of every hyper-parameter, those of a rule inside last; functions are left
    /// out. Checkpoints state and compare them.
    fn hyperparameters(&self, each: &mut dyn FnMut(&'static str, f64));

    /// η.
    fn learning_rate(&self) -> f64;

    /// The same rule with another η: what schedules and layer rates change.
    #[must_use]
    fn with_learning_rate(self, learning_rate: f64) -> Self;

    /// Rewrites the gradient before a step, as clipping does. A trainer calls it once a step, with a finite gradient.
    fn prepare<G: Tensor>(&self, gradient: &mut G) {
        let _ = gradient;
    }

    /// Before step `step`, counted from 1.
    fn begin(&self, step: u64) -> Self::Step;

    /// η, if all that the step does is w ← w − η·∇w, for every parameter: layers can do that while they make the gradient
    /// ([`Layer::descend`](crate::Layer::descend)).
    fn descends(&self, step: Self::Step) -> Option<f64> {
        let _ = step;
        None
    }

    /// How far at most [`update`](Optimizer::update) would move a parameter of slice `i`, if no element of its gradient is larger
    /// than `largest`; not finite when it would make what is remembered infinite.
    fn reach<P: Tensor>(
        &self,
        step: Self::Step,
        i: usize,
        parameters: &P,
        largest: P::Scalar,
        state: &Self::State<P::Gradient>,
    ) -> P::Scalar;

    /// Moves some parameters of a slice against their gradient: those of [`part`](Part::of_mut), which may be none, as of a frozen
    /// layer.
    fn update<P: Tensor>(
        &self,
        step: Self::Step,
        part: Part,
        parameters: &mut P,
        gradient: &[P::Scalar],
        state: &mut Self::State<P::Gradient>,
    );

    /// Moves `parameters` by one step; `step` counts from 1. The gradient is [prepared](Optimizer::prepare).
    ///
    /// # Errors
    ///
    /// [`Overflow`] when an element of the gradient is not finite, or a parameter would not be; nothing has changed then.
    fn step<P: Tensor>(
        &self,
        step: u64,
        parameters: &mut P,
        gradient: &P::Gradient,
        state: &mut Self::State<P::Gradient>,
    ) -> Result<(), Overflow> {
        let step = self.begin(step);
        stays_finite(self, step, parameters, state, |i| Scalar::max_abs(gradient.slice(i)))?;
        for i in 0..P::SLICES {
            self.update(step, Part::whole(gradient, i), parameters, gradient.slice(i), state);
        }
        Ok(())
    }
}

/// A step would leave a parameter, or what is remembered, that is not finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow {
    /// The block of the parameter.
    pub block: Name,
}

/// Whether a step by a gradient, of which `largest` bounds every slice, leaves everything finite.
#[inline(always)]
pub(crate) fn stays_finite<O: Optimizer, P: Tensor>(
    rule: &O,
    step: O::Step,
    parameters: &P,
    state: &O::State<P::Gradient>,
    largest: impl Fn(usize) -> P::Scalar,
) -> Result<(), Overflow> {
    for i in 0..P::SLICES {
        let largest = largest(i);
        let reached = Scalar::max_abs(parameters.slice(i)) + rule.reach(step, i, parameters, largest, state);
        if !(largest.is_finite() && reached.is_finite()) {
            return Err(Overflow { block: P::block(i).name });
        }
    }
    Ok(())
}

/// The square of an element of the gradient stays finite below this magnitude in `f32`.
const LARGEST: f64 = 1e18;

/// |g| / √v is below this, also where v underflows, if v holds more than 10⁻¹⁶ of g².
const LARGEST_RATIO: f64 = 1e20;

/// w ← w − step; a step of zero leaves the very bits: −0 − (−0) would be +0, but −0 + 0 is +0 and −0 − (+0) is −0.
#[inline(always)]
pub(crate) fn descend<T: Scalar>(w: &mut T, step: T) {
    *w -= step + T::ZERO;
}

/// w ← w − η·g.
#[inline(always)]
pub(crate) fn descend_all<T: Scalar>(w: &mut [T], rate: T, g: &[T]) {
    elementwise(
        [w],
        [g],
        #[inline(always)]
        |[w], [g]| {
            for (w, g) in w.iter_mut().zip(g) {
                descend(w, rate * *g);
            }
        },
    );
}

/// What a moving average keeps of the past, zero below the smallest normal `f32`. Between there and zero it would stay for
/// good, since nine tenths of the least number are rounded up to it, and processors can be slow with such numbers.
#[inline(always)]
fn settled<T: Scalar>(past: T) -> T {
    settled_with(past, past.abs())
}

/// [`settled`], where `size` and not |past| is that small.
#[inline(always)]
fn settled_with<T: Scalar>(past: T, size: T) -> T {
    let shortfall = T::from_f64(f64::from(f32::MIN_POSITIVE)) - size;
    // Only the value is taken away: a derivative stays.
    past - shortfall.if_positive(T::from_f64(past.to_f64()), T::ZERO)
}

/// Every optimiser's learning rate: finite, not negative.
fn check_learning_rate(rate: f64) -> Result<(), HyperparameterError> {
    check("learning_rate", rate, rate >= 0.0 && rate.is_finite(), "a finite number, 0 or above")
}

/// The share of the past in a moving average.
fn check_share(name: &'static str, share: f64) -> Result<(), HyperparameterError> {
    check(name, share, (0.0..1.0).contains(&share), "a number in [0, 1)")
}

/// What is added to a denominator.
fn check_epsilon(epsilon: f64) -> Result<(), HyperparameterError> {
    let in_range = epsilon >= f64::from(f32::MIN_POSITIVE) && epsilon.is_finite();
    check("epsilon", epsilon, in_range, "a finite number, at least the smallest normal f32, 1.18e-38")
}

/// baseⁿ, in `f64` and by squaring, so that the bits are the same everywhere.
fn power(base: f64, n: u64) -> f64 {
    let (mut power, mut base, mut exponent) = (1.0, base, n);
    while exponent > 0 {
        if exponent & 1 == 1 {
            power *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    power
}
