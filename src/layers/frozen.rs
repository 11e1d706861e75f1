use crate::{Block, Empty, Fingerprint, Layer, Network, Online, Parameters, Pass, Random, Scalar, Tensor};

/// A layer whose parameters are constants: gradients pass through it to what comes before, and nothing trains it.
/// It has no gradient and no optimiser state, not even their memory. (eq:frozen)
///
/// Its parameters are still saved and converted with the network.
///
/// ```
/// use chainrule::{Dense, Frozen, Tanh, Tensor};
/// type Body = Frozen<Dense<64, 32, Tanh>>;
/// assert_eq!(Body::LEN, 64 * 32 + 32);
/// assert_eq!(<Body as Tensor>::Gradient::LEN, 0);
/// assert_eq!(size_of::<<Body as Tensor>::Gradient>(), 0);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(transparent)]
pub struct Frozen<L>(
    /// The layer.
    pub L,
);

crate::__impl_zeroed!([L: Tensor] Frozen<L>, Frozen(L::ZEROED));
crate::__impl_plain!([L] Frozen<L>: L);

impl<L: Tensor> Tensor for Frozen<L> {
    type Scalar = L::Scalar;
    type With<U: Scalar> = Frozen<L::With<U>>;
    type Gradient = Empty<L>;
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

impl<L: Parameters> Parameters for Frozen<L> {
    const KIND: Fingerprint = L::KIND;

    /// Initialises the layer inside, to be overwritten by what was trained elsewhere.
    fn init(&mut self, random: &mut Random) {
        self.0.init(random);
    }
}

impl<L: Network> Network for Frozen<L> {
    type InputSample = L::InputSample;
    type OutputSample = L::OutputSample;
}

impl<X, L: Layer<X>> Layer<X> for Frozen<L> {
    type Output = L::Output;
    type Cache = L::Cache;
    type Scratch = L::Scratch;
    const OPERATIONS: usize = L::OPERATIONS;

    fn predict<'a>(&'a self, x: &'a X, scratch: &'a mut L::Scratch) -> &'a L::Output {
        self.0.predict(x, scratch)
    }

    fn forward(&self, x: &X, cache: &mut L::Cache, pass: &mut Pass) {
        self.0.forward(x, cache, pass);
    }

    fn output(cache: &L::Cache) -> &L::Output {
        L::output(cache)
    }

    fn backward(
        &self,
        x: &X,
        cache: &mut L::Cache,
        d_output: &mut L::Output,
        _: Option<&mut Empty<L>>,
        d_input: Option<&mut X>,
    ) {
        self.0.backward(x, cache, d_output, None, d_input);
    }

    fn gradient_bound(_: usize, _: &X, _: &L::Cache, _: &L::Output) -> Option<L::Scalar> {
        Some(num_traits::ConstZero::ZERO)
    }
}

/// Nothing moves.
impl<X, L: Layer<X>> Online<X> for Frozen<L> {}
