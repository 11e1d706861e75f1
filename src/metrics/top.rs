use super::Metric;
use crate::{Class, Scalar};

/// The share of samples whose class is among the `TOP` largest outputs; outputs with a NaN are wrong, and of equal
/// outputs the first counts as larger, as in [`Class::argmax`].
///
/// ```
/// use chainrule::{Class, Metric, Top};
/// let mut top = Top::<2>::default();
/// top.observe(&[0.5, 0.9, 0.1], &Class::<3>::new(0)?);
/// top.observe(&[0.5, 0.9, 0.1], &Class::<3>::new(2)?);
/// assert_eq!(top.value(), 0.5);
/// # Ok::<(), chainrule::ClassError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Top<const TOP: usize> {
    /// How many were right.
    pub right: usize,
    /// How many were observed.
    pub total: usize,
}

impl<const TOP: usize> Top<TOP> {
    /// The share in [0, 1]; NaN of no samples.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.right as f64 / self.total as f64
    }
}

impl<const TOP: usize, const K: usize, T: Scalar> Metric<[T; K], Class<K>> for Top<TOP> {
    fn observe(&mut self, output: &[T; K], target: &Class<K>) {
        self.total += 1;
        let Some(own) = output.get(target.index()) else { return };
        let mut above = 0;
        for (k, y) in output.iter().enumerate() {
            // Comparable to itself: no NaN.
            if y.partial_cmp(y).is_none() {
                return;
            }
            above += usize::from(y > own || (y == own && k < target.index()));
        }
        self.right += usize::from(above < TOP);
    }
}
