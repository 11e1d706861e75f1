use super::{Activation, Input};
use crate::{Fingerprint, Initializer, Real};

/// σ(z) = z·s with s = sigmoid(z); σ′(z) = s·(1 + z·(1 − s)). (eq:silu)
///
/// Elfwing, Uchibe and Doya (2018); also called swish. Use it for a smooth ReLU that is cheaper than GELU.
///
/// ```
/// # use chainrule::{Activation, Silu};
/// assert_eq!((Silu::value(0.0), Silu::derivative(0.0)), (0.0, 0.5));
/// assert!(Silu::value(-90.0_f32) < 0.0); // no overflow on the way, and not yet 0
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Silu;

impl Activation for Silu {
    type At = Input;
    const INITIALIZER: Initializer = Initializer::KaimingNormal;
    const KIND: Fingerprint = Fingerprint::named("Silu");

    #[inline(always)]
    fn value<T: Real>(z: T) -> T {
        z * z.sigmoid()
    }

    #[inline(always)]
    fn derivative<T: Real>(z: T) -> T {
        let s = z.sigmoid();
        s * (T::ONE + z * (T::ONE - s))
    }
}
