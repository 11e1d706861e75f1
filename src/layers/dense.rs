use crate::optimizer::{descend, descend_all};
use crate::{
    Activation, Fingerprint, Identity, Initializer, Layer, Matrix, Network, Online, Parameters, Part, Pass, Point,
    Random, Role, Scalar, Vector, parameters,
};
use core::marker::PhantomData;

parameters! {
    /// A fully connected layer: `OUT` neurons, each seeing all `IN` inputs, followed by an activation.
    ///
    /// Y = σ(W·X + b·1ᵀ) with W: `OUT`×`IN`, b: `OUT`, X: `IN`×B, Y: `OUT`×B.
    ///
    /// [`init`](Parameters::init) draws the weights as the activation wants them
    /// ([`Activation::INITIALIZER`]) and sets the bias to zero.
    ///
    /// ```
    /// use chainrule::{Dense, Layer, Matrix, Tanh, Vector, Zeroed};
    ///
    /// let mut layer = Dense::<2, 1, Tanh, f64>::ZEROED;
    /// layer.weights = Matrix::from_rows([[0.5, -1.0]]);
    /// layer.bias = Vector::from([0.25]);
    /// let mut scratch = Zeroed::ZEROED;
    /// let y = layer.predict(&Vector::from([1.0, 0.5]), &mut scratch)[0];
    /// assert!((y - 0.25_f64.tanh()).abs() <= 1e-15);
    /// ```
    pub struct Dense<const IN: usize, const OUT: usize, A = Identity, T = f32> {
        /// W: row j holds the weights of neuron j.
        pub weights: Matrix<OUT, IN, T> = Role::Weight,
        /// b.
        pub bias: Vector<OUT, T> = Role::Bias;
        activation: PhantomData<fn() -> A>
    }
}

impl<const IN: usize, const OUT: usize, A: 'static, T: Scalar> Dense<IN, OUT, A, T> {
    /// The layer with these weights and this bias.
    pub const fn from_parts(weights: Matrix<OUT, IN, T>, bias: Vector<OUT, T>) -> Self {
        Self { weights, bias, activation: PhantomData }
    }
}

impl<const IN: usize, const OUT: usize, A: Activation, T: Scalar> Dense<IN, OUT, A, T> {
    /// Draws the weights from a distribution of your choice and sets the bias to zero.
    pub fn init_with(&mut self, initializer: Initializer, random: &mut Random) {
        initializer.fill(&mut self.weights, random);
        self.bias.fill(T::ZERO);
    }

    /// Whether Δ and X, of which a batch's gradient is the product, are smaller than that: then it is made in parts, and bounded by
    /// theirs.
    const fn has_smaller_factors(batch: usize) -> bool {
        batch == 1 || batch * (IN + OUT) < IN * OUT
    }
}

impl<const IN: usize, const OUT: usize, A: Activation, T: Scalar> Parameters for Dense<IN, OUT, A, T> {
    const KIND: Fingerprint = A::KIND;

    fn init(&mut self, random: &mut Random) {
        self.init_with(A::INITIALIZER, random);
    }
}

impl<const IN: usize, const OUT: usize, A: Activation, T: Scalar> Network for Dense<IN, OUT, A, T> {
    type InputSample = [T; IN];
    type OutputSample = [T; OUT];
}

zeroed! {
    /// What a [`Dense`] layer keeps: its output, and z where the activation's derivative needs it.
    #[derive(Clone, Debug)]
    pub struct DenseCache<Y, K> {
        output: Y,
        kept: K,
    }
}

impl<const IN: usize, const OUT: usize, const B: usize, A: Activation, T: Scalar> Layer<Matrix<IN, B, T>>
    for Dense<IN, OUT, A, T>
{
    type Output = Matrix<OUT, B, T>;
    type Cache = DenseCache<Matrix<OUT, B, T>, <A::At as Point>::Kept<Matrix<OUT, B, T>>>;
    type Scratch = Matrix<OUT, B, T>;
    // A product and a sum a weight, the bias being where each sum starts; one for the activation.
    const OPERATIONS: usize = B * (2 * OUT * IN + OUT);

    /// Z = W·X + b·1ᵀ (eq:dense-affine), Y = σ(Z) (eq:dense-activation).
    #[inline]
    fn predict<'a>(&'a self, x: &'a Matrix<IN, B, T>, y: &'a mut Self::Scratch) -> &'a Self::Output {
        T::dense::<A, OUT, IN, B>(self.weights.columns(), x.columns(), self.bias.as_array(), y.columns_mut());
        y
    }

    /// Z = W·X + b·1ᵀ, Y = σ(Z).
    #[inline]
    fn forward(&self, x: &Matrix<IN, B, T>, cache: &mut Self::Cache, _: &mut Pass) {
        if A::At::KEEPS_INPUT {
            cache.output.set_affine(&self.weights, x, &self.bias);
            A::At::keep(&cache.output, &mut cache.kept);
            T::activate::<A>(cache.output.as_mut_slice());
        } else {
            let (weights, bias) = (self.weights.columns(), self.bias.as_array());
            T::dense::<A, OUT, IN, B>(weights, x.columns(), bias, cache.output.columns_mut());
        }
    }

    #[inline]
    fn output(cache: &Self::Cache) -> &Self::Output {
        &cache.output
    }

    /// Δ = ∇Y ⊙ σ′(Z), then ∇W += Δ·Xᵀ, ∇b += Δ·1, ∇X = Wᵀ·Δ. Leaves Δ in `d_output`.
    #[inline]
    fn backward(
        &self,
        x: &Matrix<IN, B, T>,
        cache: &mut Self::Cache,
        d_output: &mut Self::Output,
        gradient: Option<&mut Self>,
        d_input: Option<&mut Matrix<IN, B, T>>,
    ) {
        // eq:delta
        let at = A::At::at(&cache.output, &cache.kept);
        T::scale_by_derivative::<A>(d_output.as_mut_slice(), at.as_slice());
        let delta = d_output;
        if let Some(gradient) = gradient {
            gradient.weights.add_product_transpose(delta, x); // eq:weight-gradient
            gradient.bias.add_column_sum(delta); // eq:bias-gradient
        }
        if let Some(d_input) = d_input {
            d_input.set_transpose_product(&self.weights, delta); // eq:input-gradient
        }
    }

    #[inline]
    fn backward_for_parts(
        &self,
        x: &Matrix<IN, B, T>,
        cache: &mut Self::Cache,
        d_output: &mut Self::Output,
        gradient: &mut Self,
        d_input: Option<&mut Matrix<IN, B, T>>,
    ) {
        self.backward(x, cache, d_output, None, d_input);
        if !Self::has_smaller_factors(B) {
            gradient.weights.set_product_transpose(d_output, x);
        }
        gradient.bias.set_column_sum(d_output);
    }

    /// B products δ·x make an element: of one sample the largest, rounded alike, of more at most twice B of the largest,
    /// however they are rounded and summed. Of one sample the bias's gradient is δ itself, of more it is in its place.
    #[inline]
    fn gradient_bound(i: usize, x: &Matrix<IN, B, T>, _: &Self::Cache, delta: &Self::Output) -> Option<T> {
        if !Self::has_smaller_factors(B) || B > 1 && i > 0 {
            return None;
        }
        let largest = T::max_abs(delta.as_slice());
        let largest = if i == 0 { largest * T::max_abs(x.as_slice()) } else { largest };
        Some(if B == 1 { largest } else { largest * T::from_f64(2.0 * B as f64) })
    }

    #[inline]
    fn gradient_parts(
        x: &Matrix<IN, B, T>,
        _: &Self::Cache,
        delta: &Self::Output,
        gradient: &mut Self,
        mut each: impl FnMut(Part, &[T]),
    ) {
        if Self::has_smaller_factors(B) {
            T::outer_product_parts(
                delta.columns(),
                x.columns(),
                gradient.weights.columns_mut(),
                #[inline(always)]
                |start, g| each(Part { slice: 0, start, len: g.len() }, g),
            );
        } else {
            each(Part::whole(gradient, 0), gradient.weights.as_slice());
        }
        each(Part::whole(gradient, 1), gradient.bias.as_slice());
    }

    /// W ← W − η·(Δ·Xᵀ), b ← b − η·(Δ·1). (eq:sgd)
    #[inline]
    fn descend(
        &mut self,
        rate: T,
        x: &Matrix<IN, B, T>,
        _: &Self::Cache,
        delta: &Self::Output,
        gradient: Option<&mut Self>,
    ) {
        let (weights, bias) = (&mut self.weights, self.bias.as_mut_slice());
        if B == 1 {
            return T::vectorized(
                #[inline(always)]
                || {
                    for (delta, x) in delta.columns().iter().zip(x.columns()) {
                        for (column, x) in weights.columns_mut().iter_mut().zip(x) {
                            for (w, d) in column.iter_mut().zip(delta) {
                                descend(w, rate * (*d * *x));
                            }
                        }
                        for (b, d) in bias.iter_mut().zip(delta) {
                            descend(b, rate * *d);
                        }
                    }
                },
            );
        }
        let Some(gradient) = gradient else { return };
        if Self::has_smaller_factors(B) {
            let room = gradient.weights.columns_mut();
            T::descend_outer_product(rate, delta.columns(), x.columns(), weights.columns_mut(), room);
        } else {
            descend_all(weights.as_mut_slice(), rate, gradient.weights.as_slice());
        }
        descend_all(bias, rate, gradient.bias.as_slice());
    }
}

impl<const IN: usize, const OUT: usize, A: Activation, T: Scalar> Online<Vector<IN, T>> for Dense<IN, OUT, A, T> {}
