use super::{Optimizer, RuleName, check_learning_rate, check_share, descend, settled};
use crate::error::HyperparameterError;
use crate::threads::elementwise;
use crate::{Part, Real, Scalar, Tensor};

/// Stochastic gradient descent with Nesterov's momentum: v ← μ·v + g, w ← w − η·(g + μ·v). (eq:nesterov) Remembers v.
/// μ·v below the smallest normal `f32`, 1.18·10⁻³⁸, is taken as 0.
///
/// Sutskever et al. (2013), in the convention of [`Momentum`](crate::Momentum) and of `PyTorch`. Use it instead of
/// plain momentum: the same cost, and a little less overshoot.
///
/// ```
/// use chainrule::{Nesterov, Optimizer, Vector};
/// let (mut w, mut v) = (Vector::from([1.0]), Vector::from([0.0]));
/// let rule = Nesterov::new(0.5)?;
/// rule.step(1, &mut w, &Vector::from([1.0]), &mut v).unwrap();
/// rule.step(2, &mut w, &Vector::from([0.0]), &mut v).unwrap();
/// assert_eq!((w[0], v[0]), (1.0 - 0.95 - 0.405, 0.9));
/// # Ok::<(), chainrule::HyperparameterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nesterov {
    /// η ≥ 0.
    pub learning_rate: f64,
    /// μ in [0, 1); 0.9 unless set.
    pub momentum: f64,
}

impl Nesterov {
    /// Descent with learning rate η and momentum 0.9.
    ///
    /// # Errors
    ///
    /// When the learning rate is negative, infinite or NaN.
    pub fn new(learning_rate: f64) -> Result<Self, HyperparameterError> {
        let rule = Self { learning_rate, momentum: 0.9 };
        rule.validate()?;
        Ok(rule)
    }
}

impl Optimizer for Nesterov {
    const NAME: RuleName = RuleName::new("Nesterov");
    const TAKES_PARTS: bool = true;

    type Step = ();

    type State<G: Tensor> = G;

    fn validate(&self) -> Result<(), HyperparameterError> {
        check_learning_rate(self.learning_rate)?;
        check_share("momentum", self.momentum)
    }

    fn hyperparameters(&self, each: &mut dyn FnMut(&'static str, f64)) {
        each("learning_rate", self.learning_rate);
        each("momentum", self.momentum);
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn with_learning_rate(self, learning_rate: f64) -> Self {
        Self { learning_rate, ..self }
    }

    fn begin(&self, _: u64) {}

    fn reach<P: Tensor>(&self, (): (), i: usize, _: &P, largest: P::Scalar, velocity: &P::Gradient) -> P::Scalar {
        let v = P::Scalar::from_f64(self.momentum) * Scalar::max_abs(velocity.slice(i)) + largest;
        // v itself must stay finite, also where the rate is small or zero.
        v.maximum(P::Scalar::from_f64(self.learning_rate) * (v + v))
    }

    fn update<P: Tensor>(&self, (): (), part: Part, w: &mut P, g: &[P::Scalar], velocity: &mut P::Gradient) {
        let rate = P::Scalar::from_f64(self.learning_rate);
        let momentum = P::Scalar::from_f64(self.momentum);
        elementwise(
            [part.of_mut(w), part.of_mut(velocity)],
            [g],
            #[inline(always)]
            |[w, v], [g]| {
                for ((w, g), v) in w.iter_mut().zip(g).zip(v) {
                    *v = settled(momentum * *v) + *g;
                    descend(w, rate * (*g + momentum * *v));
                }
            },
        );
    }
}
