use super::{Proof, away_from_zero, stream};
use crate::{Class, Loss, Matrix, Random, Real, Tensor};

/// One number made of a layer's output, whose gradient is checked.
///
/// `Y` is the output in `f64`, `I` the same in [`Proof`].
pub trait Objective<Y, I> {
    /// The number.
    fn value(&self, output: &I) -> Proof;

    /// Overwrites `d_output` with the gradient of the number with respect to the output.
    fn gradient(&self, output: &Y, d_output: &mut Y);
}

/// L = Σ c_jb·y_jb with fixed random c, signed, each of a magnitude in [½, 3⁄2): what makes a layer scalar.
#[derive(Clone, Copy, Debug)]
pub struct Cotangent {
    seed: u64,
}

impl Cotangent {
    /// The coefficients of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    fn coefficients(self) -> impl FnMut() -> f64 {
        let mut random = Random::new(self.seed, stream::COTANGENT);
        move || away_from_zero(&mut random)
    }
}

impl<Y: Tensor<Scalar = f64>, I: Tensor<Scalar = Proof>> Objective<Y, I> for Cotangent {
    fn value(&self, output: &I) -> Proof {
        let mut c = self.coefficients();
        let mut sum = Proof::from_f64(0.0);
        for i in 0..I::SLICES {
            for y in output.slice(i) {
                sum += Proof::from_f64(c()) * *y;
            }
        }
        sum
    }

    fn gradient(&self, _: &Y, d_output: &mut Y) {
        super::fill(d_output, self.coefficients());
    }
}

/// The mean over a batch of a loss: what a trainer differentiates. (eq:batch-mean)
#[derive(Debug)]
pub struct MeanLoss<'a, F, T, const B: usize> {
    /// The loss.
    pub loss: &'a F,
    /// One target a sample.
    pub targets: &'a [T; B],
}

impl<F, T: Target, const K: usize, const B: usize> Objective<Matrix<K, B, f64>, Matrix<K, B, Proof>>
    for MeanLoss<'_, F, T, B>
where
    F: Loss<[f64; K], T> + Loss<[Proof; K], T::Image>,
{
    fn value(&self, output: &Matrix<K, B, Proof>) -> Proof {
        let mut sum = Proof::from_f64(0.0);
        for (y, target) in output.columns().iter().zip(self.targets) {
            sum += self.loss.value(y, &target.image());
        }
        sum / Proof::from_f64(B as f64)
    }

    fn gradient(&self, output: &Matrix<K, B, f64>, d_output: &mut Matrix<K, B, f64>) {
        for ((y, target), d) in output.columns().iter().zip(self.targets).zip(d_output.columns_mut()) {
            self.loss.gradient(y, target, d);
            for d in d {
                *d /= B as f64;
            }
        }
    }
}

/// A target that a loss of [`Proof`] can use as well. Implemented for labels and arrays; for a target of your own:
/// how it is drawn, and how it looks in [`Proof`].
pub trait Target {
    /// The same target of [`Proof`].
    type Image;

    /// The target, its numbers converted.
    fn image(&self) -> Self::Image;

    /// A random target.
    fn draw(random: &mut Random) -> Self;
}

impl<const K: usize> Target for Class<K> {
    type Image = Self;

    fn image(&self) -> Self {
        *self
    }

    fn draw(random: &mut Random) -> Self {
        let Ok(class) = Self::new(random.word() as usize % K) else { unreachable!("a remainder is below K") };
        class
    }
}

impl<const K: usize> Target for [f64; K] {
    type Image = [Proof; K];

    fn image(&self) -> [Proof; K] {
        self.map(Proof::from_f64)
    }

    /// A distribution, which serves every loss: positive, with sum 1.
    fn draw(random: &mut Random) -> Self {
        let draws: [f64; K] = core::array::from_fn(|_| random.uniform() + 0.1);
        let sum: f64 = draws.iter().sum();
        draws.map(|draw| draw / sum)
    }
}
