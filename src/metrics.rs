//! How good predictions are: each metric observes outputs and targets, one sample at a time, in fixed memory.

mod r_squared;
mod top;

pub use r_squared::RSquared;
pub use top::Top;

use crate::{Class, Real, Scalar};
use core::fmt;

/// Observes the outputs of an evaluation, one sample at a time. Pairs of metrics are metrics, and `()` is none.
#[diagnostic::on_unimplemented(message = "metric `{Self}` cannot compare output `{Y}` with target `{Target}`")]
pub trait Metric<Y, Target> {
    /// Takes one sample into account.
    fn observe(&mut self, output: &Y, target: &Target);
}

impl<Y, Target> Metric<Y, Target> for () {
    fn observe(&mut self, _: &Y, _: &Target) {}
}

impl<Y, Target, A: Metric<Y, Target>, B: Metric<Y, Target>> Metric<Y, Target> for (A, B) {
    fn observe(&mut self, output: &Y, target: &Target) {
        self.0.observe(output, target);
        self.1.observe(output, target);
    }
}

/// The share of samples whose largest output is that of their class; an output with a NaN is wrong.
///
/// ```
/// use chainrule::{Accuracy, Class, Metric};
/// let mut accuracy = Accuracy::default();
/// accuracy.observe(&[0.1, 0.9], &Class::<2>::new(1)?);
/// accuracy.observe(&[0.8, 0.2], &Class::<2>::new(1)?);
/// assert_eq!(accuracy.value(), 0.5);
/// # Ok::<(), chainrule::ClassError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accuracy {
    /// How many were right.
    pub right: usize,
    /// How many were observed.
    pub total: usize,
}

impl Accuracy {
    /// The share in [0, 1]; NaN of no samples.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.right as f64 / self.total as f64
    }
}

impl<const K: usize, T: Scalar> Metric<[T; K], Class<K>> for Accuracy {
    fn observe(&mut self, output: &[T; K], target: &Class<K>) {
        self.total += 1;
        self.right += usize::from(Class::argmax(output) == Some(*target));
    }
}

/// How often each class (row) was taken for each class (column); `Display` prints the table.
///
/// ```
/// use chainrule::{Class, Confusion, Metric};
/// let mut confusion = Confusion::<2>::default();
/// confusion.observe(&[0.8, 0.2], &Class::new(1)?);
/// assert_eq!(confusion.count(1, 0), 1);
/// # Ok::<(), chainrule::ClassError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion<const K: usize> {
    counts: [[usize; K]; K],
    /// Samples whose output held a NaN: of no predicted class.
    pub unpredicted: usize,
}

impl<const K: usize> Default for Confusion<K> {
    fn default() -> Self {
        Self { counts: [[0; K]; K], unpredicted: 0 }
    }
}

impl<const K: usize> Confusion<K> {
    /// How often class `actual` was taken for class `predicted`; 0 outside.
    #[must_use]
    pub fn count(&self, actual: usize, predicted: usize) -> usize {
        self.counts.get(actual).and_then(|row| row.get(predicted)).copied().unwrap_or(0)
    }

    /// Of what was taken for this class, the share that is of it; NaN if nothing was. (eq:precision-recall)
    ///
    /// ```
    /// use chainrule::{Class, Confusion, Metric};
    /// let mut confusion = Confusion::<2>::default();
    /// for (output, class) in [([0.1, 0.9], 1), ([0.2, 0.8], 0), ([0.3, 0.7], 1), ([0.6, 0.4], 1)] {
    ///     confusion.observe(&output, &Class::new(class)?);
    /// }
    /// assert_eq!((confusion.precision(1), confusion.recall(1)), (2.0 / 3.0, 2.0 / 3.0));
    /// assert_eq!((confusion.f1(1), confusion.f1(0)), (2.0 / 3.0, 0.0));
    /// # Ok::<(), chainrule::ClassError>(())
    /// ```
    #[must_use]
    pub fn precision(&self, class: usize) -> f64 {
        let taken: usize = (0..K).map(|actual| self.count(actual, class)).sum();
        self.count(class, class) as f64 / taken as f64
    }

    /// Of what is of this class, the share that was taken for it; NaN if nothing is. Outputs that held a NaN are not
    /// counted, since their class is not kept: see [`unpredicted`](Confusion::unpredicted).
    #[must_use]
    pub fn recall(&self, class: usize) -> f64 {
        let of_class: usize = (0..K).map(|predicted| self.count(class, predicted)).sum();
        self.count(class, class) as f64 / of_class as f64
    }

    /// The harmonic mean of precision and recall, 2·hits / (2·hits + misses + false alarms); NaN where the class neither
    /// occurs nor was predicted. (eq:precision-recall)
    #[must_use]
    pub fn f1(&self, class: usize) -> f64 {
        let both: usize = (0..K).map(|k| self.count(k, class) + self.count(class, k)).sum();
        2.0 * self.count(class, class) as f64 / both as f64
    }

    /// The mean of [`f1`](Confusion::f1) over the classes that occur or were predicted: every class counts the same.
    #[must_use]
    pub fn macro_f1(&self) -> f64 {
        let (mut sum, mut classes) = (0.0, 0.0);
        for f1 in (0..K).map(|class| self.f1(class)).filter(|f1| !f1.is_nan()) {
            sum += f1;
            classes += 1.0;
        }
        sum / classes
    }
}

impl<const K: usize, T: Scalar> Metric<[T; K], Class<K>> for Confusion<K> {
    fn observe(&mut self, output: &[T; K], target: &Class<K>) {
        let cell = Class::argmax(output)
            .and_then(|predicted: Class<K>| self.counts.get_mut(target.index())?.get_mut(predicted.index()));
        match cell {
            Some(count) => *count += 1,
            None => self.unpredicted += 1,
        }
    }
}

impl<const K: usize> fmt::Display for Confusion<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("actual \\ predicted")?;
        for k in 0..K {
            write!(f, "{k:5}")?;
        }
        for (k, row) in self.counts.iter().enumerate() {
            write!(f, "\n{k:18}")?;
            for count in row {
                // A dot reads more quietly than a zero.
                if *count == 0 { write!(f, "{:>5}", "·")? } else { write!(f, "{count:5}")? }
            }
        }
        if self.unpredicted > 0 {
            write!(f, "\n{} samples had a NaN among their outputs", self.unpredicted)?;
        }
        Ok(())
    }
}

/// The root of the mean squared error over all outputs of all samples, in the units of the targets.
///
/// ```
/// use chainrule::{Metric, Rmse};
/// let mut rmse = Rmse::default();
/// rmse.observe(&[3.0], &[0.0]);
/// rmse.observe(&[4.0], &[0.0]);
/// assert_eq!(rmse.value(), 12.5_f64.sqrt());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rmse {
    sum: f64,
    count: usize,
}

impl Rmse {
    /// √(Σ (y − t)² / n); NaN of no samples.
    #[must_use]
    pub fn value(&self) -> f64 {
        Real::sqrt(self.sum / self.count as f64)
    }
}

impl<const K: usize, T: Scalar> Metric<[T; K], [T; K]> for Rmse {
    fn observe(&mut self, output: &[T; K], target: &[T; K]) {
        for (y, t) in output.iter().zip(target) {
            let difference = y.to_f64() - t.to_f64();
            self.sum += difference * difference;
            self.count += 1;
        }
    }
}
