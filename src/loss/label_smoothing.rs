use super::softmax_cross_entropy::{of_distribution, of_softmax};
use super::{Loss, SoftmaxCrossEntropy};
use crate::error::{HyperparameterError, check};
use crate::{Class, Scalar};

/// [`SoftmaxCrossEntropy`] against a label mixed with the uniform distribution (Szegedy et al., 2016):
/// t_k = (1 − ε)·[k = c] + ε / K. (eq:label-smoothing)
///
/// Use it when labels are noisy, or probabilities come out too sure.
///
/// ```
/// use chainrule::{Class, LabelSmoothing, Loss};
/// let mut gradient = [0.0_f64; 2];
/// LabelSmoothing { epsilon: 0.2 }.gradient(&[0.0, 0.0], &Class::<2>::new(0)?, &mut gradient);
/// assert!((gradient[0] + 0.4).abs() < 1e-15); // ½ − 0.9
/// # Ok::<(), chainrule::ClassError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelSmoothing {
    /// ε in [0, 1); 0.1 is common.
    pub epsilon: f64,
}

impl LabelSmoothing {
    fn smooth<const K: usize, T: Scalar>(self, target: Class<K>) -> [T; K] {
        let share = self.epsilon / K as f64;
        let mut smoothed = [T::from_f64(share); K];
        if let Some(t) = smoothed.get_mut(target.index()) {
            *t = T::from_f64(1.0 - self.epsilon + share);
        }
        smoothed
    }
}

impl<const K: usize, T: Scalar> Loss<[T; K], Class<K>> for LabelSmoothing {
    fn value(&self, output: &[T; K], target: &Class<K>) -> T {
        SoftmaxCrossEntropy.value(output, &self.smooth(*target))
    }

    fn gradient(&self, output: &[T; K], target: &Class<K>, d_output: &mut [T; K]) -> T {
        SoftmaxCrossEntropy.gradient(output, &self.smooth(*target), d_output)
    }

    fn gradients<'t>(
        &self,
        outputs: &[[T; K]],
        targets: impl Iterator<Item = &'t Class<K>>,
        d_outputs: &mut [[T; K]],
    ) -> T {
        of_softmax(outputs, targets, d_outputs, |output, target, p, largest, log_sum| {
            of_distribution(output, &self.smooth(*target), p, largest, log_sum)
        })
    }

    fn validate(&self) -> Result<(), HyperparameterError> {
        check("epsilon", self.epsilon, (0.0..1.0).contains(&self.epsilon), "a number in [0, 1)")
    }
}
