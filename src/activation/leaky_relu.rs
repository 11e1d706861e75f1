use super::{Activation, Value};
use crate::{Fingerprint, Initializer, Real};

/// σ(z) = z where z > 0, else α·z, with the slope α = `NUMERATOR / DENOMINATOR` in (0, 1); σ′(z) = 1 where z > 0,
/// else α, at 0 too. (eq:leaky-relu)
///
/// The slope is a type, so that it is neither zeroed in a gradient nor moved by an optimiser. A slope outside (0, 1)
/// does not compile once it is used.
///
/// ```
/// # use chainrule::{Activation, LeakyRelu};
/// assert_eq!(LeakyRelu::<1, 4>::value(-2.0), -0.5);
/// assert_eq!(LeakyRelu::<1, 4>::derivative(-0.5), 0.25);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LeakyRelu<const NUMERATOR: u32 = 1, const DENOMINATOR: u32 = 100>;

impl<const NUMERATOR: u32, const DENOMINATOR: u32> LeakyRelu<NUMERATOR, DENOMINATOR> {
    const SLOPE: f64 = {
        assert!(0 < NUMERATOR && NUMERATOR < DENOMINATOR, "the slope NUMERATOR / DENOMINATOR must lie in (0, 1)");
        NUMERATOR as f64 / DENOMINATOR as f64
    };
}

impl<const NUMERATOR: u32, const DENOMINATOR: u32> Activation for LeakyRelu<NUMERATOR, DENOMINATOR> {
    // The slope is positive, so σ keeps the sign and the derivative can be read off the value.
    type At = Value;
    const INITIALIZER: Initializer = Initializer::KaimingNormal;
    const KIND: Fingerprint = Fingerprint::named("LeakyRelu").number(NUMERATOR as u64).number(DENOMINATOR as u64);

    #[inline(always)]
    fn value<T: Real>(z: T) -> T {
        z.maximum(z * T::from_f64(Self::SLOPE))
    }

    #[inline(always)]
    fn derivative<T: Real>(a: T) -> T {
        a.if_positive(T::ONE, T::from_f64(Self::SLOPE))
    }
}
