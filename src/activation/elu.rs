use super::{Activation, Value};
use crate::{Fingerprint, Initializer, Real};

/// σ(z) = z where z > 0, else eᶻ − 1; σ′(z) = 1 where z > 0, else eᶻ = σ(z) + 1. (eq:elu)
///
/// Clevert, Unterthiner and Hochreiter (2016), with α = 1, which makes it smooth at 0. Use it where ReLU units die or
/// where outputs with mean near 0 help.
///
/// ```
/// # use chainrule::{Activation, Elu};
/// assert_eq!((Elu::value(2.0), Elu::value(-1e4)), (2.0, -1.0));
/// assert_eq!(Elu::value(1e4_f32), 1e4); // no overflow on the way
/// assert_eq!(Elu::derivative(-0.75), 0.25); // where σ(z) = −0.75
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Elu;

impl Activation for Elu {
    type At = Value;
    const INITIALIZER: Initializer = Initializer::KaimingNormal;
    const KIND: Fingerprint = Fingerprint::named("Elu");

    #[inline(always)]
    fn value<T: Real>(z: T) -> T {
        z.if_positive(z, T::ZERO.minimum(z).exp_m1())
    }

    #[inline(always)]
    fn derivative<T: Real>(a: T) -> T {
        a.minimum(T::ZERO) + T::ONE
    }
}
