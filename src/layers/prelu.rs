use crate::{Fingerprint, Layer, Matrix, Network, Parameters, Pass, Random, Role, Scalar, Vector, parameters};

parameters! {
    /// A leaky ReLU that learns its slopes, one a feature (He et al., 2015): y = x where x > 0, else s·x.
    ///
    /// Behind a `Dense` layer with [`Identity`](crate::Identity). Slopes begin at ¼; they are scales, so weight decay
    /// leaves them alone, as the authors advise. At 0 the derivative is that of the left side. (eq:prelu)
    ///
    /// ```
    /// use chainrule::{Layer, Parameters, Prelu, Vector, Zeroed};
    /// let layer = Prelu::<2>::new(1);
    /// let mut y = Zeroed::ZEROED;
    /// assert_eq!(layer.predict(&Vector::from([3.0, -4.0]), &mut y), &Vector::from([3.0, -1.0]));
    /// ```
    pub struct Prelu<const N: usize, T = f32> {
        /// s: what a negative input is multiplied by.
        pub slope: Vector<N, T> = Role::Scale,
    }
}

impl<const N: usize, T: Scalar> Parameters for Prelu<N, T> {
    const KIND: Fingerprint = Fingerprint::named("Prelu");

    fn init(&mut self, _: &mut Random) {
        self.slope.fill(T::from_f64(0.25));
    }
}

impl<const N: usize, T: Scalar> Network for Prelu<N, T> {
    type InputSample = [T; N];
    type OutputSample = [T; N];
}

impl<const N: usize, const B: usize, T: Scalar> Layer<Matrix<N, B, T>> for Prelu<N, T> {
    type Output = Matrix<N, B, T>;
    type Cache = Matrix<N, B, T>;
    type Scratch = Matrix<N, B, T>;
    const OPERATIONS: usize = N * B;

    /// Y = X where X > 0, else s ⊙ X.
    fn predict<'a>(&'a self, x: &'a Matrix<N, B, T>, y: &'a mut Self::Scratch) -> &'a Self::Output {
        for (x, y) in x.columns().iter().zip(y.columns_mut()) {
            for ((x, y), s) in x.iter().zip(y).zip(self.slope.as_slice()) {
                *y = x.if_positive(*x, *s * *x);
            }
        }
        y
    }

    fn forward(&self, x: &Matrix<N, B, T>, y: &mut Self::Cache, _: &mut Pass) {
        self.predict(x, y);
    }

    fn output(y: &Self::Cache) -> &Self::Output {
        y
    }

    /// ∇s += Σ ∇Y ⊙ X and ∇X = s ⊙ ∇Y where X ≤ 0; ∇X = ∇Y where X > 0. (eq:prelu)
    fn backward(
        &self,
        x: &Matrix<N, B, T>,
        _: &mut Self::Cache,
        d_output: &mut Self::Output,
        gradient: Option<&mut Self>,
        d_input: Option<&mut Matrix<N, B, T>>,
    ) {
        if let Some(gradient) = gradient {
            for (x, d_y) in x.columns().iter().zip(d_output.columns()) {
                for ((x, d_y), d_s) in x.iter().zip(d_y).zip(gradient.slope.as_mut_slice()) {
                    *d_s += x.if_positive(T::ZERO, *x * *d_y);
                }
            }
        }
        if let Some(d_input) = d_input {
            let columns = x.columns().iter().zip(d_output.columns()).zip(d_input.columns_mut());
            for ((x, d_y), d_x) in columns {
                for (((x, d_y), d_x), s) in x.iter().zip(d_y).zip(d_x).zip(self.slope.as_slice()) {
                    *d_x = x.if_positive(*d_y, *s * *d_y);
                }
            }
        }
    }
}
