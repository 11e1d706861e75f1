use super::{Activation, Input};
use crate::{Fingerprint, Initializer, Real};

/// σ(z) = z·t with t = tanh(softplus(z)); σ′(z) = t + z·(1 − t²)·sigmoid(z). (eq:mish)
///
/// Misra (2020). Use it as SiLU; it bends a little later. One exponential e = e^(−|z|) serves all three functions.
///
/// ```
/// # use chainrule::{Activation, Mish};
/// assert!((Mish::value(1.0_f64) - 0.8650983882673103).abs() < 1e-15);
/// assert_eq!((Mish::value(1e4_f32), Mish::derivative(1e4_f32)), (1e4, 1.0));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Mish;

impl Mish {
    /// e = e^(−|z|) and t's numerator n and q, where t = n / (n + 2q) and 1 − t = 2q / (n + 2q).
    #[inline(always)]
    fn parts<T: Real>(z: T) -> (T, T, T) {
        let e = (-z.abs()).exp();
        // With w = eᶻ: n = w² + 2w, q = 1; for z > 0 both are divided by w².
        (e, z.if_positive(T::ONE + e + e, e * (e + T::ONE + T::ONE)), z.if_positive(e * e, T::ONE))
    }
}

impl Activation for Mish {
    type At = Input;
    const INITIALIZER: Initializer = Initializer::KaimingNormal;
    const KIND: Fingerprint = Fingerprint::named("Mish");

    #[inline(always)]
    fn value<T: Real>(z: T) -> T {
        let (_, n, q) = Self::parts(z);
        z * (n / (n + q + q))
    }

    #[inline(always)]
    fn derivative<T: Real>(z: T) -> T {
        let (e, n, q) = Self::parts(z);
        let d = n + q + q;
        let (t, rest) = (n / d, (q + q) / d);
        let sigmoid = z.if_positive(T::ONE, e) / (T::ONE + e);
        t + z * rest * (T::ONE + t) * sigmoid
    }
}
