//! [`OnlineTrainer`]: descent on one sample at a time, without a gradient in memory.

use crate::error::TrainError;
use crate::layer::{Batch, Layer, Network, Pass, Sample};
use crate::optimizer::Optimizer;
use crate::trainer::{check_samples, scalar};
use crate::{Loss, Random, Scalar, Sgd, Zeroed};
use core::slice::from_ref;

/// A layer that [descends](Layer::descend) without a gradient in memory: for one sample ∇W is δ·xᵀ (eq:weight-gradient), and
/// both factors are there anyway, x as the input and δ as what [`backward`](Layer::backward) leaves in `d_output`. Such a layer
/// knows a [bound](Layer::gradient_bound) of every slice of its gradient: who implements this overrides both, the bound so that it
/// is never `None`.
///
/// [`Dense`](crate::Dense), [`Dropout`](crate::Dropout), [`Residual`](crate::Residual), [`Frozen`](crate::Frozen), and
/// pairs and networks of such layers.
#[diagnostic::on_unimplemented(
    message = "layer `{Self}` cannot be trained online from input `{X}`",
    note = "`Trainer` keeps a gradient and trains every layer"
)]
pub trait Online<X>: Layer<X> {}

/// A network and what it takes to train it by [`Sgd`] on one sample at a time: beside the parameters one activation and
/// one delta block a layer, no gradient. For 64-32-10 that is 84 scalars more than the 2,410 parameters.
///
/// A step goes through the network twice. The first pass computes all outputs and all deltas and proves every update
/// finite, from max |δ|·max |x| and max |w|; only the second writes. So a step that returns an error has changed
/// nothing, and the result has the bits of [`Trainer`](crate::Trainer) with `Sgd` and `B = 1`.
///
/// ```
/// use chainrule::{network, BinaryCrossEntropy, Dense, Identity, OnlineTrainer, Sgd, Tanh, Vector, Zeroed};
///
/// network! {
///     struct Xor<T = f32>: 2 => 1 {
///         hidden: Dense<2, 4, Tanh, T>,
///         output: Dense<4, 1, Identity, T>,
///     }
/// }
///
/// let inputs = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]].map(Vector::from);
/// let targets = [[0.0], [1.0], [1.0], [0.0]];
/// let sgd = Sgd::new(0.1)?;
///
/// let mut trainer = OnlineTrainer::<Xor>::ZEROED;
/// trainer.init(1);
/// let mut sum = 0.0;
/// for _ in 0..500 {
///     sum = 0.0;
///     for (input, target) in inputs.iter().zip(&targets) {
///         sum += trainer.step(&sgd, &BinaryCrossEntropy, input, target)?;
///     }
/// }
/// assert!(sum / 4.0 < 0.05);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OnlineTrainer<N: Network + Layer<Batch<N::InputSample, 1>>> {
    /// The network.
    pub network: N,
    cache: N::Cache,
    d_output: Batch<N::OutputSample, 1>,
    seed: u64,
    steps: u64,
}

crate::__impl_zeroed!(
    [N: Network + Layer<Batch<N::InputSample, 1>>] OnlineTrainer<N>,
    OnlineTrainer {
        network: N::ZEROED,
        cache: <N::Cache as Zeroed>::ZEROED,
        d_output: <Batch<N::OutputSample, 1> as Zeroed>::ZEROED,
        seed: 0,
        steps: 0,
    }
);

impl<N> OnlineTrainer<N>
where
    N: Network + Online<Batch<N::InputSample, 1>, Output = Batch<N::OutputSample, 1>>,
{
    /// Draws the initial weights from `seed` and clears the counter. Later draws, for masks, depend on the same seed.
    pub fn init(&mut self, seed: u64) {
        self.network.init(&mut Random::new(seed, Random::INITIALIZATION));
        (self.seed, self.steps) = (seed, 0);
    }

    /// How many steps were made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// One step on one sample; returns its loss.
    ///
    /// # Errors
    ///
    /// [`TrainError`], when the learning rate, the input or the target is out of range, or when loss, gradient or new
    /// parameters would not be finite. Nothing has changed then.
    pub fn step<L, Target>(
        &mut self,
        sgd: &Sgd,
        loss: &L,
        input: &Batch<N::InputSample, 1>,
        target: &Target,
    ) -> Result<N::Scalar, TrainError>
    where
        L: Loss<N::OutputSample, Target>,
    {
        sgd.validate()?;
        loss.validate()?;
        let [sample] = <N::InputSample as Sample>::samples::<1>(input);
        check_samples(loss, from_ref(sample), from_ref(target))?;

        self.network.forward(input, &mut self.cache, &mut Pass::train(self.seed, self.steps));
        let [output] = <N::OutputSample as Sample>::samples::<1>(N::output(&self.cache));
        let [d_output] = <N::OutputSample as Sample>::samples_mut::<1>(&mut self.d_output);
        let value = loss.gradient(output, target, d_output);
        if !value.is_finite() {
            return Err(TrainError::Loss { found: value.to_f64() });
        }
        self.network.backward(input, &mut self.cache, &mut self.d_output, None, None);

        let rate = scalar::<N>(sgd.learning_rate);
        for i in 0..N::SLICES {
            let gradient = N::gradient_bound(i, input, &self.cache, &self.d_output);
            let Some(gradient) = gradient.filter(|bound| bound.is_finite()) else {
                return Err(TrainError::Gradient { block: N::block(i).name });
            };
            if !(Scalar::max_abs(self.network.slice(i)) + rate * gradient).is_finite() {
                return Err(TrainError::Update { block: N::block(i).name });
            }
        }
        self.network.descend(rate, input, &self.cache, &self.d_output, None);
        self.steps = self.steps.saturating_add(1);
        Ok(value)
    }

    /// The output for `input`, computed in the training cache: prediction without further memory.
    pub fn predict(&mut self, input: &Batch<N::InputSample, 1>) -> &N::OutputSample {
        self.network.forward(input, &mut self.cache, &mut Pass::evaluate());
        let [output] = <N::OutputSample as Sample>::samples::<1>(N::output(&self.cache));
        output
    }
}
