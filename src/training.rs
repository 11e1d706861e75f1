//! Aids to training, without the heap: progress, early stopping, the learning-rate range test.

use crate::error::{HyperparameterError, TrainError, check};
use crate::layer::{Batch, Layer, Network};
use crate::{Loss, Optimizer, Real, Scalar, Tensor, Trainer};
use core::ops::ControlFlow;

impl<N, O, const B: usize> Trainer<N, O, B>
where
    N: Network + Layer<Batch<N::InputSample, B>, Output = Batch<N::OutputSample, B>>,
    O: Optimizer + 'static,
{
    /// Up to `epochs` epochs, each followed by a call of `each` with this trainer and the mean loss over the epoch, which may
    /// evaluate, save, or end the training; returns the mean loss over the last epoch.
    ///
    /// ```
    /// use chainrule::{Dense, MeanSquaredError, Sgd, Trainer, Zeroed};
    /// use core::ops::ControlFlow;
    ///
    /// let mut trainer = Trainer::<Dense<1, 1>, Sgd, 2>::ZEROED;
    /// trainer.init(1);
    /// let loss = trainer.fit(&Sgd::new(0.5)?, &MeanSquaredError, &[[0.0], [1.0]], &[[1.0], [3.0]], 1000, |_, loss| {
    ///     if loss < 1e-6 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    /// })?;
    /// assert!(loss < 1e-6 && trainer.epochs() < 100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`epoch`](Trainer::epoch), and [`TrainError::NoSamples`] when `epochs` is 0.
    pub fn fit<L, Target>(
        &mut self,
        optimizer: &O,
        loss: &L,
        inputs: &[N::InputSample],
        targets: &[Target],
        epochs: u64,
        mut each: impl FnMut(&mut Self, N::Scalar) -> ControlFlow<()>,
    ) -> Result<N::Scalar, TrainError>
    where
        L: Loss<N::OutputSample, Target>,
    {
        let mut last = Err(TrainError::NoSamples);
        for _ in 0..epochs {
            let loss = self.epoch(optimizer, loss, inputs, targets)?;
            last = Ok(loss);
            if each(self, loss).is_break() {
                break;
            }
        }
        last
    }

    /// The learning-rate range test (Smith, 2017): `steps` steps whose learning rate grows geometrically from `from` to
    /// `to`, each on the next `B` samples, with a call of `each` of the rate and the loss before the step. It ends when
    /// the loss leaves four times its lowest, or is not finite, or when `each` says so.
    ///
    /// A good learning rate lies where the loss falls steepest, well below where it explodes. The test spoils the
    /// weights: [`init`](Trainer::init) again, or restore them from a copy.
    ///
    /// ```
    /// use chainrule::{Dense, MeanSquaredError, Sgd, Trainer, Zeroed};
    /// use core::ops::ControlFlow;
    ///
    /// let mut trainer = Trainer::<Dense<1, 1>, Sgd, 2>::ZEROED;
    /// trainer.init(1);
    /// let mut explodes = 0.0;
    /// let (inputs, targets) = ([[0.0], [1.0]], [[1.0], [3.0]]);
    /// trainer.range_test(&Sgd::new(1.0)?, &MeanSquaredError, &inputs, &targets, 1e-3, 10.0, 20, |rate, _| {
    ///     explodes = rate;
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert!(0.7 < explodes && explodes < 7.0, "{explodes}"); // by theory from 0.76 on
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`epoch`](Trainer::epoch), and when 0 < `from` ≤ `to` does not hold; not when training diverges, which is what
    /// the test is for.
    #[allow(clippy::too_many_arguments, reason = "the data, the range, and what to do with it")]
    pub fn range_test<L, Target>(
        &mut self,
        optimizer: &O,
        loss: &L,
        inputs: &[N::InputSample],
        targets: &[Target],
        from: f64,
        to: f64,
        steps: u64,
        mut each: impl FnMut(f64, N::Scalar) -> ControlFlow<()>,
    ) -> Result<(), TrainError>
    where
        L: Loss<N::OutputSample, Target>,
    {
        check("from", from, from > 0.0 && from.is_finite(), "a finite number above 0")?;
        check("to", to, to >= from && to.is_finite(), "a finite number, at least `from`")?;
        if inputs.len() != targets.len() {
            return Err(TrainError::Lengths { inputs: inputs.len(), targets: targets.len() });
        }
        // rate = from·(to / from)^(k / (steps − 1))
        let growth = Real::exp(Real::ln(to / from) / steps.saturating_sub(1).max(1) as f64);
        let (mut rate, mut least, mut start) = (from, f64::INFINITY, 0);
        for _ in 0..steps {
            let end = inputs.len().min(start + B);
            let (Some(x), Some(t)) = (inputs.get(start..end), targets.get(start..end)) else { break };
            let rule = optimizer.clone().with_learning_rate(rate.min(to));
            let value = match self.accumulate(&rule, loss, x, t) {
                Ok(value) => value,
                Err(TrainError::Loss { .. } | TrainError::Gradient { .. } | TrainError::Update { .. }) => break,
                Err(error) => return Err(error),
            };
            least = least.min(value.to_f64());
            if each(rate.min(to), value).is_break() || value.to_f64() > 4.0 * least {
                break;
            }
            rate *= growth;
            start = if end == inputs.len() { 0 } else { end };
        }
        Ok(())
    }
}

/// Ends a training that no longer improves on data that it does not see, and keeps the best weights in a copy of the
/// caller's (Prechelt, 1998).
///
/// ```
/// use chainrule::{EarlyStopping, Vector, Verdict, Zeroed};
/// let mut stopping = EarlyStopping::new(2, 0.0)?;
/// let mut best = Vector::<1>::ZEROED;
/// let mut verdicts = [3.0, 1.0, 2.0, 1.0].map(|loss| stopping.observe(loss, &Vector::from([loss as f32]), &mut best));
/// assert_eq!(verdicts, [Verdict::Improved, Verdict::Improved, Verdict::Waiting, Verdict::Stop]);
/// assert_eq!((best, stopping.best_loss()), (Vector::from([1.0]), 1.0));
/// # Ok::<(), chainrule::HyperparameterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EarlyStopping {
    patience: u64,
    least_improvement: f64,
    best_loss: f64,
    waited: u64,
}

/// What [`EarlyStopping`] makes of a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The best so far; the weights were copied.
    Improved,
    /// No better, but not for long enough.
    Waiting,
    /// No better for as many losses as there is patience.
    Stop,
}

impl EarlyStopping {
    /// Stops after `patience` losses in a row that were not below the best by more than `least_improvement`.
    ///
    /// # Errors
    ///
    /// When the patience is 0, or the least improvement is negative, infinite or NaN.
    pub fn new(patience: u64, least_improvement: f64) -> Result<Self, HyperparameterError> {
        check("patience", patience as f64, patience > 0, "at least 1")?;
        let in_range = least_improvement >= 0.0 && least_improvement.is_finite();
        check("least_improvement", least_improvement, in_range, "a finite number, 0 or above")?;
        Ok(Self { patience, least_improvement, best_loss: f64::INFINITY, waited: 0 })
    }

    /// Takes the loss on the validation data into account; copies `weights` to `best` when it is the best so far. A
    /// NaN is never better.
    pub fn observe<P: Tensor>(&mut self, loss: f64, weights: &P, best: &mut P) -> Verdict {
        if loss < self.best_loss - self.least_improvement {
            (self.best_loss, self.waited) = (loss, 0);
            best.copy_from(weights);
            return Verdict::Improved;
        }
        self.waited = self.waited.saturating_add(1);
        if self.waited < self.patience { Verdict::Waiting } else { Verdict::Stop }
    }

    /// The lowest loss so far; infinite before the first.
    #[must_use]
    pub fn best_loss(&self) -> f64 {
        self.best_loss
    }
}
