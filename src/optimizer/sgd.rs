use super::{Optimizer, Overflow, check_reach};
use crate::error::{HyperparameterError, check};
use crate::{Empty, Real, Scalar, Tensor};

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

/// Every optimiser's learning rate: finite, not negative.
pub(super) fn check_learning_rate(rate: f64) -> Result<(), HyperparameterError> {
    check("learning_rate", rate, rate >= 0.0 && rate.is_finite(), "a finite number, 0 or above")
}

impl Optimizer for Sgd {
    type State<G: Tensor> = Empty<G>;

    fn validate(&self) -> Result<(), HyperparameterError> {
        check_learning_rate(self.learning_rate)
    }

    fn step<P: Tensor>(&self, _: u64, w: &mut P, g: &P::Gradient, _: &mut Empty<P::Gradient>) -> Result<(), Overflow> {
        let rate = P::Scalar::from_f64(self.learning_rate);
        check_reach(w, |i| rate * Scalar::max_abs(g.slice(i)))?;
        for i in 0..P::SLICES {
            let (w, g) = (w.slice_mut(i), g.slice(i));
            P::Scalar::vectorized(
                #[inline(always)]
                || {
                    for (w, g) in w.iter_mut().zip(g) {
                        *w -= rate * *g;
                    }
                },
            );
        }
        Ok(())
    }
}
