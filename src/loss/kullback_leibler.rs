use super::Loss;
use super::softmax_cross_entropy::{check_distribution, of_softmax};
use crate::{Scalar, TargetError};
use core::iter::once;
use core::slice::{from_mut, from_ref};

/// The divergence of the softmax of K logits from a target distribution (Kullback and Leibler, 1951):
/// L = Σ t_k (ln t_k − ln p_k) with p = softmax(z), terms with t_k = 0 left out;
/// ∂L/∂z_k = (Σ t_i) p_k − t_k. (eq:kullback-leibler)
///
/// Cross-entropy less the entropy of the target: the same gradient, and 0 where the distributions agree. Targets are
/// `[T; K]`, non-negative with sum 1 to within 10⁻³. Use it to distil one network into another.
///
/// ```
/// use chainrule::{KullbackLeibler, Loss};
/// let mut gradient = [0.0; 2];
/// let loss: f64 = KullbackLeibler.gradient(&[0.0, 0.0], &[0.5, 0.5], &mut gradient);
/// assert!(loss.abs() < 1e-15);
/// assert_eq!(gradient, [0.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct KullbackLeibler;

impl<const K: usize, T: Scalar> Loss<[T; K], [T; K]> for KullbackLeibler {
    fn value(&self, output: &[T; K], target: &[T; K]) -> T {
        self.gradient(output, target, &mut [T::ZERO; K])
    }

    fn gradient(&self, output: &[T; K], target: &[T; K], d_output: &mut [T; K]) -> T {
        self.gradients(from_ref(output), once(target), from_mut(d_output))
    }

    fn gradients<'t>(
        &self,
        outputs: &[[T; K]],
        targets: impl Iterator<Item = &'t [T; K]>,
        d_outputs: &mut [[T; K]],
    ) -> T {
        of_softmax(outputs, targets, d_outputs, |output, target, p, largest, log_sum| {
            let (mut loss, mut total) = (T::ZERO, T::ZERO);
            for (z, t) in output.iter().zip(target) {
                // The logarithm of 1 stands in where t is 0: the term is left out, and no infinity is multiplied.
                let log_t = t.if_positive(*t, T::ONE).ln();
                loss += t.if_positive(*t * (log_t + ((largest - *z) + log_sum)), T::ZERO);
                total += *t;
            }
            for (p, t) in p.iter_mut().zip(target) {
                *p = *p * total - *t;
            }
            loss
        })
    }

    fn check(&self, target: &[T; K]) -> Result<(), TargetError> {
        check_distribution(target)
    }
}
