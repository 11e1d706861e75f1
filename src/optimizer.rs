//! [`Optimizer`]: how a gradient moves parameters. Each is a loop over the slices of a [`Tensor`].

mod adam;
mod momentum;
mod sgd;

pub use adam::Adam;
pub use momentum::Momentum;
pub use sgd::Sgd;

use crate::error::HyperparameterError;
use crate::{Name, Scalar, Tensor};

/// A rule that moves parameters against their gradient. Hyper-parameters are in the value; what is remembered from
/// step to step is in [`State`](Optimizer::State), apart from it and all zeros at the beginning.
pub trait Optimizer {
    /// What is remembered: as many gradients as the rule needs, [`Empty`](crate::Empty) for none.
    type State<G: Tensor>: Tensor<Scalar = G::Scalar>;

    /// Whether all hyper-parameters lie in their ranges.
    ///
    /// # Errors
    ///
    /// [`HyperparameterError`] names the first one that does not.
    fn validate(&self) -> Result<(), HyperparameterError>;

    /// Moves `parameters` by one step; `step` counts from 1. The gradient is finite.
    ///
    /// # Errors
    ///
    /// [`Overflow`] when a parameter would become infinite; nothing has changed then.
    fn step<P: Tensor>(
        &self,
        step: u64,
        parameters: &mut P,
        gradient: &P::Gradient,
        state: &mut Self::State<P::Gradient>,
    ) -> Result<(), Overflow>;
}

/// A step would make a parameter infinite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow {
    /// The block that holds the parameter.
    pub block: Name,
}

/// Checks that no parameter overflows when each moves by at most `reach(i)` in slice `i`.
fn check_reach<P: Tensor>(parameters: &P, reach: impl Fn(usize) -> P::Scalar) -> Result<(), Overflow> {
    for i in 0..P::SLICES {
        if !(Scalar::max_abs(parameters.slice(i)) + reach(i)).is_finite() {
            return Err(Overflow { block: P::block(i).name });
        }
    }
    Ok(())
}

/// 1 − βᵗ, in `f64` and by squaring, so that the bits are the same everywhere.
fn bias_correction(beta: f64, step: u64) -> f64 {
    let (mut power, mut base, mut exponent) = (1.0, beta, step);
    while exponent > 0 {
        if exponent & 1 == 1 {
            power *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    1.0 - power
}
