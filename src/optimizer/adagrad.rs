use super::{LARGEST, LARGEST_RATIO, Optimizer, RuleName, check_epsilon, check_learning_rate, descend};
use crate::error::HyperparameterError;
use crate::threads::elementwise;
use crate::{Part, Real, Tensor};

/// Adagrad (Duchi, Hazan and Singer, 2011): s ← s + g², w ← w − η·g / (√s + ε). (eq:adagrad) Remembers s.
///
/// Elements of the gradient beyond 10¹⁸ are clamped there, and s at 10³⁸, so that it stays finite in `f32`. Use it for
/// sparse inputs: a weight that is seldom moved keeps its large step.
///
/// ```
/// use chainrule::{Adagrad, Optimizer, Vector};
/// let (mut w, mut s) = (Vector::from([1.0_f64]), Vector::from([0.0]));
/// Adagrad::new(0.5)?.step(1, &mut w, &Vector::from([4.0]), &mut s).unwrap();
/// assert!((w[0] - 0.5).abs() <= 1e-10 && s[0] == 16.0);
/// # Ok::<(), chainrule::HyperparameterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adagrad {
    /// η ≥ 0.
    pub learning_rate: f64,
    /// ε, at least the smallest normal `f32`, 1.18·10⁻³⁸; 10⁻¹⁰ unless set.
    pub epsilon: f64,
}

impl Adagrad {
    /// Adagrad with learning rate η and ε = 10⁻¹⁰.
    ///
    /// # Errors
    ///
    /// When the learning rate is negative, infinite or NaN.
    pub fn new(learning_rate: f64) -> Result<Self, HyperparameterError> {
        let rule = Self { learning_rate, epsilon: 1e-10 };
        rule.validate()?;
        Ok(rule)
    }
}

impl Optimizer for Adagrad {
    const NAME: RuleName = RuleName::new("Adagrad");
    const TAKES_PARTS: bool = true;

    type Step = ();

    type State<G: Tensor> = G;

    fn validate(&self) -> Result<(), HyperparameterError> {
        check_learning_rate(self.learning_rate)?;
        check_epsilon(self.epsilon)
    }

    fn hyperparameters(&self, each: &mut dyn FnMut(&'static str, f64)) {
        each("learning_rate", self.learning_rate);
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

    fn update<P: Tensor>(&self, (): (), part: Part, w: &mut P, g: &[P::Scalar], sum: &mut P::Gradient) {
        let scalar = P::Scalar::from_f64;
        let (rate, epsilon) = (scalar(self.learning_rate), scalar(self.epsilon));
        let (lowest, highest, full) = (scalar(-LARGEST), scalar(LARGEST), scalar(1e38));
        elementwise(
            [part.of_mut(w), part.of_mut(sum)],
            [g],
            #[inline(always)]
            |[w, s], [g]| {
                for ((w, g), s) in w.iter_mut().zip(g).zip(s) {
                    let g = g.maximum(lowest).minimum(highest);
                    *s = (*s + g * g).minimum(full);
                    descend(w, rate * g / (s.sqrt() + epsilon));
                }
            },
        );
    }
}
