use super::{Activation, Value};
use crate::{Fingerprint, Initializer, Real};

/// σ(z) = λz where z > 0, else λα(eᶻ − 1), with λ = 1.0507…, α = 1.6733…; σ′(z) = λ where z > 0, else
/// λα·eᶻ = σ(z) + λα, at 0 too. (eq:selu)
///
/// Klambauer et al. (2017): with LeCun normal weights, which this activation asks for, layers keep mean 0 and
/// variance 1 by themselves. Use it for deep plain networks without [`LayerNorm`](crate::LayerNorm).
///
/// ```
/// # use chainrule::{Activation, Selu};
/// assert!((Selu::value(1.0_f64) - 1.0507009873554805).abs() < 1e-15);
/// assert!((Selu::value(-1e4_f64) + 1.7580993408473766).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Selu;

impl Selu {
    const LAMBDA: f64 = 1.050_700_987_355_480_5;
    const LAMBDA_ALPHA: f64 = 1.758_099_340_847_376_9;
}

impl Activation for Selu {
    type At = Value;
    const INITIALIZER: Initializer = Initializer::LecunNormal;
    const KIND: Fingerprint = Fingerprint::named("Selu");

    #[inline(always)]
    fn value<T: Real>(z: T) -> T {
        let (lambda, lambda_alpha) = (T::from_f64(Self::LAMBDA), T::from_f64(Self::LAMBDA_ALPHA));
        z.if_positive(lambda * z, lambda_alpha * T::ZERO.minimum(z).exp_m1())
    }

    #[inline(always)]
    fn derivative<T: Real>(a: T) -> T {
        let (lambda, lambda_alpha) = (T::from_f64(Self::LAMBDA), T::from_f64(Self::LAMBDA_ALPHA));
        a.if_positive(lambda, a + lambda_alpha)
    }
}
