use super::{Activation, Value};
use crate::{Fingerprint, Real};

/// σ(z) = z/6 + ½ within [0, 1], else 0 or 1; σ′(z) = 1/6 strictly inside, 0 outside and at both ends. (eq:hard-sigmoid)
///
/// Courbariaux, Bengio and David (2015), with the slope of `MobileNet`V3 and `PyTorch`. Use it for a gate on a machine
/// without a fast exponential.
///
/// ```
/// # use chainrule::{Activation, HardSigmoid};
/// assert_eq!((HardSigmoid::value(0.0), HardSigmoid::value(-3.5), HardSigmoid::value(9.0)), (0.5, 0.0, 1.0));
/// assert_eq!(HardSigmoid::derivative(1.0), 0.0); // where σ(z) = 1
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HardSigmoid;

impl Activation for HardSigmoid {
    type At = Value;
    const KIND: Fingerprint = Fingerprint::named("HardSigmoid");

    #[inline(always)]
    fn value<T: Real>(z: T) -> T {
        (z / T::from_f64(6.0) + T::from_f64(0.5)).maximum(T::ZERO).minimum(T::ONE)
    }

    #[inline(always)]
    fn derivative<T: Real>(a: T) -> T {
        (a * (T::ONE - a)).if_positive(T::from_f64(1.0 / 6.0), T::ZERO)
    }
}
