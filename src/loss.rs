//! [`Loss`]: value beside gradient, one file each.

mod binary_cross_entropy;
mod cosine_distance;
mod hinge;
mod huber;
mod kullback_leibler;
mod label_smoothing;
mod mean_absolute_error;
mod mean_squared_error;
mod softmax_cross_entropy;
mod weighted;

pub use binary_cross_entropy::BinaryCrossEntropy;
pub use cosine_distance::CosineDistance;
pub use hinge::Hinge;
pub use huber::Huber;
pub use kullback_leibler::KullbackLeibler;
pub use label_smoothing::LabelSmoothing;
pub use mean_absolute_error::MeanAbsoluteError;
pub use mean_squared_error::MeanSquaredError;
pub use softmax_cross_entropy::{SoftmaxCrossEntropy, softmax};
pub use weighted::{ClassWeights, SampleWeights, Weighted};

use crate::error::{HyperparameterError, TargetError};
use crate::layer::Sample;

/// A loss of one sample: of the network's output `Y` (`[T; K]`) and a target. A trainer takes the mean over the batch
/// (eq:batch-mean); what a loss does with the `K` outputs of a sample is in its own documentation.
///
/// ```
/// use chainrule::{Class, Loss, SoftmaxCrossEntropy};
/// let logits = [0.0_f64, 0.0];
/// let mut gradient = [0.0; 2];
/// let loss = SoftmaxCrossEntropy.gradient(&logits, &Class::<2>::new(1)?, &mut gradient);
/// assert_eq!(loss, 2.0_f64.ln());
/// assert_eq!(gradient, [0.5, -0.5]);
/// # Ok::<(), chainrule::ClassError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "loss `{Self}` cannot compare output `{Y}` with target `{Target}`",
    note = "the target must have as many classes or values as the network has outputs"
)]
pub trait Loss<Y: Sample, Target> {
    /// The loss of one sample.
    fn value(&self, output: &Y, target: &Target) -> Y::Scalar;

    /// The loss of one sample; overwrites `d_output` with its gradient with respect to `output`.
    fn gradient(&self, output: &Y, target: &Target, d_output: &mut Y) -> Y::Scalar;

    /// The losses of several samples, added up in their order; overwrites each `d_output` with the
    /// [gradient](Loss::gradient) of its own loss, to the same bits. Those for which there is no target are left open.
    ///
    /// Override it where work can be done for several samples at once.
    fn gradients<'t>(&self, outputs: &[Y], targets: impl Iterator<Item = &'t Target>, d_outputs: &mut [Y]) -> Y::Scalar
    where
        Self: Sized,
        Target: 't,
    {
        let mut sum = num_traits::zero::<Y::Scalar>();
        for ((output, d_output), target) in outputs.iter().zip(d_outputs).zip(targets) {
            sum += self.gradient(output, target, d_output);
        }
        sum
    }

    /// Whether the loss can use this target.
    ///
    /// # Errors
    ///
    /// [`TargetError`] says which element is wrong, and how.
    fn check(&self, target: &Target) -> Result<(), TargetError> {
        let _ = target;
        Ok(())
    }

    /// Whether the loss's own hyper-parameters lie in their ranges.
    ///
    /// # Errors
    ///
    /// [`HyperparameterError`] names the one that does not.
    fn validate(&self) -> Result<(), HyperparameterError> {
        Ok(())
    }
}

/// Every element must be in range; NaN never is.
fn check_elements<T: crate::Scalar>(
    target: &[T],
    expected: &'static str,
    in_range: impl Fn(f64) -> bool,
) -> Result<(), TargetError> {
    for (i, t) in target.iter().enumerate() {
        let found = t.to_f64();
        if !in_range(found) {
            return Err(TargetError { element: Some(i), expected, found });
        }
    }
    Ok(())
}
