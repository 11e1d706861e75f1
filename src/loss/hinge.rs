use super::{Loss, check_elements};
use crate::{Class, Scalar, TargetError};

/// The hinge loss with margin 1, of a support vector machine.
///
/// For a label [`Class<K>`] (Weston and Watkins, 1999; `PyTorch`'s `MultiMarginLoss`):
/// L = 1/K Σ_{k≠c} max(0, 1 − y_c + y_k). For `[T; K]` of −1 and 1, each output a yes-or-no question:
/// L = 1/K Σ max(0, 1 − t_k y_k). Where a term is exactly 0 its gradient is 0. (eq:hinge, eq:binary-hinge)
///
/// Use it when only the decision counts and no probability is asked for.
///
/// ```
/// use chainrule::{Class, Hinge, Loss};
/// let mut gradient = [0.0; 2];
/// let loss = Hinge.gradient(&[0.5, 1.0], &Class::<2>::new(1)?, &mut gradient);
/// assert_eq!((loss, gradient), (0.25, [0.5, -0.5]));
/// let loss = Hinge.gradient(&[0.5, 1.0], &[-1.0, 1.0], &mut gradient);
/// assert_eq!((loss, gradient), (0.75, [0.5, 0.0]));
/// # Ok::<(), chainrule::ClassError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Hinge;

impl<const K: usize, T: Scalar> Loss<[T; K], Class<K>> for Hinge {
    fn value(&self, output: &[T; K], target: &Class<K>) -> T {
        self.gradient(output, target, &mut [T::ZERO; K])
    }

    fn gradient(&self, output: &[T; K], target: &Class<K>, d_output: &mut [T; K]) -> T {
        let share = T::from_f64(1.0 / K as f64);
        let class = target.index();
        // The class is in range by its type.
        let right = output.get(class).copied().unwrap_or(T::ZERO);
        let (mut mean, mut total) = (T::ZERO, T::ZERO);
        for (k, (d, y)) in d_output.iter_mut().zip(output).enumerate() {
            if k == class {
                // Its term would be the constant 1: what remains of it hands a NaN on.
                mean += *y - right;
                continue;
            }
            let margin = *y - right + T::ONE;
            mean += share * margin.maximum(T::ZERO);
            *d = margin.if_positive(share, T::ZERO);
            total += *d;
        }
        if let Some(d) = d_output.get_mut(class) {
            *d = -total;
        }
        mean
    }
}

impl<const K: usize, T: Scalar> Loss<[T; K], [T; K]> for Hinge {
    fn value(&self, output: &[T; K], target: &[T; K]) -> T {
        self.gradient(output, target, &mut [T::ZERO; K])
    }

    fn gradient(&self, output: &[T; K], target: &[T; K], d_output: &mut [T; K]) -> T {
        let share = T::from_f64(1.0 / K as f64);
        let mut mean = T::ZERO;
        for ((d, y), t) in d_output.iter_mut().zip(output).zip(target) {
            let margin = T::ONE - *t * *y;
            mean += share * margin.maximum(T::ZERO);
            *d = margin.if_positive(-share * *t, T::ZERO);
        }
        mean
    }

    fn check(&self, target: &[T; K]) -> Result<(), TargetError> {
        check_elements(target, "-1 or 1", |t| t == 1.0 || t == -1.0)
    }
}
