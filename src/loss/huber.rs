use super::{Loss, check_elements};
use crate::error::{HyperparameterError, check};
use crate::{Scalar, TargetError};

/// Huber's loss (1964), the mean over the K outputs: with r = y_k − t_k, ½r² where |r| ≤ δ and δ(|r| − ½δ) beyond;
/// ∂L/∂y_k = r / K, clamped to ±δ / K. (eq:huber)
///
/// Targets are `[T; K]`, finite. Use it for regression with outliers, and for the value function of a policy.
///
/// ```
/// use chainrule::{Huber, Loss};
/// let mut gradient = [0.0; 2];
/// let loss = Huber { delta: 1.0 }.gradient(&[0.5, 4.0], &[0.0, 0.0], &mut gradient);
/// assert_eq!((loss, gradient), ((0.125 + 3.5) / 2.0, [0.25, 0.5]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Huber {
    /// δ > 0: where the parabola becomes a line.
    pub delta: f64,
}

impl<const K: usize, T: Scalar> Loss<[T; K], [T; K]> for Huber {
    fn value(&self, output: &[T; K], target: &[T; K]) -> T {
        self.gradient(output, target, &mut [T::ZERO; K])
    }

    fn gradient(&self, output: &[T; K], target: &[T; K], d_output: &mut [T; K]) -> T {
        let (share, delta, half) = (T::from_f64(1.0 / K as f64), T::from_f64(self.delta), T::from_f64(0.5));
        let mut mean = T::ZERO;
        for ((d, y), t) in d_output.iter_mut().zip(output).zip(target) {
            let difference = *y - *t;
            // Both branches in one, c = min(|r|, δ): nothing is squared that could overflow.
            let magnitude = difference.abs();
            let clamped = magnitude.minimum(delta);
            mean += share * clamped * (magnitude - half * clamped);
            *d = share * difference.maximum(-delta).minimum(delta);
        }
        mean
    }

    fn check(&self, target: &[T; K]) -> Result<(), TargetError> {
        check_elements(target, "a finite number", f64::is_finite)
    }

    fn validate(&self) -> Result<(), HyperparameterError> {
        let in_range = self.delta > 0.0 && self.delta.is_finite();
        check("delta", self.delta, in_range, "a finite number above 0")
    }
}
