use crate::{Fingerprint, Layer, Matrix, Network, Parameters, Pass, Random, Role, Scalar, Vector, parameters};

/// [`LayerNormalization`] as one writes it: `LayerNorm<64, T>`, with ε = 10⁻⁵ unless a third argument says otherwise.
pub type LayerNorm<const N: usize, T = f32, const DIGITS: u32 = 5> = LayerNormalization<N, DIGITS, T>;

parameters! {
    /// Layer normalisation (Ba, Kiros and Hinton, 2016): each sample is shifted and scaled to mean 0 and variance 1
    /// over its `N` features, then multiplied by a learnt gain and shifted by a learnt bias.
    ///
    /// x̂ = (x − μ) / √(v + ε), y = g ⊙ x̂ + b, with ε = 10^(−`DIGITS`) in the type; write it [`LayerNorm`]. Use it
    /// between the layers of a deep network: unlike batch normalisation it works at batch size 1, and is the same
    /// function in training and in prediction. Features beyond the square root of the largest scalar do not overflow.
    /// (eq:layer-norm)
    ///
    /// ```
    /// use chainrule::{Layer, LayerNorm, Parameters, Vector, Zeroed};
    /// let layer = LayerNorm::<2, f64>::new(1);
    /// let mut scratch = Zeroed::ZEROED;
    /// let x = Vector::from([3.0, 7.0]);
    /// let y = layer.predict(&x, &mut scratch);
    /// assert!((y[0] + 1.0).abs() < 1e-5 && (y[1] - 1.0).abs() < 1e-5);
    /// ```
    pub struct LayerNormalization<const N: usize, const DIGITS: u32, T = f32> {
        /// g; begins at 1.
        pub gain: Vector<N, T> = Role::Scale,
        /// b; begins at 0.
        pub bias: Vector<N, T> = Role::Bias,
    }
}

impl<const N: usize, const DIGITS: u32, T: Scalar> LayerNormalization<N, DIGITS, T> {
    const EPSILON: f64 = {
        assert!(DIGITS < 31, "ε = 10^(−DIGITS) must be a normal f32: DIGITS must be below 31");
        1.0 / 10_u128.pow(DIGITS) as f64
    };

    /// x̂ ← (x − μ) / √(v + ε) for one sample; returns 1 / √(v + ε).
    fn normalize(x: &[T; N], normalized: &mut [T; N]) -> T {
        let share = T::from_f64(1.0 / N as f64);
        let mean = x.iter().fold(T::ZERO, |sum, x| sum + share * *x);
        // Deviations are divided by the largest, if it is above 1, so that no square overflows.
        let mut largest = T::ONE;
        for (d, x) in normalized.iter_mut().zip(x) {
            *d = *x - mean;
            largest = largest.maximum(d.abs());
        }
        let mut variance = T::ZERO;
        for d in normalized.iter_mut() {
            *d /= largest;
            variance += share * (*d * *d);
        }
        let root = (variance + T::from_f64(Self::EPSILON) / largest / largest).sqrt();
        for d in normalized.iter_mut() {
            *d /= root;
        }
        T::ONE / root / largest
    }
}

impl<const N: usize, const DIGITS: u32, T: Scalar> Parameters for LayerNormalization<N, DIGITS, T> {
    const KIND: Fingerprint = Fingerprint::named("LayerNorm").number(DIGITS as u64);

    fn init(&mut self, _: &mut Random) {
        self.gain.fill(T::ONE);
        self.bias.fill(T::ZERO);
    }
}

impl<const N: usize, const DIGITS: u32, T: Scalar> Network for LayerNormalization<N, DIGITS, T> {
    type InputSample = [T; N];
    type OutputSample = [T; N];
}

zeroed! {
    /// What a [`LayerNorm`] keeps: its output, x̂, and 1 / √(v + ε) of each sample.
    #[derive(Clone, Debug)]
    pub struct LayerNormCache<X, V> {
        output: X,
        normalized: X,
        factor: V,
    }
}

impl<const N: usize, const B: usize, const DIGITS: u32, T: Scalar> Layer<Matrix<N, B, T>>
    for LayerNormalization<N, DIGITS, T>
{
    type Output = Matrix<N, B, T>;
    type Cache = LayerNormCache<Matrix<N, B, T>, [T; B]>;
    type Scratch = Matrix<N, B, T>;
    // Mean, deviation, square, root and quotient, gain and bias.
    const OPERATIONS: usize = B * (7 * N + 1);

    /// Y = g ⊙ X̂ + b.
    fn predict<'a>(&'a self, x: &'a Matrix<N, B, T>, y: &'a mut Self::Scratch) -> &'a Self::Output {
        for (x, y) in x.columns().iter().zip(y.columns_mut()) {
            Self::normalize(x, y);
            for ((y, g), b) in y.iter_mut().zip(self.gain.as_slice()).zip(self.bias.as_slice()) {
                *y = *g * *y + *b;
            }
        }
        y
    }

    fn forward(&self, x: &Matrix<N, B, T>, cache: &mut Self::Cache, _: &mut Pass) {
        let columns = x.columns().iter().zip(cache.normalized.columns_mut()).zip(cache.output.columns_mut());
        for (((x, normalized), y), factor) in columns.zip(&mut cache.factor) {
            *factor = Self::normalize(x, normalized);
            for (((y, x), g), b) in y.iter_mut().zip(normalized).zip(self.gain.as_slice()).zip(self.bias.as_slice()) {
                *y = *g * *x + *b;
            }
        }
    }

    fn output(cache: &Self::Cache) -> &Self::Output {
        &cache.output
    }

    /// ∇g += Σ ∇Y ⊙ X̂, ∇b += Σ ∇Y; with h = g ⊙ ∇y, ∇x = (h − mean(h) − x̂·mean(h ⊙ x̂)) / √(v + ε).
    /// (eq:layer-norm-gradient)
    fn backward(
        &self,
        _: &Matrix<N, B, T>,
        cache: &mut Self::Cache,
        d_output: &mut Self::Output,
        gradient: Option<&mut Self>,
        d_input: Option<&mut Matrix<N, B, T>>,
    ) {
        if let Some(gradient) = gradient {
            for (d_y, x) in d_output.columns().iter().zip(cache.normalized.columns()) {
                for ((d_g, d_y), x) in gradient.gain.as_mut_slice().iter_mut().zip(d_y).zip(x) {
                    *d_g += *d_y * *x;
                }
            }
            gradient.bias.add_column_sum(d_output);
        }
        let Some(d_input) = d_input else { return };
        let share = T::from_f64(1.0 / N as f64);
        let columns = d_input.columns_mut().iter_mut().zip(d_output.columns()).zip(cache.normalized.columns());
        for (((d_x, d_y), x), factor) in columns.zip(&cache.factor) {
            let (mut mean, mut along) = (T::ZERO, T::ZERO);
            for (((h, d_y), x), g) in d_x.iter_mut().zip(d_y).zip(x).zip(self.gain.as_slice()) {
                *h = *g * *d_y;
                mean += share * *h;
                along += share * (*h * *x);
            }
            for (h, x) in d_x.iter_mut().zip(x) {
                *h = *factor * (*h - mean - *x * along);
            }
        }
    }
}
