use super::{Activation, Value};
use crate::{Fingerprint, Real};

/// σ(z) = 1 / (1 + e^(−z)), σ′(z) = σ(z)·(1 − σ(z)). (eq:sigmoid)
///
/// ```
/// # use chainrule::{Activation, Sigmoid};
/// assert_eq!(Sigmoid::value(0.0), 0.5);
/// assert_eq!(Sigmoid::derivative(0.5), 0.25);
/// assert!(Sigmoid::value(-103.0_f32) > 0.0); // no overflow on the way
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sigmoid;

impl Activation for Sigmoid {
    type At = Value;
    const KIND: Fingerprint = Fingerprint::named("Sigmoid");

    #[inline(always)]
    fn value<T: Real>(z: T) -> T {
        z.sigmoid()
    }

    #[inline(always)]
    fn derivative<T: Real>(a: T) -> T {
        a * (T::ONE - a)
    }
}
