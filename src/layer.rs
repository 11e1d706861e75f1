//! [`Layer`]: the contract between a network and its layers. A network is itself a layer.

use crate::optimizer::descend_all;
use crate::{Fingerprint, Matrix, Part, Random, Scalar, Tensor, Vector, Zeroed};

/// The parameters of a layer or a network, and how they begin: the half of the contract that knows no batch size.
///
/// Layers hold parameters only, since an optimiser moves everything that they hold; hyper-parameters are types.
pub trait Parameters: Tensor {
    /// Tells layers apart whose parameters look alike and whose functions differ, so that weights are not loaded into
    /// another function: [`Dense`](crate::Dense) gives that of its activation, a network those of its layers. Name
    /// yours, or leave it empty.
    const KIND: Fingerprint = Fingerprint::EMPTY;

    /// Overwrites all parameters with their initial values, in place.
    fn init(&mut self, random: &mut Random);

    /// The initial parameters for `seed`, by value: for networks that may stand on the stack. Larger ones are
    /// [`boxed`](Zeroed::boxed) or static, and then initialised in place.
    #[must_use]
    fn new(seed: u64) -> Self {
        let mut parameters = Self::ZEROED;
        parameters.init(&mut Random::new(seed, Random::INITIALIZATION));
        parameters
    }
}

/// A differentiable function of an input `X`, with parameters: the shaped half of the contract.
///
/// `X` is a batch, `Matrix<IN, B>`: one sample a column. A layer that is written for every `B` works at every batch
/// size, and one sample is `B = 1`. Columns are independent of each other: a layer must not mix samples.
///
/// Training and prediction are different paths. [`predict`](Layer::predict) keeps nothing, draws nothing, and needs its
/// parameters for reading only. [`forward`](Layer::forward) keeps in `cache` what [`backward`](Layer::backward) needs.
///
/// The example `custom_layer` is a layer of one's own, tested.
#[diagnostic::on_unimplemented(
    message = "layer `{Self}` does not accept input `{X}`",
    label = "this layer does not fit what comes before it"
)]
pub trait Layer<X>: Parameters {
    /// What the layer hands on: a batch of as many columns.
    type Output: Zeroed;

    /// What `forward` keeps for `backward`.
    type Cache: Zeroed;

    /// What `predict` needs: activation buffers, nothing else.
    type Scratch: Zeroed;

    /// Floating-point operations of one `predict`, an activation counted as one.
    const OPERATIONS: usize;

    /// Bytes of [`Cache`](Layer::Cache).
    const CACHE_BYTES: usize = size_of::<Self::Cache>();

    /// The output for `x`: in `scratch`, or `x` itself where the layer changes nothing.
    fn predict<'a>(&'a self, x: &'a X, scratch: &'a mut Self::Scratch) -> &'a Self::Output;

    /// Computes the output for `x` and keeps it in `cache`, with all that `backward` will need.
    fn forward(&self, x: &X, cache: &mut Self::Cache, pass: &mut Pass);

    /// The output that the last `forward` left in `cache`.
    fn output(cache: &Self::Cache) -> &Self::Output;

    /// Given `d_output`, the gradient of the loss with respect to the output that `forward` left in `cache` for `x`,
    /// *adds* the gradient with respect to the parameters to `gradient`, and *overwrites* `d_input` with the gradient
    /// with respect to `x`. `None` spends nothing on what nobody asked for.
    ///
    /// `d_output` is the layer's to overwrite: [`Dense`](crate::Dense) leaves its δ there. The outputs in the cache
    /// stay: later layers look at them again, and `backward` can run again with another `d_output`.
    fn backward(
        &self,
        x: &X,
        cache: &mut Self::Cache,
        d_output: &mut Self::Output,
        gradient: Option<&mut Self::Gradient>,
        d_input: Option<&mut X>,
    );

    /// As [`backward`](Layer::backward), but *overwrites* `gradient`. A slice of which a [bound](Layer::gradient_bound) is known
    /// need not be written: [`gradient_parts`](Layer::gradient_parts) will tell it.
    #[inline]
    fn backward_for_parts(
        &self,
        x: &X,
        cache: &mut Self::Cache,
        d_output: &mut Self::Output,
        gradient: &mut Self::Gradient,
        d_input: Option<&mut X>,
    ) {
        gradient.set_zero();
        self.backward(x, cache, d_output, Some(gradient), d_input);
    }

    /// No element of slice `i` of the gradient is larger than this, not finite if one may be infinite or NaN: after
    /// [`backward`](Layer::backward) without a gradient or [`backward_for_parts`](Layer::backward_for_parts), which left `cache`
    /// and `delta` as they are. `None` where only the gradient itself would tell.
    #[inline]
    fn gradient_bound(i: usize, x: &X, cache: &Self::Cache, delta: &Self::Output) -> Option<Self::Scalar> {
        let _ = (i, x, cache, delta);
        None
    }

    /// Calls `each` with every part of the gradient, all of them together being the gradient: after
    /// [`backward_for_parts`](Layer::backward_for_parts), which left the other arguments as they are. A part may lie anywhere in
    /// `gradient`, and be overwritten by the next: so a large one can be used while it is near, and need not be stored. A part may
    /// be empty, and the sign of a zero is not told.
    #[inline]
    fn gradient_parts(
        x: &X,
        cache: &Self::Cache,
        delta: &Self::Output,
        gradient: &mut Self::Gradient,
        mut each: impl FnMut(Part, &[Self::Scalar]),
    ) {
        let _ = (x, cache, delta);
        for i in 0..Self::SLICES {
            each(Part::whole(gradient, i), gradient.slice(i));
        }
    }

    /// w ← w − η·∇w for every parameter, to the bits of [`Sgd`](crate::Sgd): after
    /// [`backward_for_parts`](Layer::backward_for_parts), which left the other arguments as they are. Without `gradient`, after
    /// [`backward`](Layer::backward) without one, a layer moves that is [`Online`](crate::Online), and no other.
    #[inline]
    fn descend(
        &mut self,
        rate: Self::Scalar,
        x: &X,
        cache: &Self::Cache,
        delta: &Self::Output,
        gradient: Option<&mut Self::Gradient>,
    ) {
        let Some(gradient) = gradient else { return };
        Self::gradient_parts(
            x,
            cache,
            delta,
            gradient,
            #[inline(always)]
            |part, g| descend_all(part.of_mut(self), rate, g),
        );
    }
}

/// How a forward pass runs: for training or for evaluation, and with which random draws.
#[derive(Clone, Debug)]
pub struct Pass {
    /// Layers with a random mode, such as dropout, are random in [`Mode::Train`] alone.
    pub mode: Mode,
    /// The draws of this pass; layers draw in their order.
    pub random: Random,
}

/// What a forward pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A training step.
    Train,
    /// The function that `predict` computes, with a cache, so that it can be differentiated.
    Evaluate,
}

impl Pass {
    /// The pass of training step `step`: the same seed and step draw the same masks.
    #[must_use]
    #[inline]
    pub fn train(seed: u64, step: u64) -> Self {
        Self { mode: Mode::Train, random: Random::new(seed, Random::MASKS.wrapping_add(step)) }
    }

    /// A pass that is not random.
    #[must_use]
    pub fn evaluate() -> Self {
        Self { mode: Mode::Evaluate, random: Random::new(0, 0) }
    }
}

/// A layer or network whose ends are known: what it reads and what it yields for one sample.
pub trait Network: Parameters {
    /// One sample: `[T; IN]`.
    type InputSample: Sample<Scalar = Self::Scalar>;

    /// One output: `[T; OUT]`.
    type OutputSample: Sample<Scalar = Self::Scalar>;
}

/// One sample, `[T; N]`: a column of a batch.
pub trait Sample: Zeroed + AsRef<[Self::Scalar]> + AsMut<[Self::Scalar]> {
    /// The element.
    type Scalar: Scalar;

    /// `B` samples: `Matrix<N, B, T>`.
    type Batch<const B: usize>: Tensor<Scalar = Self::Scalar>;

    /// The samples of a batch.
    fn samples<const B: usize>(batch: &Self::Batch<B>) -> &[Self; B];

    /// `B` samples as a batch: where they are, or copied to `room` in a build that cannot [borrow](Matrix::from_columns_ref).
    fn batch<'a, const B: usize>(samples: &'a [Self; B], room: &'a mut Self::Batch<B>) -> &'a Self::Batch<B>;

    /// The samples of a batch, to be written.
    fn samples_mut<const B: usize>(batch: &mut Self::Batch<B>) -> &mut [Self; B];

    /// The elements of all samples, one after the other.
    fn elements(samples: &[Self]) -> &[Self::Scalar];

    /// Overwrites this sample with another.
    fn copy_from(&mut self, source: &Self);
}

impl<const N: usize, T: Scalar> Sample for [T; N] {
    type Scalar = T;
    type Batch<const B: usize> = Matrix<N, B, T>;

    fn samples<const B: usize>(batch: &Matrix<N, B, T>) -> &[Self; B] {
        batch.columns()
    }

    #[cfg(feature = "borrow")]
    fn batch<'a, const B: usize>(samples: &'a [Self; B], _: &'a mut Matrix<N, B, T>) -> &'a Matrix<N, B, T> {
        Matrix::from_columns_ref(samples)
    }

    #[cfg(not(feature = "borrow"))]
    fn batch<'a, const B: usize>(samples: &'a [Self; B], room: &'a mut Matrix<N, B, T>) -> &'a Matrix<N, B, T> {
        for (column, sample) in room.columns_mut().iter_mut().zip(samples) {
            column.copy_from(sample);
        }
        room
    }

    fn samples_mut<const B: usize>(batch: &mut Matrix<N, B, T>) -> &mut [Self; B] {
        batch.columns_mut()
    }

    fn elements(samples: &[Self]) -> &[T] {
        samples.as_flattened()
    }

    fn copy_from(&mut self, source: &Self) {
        self.copy_from_slice(source);
    }
}

/// `B` samples of `S` as one matrix.
pub type Batch<S, const B: usize> = <S as Sample>::Batch<B>;

/// What can be asked of a function from one vector to another.
pub trait Differentiate<const IN: usize, const OUT: usize>:
    Layer<Vector<IN, <Self as Tensor>::Scalar>, Output = Vector<OUT, <Self as Tensor>::Scalar>>
{
    /// Overwrites `d_input` with the gradient with respect to `x` of ⟨`d_output`, y⟩, y the output for `x`, without any
    /// parameter gradient: Jᵀ·`d_output`.
    fn backward_input(
        &self,
        x: &Vector<IN, Self::Scalar>,
        cache: &mut Self::Cache,
        d_output: &mut Vector<OUT, Self::Scalar>,
        d_input: &mut Vector<IN, Self::Scalar>,
    ) {
        self.forward(x, cache, &mut Pass::evaluate());
        self.backward(x, cache, d_output, None, Some(d_input));
    }

    /// Overwrites `jacobian` with ∂y/∂x at `x`, y the output of [`predict`](Layer::predict): element (j, k) is ∂y_j/∂x_k.
    /// One backward pass a row. (eq:jacobian)
    ///
    /// ```
    /// use chainrule::{Dense, Differentiate, Identity, Matrix, Parameters, Vector, Zeroed};
    /// let layer = Dense::<2, 3, Identity>::new(1);
    /// let mut jacobian = Matrix::<3, 2>::ZEROED;
    /// let mut cache = Zeroed::ZEROED;
    /// layer.jacobian(&Vector::from([0.5, -1.0]), &mut cache, &mut jacobian);
    /// assert_eq!(jacobian, layer.weights); // an affine map is its own derivative
    /// ```
    fn jacobian(
        &self,
        x: &Vector<IN, Self::Scalar>,
        cache: &mut Self::Cache,
        jacobian: &mut Matrix<OUT, IN, Self::Scalar>,
    ) {
        self.forward(x, cache, &mut Pass::evaluate());
        for j in 0..OUT {
            let mut unit = Vector::<OUT, Self::Scalar>::ZEROED;
            unit[j] = num_traits::ConstOne::ONE;
            let mut row = Vector::<IN, Self::Scalar>::ZEROED;
            self.backward(x, cache, &mut unit, None, Some(&mut row));
            for (column, d) in jacobian.columns_mut().iter_mut().zip(row.as_slice()) {
                column[j] = *d;
            }
        }
    }
}

impl<const IN: usize, const OUT: usize, L> Differentiate<IN, OUT> for L where
    L: Layer<Vector<IN, <L as Tensor>::Scalar>, Output = Vector<OUT, <L as Tensor>::Scalar>>
{
}
