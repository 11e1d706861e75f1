use super::{Activation, Value};
use crate::{Fingerprint, Initializer, Real};

/// σ(z) = max(z, 0); σ′(z) = 1 where z > 0, else 0, at 0 too; NaN stays NaN. (eq:relu)
///
/// ```
/// # use chainrule::{Activation, Relu};
/// assert_eq!((Relu::value(-2.0), Relu::value(3.0)), (0.0, 3.0));
/// assert_eq!((Relu::derivative(0.0), Relu::derivative(3.0)), (0.0, 1.0));
/// assert!(Relu::value(f32::NAN).is_nan());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Relu;

impl Activation for Relu {
    type At = Value;
    const INITIALIZER: Initializer = Initializer::KaimingNormal;
    const KIND: Fingerprint = Fingerprint::named("Relu");

    #[inline(always)]
    fn value<T: Real>(z: T) -> T {
        z.maximum(T::ZERO)
    }

    #[inline(always)]
    fn derivative<T: Real>(a: T) -> T {
        a.if_positive(T::ONE, T::ZERO)
    }
}
