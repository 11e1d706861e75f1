use crate::{Block, Fingerprint, Layer, Mode, Online, Parameters, Pass, Random, Role, Scalar, Tensor};
use core::marker::PhantomData;

/// Inverted dropout (Srivastava et al., 2014): while training, each input is zeroed with probability
/// p = `NUMERATOR / DENOMINATOR`, and the others are multiplied by 1 / (1 − p), so that their mean stays. Prediction
/// hands its input on, untouched.
///
/// Y = M ⊙ X with mask elements 0 or 1 / (1 − p), drawn from the pass: the same seed and step draw the same mask.
/// A probability outside [0, 1) does not compile once it is used.
///
/// ```
/// use chainrule::{Dropout, Layer, Vector};
/// let x = Vector::from([1.0, 2.0]);
/// let dropout = Dropout::<1, 2>::new();
/// assert!(core::ptr::eq(dropout.predict(&x, &mut ()), &x)); // not even copied
/// ```
pub struct Dropout<const NUMERATOR: u32, const DENOMINATOR: u32, T = f32>(PhantomData<fn() -> T>);

impl<const NUMERATOR: u32, const DENOMINATOR: u32, T: Scalar> Dropout<NUMERATOR, DENOMINATOR, T> {
    const PROBABILITY: f64 = {
        assert!(NUMERATOR < DENOMINATOR, "the probability NUMERATOR / DENOMINATOR must lie in [0, 1)");
        NUMERATOR as f64 / DENOMINATOR as f64
    };

    /// The layer; it has no parameters.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// One element of the mask.
    fn draw(random: &mut Random) -> T {
        // A word below p·2³² drops: exact for every fraction to 2⁻³².
        let dropped = f64::from(random.word()) < Self::PROBABILITY * 4_294_967_296.0;
        if dropped { T::ZERO } else { T::from_f64(1.0 / (1.0 - Self::PROBABILITY)) }
    }
}

crate::__impl_zeroed!(
    [const NUMERATOR: u32, const DENOMINATOR: u32, T: Scalar] Dropout<NUMERATOR, DENOMINATOR, T>,
    Dropout(PhantomData)
);
crate::__impl_plain!(
    [const NUMERATOR: u32, const DENOMINATOR: u32, T] Dropout<NUMERATOR, DENOMINATOR, T>:
);

impl<const NUMERATOR: u32, const DENOMINATOR: u32, T: Scalar> Default for Dropout<NUMERATOR, DENOMINATOR, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const NUMERATOR: u32, const DENOMINATOR: u32, T> Clone for Dropout<NUMERATOR, DENOMINATOR, T> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<const NUMERATOR: u32, const DENOMINATOR: u32, T> PartialEq for Dropout<NUMERATOR, DENOMINATOR, T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<const NUMERATOR: u32, const DENOMINATOR: u32, T> core::fmt::Debug for Dropout<NUMERATOR, DENOMINATOR, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Dropout<{NUMERATOR}, {DENOMINATOR}>")
    }
}

impl<const NUMERATOR: u32, const DENOMINATOR: u32, T: Scalar> Tensor for Dropout<NUMERATOR, DENOMINATOR, T> {
    type Scalar = T;
    type With<U: Scalar> = Dropout<NUMERATOR, DENOMINATOR, U>;
    type Gradient = Self;
    const SLICES: usize = 0;
    const LEN: usize = 0;
    const FINGERPRINT: Fingerprint = Fingerprint::EMPTY;

    fn slice(&self, _: usize) -> &[T] {
        &[]
    }

    fn slice_mut(&mut self, _: usize) -> &mut [T] {
        &mut []
    }

    fn block(_: usize) -> Block {
        Block::new(Role::Other, 0, 0)
    }
}

impl<const NUMERATOR: u32, const DENOMINATOR: u32, T: Scalar> Parameters for Dropout<NUMERATOR, DENOMINATOR, T> {
    fn init(&mut self, _: &mut Random) {}
}

zeroed! {
    /// What [`Dropout`] keeps: its output and the mask.
    #[derive(Clone, Debug)]
    pub struct DropoutCache<X> {
        output: X,
        mask: X,
    }
}

impl<const NUMERATOR: u32, const DENOMINATOR: u32, T: Scalar, X: Tensor<Scalar = T>> Layer<X>
    for Dropout<NUMERATOR, DENOMINATOR, T>
{
    type Output = X;
    type Cache = DropoutCache<X>;
    type Scratch = ();
    const OPERATIONS: usize = 0;

    /// Y = X.
    fn predict<'a>(&'a self, x: &'a X, (): &'a mut ()) -> &'a X {
        x
    }

    /// Y = M ⊙ X. (eq:dropout)
    fn forward(&self, x: &X, cache: &mut Self::Cache, pass: &mut Pass) {
        for i in 0..X::SLICES {
            let (output, mask) = (cache.output.slice_mut(i), cache.mask.slice_mut(i));
            for ((y, m), x) in output.iter_mut().zip(mask).zip(x.slice(i)) {
                *m = match pass.mode {
                    Mode::Train => Self::draw(&mut pass.random),
                    Mode::Evaluate => T::ONE,
                };
                *y = *m * *x;
            }
        }
    }

    fn output(cache: &Self::Cache) -> &X {
        &cache.output
    }

    /// ∇X = M ⊙ ∇Y, with the mask of the forward pass. (eq:dropout)
    fn backward(
        &self,
        _: &X,
        cache: &mut Self::Cache,
        d_output: &mut X,
        _: Option<&mut Self>,
        d_input: Option<&mut X>,
    ) {
        let Some(d_input) = d_input else { return };
        for i in 0..X::SLICES {
            let (d_output, mask) = (d_output.slice(i), cache.mask.slice(i));
            for ((d_x, d_y), m) in d_input.slice_mut(i).iter_mut().zip(d_output).zip(mask) {
                *d_x = *m * *d_y;
            }
        }
    }
}

/// Nothing to move.
impl<const NUMERATOR: u32, const DENOMINATOR: u32, T: Scalar, X: Tensor<Scalar = T>> Online<X>
    for Dropout<NUMERATOR, DENOMINATOR, T>
{
}
