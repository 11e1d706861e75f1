use crate::{Block, Fingerprint, Layer, Network, Online, Parameters, Part, Pass, Random, Scalar, Tensor};
use num_traits::ConstOne;

/// A shortcut around a layer whose output has the shape of its input: Y = X + F(X) (He et al., 2016).
///
/// ```
/// use chainrule::{Dense, Layer, Residual, Tanh, Vector, Zeroed};
/// let block = Residual::<Dense<3, 3, Tanh>>::ZEROED;
/// let x = Vector::from([1.0, 2.0, 3.0]);
/// let mut scratch = Zeroed::ZEROED;
/// assert_eq!(block.predict(&x, &mut scratch), &x); // F is zero as long as its weights are
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(transparent)]
pub struct Residual<L>(
    /// F.
    pub L,
);

crate::__impl_zeroed!([L: Tensor] Residual<L>, Residual(L::ZEROED));
crate::__impl_plain!([L] Residual<L>: L);

impl<L: Tensor> Tensor for Residual<L> {
    type Scalar = L::Scalar;
    type With<U: Scalar> = Residual<L::With<U>>;
    type Gradient = L::Gradient;
    const SLICES: usize = L::SLICES;
    const LEN: usize = L::LEN;
    const FINGERPRINT: Fingerprint = L::FINGERPRINT;

    fn slice(&self, i: usize) -> &[L::Scalar] {
        self.0.slice(i)
    }

    fn slice_mut(&mut self, i: usize) -> &mut [L::Scalar] {
        self.0.slice_mut(i)
    }

    fn block(i: usize) -> Block {
        L::block(i)
    }
}

impl<L: Parameters> Parameters for Residual<L> {
    const KIND: Fingerprint = Fingerprint::named("Residual").with(L::KIND);

    fn init(&mut self, random: &mut Random) {
        self.0.init(random);
    }
}

impl<L: Network> Network for Residual<L> {
    type InputSample = L::InputSample;
    type OutputSample = L::OutputSample;
}

zeroed! {
    /// What a [`Residual`] keeps: the cache of F, the sum, and the gradient that comes back through F.
    #[derive(Clone, Debug)]
    pub struct ResidualCache<C, X> {
        inner: C,
        output: X,
        d_inner: X,
    }
}

impl<X: Tensor, L: Layer<X, Output = X, Scalar = X::Scalar>> Layer<X> for Residual<L> {
    type Output = X;
    type Cache = ResidualCache<L::Cache, X>;
    type Scratch = (L::Scratch, X);
    const OPERATIONS: usize = L::OPERATIONS + X::LEN;

    /// Y = X + F(X). (eq:residual)
    fn predict<'a>(&'a self, x: &'a X, (scratch, y): &'a mut Self::Scratch) -> &'a X {
        y.copy_from(x);
        y.axpy(ConstOne::ONE, self.0.predict(x, scratch));
        y
    }

    /// Y = X + F(X).
    fn forward(&self, x: &X, cache: &mut Self::Cache, pass: &mut Pass) {
        self.0.forward(x, &mut cache.inner, pass);
        cache.output.copy_from(x);
        cache.output.axpy(ConstOne::ONE, L::output(&cache.inner));
    }

    fn output(cache: &Self::Cache) -> &X {
        &cache.output
    }

    /// ∇X = ∇Y + J_Fᵀ·∇Y. (eq:residual)
    fn backward(
        &self,
        x: &X,
        cache: &mut Self::Cache,
        d_output: &mut X,
        gradient: Option<&mut L::Gradient>,
        d_input: Option<&mut X>,
    ) {
        around(cache, d_output, d_input, |cache, d_output, d_inner| {
            self.0.backward(x, cache, d_output, gradient, d_inner);
        });
    }

    // F sees all of ∇Y, and leaves its δ there.

    fn backward_for_parts(
        &self,
        x: &X,
        cache: &mut Self::Cache,
        d_output: &mut X,
        gradient: &mut L::Gradient,
        d_input: Option<&mut X>,
    ) {
        around(cache, d_output, d_input, |cache, d_output, d_inner| {
            self.0.backward_for_parts(x, cache, d_output, gradient, d_inner);
        });
    }

    fn gradient_bound(i: usize, x: &X, cache: &Self::Cache, delta: &X) -> Option<L::Scalar> {
        L::gradient_bound(i, x, &cache.inner, delta)
    }

    fn gradient_parts(
        x: &X,
        cache: &Self::Cache,
        delta: &X,
        gradient: &mut L::Gradient,
        each: impl FnMut(Part, &[L::Scalar]),
    ) {
        L::gradient_parts(x, &cache.inner, delta, gradient, each);
    }

    fn descend(&mut self, rate: L::Scalar, x: &X, cache: &Self::Cache, delta: &X, gradient: Option<&mut L::Gradient>) {
        self.0.descend(rate, x, &cache.inner, delta, gradient);
    }
}

/// Runs `inner`, the way back through F, and adds to what comes out of it the gradient that goes around F.
fn around<C, X: Tensor>(
    cache: &mut ResidualCache<C, X>,
    d_output: &mut X,
    d_input: Option<&mut X>,
    inner: impl FnOnce(&mut C, &mut X, Option<&mut X>),
) {
    match d_input {
        None => inner(&mut cache.inner, d_output, None),
        Some(d_input) => {
            // First, since F may overwrite it.
            d_input.copy_from(d_output);
            inner(&mut cache.inner, d_output, Some(&mut cache.d_inner));
            d_input.axpy(ConstOne::ONE, &cache.d_inner);
        }
    }
}

impl<X: Tensor, L: Online<X, Output = X, Scalar = X::Scalar>> Online<X> for Residual<L> {}
