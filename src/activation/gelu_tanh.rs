use super::{Activation, Input};
use crate::{Fingerprint, Initializer, Real};

/// σ(z) = ½z(1 + tanh u) = z·s with u = √(2/π)·(z + 0.044715·z³) and s = sigmoid(2u);
/// σ′(z) = s + z·s(1 − s)·2u′. (eq:gelu-tanh)
///
/// The approximation of GELU by Hendrycks and Gimpel (2016), within 5·10⁻⁴ of [`Gelu`](crate::Gelu). Use it for
/// weights that were trained with it (GPT-2 was).
///
/// ```
/// # use chainrule::{Activation, GeluTanh};
/// assert!((GeluTanh::value(1.0_f64) - 0.8411919906082768).abs() < 1e-15);
/// assert_eq!((GeluTanh::derivative(1e30_f32), GeluTanh::derivative(-1e30_f32)), (1.0, 0.0));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GeluTanh;

impl GeluTanh {
    /// 2·√(2/π).
    const SLOPE: f64 = 1.595_769_121_605_730_7;
    const CUBIC: f64 = 0.044715;

    /// z within ±32: the sigmoid is 0 or 1 long before, and z³ cannot overflow.
    #[inline(always)]
    fn clamp<T: Real>(z: T) -> T {
        z.maximum(T::from_f64(-32.0)).minimum(T::from_f64(32.0))
    }

    /// 2u.
    #[inline(always)]
    fn argument<T: Real>(z: T) -> T {
        T::from_f64(Self::SLOPE) * z * (T::ONE + T::from_f64(Self::CUBIC) * z * z)
    }
}

impl Activation for GeluTanh {
    type At = Input;
    const INITIALIZER: Initializer = Initializer::KaimingNormal;
    const KIND: Fingerprint = Fingerprint::named("GeluTanh");

    #[inline(always)]
    fn value<T: Real>(z: T) -> T {
        z * Self::argument(Self::clamp(z)).sigmoid()
    }

    #[inline(always)]
    fn derivative<T: Real>(z: T) -> T {
        let z = Self::clamp(z);
        let s = Self::argument(z).sigmoid();
        let slope = T::from_f64(Self::SLOPE) * (T::ONE + T::from_f64(3.0 * Self::CUBIC) * z * z);
        s + z * s * (T::ONE - s) * slope
    }
}
