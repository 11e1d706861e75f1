use super::{Optimizer, RuleName, check_learning_rate, descend_all};
use crate::error::HyperparameterError;
use crate::{Empty, Part, Real, Tensor};

/// Stochastic gradient descent: w ← w − η·g. (eq:sgd) Remembers nothing.
///
/// ```
/// use chainrule::{Optimizer, Sgd, Vector, Zeroed};
/// let (mut w, mut state) = (Vector::from([1.0, 2.0]), Zeroed::ZEROED);
/// Sgd::new(0.5)?.step(1, &mut w, &Vector::from([2.0, -2.0]), &mut state).unwrap();
/// assert_eq!(w, Vector::from([0.0, 3.0]));
/// # Ok::<(), chainrule::HyperparameterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// η ≥ 0.
    pub learning_rate: f64,
}

impl Sgd {
    /// Descent with learning rate η.
    ///
    /// # Errors
    ///
    /// When the learning rate is negative, infinite or NaN.
    pub fn new(learning_rate: f64) -> Result<Self, HyperparameterError> {
        let sgd = Self { learning_rate };
        sgd.validate()?;
        Ok(sgd)
    }
}

impl Optimizer for Sgd {
    const NAME: RuleName = RuleName::new("Sgd");
    const TAKES_PARTS: bool = true;

    type Step = ();

    type State<G: Tensor> = Empty<G>;

    fn validate(&self) -> Result<(), HyperparameterError> {
        check_learning_rate(self.learning_rate)
    }

    fn hyperparameters(&self, each: &mut dyn FnMut(&'static str, f64)) {
        each("learning_rate", self.learning_rate);
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn with_learning_rate(self, learning_rate: f64) -> Self {
        Self { learning_rate }
    }

    fn begin(&self, _: u64) {}

    fn descends(&self, (): ()) -> Option<f64> {
        Some(self.learning_rate)
    }

    #[inline]
    fn reach<P: Tensor>(&self, (): (), _: usize, _: &P, largest: P::Scalar, _: &Empty<P::Gradient>) -> P::Scalar {
        P::Scalar::from_f64(self.learning_rate) * largest
    }

    // Into the step of a network, where the parts' sizes are known.
    #[inline(always)]
    fn update<P: Tensor>(&self, (): (), part: Part, w: &mut P, g: &[P::Scalar], _: &mut Empty<P::Gradient>) {
        descend_all(part.of_mut(w), P::Scalar::from_f64(self.learning_rate), g);
    }
}
