use super::{Loss, check_elements};
use crate::{Scalar, TargetError};

/// L = 1/K Σ (y_k − t_k)², the mean over the K outputs; ∂L/∂y_k = 2/K (y_k − t_k). (eq:mean-squared-error)
///
/// Targets are `[T; K]`, finite.
///
/// ```
/// use chainrule::{Loss, MeanSquaredError};
/// let mut gradient = [0.0; 2];
/// let loss = MeanSquaredError.gradient(&[3.0, 1.0], &[1.0, 1.0], &mut gradient);
/// assert_eq!((loss, gradient), (2.0, [2.0, 0.0]));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MeanSquaredError;

impl<const K: usize, T: Scalar> Loss<[T; K], [T; K]> for MeanSquaredError {
    fn value(&self, output: &[T; K], target: &[T; K]) -> T {
        self.gradient(output, target, &mut [T::ZERO; K])
    }

    fn gradient(&self, output: &[T; K], target: &[T; K], d_output: &mut [T; K]) -> T {
        let mut sum = T::ZERO;
        let scale = T::from_f64(2.0 / K as f64);
        for ((d, y), t) in d_output.iter_mut().zip(output).zip(target) {
            let difference = *y - *t;
            sum += difference * difference;
            *d = scale * difference;
        }
        sum / T::from_f64(K as f64)
    }

    fn check(&self, target: &[T; K]) -> Result<(), TargetError> {
        check_elements(target, "a finite number", f64::is_finite)
    }
}
