use super::{Optimizer, RuleName, check_share, power};
use crate::Block;
use crate::elementary::sin_cos_of_turn;
use crate::error::{HyperparameterError, check};

/// How the learning rate changes in the course of training: η·f(t), where t counts the steps made before, from 0.
///
/// A function `fn(u64) -> f64` is a schedule, and so is a closure.
pub trait Schedule: Clone {
    /// Names the schedule in [`Optimizer::NAME`]. A function, whose hyper-parameters nobody sees, is `function`.
    const NAME: RuleName = RuleName::new("function");

    /// Calls `each` with the name and the value of every hyper-parameter.
    fn hyperparameters(&self, each: &mut dyn FnMut(&'static str, f64)) {
        let _ = each;
    }

    /// f(t) ≥ 0: what the learning rate is multiplied by.
    fn factor(&self, t: u64) -> f64;

    /// Whether all hyper-parameters lie in their ranges.
    ///
    /// # Errors
    ///
    /// [`HyperparameterError`] names the first one that does not.
    fn validate(&self) -> Result<(), HyperparameterError> {
        Ok(())
    }
}

impl<F: Fn(u64) -> f64 + Clone> Schedule for F {
    fn factor(&self, t: u64) -> f64 {
        self(t)
    }
}

/// Any rule with a learning rate that follows a schedule. The state of the schedule is the number of the step, which a
/// trainer counts and saves anyway. A factor that is negative or NaN is reported as an overflow, and nothing moves.
///
/// ```
/// use chainrule::{CosineDecay, Optimizer, Scheduled, Sgd, Vector, WarmUp, Zeroed};
/// let schedule = WarmUp { steps: 2, then: CosineDecay { steps: 100, floor: 0.0 } };
/// let rule = Scheduled { optimizer: Sgd::new(1.0)?, schedule };
/// let (mut w, g) = (Vector::from([0.0]), Vector::from([1.0]));
/// rule.step(1, &mut w, &g, &mut Zeroed::ZEROED).unwrap();
/// assert_eq!(w[0], -0.5); // half the learning rate
/// # Ok::<(), chainrule::HyperparameterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scheduled<O, S = fn(u64) -> f64> {
    /// The rule, with the learning rate that the schedule multiplies.
    pub optimizer: O,
    /// f.
    pub schedule: S,
}

impl<O: Optimizer, S: Schedule> Scheduled<O, S> {
    /// The factor in step `step`, counted from 1, whatever the block.
    fn rate(&self, step: u64, _: &Block) -> f64 {
        self.schedule.factor(step.saturating_sub(1))
    }
}

impl<O: Optimizer, S: Schedule> Optimizer for Scheduled<O, S> {
    const NAME: RuleName = RuleName::new("Scheduled").of(&[O::NAME, S::NAME]);
    const TAKES_PARTS: bool = O::TAKES_PARTS;

    delegate!(learning_rate prepare rate);

    fn hyperparameters(&self, each: &mut dyn FnMut(&'static str, f64)) {
        self.schedule.hyperparameters(each);
        self.optimizer.hyperparameters(each);
    }

    fn validate(&self) -> Result<(), HyperparameterError> {
        self.schedule.validate()?;
        self.optimizer.validate()
    }
}

/// f(t) = 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConstantRate;

impl Schedule for ConstantRate {
    const NAME: RuleName = RuleName::new("ConstantRate");

    fn factor(&self, _: u64) -> f64 {
        1.0
    }
}

/// f(t) = γ^⌊t / n⌋: a drop every n steps. (eq:step-decay)
///
/// ```
/// use chainrule::{Schedule, StepDecay};
/// let schedule = StepDecay { every: 10, factor: 0.5 };
/// assert_eq!([0, 9, 10, 20].map(|t| schedule.factor(t)), [1.0, 1.0, 0.5, 0.25]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepDecay {
    /// n, at least 1.
    pub every: u64,
    /// γ in [0, 1].
    pub factor: f64,
}

impl Schedule for StepDecay {
    const NAME: RuleName = RuleName::new("StepDecay");

    fn hyperparameters(&self, each: &mut dyn FnMut(&'static str, f64)) {
        each("every", self.every as f64);
        each("factor", self.factor);
    }

    fn factor(&self, t: u64) -> f64 {
        power(self.factor, t / self.every.max(1))
    }

    fn validate(&self) -> Result<(), HyperparameterError> {
        check("every", self.every as f64, self.every > 0, "at least 1")?;
        check("factor", self.factor, (0.0..=1.0).contains(&self.factor), "a number in [0, 1]")
    }
}

/// f(t) = γᵗ. (eq:exponential-decay)
///
/// ```
/// use chainrule::{ExponentialDecay, Schedule};
/// assert_eq!(ExponentialDecay { factor: 0.5 }.factor(3), 0.125);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExponentialDecay {
    /// γ in [0, 1].
    pub factor: f64,
}

impl Schedule for ExponentialDecay {
    const NAME: RuleName = RuleName::new("ExponentialDecay");

    fn hyperparameters(&self, each: &mut dyn FnMut(&'static str, f64)) {
        each("factor", self.factor);
    }

    fn factor(&self, t: u64) -> f64 {
        power(self.factor, t)
    }

    fn validate(&self) -> Result<(), HyperparameterError> {
        check("factor", self.factor, (0.0..=1.0).contains(&self.factor), "a number in [0, 1]")
    }
}

/// f(t) = m + (1 − m)·½(1 + cos(πt / n)) for t < n, then m: half a cosine down to the floor m
/// (Loshchilov and Hutter, 2017). (eq:cosine-decay)
///
/// ```
/// use chainrule::{CosineDecay, Schedule};
/// let schedule = CosineDecay { steps: 4, floor: 0.0 };
/// assert_eq!((schedule.factor(0), schedule.factor(4), schedule.factor(9)), (1.0, 0.0, 0.0));
/// assert!((schedule.factor(2) - 0.5).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CosineDecay {
    /// n, at least 1.
    pub steps: u64,
    /// m in [0, 1).
    pub floor: f64,
}

impl Schedule for CosineDecay {
    const NAME: RuleName = RuleName::new("CosineDecay");

    fn hyperparameters(&self, each: &mut dyn FnMut(&'static str, f64)) {
        each("steps", self.steps as f64);
        each("floor", self.floor);
    }

    fn factor(&self, t: u64) -> f64 {
        if t >= self.steps {
            return self.floor;
        }
        let (_, cosine) = sin_cos_of_turn(0.5 * (t as f64 / self.steps as f64));
        self.floor + (1.0 - self.floor) * (0.5 * (1.0 + cosine))
    }

    fn validate(&self) -> Result<(), HyperparameterError> {
        check("steps", self.steps as f64, self.steps > 0, "at least 1")?;
        check_share("floor", self.floor)
    }
}

/// f(t) = (t + 1) / n for t < n, then another schedule, from its own 0: a linear warm-up (Goyal et al., 2017), so that
/// the first steps do not throw weights that nothing is known about. (eq:warm-up)
///
/// ```
/// use chainrule::{ConstantRate, Schedule, WarmUp};
/// let schedule = WarmUp { steps: 4, then: ConstantRate };
/// assert_eq!([0, 3, 4, 100].map(|t| schedule.factor(t)), [0.25, 1.0, 1.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WarmUp<S = ConstantRate> {
    /// n; 0 is no warm-up.
    pub steps: u64,
    /// What follows.
    pub then: S,
}

impl<S: Schedule> Schedule for WarmUp<S> {
    const NAME: RuleName = RuleName::new("WarmUp").of(&[S::NAME]);

    fn hyperparameters(&self, each: &mut dyn FnMut(&'static str, f64)) {
        each("steps", self.steps as f64);
        self.then.hyperparameters(each);
    }

    fn factor(&self, t: u64) -> f64 {
        match t.checked_sub(self.steps) {
            None => (t as f64 + 1.0) / self.steps as f64,
            Some(t) => self.then.factor(t),
        }
    }

    fn validate(&self) -> Result<(), HyperparameterError> {
        self.then.validate()
    }
}
