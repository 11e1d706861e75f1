use super::{Loss, check_elements};
use crate::gemm::portable;
use crate::{Class, Scalar, TargetError};
use core::iter::once;
use core::slice::{from_mut, from_ref};

/// Overwrites logits with the probabilities p_k = e^(z_k − m) / Σ e^(z_i − m), m the largest logit, so that nothing
/// overflows. (eq:softmax)
///
/// An output transformation for prediction; the loss takes logits.
///
/// ```
/// let mut p = [1000.0, 1000.0];
/// chainrule::softmax(&mut p);
/// assert_eq!(p, [0.5, 0.5]);
/// ```
pub fn softmax<T: Scalar>(logits: &mut [T]) {
    let (_, sum) = portable::exponentials(logits);
    for p in logits {
        *p /= sum;
    }
}

/// So many samples go through the softmax at once that their sums fill the widest register.
const AT_ONCE: usize = 16;

/// Overwrites each `d_output` with the softmax p of its output z, and calls `loss` with z, the target, p, m = max z and
/// ln Σ e^(z_i − m), to make the gradient of p and return the loss; returns the sum of the losses.
pub(super) fn of_softmax<'t, const K: usize, T: Scalar, Target: 't>(
    outputs: &[[T; K]],
    mut targets: impl Iterator<Item = &'t Target>,
    d_outputs: &mut [[T; K]],
    loss: impl Fn(&[T; K], &Target, &mut [T; K], T, T) -> T,
) -> T {
    let mut sum = T::ZERO;
    for (outputs, d_outputs) in outputs.chunks(AT_ONCE).zip(d_outputs.chunks_mut(AT_ONCE)) {
        let (mut largest, mut log_sums) = ([T::ZERO; AT_ONCE], [T::ZERO; AT_ONCE]);
        T::softmax(outputs, d_outputs, &mut largest, &mut log_sums);
        let found = largest.into_iter().zip(log_sums);
        for (((output, p), (largest, log_sum)), target) in outputs.iter().zip(d_outputs).zip(found).zip(&mut targets) {
            sum += loss(output, target, p, largest, log_sum);
        }
    }
    sum
}

/// Cross-entropy of the softmax of K logits: L = −Σ t_k ln p_k with p = softmax(z), computed as
/// Σ t_k (m − z_k) + (Σ t_k) ln Σ e^(z_i − m), m = max z; ∂L/∂z_k = (Σ t_i) p_k − t_k. (eq:softmax-cross-entropy)
///
/// Targets are labels, [`Class<K>`], where t is 1 for the class and 0 elsewhere; or distributions `[T; K]`,
/// non-negative with sum 1 to within 10⁻³.
///
/// ```
/// use chainrule::{Loss, SoftmaxCrossEntropy};
/// let mut gradient = [0.0; 2];
/// let loss = SoftmaxCrossEntropy.gradient(&[0.0_f64, 0.0], &[0.25, 0.75], &mut gradient);
/// assert_eq!((loss, gradient), (2.0_f64.ln(), [0.25, -0.25]));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SoftmaxCrossEntropy;

impl<const K: usize, T: Scalar> Loss<[T; K], Class<K>> for SoftmaxCrossEntropy {
    fn value(&self, output: &[T; K], target: &Class<K>) -> T {
        self.gradient(output, target, &mut [T::ZERO; K])
    }

    fn gradient(&self, output: &[T; K], target: &Class<K>, d_output: &mut [T; K]) -> T {
        self.gradients(from_ref(output), once(target), from_mut(d_output))
    }

    fn gradients<'t>(
        &self,
        outputs: &[[T; K]],
        targets: impl Iterator<Item = &'t Class<K>>,
        d_outputs: &mut [[T; K]],
    ) -> T {
        of_softmax(outputs, targets, d_outputs, |output, target, p, largest, log_sum| {
            // The class is in range by its type; `get` spares the check that could panic.
            let (mut logit, index) = (T::ZERO, target.index());
            if let (Some(p), Some(z)) = (p.get_mut(index), output.get(index)) {
                *p -= T::ONE;
                logit = *z;
            }
            (largest - logit) + log_sum
        })
    }
}

impl<const K: usize, T: Scalar> Loss<[T; K], [T; K]> for SoftmaxCrossEntropy {
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
        of_softmax(outputs, targets, d_outputs, of_distribution)
    }

    fn check(&self, target: &[T; K]) -> Result<(), TargetError> {
        check_distribution(target)
    }
}

/// The loss for a distribution, and its gradient in place of p: what [`of_softmax`] asks for.
pub(super) fn of_distribution<const K: usize, T: Scalar>(
    output: &[T; K],
    target: &[T; K],
    p: &mut [T; K],
    largest: T,
    log_sum: T,
) -> T {
    let (mut loss, mut total) = (T::ZERO, T::ZERO);
    for (z, t) in output.iter().zip(target) {
        // Where t is zero the term is, also when the difference overflows.
        loss += t.if_positive(*t * (largest - *z), T::ZERO);
        total += *t;
    }
    for (p, t) in p.iter_mut().zip(target) {
        *p = *p * total - *t;
    }
    loss + total * log_sum
}

/// Probabilities whose sum is 1 to within 10⁻³.
pub(super) fn check_distribution<T: Scalar>(target: &[T]) -> Result<(), TargetError> {
    check_elements(target, "a probability in [0, 1]", |t| (0.0..=1.0).contains(&t))?;
    let sum: f64 = target.iter().map(|t| t.to_f64()).sum();
    if (sum - 1.0).abs() <= 1e-3 {
        Ok(())
    } else {
        Err(TargetError { element: None, expected: "probabilities with sum 1", found: sum })
    }
}
