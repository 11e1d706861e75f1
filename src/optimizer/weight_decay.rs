use super::{Adam, Optimizer, RuleName};
use crate::error::{HyperparameterError, check};
use crate::{Part, Real, Role, Tensor};

/// Any rule with decoupled weight decay (Loshchilov and Hutter, 2019): before each step, w ← (1 − η·λ)·w for weights
/// proper; biases, gains and slopes do not decay. (eq:weight-decay)
///
/// What decays is told by the [`Role`] of a block. With plain gradient descent this is the same as a penalty
/// ½λ‖w‖² in the loss; with Adam it is not, and works better.
///
/// ```
/// use chainrule::{AdamW, Dense, Optimizer, Tensor, Vector, Zeroed};
/// let rule = AdamW::new(0.1)?;
/// let mut layer = Dense::<1, 1>::ZEROED;
/// (layer.weights[(0, 0)], layer.bias[0]) = (1.0, 1.0);
/// let mut state = (Zeroed::ZEROED, Zeroed::ZEROED);
/// rule.step(1, &mut layer, &Dense::ZEROED, &mut state).unwrap();
/// assert_eq!((layer.weights[(0, 0)], layer.bias[0]), (1.0 - 0.1 * 0.01, 1.0));
/// # Ok::<(), chainrule::HyperparameterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightDecay<O> {
    /// The rule.
    pub optimizer: O,
    /// λ ≥ 0, with η·λ ≤ 1.
    pub decay: f64,
}

/// Adam with decoupled weight decay.
pub type AdamW = WeightDecay<Adam>;

impl AdamW {
    /// [`Adam`] with learning rate η and λ = 0.01.
    ///
    /// # Errors
    ///
    /// When the learning rate is negative, infinite or NaN, or above 100.
    pub fn new(learning_rate: f64) -> Result<Self, HyperparameterError> {
        let rule = Self { optimizer: Adam::new(learning_rate)?, decay: 0.01 };
        rule.validate()?;
        Ok(rule)
    }
}

impl<O: Optimizer> Optimizer for WeightDecay<O> {
    // Decay only shrinks: how far a step reaches is known without it.
    const NAME: RuleName = RuleName::new("WeightDecay").of(&[O::NAME]);
    const TAKES_PARTS: bool = O::TAKES_PARTS;

    delegate!(learning_rate begin prepare reach);

    fn hyperparameters(&self, each: &mut dyn FnMut(&'static str, f64)) {
        each("decay", self.decay);
        self.optimizer.hyperparameters(each);
    }

    fn validate(&self) -> Result<(), HyperparameterError> {
        self.optimizer.validate()?;
        // NaN is in no range.
        let in_range = self.decay >= 0.0 && self.decay * self.optimizer.learning_rate() <= 1.0;
        check("decay", self.decay, in_range, "a number, 0 or above, whose product with the learning rate is at most 1")
    }

    fn update<P: Tensor>(
        &self,
        step: O::Step,
        part: Part,
        w: &mut P,
        g: &[P::Scalar],
        state: &mut O::State<P::Gradient>,
    ) {
        // What is frozen has no gradient, and does not decay.
        if P::block(part.slice).role == Role::Weight {
            let keep = P::Scalar::from_f64(1.0 - self.optimizer.learning_rate() * self.decay);
            for w in part.of_mut(w) {
                *w *= keep;
            }
        }
        self.optimizer.update(step, part, w, g, state);
    }
}
