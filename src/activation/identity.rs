use super::{Activation, Value};
use crate::{Fingerprint, Real};

/// σ(z) = z, σ′(z) = 1: the output of a regression, and of logits. (eq:identity)
///
/// ```
/// # use chainrule::{Activation, Identity};
/// assert_eq!((Identity::value(2.5), Identity::derivative(2.5)), (2.5, 1.0));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Identity;

impl Activation for Identity {
    type At = Value;
    const KIND: Fingerprint = Fingerprint::named("Identity");

    #[inline(always)]
    fn value<T: Real>(z: T) -> T {
        z
    }

    #[inline(always)]
    fn derivative<T: Real>(_: T) -> T {
        T::ONE
    }
}
