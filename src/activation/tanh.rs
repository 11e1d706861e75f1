use super::{Activation, Value};
use crate::{Fingerprint, Real};

/// σ(z) = tanh z, σ′(z) = 1 − σ(z)². (eq:tanh)
///
/// ```
/// # use chainrule::{Activation, Tanh};
/// assert_eq!(Tanh::value(0.0), 0.0);
/// assert_eq!(Tanh::derivative(0.5), 0.75); // where σ(z) = 0.5
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Tanh;

impl Activation for Tanh {
    type At = Value;
    const KIND: Fingerprint = Fingerprint::named("Tanh");

    #[inline(always)]
    fn value<T: Real>(z: T) -> T {
        z.tanh()
    }

    #[inline(always)]
    fn derivative<T: Real>(a: T) -> T {
        T::ONE - a * a
    }
}
