use super::Metric;
use crate::{Moments, Scalar};

/// The coefficient of determination R² of each of `K` outputs: the share of the targets' variance that the outputs
/// explain, 1 − Σ (y − t)² / Σ (t − t̄)². One is perfect; always saying the mean gives 0. (eq:r-squared)
///
/// ```
/// use chainrule::{Metric, RSquared};
/// let mut r_squared = RSquared::<1>::default();
/// for (y, t) in [(1.5, 1.0), (2.0, 2.0), (2.5, 3.0)] {
///     r_squared.observe(&[y], &[t]);
/// }
/// assert_eq!(r_squared.value(), 0.75);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RSquared<const K: usize> {
    residual: [f64; K],
    targets: Moments<K>,
}

impl<const K: usize> Default for RSquared<K> {
    fn default() -> Self {
        Self { residual: [0.0; K], targets: Moments::default() }
    }
}

impl<const K: usize> RSquared<K> {
    /// R² of every output; NaN or −∞ where all targets are equal.
    #[must_use]
    pub fn values(&self) -> [f64; K] {
        let mut values = self.residual;
        for (r, squares) in values.iter_mut().zip(self.targets.squares()) {
            *r = 1.0 - *r / squares;
        }
        values
    }

    /// The mean of R² over the outputs.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.values().iter().sum::<f64>() / K as f64
    }
}

impl<const K: usize, T: Scalar> Metric<[T; K], [T; K]> for RSquared<K> {
    fn observe(&mut self, output: &[T; K], target: &[T; K]) {
        self.targets.observe(target);
        for ((sum, y), t) in self.residual.iter_mut().zip(output).zip(target) {
            let difference = y.to_f64() - t.to_f64();
            *sum += difference * difference;
        }
    }
}
