use super::{Loss, check_elements};
use crate::{Scalar, TargetError};

/// Binary cross-entropy on logits, the mean over the K outputs, each a yes-or-no question of its own:
/// L = 1/K Σ (max(z_k, 0) − t_k z_k + ln(1 + e^(−|z_k|))), which is −t ln p − (1 − t) ln(1 − p) with
/// p = sigmoid(z), without overflow; ∂L/∂z_k = (sigmoid(z_k) − t_k) / K. (eq:binary-cross-entropy)
///
/// Targets are `[T; K]` in [0, 1].
///
/// ```
/// use chainrule::{BinaryCrossEntropy, Loss};
/// let mut gradient = [0.0; 1];
/// let loss = BinaryCrossEntropy.gradient(&[1e4], &[1.0], &mut gradient);
/// assert_eq!((loss, gradient), (0.0, [0.0])); // certain, and right
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct BinaryCrossEntropy;

impl<const K: usize, T: Scalar> Loss<[T; K], [T; K]> for BinaryCrossEntropy {
    fn value(&self, output: &[T; K], target: &[T; K]) -> T {
        let scale = T::from_f64(1.0 / K as f64);
        let mut mean = T::ZERO;
        for (z, t) in output.iter().zip(target) {
            // z (1 − t) + ln(1 + e^−z) for z > 0, −z t + ln(1 + e^z) else: no two large terms cancel.
            let loss = z.if_positive(*z * (T::ONE - *t), -*z * *t) + (-z.abs()).exp().ln_1p();
            mean += scale * loss;
        }
        mean
    }

    fn gradient(&self, output: &[T; K], target: &[T; K], d_output: &mut [T; K]) -> T {
        let scale = T::from_f64(1.0 / K as f64);
        for ((d, z), t) in d_output.iter_mut().zip(output).zip(target) {
            *d = scale * (z.sigmoid() - *t);
        }
        self.value(output, target)
    }

    fn check(&self, target: &[T; K]) -> Result<(), TargetError> {
        check_elements(target, "a number in [0, 1]", |t| (0.0..=1.0).contains(&t))
    }
}
