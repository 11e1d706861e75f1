use crate::{
    Dense, Empty, Fingerprint, Identity, Layer, LengthError, Matrix, Network, Parameters, Pass, Random, Real, Role,
    Scalar, Vector,
};

/// Standardisation as a layer, saved with the weights: y = (x − c) ⊙ f + o with a centre c, a factor f and an offset o.
///
/// In front of a network it brings inputs to mean 0 and deviation 1 (o = 0); behind it, [`inverse`](Scale::inverse)
/// brings outputs back to their units (c = 0). Three vectors and not two, so that neither direction cancels when the
/// mean is large. Nothing trains it: it has no gradient and no optimiser state, not even their memory. It begins as the
/// identity; fit it with [`Scale::fit`], or sample by sample with [`Moments`]. Once training is over it can be folded
/// into the `Dense` layer [after](Scale::fold_into_next) or [before](Scale::fold_into_previous) it. (eq:scale)
///
/// ```
/// use chainrule::{Layer, Scale, Vector, Zeroed};
/// let scale = Scale::fit(&[[1.0, 7.0], [3.0, 7.0]])?;
/// let mut scratch = Zeroed::ZEROED;
/// let x = Vector::from([5.0, 8.0]);
/// let y = scale.predict(&x, &mut scratch);
/// assert_eq!(y, &Vector::from([3.0, 1.0])); // a constant feature is only shifted
/// let mut back = Zeroed::ZEROED;
/// assert_eq!(scale.inverse().predict(y, &mut back), &x);
/// # Ok::<(), chainrule::LengthError>(())
/// ```
#[repr(C)]
pub struct Scale<const N: usize, T = f32> {
    /// c: the mean of each feature.
    pub center: Vector<N, T>,
    /// f: one over the standard deviation of each feature.
    pub factor: Vector<N, T>,
    /// o.
    pub offset: Vector<N, T>,
}

crate::__tensor! {
    Scale [const N: usize,] [N,] T [Empty<Self>]
    (center: Vector<N, T>, .with_role(Role::Bias))
    (factor: Vector<N, T>, .with_role(Role::Scale))
    (offset: Vector<N, T>, .with_role(Role::Bias)) []
}

impl<const N: usize, T: Scalar> Scale<N, T> {
    /// The layer that changes nothing.
    pub const IDENTITY: Self =
        Self { center: Vector::filled(T::ZERO), factor: Vector::filled(T::ONE), offset: Vector::filled(T::ZERO) };

    /// The layer under which `samples` have mean 0 and standard deviation 1: the training part of the data, never a
    /// test's. A constant feature is only shifted. (eq:standardisation)
    ///
    /// # Errors
    ///
    /// [`LengthError`] when there are no samples.
    pub fn fit(samples: &[[T; N]]) -> Result<Self, LengthError> {
        let mut moments = Moments::default();
        for sample in samples {
            moments.observe(sample);
        }
        moments.scale()
    }

    /// The layer that undoes this one: centre and offset change places.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let mut inverse =
            Self { center: self.offset.clone(), factor: self.factor.clone(), offset: self.center.clone() };
        inverse.factor.map(|f| T::ONE / f);
        inverse
    }

    /// Moves this layer into the `Dense` layer that follows it, which then sees raw inputs; what remains here is the
    /// identity. W ← W·diag(f), b ← b + W·(o − f ⊙ c). (eq:fold)
    pub fn fold_into_next<const OUT: usize, A>(&mut self, next: &mut Dense<N, OUT, A, T>) {
        let scale = self.center.as_slice().iter().zip(self.factor.as_slice()).zip(self.offset.as_slice());
        for (column, ((c, f), o)) in next.weights.columns_mut().iter_mut().zip(scale) {
            for (w, b) in column.iter_mut().zip(next.bias.as_mut_slice()) {
                // Before w is scaled.
                *b += *w * (*o - *f * *c);
                *w *= *f;
            }
        }
        *self = Self::IDENTITY;
    }

    /// Moves this layer into the `Dense` layer before it, whose outputs are then in the units of this one; what
    /// remains here is the identity. W ← diag(f)·W, b ← f ⊙ (b − c) + o. (eq:fold)
    pub fn fold_into_previous<const IN: usize>(&mut self, previous: &mut Dense<IN, N, Identity, T>) {
        for column in previous.weights.columns_mut() {
            for (w, f) in column.iter_mut().zip(self.factor.as_slice()) {
                *w *= *f;
            }
        }
        self.apply(previous.bias.as_mut_array());
        *self = Self::IDENTITY;
    }

    /// x ← (x − c) ⊙ f + o, one sample in place: for data that are standardised once, before training.
    ///
    /// ```
    /// let samples = [[1.0, 7.0], [3.0, 7.0]];
    /// let scale = chainrule::Scale::fit(&samples)?;
    /// let standard = samples.map(|mut sample| { scale.apply(&mut sample); sample });
    /// assert_eq!(standard, [[-1.0, 0.0], [1.0, 0.0]]);
    /// # Ok::<(), chainrule::LengthError>(())
    /// ```
    pub fn apply(&self, x: &mut [T; N]) {
        let scale = self.center.as_slice().iter().zip(self.factor.as_slice()).zip(self.offset.as_slice());
        for (x, ((c, f), o)) in x.iter_mut().zip(scale) {
            *x = (*x - *c) * *f + *o;
        }
    }
}

impl<const N: usize, T: Scalar> Parameters for Scale<N, T> {
    const KIND: Fingerprint = Fingerprint::named("Scale");

    /// The identity, to be overwritten by what [`fit`](Scale::fit) finds.
    fn init(&mut self, _: &mut Random) {
        *self = Self::IDENTITY;
    }
}

impl<const N: usize, T: Scalar> Network for Scale<N, T> {
    type InputSample = [T; N];
    type OutputSample = [T; N];
}

impl<const N: usize, const B: usize, T: Scalar> Layer<Matrix<N, B, T>> for Scale<N, T> {
    type Output = Matrix<N, B, T>;
    type Cache = Matrix<N, B, T>;
    type Scratch = Matrix<N, B, T>;
    const OPERATIONS: usize = 3 * N * B;

    /// Y = (X − c·1ᵀ) ⊙ f·1ᵀ + o·1ᵀ.
    fn predict<'a>(&'a self, x: &'a Matrix<N, B, T>, y: &'a mut Self::Scratch) -> &'a Self::Output {
        for (x, y) in x.columns().iter().zip(y.columns_mut()) {
            *y = *x;
            self.apply(y);
        }
        y
    }

    fn forward(&self, x: &Matrix<N, B, T>, y: &mut Self::Cache, _: &mut Pass) {
        self.predict(x, y);
    }

    fn output(y: &Self::Cache) -> &Self::Output {
        y
    }

    /// ∇X = f·1ᵀ ⊙ ∇Y. (eq:scale)
    fn backward(
        &self,
        _: &Matrix<N, B, T>,
        _: &mut Self::Cache,
        d_output: &mut Self::Output,
        _: Option<&mut Empty<Self>>,
        d_input: Option<&mut Matrix<N, B, T>>,
    ) {
        let Some(d_input) = d_input else { return };
        for (d_x, d_y) in d_input.columns_mut().iter_mut().zip(d_output.columns()) {
            for ((d_x, d_y), f) in d_x.iter_mut().zip(d_y).zip(self.factor.as_slice()) {
                *d_x = *f * *d_y;
            }
        }
    }
}

/// Mean and standard deviation of each of `N` features, sample by sample, in fixed memory (Welford, 1962): for data
/// that pass by once. (eq:welford)
///
/// ```
/// let mut moments = chainrule::Moments::<1>::default();
/// moments.observe(&[1.0]);
/// moments.observe(&[3.0]);
/// assert_eq!((moments.mean(), moments.deviation()), ([2.0], [1.0]));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Moments<const N: usize> {
    count: u64,
    /// The first sample: all others are seen as differences from it, so that a large mean costs no digits.
    first: [f64; N],
    /// The power of two in which the next two are told, more than half of every difference: no square overflows or
    /// vanishes, and no digit changes.
    unit: [f64; N],
    /// The mean of the differences.
    mean: [f64; N],
    /// Σ (x − mean)².
    squares: [f64; N],
}

impl<const N: usize> Default for Moments<N> {
    fn default() -> Self {
        Self { count: 0, first: [0.0; N], unit: [0.0; N], mean: [0.0; N], squares: [0.0; N] }
    }
}

impl<const N: usize> Moments<N> {
    /// Takes one sample into account.
    pub fn observe<T: Scalar>(&mut self, sample: &[T; N]) {
        if self.count == 0 {
            self.first = sample.map(Scalar::to_f64);
        }
        self.count = self.count.saturating_add(1);
        let count = self.count as f64;
        let sums = self.unit.iter_mut().zip(&mut self.mean).zip(&mut self.squares);
        for ((x, first), ((unit, mean), squares)) in sample.iter().zip(&self.first).zip(sums) {
            let difference = x.to_f64() - first;
            if difference.abs() > *unit {
                let larger = power_of_two_below(difference.abs());
                let ratio = *unit / larger;
                *mean *= ratio;
                *squares *= ratio * ratio;
                *unit = larger;
            }
            // As long as all are equal, the difference is 0 and has no unit.
            let difference = if *unit > 0.0 { difference / *unit } else { difference };
            let before = difference - *mean;
            *mean += before / count;
            // One deviation from the old mean, one from the new.
            *squares += before * (difference - *mean);
        }
    }

    /// Σ (x − mean)² of each feature.
    pub(crate) fn squares(&self) -> [f64; N] {
        let mut squares = self.squares;
        for (squares, unit) in squares.iter_mut().zip(&self.unit) {
            *squares *= unit * unit;
        }
        squares
    }

    /// The mean of each feature.
    #[must_use]
    pub fn mean(&self) -> [f64; N] {
        let mut mean = self.first;
        for ((mean, difference), unit) in mean.iter_mut().zip(&self.mean).zip(&self.unit) {
            *mean += difference * unit;
        }
        mean
    }

    /// The standard deviation of each feature (the divisor is the number of samples); 0 for a constant one.
    #[must_use]
    pub fn deviation(&self) -> [f64; N] {
        let mut deviation = self.squares.map(|squares| Real::sqrt(squares / self.count as f64));
        for (deviation, unit) in deviation.iter_mut().zip(&self.unit) {
            *deviation *= unit;
        }
        deviation
    }

    /// The layer that brings what was observed to mean 0 and standard deviation 1; a constant feature is only shifted.
    ///
    /// # Errors
    ///
    /// [`LengthError`] when nothing was observed.
    pub fn scale<T: Scalar>(&self) -> Result<Scale<N, T>, LengthError> {
        if self.count == 0 {
            return Err(LengthError { expected: 1, found: 0 });
        }
        // A constant feature has squares of exactly 0: every deviation from its mean is.
        let factor = self.deviation().map(|d| T::from_f64(if d == 0.0 { 1.0 } else { 1.0 / d }));
        Ok(Scale {
            center: Vector::from(self.mean().map(T::from_f64)),
            factor: Vector::from(factor),
            offset: Vector::filled(T::ZERO),
        })
    }
}

/// The largest power of two that is at most `x` > 0, and normal; infinity for itself.
fn power_of_two_below(x: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff << 52;
    f64::from_bits(x.to_bits() & EXPONENT).max(f64::MIN_POSITIVE)
}
