//! [`Initializer`]: how weights begin.

use crate::lanes::square_root;
use crate::{Matrix, Random, Scalar};

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
    /// Uniform in ±√(3 / IN): LeCun et al. (1998).
    LecunUniform,
    /// Normal with variance 1 / IN: LeCun et al. (1998); for SELU.
    LecunNormal,
    /// Orthonormal columns, or rows where there are fewer of them: Saxe, McClelland and Ganguli (2014). A linear layer
    /// then keeps lengths, however many follow one another.
    Orthogonal,
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
        let mut draw = |f: fn(&mut Random) -> f64, scale: f64| {
            weights.map(|_| T::from_f64(scale * f(random)));
        };
        match self {
            // eq:xavier
            Self::XavierUniform => draw(symmetric, const { root_of(6, IN + OUT) }),
            Self::XavierNormal => draw(Random::normal, const { root_of(2, IN + OUT) }),
            // eq:kaiming
            Self::KaimingUniform => draw(symmetric, const { root_of(6, IN) }),
            Self::KaimingNormal => draw(Random::normal, const { root_of(2, IN) }),
            // eq:lecun
            Self::LecunUniform => draw(symmetric, const { root_of(3, IN) }),
            Self::LecunNormal => draw(Random::normal, const { root_of(1, IN) }),
            // eq:orthogonal
            Self::Orthogonal => {
                draw(Random::normal, 1.0);
                if IN <= OUT {
                    orthonormalize(IN, OUT, |v, k| (k, v), weights);
                } else {
                    orthonormalize(OUT, IN, |v, k| (v, k), weights);
                }
            }
            Self::Constant(value) => weights.fill(T::from_f64(value)),
        }
    }
}

/// √(a / b), by the compiler: f64 is software on many a device.
const fn root_of(a: usize, b: usize) -> f64 {
    square_root::f64(a as f64 / b as f64)
}

/// Uniform in [−1, 1): 2u − 1 for a uniform u of 53 bits, which is exact, in whole numbers.
fn symmetric(random: &mut Random) -> f64 {
    let whole = (random.double_word() >> 11).cast_signed() - (1 << 52);
    whole as f64 * (1.0 / (1_u64 << 52) as f64)
}

/// Modified Gram–Schmidt, in place and twice, over `vectors` vectors of `len` elements; `at(v, k)` is the place
/// (row, column) of element k of vector v.
fn orthonormalize<const R: usize, const C: usize, T: Scalar>(
    vectors: usize,
    len: usize,
    at: fn(usize, usize) -> (usize, usize),
    m: &mut Matrix<R, C, T>,
) {
    let get = |m: &Matrix<R, C, T>, v, k| {
        let (row, column) = at(v, k);
        m.get(row, column).copied().unwrap_or(T::ZERO)
    };
    let dot = |m: &Matrix<R, C, T>, v, w| (0..len).fold(T::ZERO, |sum, k| sum + get(m, v, k) * get(m, w, k));
    for v in 0..vectors {
        // What rounding leaves of the earlier directions, the second pass takes.
        for earlier in (0..v).chain(0..v) {
            let overlap = dot(m, v, earlier);
            for k in 0..len {
                let part = overlap * get(m, earlier, k);
                let (row, column) = at(v, k);
                if let Some(x) = m.get_mut(row, column) {
                    *x -= part;
                }
            }
        }
        let norm = dot(m, v, v).sqrt();
        for k in 0..len {
            let (row, column) = at(v, k);
            if let Some(x) = m.get_mut(row, column) {
                *x /= norm;
            }
        }
    }
}
