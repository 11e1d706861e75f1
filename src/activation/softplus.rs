use super::{Activation, Input};
use crate::{Fingerprint, Initializer, Real};

/// σ(z) = ln(1 + eᶻ), a smooth ReLU; σ′(z) = sigmoid(z). (eq:softplus)
///
/// ```
/// # use chainrule::{Activation, Softplus};
/// assert_eq!(Softplus::value(89.0_f32), 89.0); // no overflow on the way
/// assert_eq!(Softplus::derivative(0.0), 0.5);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Softplus;

impl Activation for Softplus {
    type At = Input;
    const INITIALIZER: Initializer = Initializer::KaimingNormal;
    const KIND: Fingerprint = Fingerprint::named("Softplus");

    #[inline(always)]
    fn value<T: Real>(z: T) -> T {
        z.softplus()
    }

    #[inline(always)]
    fn derivative<T: Real>(z: T) -> T {
        z.sigmoid()
    }
}
