use super::{Optimizer, RuleName};
use crate::error::{HyperparameterError, check};
use crate::{Real, Tensor};

fn check_limit(limit: f64) -> Result<(), HyperparameterError> {
    check("limit", limit, limit > 0.0 && limit.is_finite(), "a finite number above 0")
}

/// Any rule on a gradient whose elements are clamped: g ← max(−c, min(c, g)). (eq:clip-value)
///
/// ```
/// use chainrule::{ClipValue, Optimizer, Sgd, Vector};
/// let rule = ClipValue { optimizer: Sgd::new(1.0)?, limit: 2.0 };
/// let mut g = Vector::from([-3.0, 1.0]);
/// rule.prepare(&mut g);
/// assert_eq!(g, Vector::from([-2.0, 1.0]));
/// # Ok::<(), chainrule::HyperparameterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipValue<O> {
    /// The rule.
    pub optimizer: O,
    /// c > 0.
    pub limit: f64,
}

impl<O: Optimizer> Optimizer for ClipValue<O> {
    const NAME: RuleName = RuleName::new("ClipValue").of(&[O::NAME]);

    delegate!(learning_rate begin reach update);

    fn hyperparameters(&self, each: &mut dyn FnMut(&'static str, f64)) {
        each("limit", self.limit);
        self.optimizer.hyperparameters(each);
    }

    fn validate(&self) -> Result<(), HyperparameterError> {
        check_limit(self.limit)?;
        self.optimizer.validate()
    }

    fn prepare<G: Tensor>(&self, g: &mut G) {
        let limit = G::Scalar::from_f64(self.limit);
        for i in 0..G::SLICES {
            for g in g.slice_mut(i) {
                *g = g.maximum(-limit).minimum(limit);
            }
        }
        self.optimizer.prepare(g);
    }
}

/// Any rule on a gradient whose length, over all parameters together, is at most c: g ← g·c / ‖g‖ where ‖g‖ > c
/// (Pascanu, Mikolov and Bengio, 2013). (eq:clip-norm)
///
/// A gradient of exactly the limit stays as it is. No square overflows, and the length itself may.
///
/// ```
/// use chainrule::{ClipNorm, Optimizer, Sgd, Vector};
/// let rule = ClipNorm { optimizer: Sgd::new(1.0)?, limit: 5.0 };
/// let mut g = Vector::from([30.0, 40.0]);
/// rule.prepare(&mut g);
/// assert_eq!(g, Vector::from([3.0, 4.0]));
/// # Ok::<(), chainrule::HyperparameterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipNorm<O> {
    /// The rule.
    pub optimizer: O,
    /// c > 0.
    pub limit: f64,
}

impl<O: Optimizer> Optimizer for ClipNorm<O> {
    const NAME: RuleName = RuleName::new("ClipNorm").of(&[O::NAME]);

    delegate!(learning_rate begin reach update);

    fn hyperparameters(&self, each: &mut dyn FnMut(&'static str, f64)) {
        each("limit", self.limit);
        self.optimizer.hyperparameters(each);
    }

    fn validate(&self) -> Result<(), HyperparameterError> {
        check_limit(self.limit)?;
        self.optimizer.validate()
    }

    fn prepare<G: Tensor>(&self, g: &mut G) {
        let limit = G::Scalar::from_f64(self.limit);
        // ‖g‖ = m·r with m = max |g| and r between 1 and √n.
        let largest = g.max_abs();
        let mut squares = G::Scalar::from_f64(0.0);
        for i in 0..G::SLICES {
            for g in g.slice(i) {
                // Of a gradient of zeros the ratio is NaN, and NaN is not above the limit.
                let ratio = *g / largest;
                squares += ratio * ratio;
            }
        }
        let ratio = squares.sqrt();
        if largest * ratio > limit {
            for i in 0..G::SLICES {
                for g in g.slice_mut(i) {
                    *g = *g / largest * (limit / ratio);
                }
            }
        }
        self.optimizer.prepare(g);
    }
}
