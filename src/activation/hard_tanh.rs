use super::{Activation, Value};
use crate::{Fingerprint, Real};

/// σ(z) = z within [−1, 1], else −1 or 1; σ′(z) = 1 strictly inside, 0 outside and at both ends. (eq:hard-tanh)
///
/// Collobert (2004). Use it for bounded outputs, such as the command of an actuator, without an exponential.
///
/// ```
/// # use chainrule::{Activation, HardTanh};
/// assert_eq!((HardTanh::value(0.5), HardTanh::value(-7.0)), (0.5, -1.0));
/// assert_eq!(HardTanh::derivative(-1.0), 0.0); // where σ(z) = −1
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HardTanh;

impl Activation for HardTanh {
    type At = Value;
    const KIND: Fingerprint = Fingerprint::named("HardTanh");

    #[inline(always)]
    fn value<T: Real>(z: T) -> T {
        z.maximum(-T::ONE).minimum(T::ONE)
    }

    #[inline(always)]
    fn derivative<T: Real>(a: T) -> T {
        (T::ONE - a.abs()).if_positive(T::ONE, T::ZERO)
    }
}
