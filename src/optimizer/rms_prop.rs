use super::{
    LARGEST, LARGEST_RATIO, Optimizer, RuleName, check_epsilon, check_learning_rate, check_share, descend, settled,
};
use crate::error::HyperparameterError;
use crate::threads::elementwise;
use crate::{Part, Real, Tensor};

/// RMSprop (Hinton, 2012): v ← α·v + (1 − α)·g², w ← w − η·g / (√v + ε). (eq:rms-prop) Remembers v.
///
/// Elements of the gradient beyond 10¹⁸ are clamped there, so that v stays finite in `f32`. α·v below the smallest
/// normal `f32`, 1.18·10⁻³⁸, is taken as 0. Use it for recurrent and reinforcement learning, where Adam's momentum hurts.
///
/// ```
/// use chainrule::{Optimizer, RmsProp, Vector};
/// let (mut w, mut v) = (Vector::from([1.0_f64]), Vector::from([0.0]));
/// RmsProp::new(0.1)?.step(1, &mut w, &Vector::from([4.0]), &mut v).unwrap();
/// assert!(w[0].abs() <= 1e-7); // the first step has length η / √(1 − α)
/// # Ok::<(), chainrule::HyperparameterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsProp {
    /// η ≥ 0.
    pub learning_rate: f64,
    /// α in [0, 1); 0.99 unless set.
    pub alpha: f64,
    /// ε, at least the smallest normal `f32`, 1.18·10⁻³⁸; 10⁻⁸ unless set.
    pub epsilon: f64,
}

impl RmsProp {
    /// RMSprop with learning rate η, α = 0.99, ε = 10⁻⁸.
    ///
    /// # Errors
    ///
    /// When the learning rate is negative, infinite or NaN.
    pub fn new(learning_rate: f64) -> Result<Self, HyperparameterError> {
        let rule = Self { learning_rate, alpha: 0.99, epsilon: 1e-8 };
        rule.validate()?;
        Ok(rule)
    }
}

impl Optimizer for RmsProp {
    const NAME: RuleName = RuleName::new("RmsProp");
    const TAKES_PARTS: bool = true;

    type Step = ();

    type State<G: Tensor> = G;

    fn validate(&self) -> Result<(), HyperparameterError> {
        check_learning_rate(self.learning_rate)?;
        check_share("alpha", self.alpha)?;
        check_epsilon(self.epsilon)
    }

    fn hyperparameters(&self, each: &mut dyn FnMut(&'static str, f64)) {
        each("learning_rate", self.learning_rate);
        each("alpha", self.alpha);
        each("epsilon", self.epsilon);
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn with_learning_rate(self, learning_rate: f64) -> Self {
        Self { learning_rate, ..self }
    }

    fn begin(&self, _: u64) {}

    fn reach<P: Tensor>(&self, (): (), _: usize, _: &P, _: P::Scalar, _: &P::Gradient) -> P::Scalar {
        P::Scalar::from_f64(self.learning_rate) * P::Scalar::from_f64(LARGEST_RATIO)
    }

    fn update<P: Tensor>(&self, (): (), part: Part, w: &mut P, g: &[P::Scalar], average: &mut P::Gradient) {
        let scalar = P::Scalar::from_f64;
        let (rate, epsilon) = (scalar(self.learning_rate), scalar(self.epsilon));
        let (alpha, rest) = (scalar(self.alpha), scalar(1.0 - self.alpha));
        let (lowest, highest) = (scalar(-LARGEST), scalar(LARGEST));
        elementwise(
            [part.of_mut(w), part.of_mut(average)],
            [g],
            #[inline(always)]
            |[w, v], [g]| {
                for ((w, g), v) in w.iter_mut().zip(g).zip(v) {
                    let g = g.maximum(lowest).minimum(highest);
                    *v = settled(alpha * *v) + rest * (g * g);
                    descend(w, rate * g / (v.sqrt() + epsilon));
                }
            },
        );
    }
}
