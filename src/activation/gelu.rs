use super::{Activation, Input};
use crate::scalar::normal_cdf::normal_density;
use crate::{Fingerprint, Initializer, Real};

/// σ(z) = z·Φ(z), Φ the distribution function of the standard normal, ½(1 + erf(z/√2));
/// σ′(z) = Φ(z) + z·φ(z), φ its density. (eq:gelu)
///
/// Hendrycks and Gimpel (2016), the exact form; [`GeluTanh`](crate::GeluTanh) is its approximation. Use it where
/// transformers do; the negative tail keeps its relative precision, down to subnormals.
///
/// ```
/// # use chainrule::{Activation, Gelu};
/// assert!((Gelu::value(1.0_f64) - 0.8413447460685429).abs() < 1e-15);
/// assert!((Gelu::value(-10.0_f64) + 7.619853024160525e-23).abs() < 1e-36); // 1 + erf would give 0
/// assert_eq!(Gelu::derivative(0.0_f64), 0.5);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Gelu;

impl Activation for Gelu {
    type At = Input;
    const INITIALIZER: Initializer = Initializer::KaimingNormal;
    const KIND: Fingerprint = Fingerprint::named("Gelu");

    #[inline(always)]
    fn value<T: Real>(z: T) -> T {
        z * z.normal_cdf()
    }

    #[inline(always)]
    fn derivative<T: Real>(z: T) -> T {
        z.normal_cdf() + z * normal_density(z)
    }
}
