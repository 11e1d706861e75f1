//! [`Activation`]: σ beside σ′, one file each.

/// Registers the activations: each line is a module, its file, and the type in it.
macro_rules! activations {
    ($($module:ident::$Name:ident,)+) => {
        $(mod $module;)+
        $(pub use $module::$Name;)+

        /// Calls `visitor` with every activation of this library: tests, tables and pictures are loops over it.
        pub fn visit_activations(visitor: &mut impl VisitActivation) {
            $(visitor.visit::<$Name>(stringify!($Name));)+
        }
    };
}

// One more activation is one more file, and one more line here.
activations! {
    elu::Elu,
    gelu::Gelu,
    gelu_tanh::GeluTanh,
    hard_sigmoid::HardSigmoid,
    hard_tanh::HardTanh,
    identity::Identity,
    leaky_relu::LeakyRelu,
    mish::Mish,
    relu::Relu,
    selu::Selu,
    sigmoid::Sigmoid,
    silu::Silu,
    softplus::Softplus,
    tanh::Tanh,
}

use crate::{Fingerprint, Initializer, Real, Zeroed};

/// An elementwise function σ of a layer's affine value z, beside its derivative.
///
/// The derivative is evaluated where it is cheapest: at the value σ(z), which the backward pass has anyway
/// (`type At = Value`), or at z itself, which then costs one more block of cache (`type At = Input`).
///
/// It is written once, over [`Real`]: the same lines run on vector registers, and under the gradient checker.
///
/// ```
/// use chainrule::{Activation, Dense, Input, Real};
///
/// /// σ(z) = z · sigmoid(z).
/// struct Swish;
///
/// impl Activation for Swish {
///     type At = Input;
///     fn value<T: Real>(z: T) -> T {
///         z * z.sigmoid()
///     }
///     fn derivative<T: Real>(z: T) -> T {
///         let s = z.sigmoid();
///         s + z * s * (T::ONE - s)
///     }
/// }
///
/// type Layer3 = Dense<4, 3, Swish>;
/// assert_eq!(Swish::value(0.0), 0.0);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an activation",
    note = "`Tanh`, `Relu`, `Identity` … are; a function of your own implements `chainrule::Activation`"
)]
pub trait Activation: 'static {
    /// Where [`derivative`](Activation::derivative) is evaluated: [`Value`] or [`Input`].
    type At: Point;

    /// How the weights before this activation begin, unless told otherwise.
    const INITIALIZER: Initializer = Initializer::XavierUniform;

    /// Tells this function from others in weights files; name yours, or leave it empty.
    const KIND: Fingerprint = Fingerprint::EMPTY;

    /// σ(z).
    fn value<T: Real>(z: T) -> T;

    /// σ′(z), computed from σ(z) when `At = Value`, from z when `At = Input`.
    fn derivative<T: Real>(at: T) -> T;
}

/// Sees one activation after the other, as a type: what [`visit_activations`] calls.
pub trait VisitActivation {
    /// Sees the activation `A`, called `name`.
    fn visit<A: Activation>(&mut self, name: &'static str);
}

/// A point at which an activation's derivative can be evaluated: [`Value`] or [`Input`].
pub trait Point: sealed::Sealed + 'static {
    /// Whether z is kept besides the output.
    const KEEPS_INPUT: bool;

    /// What is kept besides the output: z, or nothing.
    type Kept<M: Zeroed>: Zeroed;

    /// Keeps z, if the derivative will want it.
    fn keep<M: crate::Tensor>(z: &M, kept: &mut Self::Kept<M>);

    /// Where the derivative will be evaluated.
    fn at<'a, M: Zeroed>(output: &'a M, kept: &'a Self::Kept<M>) -> &'a M;
}

/// The derivative is computed from the value σ(z).
#[derive(Clone, Copy, Debug)]
pub struct Value;

/// The derivative is computed from the input z.
#[derive(Clone, Copy, Debug)]
pub struct Input;

impl Point for Value {
    const KEEPS_INPUT: bool = false;
    type Kept<M: Zeroed> = ();
    fn keep<M: crate::Tensor>(_: &M, (): &mut ()) {}
    fn at<'a, M: Zeroed>(output: &'a M, (): &'a ()) -> &'a M {
        output
    }
}

impl Point for Input {
    const KEEPS_INPUT: bool = true;
    type Kept<M: Zeroed> = M;
    fn keep<M: crate::Tensor>(z: &M, kept: &mut M) {
        kept.copy_from(z);
    }
    fn at<'a, M: Zeroed>(_: &'a M, kept: &'a M) -> &'a M {
        kept
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Value {}
    impl Sealed for super::Input {}
}
