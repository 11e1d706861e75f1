use super::{Loss, check_elements};
use crate::{Scalar, TargetError};

/// One minus the cosine of the angle between output and target: L = 1 − ⟨y, t⟩ / (‖y‖·‖t‖);
/// ∇L = (cos·ŷ − t̂) / ‖y‖ with unit vectors ŷ, t̂. (eq:cosine-distance)
///
/// Targets are `[T; K]`, finite and not all zero. An output of length zero has no direction: its loss is 1 and its
/// gradient 0. Use it where the direction counts and the length does not, as for embeddings.
///
/// ```
/// use chainrule::{CosineDistance, Loss};
/// let mut gradient = [0.0; 2];
/// let loss = CosineDistance.gradient(&[3e30_f32, 0.0], &[0.0, 2.0], &mut gradient);
/// assert_eq!(loss, 1.0);
/// assert_eq!(gradient, [0.0, -1.0 / 3e30]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CosineDistance;

impl<const K: usize, T: Scalar> Loss<[T; K], [T; K]> for CosineDistance {
    fn value(&self, output: &[T; K], target: &[T; K]) -> T {
        self.gradient(output, target, &mut [T::ZERO; K])
    }

    fn gradient(&self, output: &[T; K], target: &[T; K], d_output: &mut [T; K]) -> T {
        let mut t = *target;
        normalize(&mut t);
        let mut y = *output;
        let (largest, norm) = normalize(&mut y);
        let cosine = y.iter().zip(&t).fold(T::ZERO, |sum, (y, t)| sum + *y * *t);
        for ((d, y), t) in d_output.iter_mut().zip(&y).zip(&t) {
            // One after the other: the product of the two may overflow.
            *d = largest.if_positive((cosine * *y - *t) / norm / largest, T::ZERO);
        }
        T::ONE - cosine
    }

    fn check(&self, target: &[T; K]) -> Result<(), TargetError> {
        check_elements(target, "a finite number", f64::is_finite)?;
        if target.iter().all(|t| *t == T::ZERO) {
            return Err(TargetError { element: None, expected: "a vector that is not zero", found: 0.0 });
        }
        Ok(())
    }
}

/// Divides a vector by its length, m·n with m the largest magnitude, so that no square overflows; returns (m, n).
/// Zero stays zero.
fn normalize<T: Scalar>(x: &mut [T]) -> (T, T) {
    let largest = x.iter().fold(T::ZERO, |largest, x| largest.maximum(x.abs()));
    // A NaN divides as 1 and stays in its element.
    let divisor = largest.if_positive(largest, T::ONE);
    let mut sum = T::ZERO;
    for x in x.iter_mut() {
        *x /= divisor;
        sum += *x * *x;
    }
    let norm = sum.sqrt();
    let divisor = norm.if_positive(norm, T::ONE);
    for x in x {
        *x /= divisor;
    }
    (largest, norm)
}
