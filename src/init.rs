//! [`Initializer`]: how weights begin.

use crate::{Matrix, Random, Real, Scalar};

/// A distribution of initial weights. Its scale depends on how many inputs (`IN`) and outputs (`OUT`) the layer has,
/// so that signals keep their size through the layers, forwards and backwards.
///
/// [`Dense`](crate::Dense) takes the right one for its activation; to choose another:
///
/// ```
/// use chainrule::{Dense, Initializer, Parameters, Random, Tanh};
/// let mut random = Random::new(1, 0);
/// let mut layer = Dense::<64, 32, Tanh>::new(1);
/// Initializer::XavierNormal.fill(&mut layer.weights, &mut random);
/// assert!(layer.weights[(0, 0)].abs() < 1.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Initializer {
    /// Uniform in ±√(6 / (IN + OUT)): Glorot and Bengio (2010), for tanh, sigmoid and identity.
    XavierUniform,
    /// Normal with variance 2 / (IN + OUT): Glorot and Bengio (2010).
    XavierNormal,
    /// Uniform in ±√(6 / IN): He et al. (2015), for ReLU and its kin.
    KaimingUniform,
    /// Normal with variance 2 / IN: He et al. (2015).
    KaimingNormal,
    /// Every weight the same value.
    Constant(f64),
}

impl Initializer {
    /// Overwrites the weights of a layer of `OUT` outputs and `IN` inputs, in place.
    pub fn fill<const OUT: usize, const IN: usize, T: Scalar>(
        self,
        weights: &mut Matrix<OUT, IN, T>,
        random: &mut Random,
    ) {
        let (inputs, outputs) = (IN as f64, OUT as f64);
        let mut draw = |f: fn(&mut Random) -> f64, scale: f64| {
            weights.map(|_| T::from_f64(scale * f(random)));
        };
        match self {
            // eq:xavier
            Self::XavierUniform => draw(symmetric, Real::sqrt(6.0 / (inputs + outputs))),
            Self::XavierNormal => draw(Random::normal, Real::sqrt(2.0 / (inputs + outputs))),
            // eq:kaiming
            Self::KaimingUniform => draw(symmetric, Real::sqrt(6.0 / inputs)),
            Self::KaimingNormal => draw(Random::normal, Real::sqrt(2.0 / inputs)),
            Self::Constant(value) => weights.fill(T::from_f64(value)),
        }
    }
}

/// Uniform in [−1, 1).
fn symmetric(random: &mut Random) -> f64 {
    2.0 * random.uniform() - 1.0
}
