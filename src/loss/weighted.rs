use super::{Loss, Sample, SoftmaxCrossEntropy};
use crate::error::{HyperparameterError, check};
use crate::{Class, Scalar, TargetError};

/// A target with a weight of its own, for [`SampleWeights`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighted<Target, T = f32> {
    /// The target.
    pub target: Target,
    /// How much the sample counts: finite, 0 or above.
    pub weight: T,
}

/// Any loss, with a weight for every sample: L = w·ℓ(y, t). (eq:sample-weight)
///
/// The mean over the batch still divides by the number of samples.
///
/// ```
/// use chainrule::{Loss, MeanSquaredError, SampleWeights, Weighted};
/// let mut gradient = [0.0];
/// let target = Weighted { target: [1.0], weight: 0.5 };
/// let loss = SampleWeights(MeanSquaredError).gradient(&[3.0], &target, &mut gradient);
/// assert_eq!((loss, gradient), (2.0, [2.0]));
/// ```
// A wrapper and not an impl for every loss: that one would make the compiler look for weights of weights without end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SampleWeights<L>(
    /// The loss that is weighted.
    pub L,
);

impl<Y: Sample, Target, L: Loss<Y, Target>> Loss<Y, Weighted<Target, Y::Scalar>> for SampleWeights<L> {
    fn value(&self, output: &Y, target: &Weighted<Target, Y::Scalar>) -> Y::Scalar {
        target.weight * self.0.value(output, &target.target)
    }

    fn gradient(&self, output: &Y, target: &Weighted<Target, Y::Scalar>, d_output: &mut Y) -> Y::Scalar {
        let loss = self.0.gradient(output, &target.target, d_output);
        for d in d_output.as_mut() {
            *d *= target.weight;
        }
        target.weight * loss
    }

    fn check(&self, target: &Weighted<Target, Y::Scalar>) -> Result<(), TargetError> {
        let found = target.weight.to_f64();
        if !(found >= 0.0 && found.is_finite()) {
            return Err(TargetError { element: None, expected: "a finite weight, 0 or above", found });
        }
        self.0.check(&target.target)
    }

    fn validate(&self) -> Result<(), HyperparameterError> {
        self.0.validate()
    }
}

/// Any loss on labels, with a weight for every class: L = w_c·ℓ(y, c). (eq:class-weight)
///
/// The mean over the batch divides by the number of samples; `PyTorch`'s divides by the sum of the weights. Use it
/// when some classes are rare.
///
/// ```
/// use chainrule::{Class, ClassWeights, Loss};
/// let labels = [Class::<2>::new(0)?, Class::new(0)?, Class::new(0)?, Class::new(1)?];
/// let loss = ClassWeights::balanced(&labels);
/// assert_eq!(loss.weights, [4.0 / 6.0, 2.0]);
/// assert_eq!(loss.value(&[0.0, 0.0], &labels[3]), 2.0 * 2.0_f64.ln());
/// # Ok::<(), chainrule::ClassError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassWeights<const K: usize, L = SoftmaxCrossEntropy> {
    /// One weight a class: finite, 0 or above.
    pub weights: [f64; K],
    /// The loss that is weighted.
    pub loss: L,
}

impl<const K: usize> ClassWeights<K> {
    /// Weights n / (K·n_c), so that all classes together count equally and the mean weight is 1; a class that does not
    /// occur weighs 1.
    #[must_use]
    pub fn balanced(labels: &[Class<K>]) -> Self {
        let mut counts = [0_usize; K];
        for label in labels {
            if let Some(count) = counts.get_mut(label.index()) {
                *count += 1;
            }
        }
        let share = labels.len() as f64 / K as f64;
        let weights = counts.map(|count| if count == 0 { 1.0 } else { share / count as f64 });
        Self { weights, loss: SoftmaxCrossEntropy }
    }
}

impl<const K: usize, L> ClassWeights<K, L> {
    fn weight<T: Scalar>(&self, class: Class<K>) -> T {
        T::from_f64(self.weights.get(class.index()).copied().unwrap_or(1.0))
    }
}

impl<const K: usize, T: Scalar, L: Loss<[T; K], Class<K>>> Loss<[T; K], Class<K>> for ClassWeights<K, L> {
    fn value(&self, output: &[T; K], target: &Class<K>) -> T {
        self.weight::<T>(*target) * self.loss.value(output, target)
    }

    fn gradient(&self, output: &[T; K], target: &Class<K>, d_output: &mut [T; K]) -> T {
        let weight = self.weight::<T>(*target);
        let loss = self.loss.gradient(output, target, d_output);
        for d in d_output {
            *d *= weight;
        }
        weight * loss
    }

    fn check(&self, target: &Class<K>) -> Result<(), TargetError> {
        self.loss.check(target)
    }

    fn validate(&self) -> Result<(), HyperparameterError> {
        for weight in self.weights {
            check("weights", weight, weight >= 0.0 && weight.is_finite(), "finite numbers, 0 or above")?;
        }
        self.loss.validate()
    }
}
