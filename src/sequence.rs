//! Layers one after the other: the chain rule, once, for pairs and for what [`network!`](crate::network) defines.

use crate::layer::{Layer, Network, Parameters, Pass};
use crate::online::Online;
use crate::tensor::{Block, Part, Tensor};
use crate::{Fingerprint, Random, Zeroed};

/// A list of layers, `(A, (B, (C,)))` as a type. Only references to its layers ever exist as values, so that a struct
/// with named fields can be run as a list.
pub trait List {
    /// The scalar of all layers.
    type Scalar: crate::Scalar;
    /// A reference to each layer.
    type Layers<'a>: Copy;
    /// A reference to each layer, to be written.
    type LayersMut<'a>;
    /// A reference to each gradient, to be added to.
    type Gradients<'a>;
}

impl<A: Tensor> List for (A,) {
    type Scalar = A::Scalar;
    type Layers<'a> = &'a A;
    type LayersMut<'a> = &'a mut A;
    type Gradients<'a> = &'a mut A::Gradient;
}

impl<A: Tensor, Rest: List<Scalar = A::Scalar>> List for (A, Rest) {
    type Scalar = A::Scalar;
    type Layers<'a> = (&'a A, Rest::Layers<'a>);
    type LayersMut<'a> = (&'a mut A, Rest::LayersMut<'a>);
    type Gradients<'a> = (&'a mut A::Gradient, Rest::Gradients<'a>);
}

/// A [`List`] in which each layer accepts what the one before it yields. The methods are those of [`Layer`].
#[allow(missing_docs, reason = "documented in `Layer`")]
#[diagnostic::on_unimplemented(
    message = "these layers do not follow one another from input `{X}`",
    label = "the layers of this network do not fit"
)]
pub trait Sequence<X>: List {
    type Output: Zeroed;
    type Cache: Zeroed;
    type Scratch: Zeroed;
    const OPERATIONS: usize;

    fn predict<'a>(layers: Self::Layers<'a>, x: &'a X, scratch: &'a mut Self::Scratch) -> &'a Self::Output;
    fn forward(layers: Self::Layers<'_>, x: &X, cache: &mut Self::Cache, pass: &mut Pass);
    fn output(cache: &Self::Cache) -> &Self::Output;
    fn backward(
        layers: Self::Layers<'_>,
        x: &X,
        cache: &mut Self::Cache,
        d_output: &mut Self::Output,
        gradients: Option<Self::Gradients<'_>>,
        d_input: Option<&mut X>,
    );
    fn backward_for_parts(
        layers: Self::Layers<'_>,
        x: &X,
        cache: &mut Self::Cache,
        d_output: &mut Self::Output,
        gradients: Self::Gradients<'_>,
        d_input: Option<&mut X>,
    );
    fn gradient_bound(i: usize, x: &X, cache: &Self::Cache, delta: &Self::Output) -> Option<Self::Scalar>;
    fn gradient_parts(
        x: &X,
        cache: &Self::Cache,
        delta: &Self::Output,
        gradients: Self::Gradients<'_>,
        each: impl FnMut(Part, &[Self::Scalar]),
    );
    fn descend(
        layers: Self::LayersMut<'_>,
        rate: Self::Scalar,
        x: &X,
        cache: &Self::Cache,
        delta: &Self::Output,
        gradients: Option<Self::Gradients<'_>>,
    );

    /// Calls `layer` with the length of one sample's output and the operations of each layer, in their order.
    fn describe(layer: &mut dyn FnMut(usize, usize));
}

/// The output `Self` of a network is what it was declared to yield.
#[diagnostic::on_unimplemented(
    message = "the network yields `{Self}`, but it is declared to yield `{Declared}`",
    label = "this is not what the last layer yields"
)]
pub trait Yields<Declared> {}
impl<Y> Yields<Y> for Y {}

/// The last layer, or the only one.
impl<X, A: Layer<X, Output: Tensor>> Sequence<X> for (A,) {
    type Output = A::Output;
    type Cache = A::Cache;
    type Scratch = A::Scratch;
    const OPERATIONS: usize = A::OPERATIONS;

    #[inline]
    fn predict<'a>(layer: &'a A, x: &'a X, scratch: &'a mut A::Scratch) -> &'a A::Output {
        layer.predict(x, scratch)
    }

    #[inline]
    fn forward(layer: &A, x: &X, cache: &mut A::Cache, pass: &mut Pass) {
        layer.forward(x, cache, pass);
    }

    #[inline]
    fn output(cache: &A::Cache) -> &A::Output {
        A::output(cache)
    }

    #[inline]
    fn backward(
        layer: &A,
        x: &X,
        cache: &mut A::Cache,
        d_output: &mut A::Output,
        gradient: Option<&mut A::Gradient>,
        d_input: Option<&mut X>,
    ) {
        layer.backward(x, cache, d_output, gradient, d_input);
    }

    #[inline]
    fn backward_for_parts(
        layer: &A,
        x: &X,
        cache: &mut A::Cache,
        d_output: &mut A::Output,
        gradient: &mut A::Gradient,
        d_input: Option<&mut X>,
    ) {
        layer.backward_for_parts(x, cache, d_output, gradient, d_input);
    }

    #[inline]
    fn gradient_bound(i: usize, x: &X, cache: &A::Cache, delta: &A::Output) -> Option<A::Scalar> {
        A::gradient_bound(i, x, cache, delta)
    }

    #[inline]
    fn gradient_parts(
        x: &X,
        cache: &A::Cache,
        delta: &A::Output,
        gradient: &mut A::Gradient,
        each: impl FnMut(Part, &[A::Scalar]),
    ) {
        A::gradient_parts(x, cache, delta, gradient, each);
    }

    #[inline]
    fn descend(
        layer: &mut A,
        rate: A::Scalar,
        x: &X,
        cache: &A::Cache,
        delta: &A::Output,
        gradient: Option<&mut A::Gradient>,
    ) {
        layer.descend(rate, x, cache, delta, gradient);
    }

    fn describe(layer: &mut dyn FnMut(usize, usize)) {
        layer(A::Output::LEN, A::OPERATIONS);
    }
}

crate::zeroed! {
    /// The caches of two parts and, between them, the gradient that the second hands to the first.
    #[derive(Clone, Debug)]
    pub struct Linked<A, D, B> {
        first: A,
        d_between: D,
        rest: B,
    }
}

/// y = rest(first(x)). Backwards, each hands on what reaches its input: eq:chain.
impl<X, A, Rest> Sequence<X> for (A, Rest)
where
    A: Layer<X, Output: Tensor>,
    Rest: Sequence<A::Output, Scalar = A::Scalar>,
{
    type Output = Rest::Output;
    type Cache = Linked<A::Cache, A::Output, Rest::Cache>;
    type Scratch = (A::Scratch, Rest::Scratch);
    const OPERATIONS: usize = A::OPERATIONS + Rest::OPERATIONS;

    #[inline]
    fn predict<'a>((first, rest): Self::Layers<'a>, x: &'a X, scratch: &'a mut Self::Scratch) -> &'a Self::Output {
        let between = first.predict(x, &mut scratch.0);
        Rest::predict(rest, between, &mut scratch.1)
    }

    #[inline]
    fn forward((first, rest): Self::Layers<'_>, x: &X, cache: &mut Self::Cache, pass: &mut Pass) {
        first.forward(x, &mut cache.first, pass);
        Rest::forward(rest, A::output(&cache.first), &mut cache.rest, pass);
    }

    #[inline]
    fn output(cache: &Self::Cache) -> &Self::Output {
        Rest::output(&cache.rest)
    }

    #[inline]
    fn backward(
        (first, rest): Self::Layers<'_>,
        x: &X,
        cache: &mut Self::Cache,
        d_output: &mut Self::Output,
        gradients: Option<Self::Gradients<'_>>,
        d_input: Option<&mut X>,
    ) {
        let (d_first, d_rest) = gradients.unzip();
        let between = A::output(&cache.first);
        Rest::backward(rest, between, &mut cache.rest, d_output, d_rest, Some(&mut cache.d_between));
        first.backward(x, &mut cache.first, &mut cache.d_between, d_first, d_input);
    }

    #[inline]
    fn backward_for_parts(
        (first, rest): Self::Layers<'_>,
        x: &X,
        cache: &mut Self::Cache,
        d_output: &mut Self::Output,
        (d_first, d_rest): Self::Gradients<'_>,
        d_input: Option<&mut X>,
    ) {
        let between = A::output(&cache.first);
        Rest::backward_for_parts(rest, between, &mut cache.rest, d_output, d_rest, Some(&mut cache.d_between));
        first.backward_for_parts(x, &mut cache.first, &mut cache.d_between, d_first, d_input);
    }

    #[inline]
    fn gradient_bound(i: usize, x: &X, cache: &Self::Cache, delta: &Self::Output) -> Option<A::Scalar> {
        match i.checked_sub(A::SLICES) {
            None => A::gradient_bound(i, x, &cache.first, &cache.d_between),
            Some(i) => Rest::gradient_bound(i, A::output(&cache.first), &cache.rest, delta),
        }
    }

    #[inline]
    fn gradient_parts(
        x: &X,
        cache: &Self::Cache,
        delta: &Self::Output,
        (d_first, d_rest): Self::Gradients<'_>,
        mut each: impl FnMut(Part, &[A::Scalar]),
    ) {
        // `&mut each` would be called, and not inlined.
        A::gradient_parts(
            x,
            &cache.first,
            &cache.d_between,
            d_first,
            #[inline(always)]
            |part, g| each(part, g),
        );
        Rest::gradient_parts(
            A::output(&cache.first),
            &cache.rest,
            delta,
            d_rest,
            #[inline(always)]
            |part, g: &[A::Scalar]| each(Part { slice: A::SLICES + part.slice, ..part }, g),
        );
    }

    #[inline]
    fn descend(
        (first, rest): Self::LayersMut<'_>,
        rate: A::Scalar,
        x: &X,
        cache: &Self::Cache,
        delta: &Self::Output,
        gradients: Option<Self::Gradients<'_>>,
    ) {
        let (d_first, d_rest) = gradients.unzip();
        first.descend(rate, x, &cache.first, &cache.d_between, d_first);
        Rest::descend(rest, rate, A::output(&cache.first), &cache.rest, delta, d_rest);
    }

    fn describe(layer: &mut dyn FnMut(usize, usize)) {
        <(A,) as Sequence<X>>::describe(layer);
        Rest::describe(layer);
    }
}

/// A [`Sequence`] whose layers can all be trained online.
#[diagnostic::on_unimplemented(message = "a layer of this network cannot be trained online from input `{X}`")]
pub trait OnlineSequence<X>: Sequence<X> {}

impl<X, A: Online<X, Output: Tensor>> OnlineSequence<X> for (A,) {}

impl<X, A, Rest> OnlineSequence<X> for (A, Rest)
where
    A: Online<X, Output: Tensor>,
    Rest: OnlineSequence<A::Output, Scalar = A::Scalar>,
{
}

/// A struct whose fields are the layers of a [`List`].
pub trait Fields: Tensor {
    /// The types of the fields.
    type List: List;

    /// The fields.
    fn layers(&self) -> LayersOf<'_, Self>;

    /// The fields, to be written.
    fn layers_mut(&mut self) -> LayersMutOf<'_, Self>;

    /// The fields of the gradient.
    fn gradients(gradient: &mut Self::Gradient) -> GradientsOf<'_, Self>;
}

/// References to the layers of `N`.
pub type LayersOf<'a, N> = <<N as Fields>::List as List>::Layers<'a>;
/// References to the layers of `N`, to be written.
pub type LayersMutOf<'a, N> = <<N as Fields>::List as List>::LayersMut<'a>;
/// References to the gradients of the layers of `N`.
pub type GradientsOf<'a, N> = <<N as Fields>::List as List>::Gradients<'a>;
/// What `N` yields for `X`.
pub type OutputOf<N, X> = <<N as Fields>::List as Sequence<X>>::Output;
/// What `N` keeps for its backward pass.
pub type CacheOf<N, X> = <<N as Fields>::List as Sequence<X>>::Cache;
/// What `N` needs to predict.
pub type ScratchOf<N, X> = <<N as Fields>::List as Sequence<X>>::Scratch;

/// [`Layer::predict`] of a struct of layers.
#[inline]
pub fn predict<'a, X, N: Fields<List: Sequence<X>>>(
    network: &'a N,
    x: &'a X,
    scratch: &'a mut ScratchOf<N, X>,
) -> &'a OutputOf<N, X> {
    <N::List as Sequence<X>>::predict(network.layers(), x, scratch)
}

/// [`Layer::forward`] of a struct of layers.
#[inline]
pub fn forward<X, N: Fields<List: Sequence<X>>>(network: &N, x: &X, cache: &mut CacheOf<N, X>, pass: &mut Pass) {
    <N::List as Sequence<X>>::forward(network.layers(), x, cache, pass);
}

/// [`Layer::output`] of a struct of layers.
#[inline]
pub fn output<N: Fields<List: Sequence<X>>, X>(cache: &CacheOf<N, X>) -> &OutputOf<N, X> {
    <N::List as Sequence<X>>::output(cache)
}

/// [`Layer::backward`] of a struct of layers.
#[inline]
pub fn backward<X, N: Fields<List: Sequence<X>>>(
    network: &N,
    x: &X,
    cache: &mut CacheOf<N, X>,
    d_output: &mut OutputOf<N, X>,
    gradient: Option<&mut N::Gradient>,
    d_input: Option<&mut X>,
) {
    <N::List as Sequence<X>>::backward(network.layers(), x, cache, d_output, gradient.map(N::gradients), d_input);
}

/// [`Layer::backward_for_parts`] of a struct of layers.
#[inline]
pub fn backward_for_parts<X, N: Fields<List: Sequence<X>>>(
    network: &N,
    x: &X,
    cache: &mut CacheOf<N, X>,
    d_output: &mut OutputOf<N, X>,
    gradient: &mut N::Gradient,
    d_input: Option<&mut X>,
) {
    let gradients = N::gradients(gradient);
    <N::List as Sequence<X>>::backward_for_parts(network.layers(), x, cache, d_output, gradients, d_input);
}

/// [`Layer::gradient_bound`] of a struct of layers.
#[inline]
pub fn gradient_bound<X, N: Fields<List: Sequence<X>>>(
    i: usize,
    x: &X,
    cache: &CacheOf<N, X>,
    delta: &OutputOf<N, X>,
) -> Option<<N::List as List>::Scalar> {
    <N::List as Sequence<X>>::gradient_bound(i, x, cache, delta)
}

/// [`Layer::gradient_parts`] of a struct of layers.
#[inline]
pub fn gradient_parts<X, N: Fields<List: Sequence<X>>>(
    x: &X,
    cache: &CacheOf<N, X>,
    delta: &OutputOf<N, X>,
    gradient: &mut N::Gradient,
    each: impl FnMut(Part, &[<N::List as List>::Scalar]),
) {
    <N::List as Sequence<X>>::gradient_parts(x, cache, delta, N::gradients(gradient), each);
}

/// [`Layer::descend`] of a struct of layers.
#[inline]
pub fn descend<X, N: Fields<List: Sequence<X>>>(
    network: &mut N,
    rate: <N::List as List>::Scalar,
    x: &X,
    cache: &CacheOf<N, X>,
    delta: &OutputOf<N, X>,
    gradient: Option<&mut N::Gradient>,
) {
    let gradients = gradient.map(N::gradients);
    <N::List as Sequence<X>>::descend(network.layers_mut(), rate, x, cache, delta, gradients);
}

/// Two layers one after the other, without a name; longer chains nest: `(A, (B, C))`.
///
/// ```
/// use chainrule::{Dense, Identity, Layer, Parameters, Tanh, Vector, Zeroed};
///
/// type Net = (Dense<2, 8, Tanh>, Dense<8, 1, Identity>);
/// let net = Net::new(1);
/// let mut scratch = Zeroed::ZEROED;
/// let y = net.predict(&Vector::from([0.0, 0.0]), &mut scratch)[0];
/// assert_eq!(y, 0.0); // biases begin at zero
/// ```
impl<A: Tensor, B: Tensor<Scalar = A::Scalar>> Tensor for (A, B) {
    type Scalar = A::Scalar;
    type With<U: crate::Scalar> = (A::With<U>, B::With<U>);
    type Gradient = (A::Gradient, B::Gradient);
    const SLICES: usize = A::SLICES + B::SLICES;
    const LEN: usize = A::LEN + B::LEN;
    const FINGERPRINT: Fingerprint = Fingerprint::EMPTY.field("0", A::FINGERPRINT).field("1", B::FINGERPRINT);

    fn slice(&self, i: usize) -> &[A::Scalar] {
        if i < A::SLICES { self.0.slice(i) } else { self.1.slice(i - A::SLICES) }
    }

    fn slice_mut(&mut self, i: usize) -> &mut [A::Scalar] {
        if i < A::SLICES { self.0.slice_mut(i) } else { self.1.slice_mut(i - A::SLICES) }
    }

    fn block(i: usize) -> Block {
        if i < A::SLICES { A::block(i).within("0") } else { B::block(i - A::SLICES).within("1") }
    }
}

impl<A: Parameters, B: Parameters<Scalar = A::Scalar>> Parameters for (A, B) {
    const KIND: Fingerprint = Fingerprint::EMPTY.with(A::KIND).with(B::KIND);

    fn init(&mut self, random: &mut Random) {
        self.0.init(random);
        self.1.init(random);
    }
}

impl<A: Network, B: Network<Scalar = A::Scalar>> Network for (A, B) {
    type InputSample = A::InputSample;
    type OutputSample = B::OutputSample;
}

impl<A: Tensor, B: Tensor<Scalar = A::Scalar>> Fields for (A, B) {
    type List = (A, (B,));

    #[inline]
    fn layers(&self) -> LayersOf<'_, Self> {
        (&self.0, &self.1)
    }

    #[inline]
    fn layers_mut(&mut self) -> LayersMutOf<'_, Self> {
        (&mut self.0, &mut self.1)
    }

    #[inline]
    fn gradients((a, b): &mut Self::Gradient) -> GradientsOf<'_, Self> {
        (a, b)
    }
}

impl<X, A, B> Layer<X> for (A, B)
where
    A: Layer<X, Output: Tensor>,
    B: Layer<A::Output, Scalar = A::Scalar, Output: Tensor>,
{
    type Output = B::Output;
    type Cache = CacheOf<Self, X>;
    type Scratch = ScratchOf<Self, X>;
    const OPERATIONS: usize = A::OPERATIONS + B::OPERATIONS;

    #[inline]
    fn predict<'a>(&'a self, x: &'a X, scratch: &'a mut Self::Scratch) -> &'a B::Output {
        predict(self, x, scratch)
    }

    #[inline]
    fn forward(&self, x: &X, cache: &mut Self::Cache, pass: &mut Pass) {
        forward(self, x, cache, pass);
    }

    #[inline]
    fn output(cache: &Self::Cache) -> &B::Output {
        output::<Self, X>(cache)
    }

    #[inline]
    fn backward(
        &self,
        x: &X,
        cache: &mut Self::Cache,
        d_output: &mut B::Output,
        gradient: Option<&mut Self::Gradient>,
        d_input: Option<&mut X>,
    ) {
        backward(self, x, cache, d_output, gradient, d_input);
    }

    #[inline]
    fn backward_for_parts(
        &self,
        x: &X,
        cache: &mut Self::Cache,
        d_output: &mut B::Output,
        gradient: &mut Self::Gradient,
        d_input: Option<&mut X>,
    ) {
        backward_for_parts(self, x, cache, d_output, gradient, d_input);
    }

    #[inline]
    fn gradient_bound(i: usize, x: &X, cache: &Self::Cache, delta: &B::Output) -> Option<A::Scalar> {
        gradient_bound::<X, Self>(i, x, cache, delta)
    }

    #[inline]
    fn gradient_parts(
        x: &X,
        cache: &Self::Cache,
        delta: &B::Output,
        gradient: &mut Self::Gradient,
        each: impl FnMut(Part, &[A::Scalar]),
    ) {
        gradient_parts::<X, Self>(x, cache, delta, gradient, each);
    }

    #[inline]
    fn descend(
        &mut self,
        rate: A::Scalar,
        x: &X,
        cache: &Self::Cache,
        delta: &B::Output,
        gradient: Option<&mut Self::Gradient>,
    ) {
        descend(self, rate, x, cache, delta, gradient);
    }
}

impl<X, A, B> Online<X> for (A, B)
where
    A: Online<X, Output: Tensor>,
    B: Online<A::Output, Scalar = A::Scalar, Output: Tensor>,
{
}
