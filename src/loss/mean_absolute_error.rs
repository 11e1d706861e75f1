use super::{Loss, check_elements};
use crate::scalar::sign;
use crate::{Scalar, TargetError};

/// L = 1/K Σ |y_k − t_k|, the mean over the K outputs; ∂L/∂y_k = sign(y_k − t_k) / K, 0 where they are equal.
/// (eq:mean-absolute-error)
///
/// Targets are `[T; K]`, finite. Use it where a few targets are far off: it fits the median, not the mean.
///
/// ```
/// use chainrule::{Loss, MeanAbsoluteError};
/// let mut gradient = [0.0; 2];
/// let loss = MeanAbsoluteError.gradient(&[3.0, 1.0], &[1.0, 1.0], &mut gradient);
/// assert_eq!((loss, gradient), (1.0, [0.5, 0.0]));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MeanAbsoluteError;

impl<const K: usize, T: Scalar> Loss<[T; K], [T; K]> for MeanAbsoluteError {
    fn value(&self, output: &[T; K], target: &[T; K]) -> T {
        self.gradient(output, target, &mut [T::ZERO; K])
    }

    fn gradient(&self, output: &[T; K], target: &[T; K], d_output: &mut [T; K]) -> T {
        let share = T::from_f64(1.0 / K as f64);
        let mut mean = T::ZERO;
        for ((d, y), t) in d_output.iter_mut().zip(output).zip(target) {
            let difference = *y - *t;
            mean += share * difference.abs();
            *d = share * sign(difference);
        }
        mean
    }

    fn check(&self, target: &[T; K]) -> Result<(), TargetError> {
        check_elements(target, "a finite number", f64::is_finite)
    }
}
