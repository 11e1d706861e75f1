use super::check_share;
use crate::error::HyperparameterError;
use crate::{Real, Tensor};

zeroed! {
    /// A moving average of a network's weights, which often predicts better than the weights themselves
    /// (Polyak and Juditsky, 1992; Izmailov et al., 2018). Update it after every step or epoch.
    ///
    /// The first update copies, so nothing of the zeros at the beginning remains. Frozen parameters are averaged too,
    /// and stay what they are.
    ///
    /// ```
    /// use chainrule::{AveragedWeights, Vector, Zeroed};
    /// let mut average = AveragedWeights::<Vector<1>>::ZEROED;
    /// average.exponential(0.75, &Vector::from([4.0]))?;
    /// average.exponential(0.75, &Vector::from([8.0]))?;
    /// assert_eq!(average.weights, Vector::from([5.0]));
    /// # Ok::<(), chainrule::HyperparameterError>(())
    /// ```
    #[derive(Clone, Debug)]
    pub struct AveragedWeights<P: Tensor> {
        /// The average: a network like the one that is trained.
        pub weights: P,
        /// How many updates it saw.
        pub updates: u64,
    }
}

impl<P: Tensor> AveragedWeights<P> {
    /// a ← d·a + (1 − d)·w: an exponential moving average over about 1 / (1 − d) updates. (eq:averaged-weights)
    ///
    /// # Errors
    ///
    /// When the decay d is not in [0, 1); nothing has changed then.
    pub fn exponential(&mut self, decay: f64, weights: &P) -> Result<(), HyperparameterError> {
        check_share("decay", decay)?;
        self.mix(if self.updates == 0 { 0.0 } else { decay }, weights);
        Ok(())
    }

    /// a ← (n·a + w) / (n + 1): the plain mean over all updates. (eq:averaged-weights)
    pub fn mean(&mut self, weights: &P) {
        let n = self.updates as f64;
        self.mix(n / (n + 1.0), weights);
    }

    fn mix(&mut self, keep: f64, weights: &P) {
        self.updates = self.updates.saturating_add(1);
        if keep == 0.0 {
            return self.weights.copy_from(weights);
        }
        let share = P::Scalar::from_f64(1.0 - keep);
        for i in 0..P::SLICES {
            for (a, w) in self.weights.slice_mut(i).iter_mut().zip(weights.slice(i)) {
                // The form that leaves equal weights exactly as they are.
                *a += share * (*w - *a);
            }
        }
    }
}
