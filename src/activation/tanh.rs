use super::{Activation, Value};
use crate::Scalar;

/// σ(z) = tanh z, σ′(z) = 1 − σ(z)². (eq:tanh)
///
/// ```
/// # use chainrule::{Activation, Tanh};
/// assert_eq!(Tanh::value(0.0), 0.0);
/// assert_eq!(<Tanh as Activation<f64>>::derivative(0.5), 0.75); // where σ(z) = 0.5
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Tanh;

impl<T: Scalar> Activation<T> for Tanh {
    type At = Value;

    #[inline(always)]
    fn value(z: T) -> T {
        z.tanh()
    }

    #[inline(always)]
    fn derivative(a: T) -> T {
        T::ONE - a * a
    }
}
