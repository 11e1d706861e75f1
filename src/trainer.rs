//! [`Trainer`]: everything that training needs, in one value of known size.

use crate::error::TrainError;
use crate::layer::{Batch, Layer, Network, Pass, Sample};
use crate::optimizer::stays_finite;
use crate::{Loss, Metric, Optimizer, Random, Real, Scalar, Shuffle, Tensor, Zeroed, threads};
use core::ops::Range;

/// A network with what it takes to train it in batches of `B` samples: gradient, optimiser state, caches and counters.
///
/// All zeros at first, so that a `static` trainer lies in `.bss` and [`boxed`](Zeroed::boxed) builds one on the heap;
/// [`init`](Trainer::init) brings it to life. Nothing in it allocates. The optimiser's and the loss's hyper-parameters
/// stay outside, and go to every call.
///
/// A step that returns an error has changed nothing: parameters, optimiser state and counters are byte for byte what
/// they were. The same seed and the same calls give the same bytes.
///
/// ```
/// use chainrule::{network, Adam, BinaryCrossEntropy, Dense, Identity, Tanh, Trainer, Zeroed};
///
/// network! {
///     pub struct Xor<T = f32>: 2 => 1 {
///         hidden: Dense<2, 4, Tanh, T>,
///         output: Dense<4, 1, Identity, T>,
///     }
/// }
///
/// let inputs = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
/// let targets = [[0.0], [1.0], [1.0], [0.0]];
/// let adam = Adam::new(0.05)?;
///
/// let mut trainer = Trainer::<Xor, Adam, 4>::ZEROED;
/// trainer.init(1);
/// let mut loss = 1.0;
/// for _ in 0..200 {
///     loss = trainer.epoch(&adam, &BinaryCrossEntropy, &inputs, &targets)?;
/// }
/// assert!(loss < 0.05);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Trainer<N, O, const B: usize>
where
    N: Network + Layer<Batch<N::InputSample, B>>,
    O: Optimizer,
{
    /// The network.
    pub network: N,
    gradient: N::Gradient,
    pub(crate) state: O::State<N::Gradient>,
    cache: N::Cache,
    inputs: Batch<N::InputSample, B>,
    d_outputs: Batch<N::OutputSample, B>,
    pub(crate) seed: u64,
    pub(crate) steps: u64,
    pub(crate) epochs: u64,
}

crate::__impl_zeroed!(
    [N: Network + Layer<Batch<N::InputSample, B>>, O: Optimizer + 'static, const B: usize] Trainer<N, O, B>,
    Trainer {
        network: N::ZEROED,
        gradient: <N::Gradient as Zeroed>::ZEROED,
        state: <O::State<N::Gradient> as Zeroed>::ZEROED,
        cache: <N::Cache as Zeroed>::ZEROED,
        inputs: <Batch<N::InputSample, B> as Zeroed>::ZEROED,
        d_outputs: <Batch<N::OutputSample, B> as Zeroed>::ZEROED,
        seed: 0,
        steps: 0,
        epochs: 0,
    }
);

impl<N, O, const B: usize> Trainer<N, O, B>
where
    N: Network + Layer<Batch<N::InputSample, B>, Output = Batch<N::OutputSample, B>>,
    O: Optimizer + 'static,
{
    /// Draws the initial weights from `seed`, clears the optimiser's state and the counters. Later draws, for shuffles
    /// and masks, depend on the same seed.
    pub fn init(&mut self, seed: u64) {
        self.network.init(&mut Random::new(seed, Random::INITIALIZATION));
        self.gradient.set_zero();
        self.state.set_zero();
        (self.seed, self.steps, self.epochs) = (seed, 0, 0);
    }

    /// What all draws are made from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many steps were made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// How many epochs were made.
    pub fn epochs(&self) -> u64 {
        self.epochs
    }

    /// What the optimiser remembers: Adam's two moments, say.
    pub fn state(&self) -> &O::State<N::Gradient> {
        &self.state
    }

    /// One step on one batch; returns its mean loss. The types see to it that there are as many targets as inputs.
    ///
    /// # Errors
    ///
    /// [`TrainError`], when hyper-parameters, inputs or targets are out of range, or when loss, gradient or new
    /// parameters would not be finite. Nothing has changed then.
    pub fn step<L, Target>(
        &mut self,
        optimizer: &O,
        loss: &L,
        inputs: &[N::InputSample; B],
        targets: &[Target; B],
    ) -> Result<N::Scalar, TrainError>
    where
        L: Loss<N::OutputSample, Target>,
    {
        validate(optimizer, loss)?;
        check_samples(loss, inputs, targets)?;
        let mut pass = Pass::train(self.seed, self.steps);
        let (room, mut step) = self.split();
        let inputs = <N::InputSample as Sample>::batch(inputs, room);
        let sum = step.make(optimizer, loss, inputs, targets.iter(), B, &mut pass)?;
        Ok(sum / scalar::<N>(B as f64))
    }

    /// One step on the mean over any number of samples, which are taken through the network in batches of `B` and
    /// whose gradients are added up; returns the mean loss.
    ///
    /// # Errors
    ///
    /// As [`step`](Trainer::step), and when inputs and targets differ in number or there are none.
    pub fn accumulate<L, Target>(
        &mut self,
        optimizer: &O,
        loss: &L,
        inputs: &[N::InputSample],
        targets: &[Target],
    ) -> Result<N::Scalar, TrainError>
    where
        L: Loss<N::OutputSample, Target>,
    {
        validate(optimizer, loss)?;
        check_samples(loss, inputs, targets)?;
        self.gradient.set_zero();
        // One stream of draws for the whole step, so that no two of its batches drop the same units.
        let mut pass = Pass::train(self.seed, self.steps);
        let mut sum = zero::<N>();
        threads::step(N::OPERATIONS / 2, || {
            for start in (0..inputs.len()).step_by(B) {
                let range = start..inputs.len().min(start + B);
                let targets = targets.get(range.clone()).unwrap_or_default();
                let (batch, mut step) = self.split();
                gather::<N, B>(batch, inputs, &|i| i, range);
                step.network.forward(batch, step.cache, &mut pass);
                sum += step.differentiate(loss, targets.iter(), targets.len(), inputs.len())?;
                step.network.backward(batch, step.cache, step.d_outputs, Some(step.gradient), None);
            }
            self.split().1.apply(optimizer)
        })?;
        Ok(sum / scalar::<N>(inputs.len() as f64))
    }

    /// One pass over all samples in an order drawn from (seed, epoch), one step a batch of `B`; returns the mean loss
    /// over the epoch. The last batch may be smaller: its mean is over the samples that it has.
    ///
    /// # Errors
    ///
    /// As [`step`](Trainer::step). All inputs and targets are checked before the first step; when a later step fails,
    /// the steps before it stand, and the counter of epochs does not move.
    pub fn epoch<L, Target>(
        &mut self,
        optimizer: &O,
        loss: &L,
        inputs: &[N::InputSample],
        targets: &[Target],
    ) -> Result<N::Scalar, TrainError>
    where
        L: Loss<N::OutputSample, Target>,
    {
        validate(optimizer, loss)?;
        check_samples(loss, inputs, targets)?;
        let shuffle = Shuffle::new(inputs.len(), self.seed, self.epochs);
        let mut sum = zero::<N>();
        for start in (0..inputs.len()).step_by(B) {
            let range = start..inputs.len().min(start + B);
            let count = range.len();
            let mut pass = Pass::train(self.seed, self.steps);
            let (batch, mut step) = self.split();
            gather::<N, B>(batch, inputs, &|i| shuffle.index(i), range.clone());
            let targets = range.filter_map(|i| targets.get(shuffle.index(i)));
            sum += step.make(optimizer, loss, batch, targets, count, &mut pass)?;
        }
        self.epochs = self.epochs.saturating_add(1);
        Ok(sum / scalar::<N>(inputs.len() as f64))
    }

    /// The mean loss over all samples as [`predict`](Layer::predict) computes outputs; `metric` observes them all.
    ///
    /// # Errors
    ///
    /// As [`step`](Trainer::step), except that a loss that is not finite is returned as it is.
    pub fn evaluate<L, Target>(
        &mut self,
        loss: &L,
        inputs: &[N::InputSample],
        targets: &[Target],
        metric: &mut impl Metric<N::OutputSample, Target>,
    ) -> Result<N::Scalar, TrainError>
    where
        L: Loss<N::OutputSample, Target>,
    {
        loss.validate()?;
        check_samples(loss, inputs, targets)?;
        let mut sum = zero::<N>();
        self.predict(inputs, |i, output| {
            if let Some(target) = targets.get(i) {
                sum += loss.value(output, target);
                metric.observe(output, target);
            }
        });
        Ok(sum / scalar::<N>(inputs.len() as f64))
    }

    /// Calls `each` with the number and the output of every input, in their order.
    pub fn predict(&mut self, inputs: &[N::InputSample], mut each: impl FnMut(usize, &N::OutputSample)) {
        for start in (0..inputs.len()).step_by(B) {
            let range = start..inputs.len().min(start + B);
            gather::<N, B>(&mut self.inputs, inputs, &|i| i, range.clone());
            self.network.forward(&self.inputs, &mut self.cache, &mut Pass::evaluate());
            let outputs = <N::OutputSample as Sample>::samples::<B>(N::output(&self.cache));
            for (i, output) in range.zip(outputs) {
                each(i, output);
            }
        }
    }

    /// The batch of inputs, and all else that a step needs.
    fn split(&mut self) -> (&mut Batch<N::InputSample, B>, Step<'_, N, O, B>) {
        let Self { network, gradient, state, cache, inputs, d_outputs, steps, .. } = self;
        (inputs, Step { network, gradient, state, cache, d_outputs, steps })
    }
}

/// Whether a gradient in parts gains anything: where there are caches and vectors. Elsewhere it would only be more code.
const PARTS_PAY: bool = cfg!(all(feature = "simd", any(target_arch = "x86_64", target_arch = "aarch64")));

/// Copies the samples at the positions `range` of `order` into the input batch. A smaller batch is filled up with
/// its own first sample, so that every column holds finite numbers of the user's.
fn gather<N: Network, const B: usize>(
    batch: &mut Batch<N::InputSample, B>,
    inputs: &[N::InputSample],
    order: &impl Fn(usize) -> usize,
    range: Range<usize>,
) {
    let columns = <N::InputSample as Sample>::samples_mut::<B>(batch);
    for (b, column) in columns.iter_mut().enumerate() {
        let position = if b < range.len() { range.start + b } else { range.start };
        if let Some(input) = inputs.get(order(position)) {
            column.copy_from(input);
        }
    }
}

/// What a step works on, beside the inputs.
struct Step<'a, N, O, const B: usize>
where
    N: Network + Layer<Batch<N::InputSample, B>>,
    O: Optimizer,
{
    network: &'a mut N,
    gradient: &'a mut N::Gradient,
    state: &'a mut O::State<N::Gradient>,
    cache: &'a mut N::Cache,
    d_outputs: &'a mut Batch<N::OutputSample, B>,
    steps: &'a mut u64,
}

impl<N, O, const B: usize> Step<'_, N, O, B>
where
    N: Network + Layer<Batch<N::InputSample, B>, Output = Batch<N::OutputSample, B>>,
    O: Optimizer,
{
    /// A step against the gradient of (1 / `count`) Σ loss; returns Σ loss.
    fn make<'t, L, Target: 't>(
        &mut self,
        optimizer: &O,
        loss: &L,
        inputs: &Batch<N::InputSample, B>,
        targets: impl Iterator<Item = &'t Target> + Clone,
        count: usize,
        pass: &mut Pass,
    ) -> Result<N::Scalar, TrainError>
    where
        L: Loss<N::OutputSample, Target>,
    {
        threads::step(N::OPERATIONS / 2, || {
            self.network.forward(inputs, self.cache, pass);
            let sum = self.differentiate(loss, targets.clone(), count, count)?;
            if PARTS_PAY && O::TAKES_PARTS {
                if self.descend_in_parts(optimizer, inputs) {
                    return Ok(sum);
                }
                // A bound may lie above all of the gradient: that itself decides, and tells what is wrong.
                self.differentiate(loss, targets, count, count)?;
            }
            self.descend_by_all(optimizer, inputs)?;
            Ok(sum)
        })
    }

    /// Moves the parameters by the whole gradient.
    #[inline(never)]
    fn descend_by_all(&mut self, optimizer: &O, inputs: &Batch<N::InputSample, B>) -> Result<(), TrainError> {
        self.gradient.set_zero();
        self.network.backward(inputs, self.cache, self.d_outputs, Some(self.gradient), None);
        self.apply(optimizer)
    }

    /// Overwrites `d_outputs` with the gradient of (1 / `count`) Σ loss, over the first so many samples, with respect to the
    /// outputs in the cache; returns Σ loss.
    fn differentiate<'t, L, Target: 't>(
        &mut self,
        loss: &L,
        targets: impl Iterator<Item = &'t Target>,
        samples: usize,
        count: usize,
    ) -> Result<N::Scalar, TrainError>
    where
        L: Loss<N::OutputSample, Target>,
    {
        // eq:batch-mean: the factor 1/n enters here and nowhere else.
        let share = num_traits::one::<N::Scalar>() / scalar::<N>(count as f64);
        let outputs = <N::OutputSample as Sample>::samples::<B>(N::output(self.cache));
        let d_outputs = <N::OutputSample as Sample>::samples_mut::<B>(self.d_outputs);
        let sum = loss.gradients(outputs, targets, d_outputs);
        // Columns beyond the last sample contribute nothing.
        for d_output in d_outputs.iter_mut().skip(samples) {
            d_output.as_mut().fill(zero::<N>());
        }
        self.d_outputs.scale(share);
        if sum.is_finite() { Ok(sum) } else { Err(TrainError::Loss { found: sum.to_f64() }) }
    }

    /// Moves the parameters part by part, while the gradient of a part is near; false, and nothing has changed, where it cannot
    /// be told beforehand that everything stays finite.
    fn descend_in_parts(&mut self, optimizer: &O, inputs: &Batch<N::InputSample, B>) -> bool {
        let Self { network, gradient, state, cache, d_outputs, steps } = self;
        network.backward_for_parts(inputs, cache, d_outputs, gradient, None);
        let next = steps.saturating_add(1);
        let step = optimizer.begin(next);
        let largest = |i| {
            let bound = N::gradient_bound(i, inputs, cache, d_outputs);
            bound.unwrap_or_else(|| Scalar::max_abs(gradient.slice(i)))
        };
        if stays_finite(optimizer, step, *network, state, largest).is_err() {
            return false;
        }
        if let Some(rate) = optimizer.descends(step) {
            network.descend(scalar::<N>(rate), inputs, cache, d_outputs, Some(gradient));
        } else {
            N::gradient_parts(
                inputs,
                cache,
                d_outputs,
                gradient,
                #[inline(always)]
                |part, g: &[N::Scalar]| optimizer.update(step, part, *network, g, state),
            );
        }
        **steps = next;
        true
    }

    /// Moves the parameters against the gradient, if that leaves everything finite.
    fn apply(&mut self, optimizer: &O) -> Result<(), TrainError> {
        if !O::TAKES_PARTS {
            self.check_gradient()?;
            optimizer.prepare(self.gradient);
        }
        let step = self.steps.saturating_add(1);
        if let Err(overflow) = optimizer.step(step, self.network, self.gradient, self.state) {
            self.check_gradient()?;
            return Err(TrainError::Update { block: overflow.block });
        }
        *self.steps = step;
        Ok(())
    }

    fn check_gradient(&self) -> Result<(), TrainError> {
        for i in 0..N::SLICES {
            if !N::Scalar::max_abs(self.gradient.slice(i)).is_finite() {
                return Err(TrainError::Gradient { block: N::block(i).name });
            }
        }
        Ok(())
    }
}

fn zero<N: Tensor>() -> N::Scalar {
    num_traits::zero()
}

pub(crate) fn scalar<N: Tensor>(value: f64) -> N::Scalar {
    N::Scalar::from_f64(value)
}

fn validate<Y: Sample, Target>(optimizer: &impl Optimizer, loss: &impl Loss<Y, Target>) -> Result<(), TrainError> {
    optimizer.validate()?;
    loss.validate()?;
    Ok(())
}

/// Checks as many inputs as targets.
pub(crate) fn check_samples<X: Sample, Y: Sample, Target>(
    loss: &impl Loss<Y, Target>,
    inputs: &[X],
    targets: &[Target],
) -> Result<(), TrainError> {
    if inputs.len() != targets.len() {
        return Err(TrainError::Lengths { inputs: inputs.len(), targets: targets.len() });
    }
    if inputs.is_empty() {
        return Err(TrainError::NoSamples);
    }
    let finite = X::Scalar::max_abs(X::elements(inputs)).is_finite();
    for (sample, (input, target)) in inputs.iter().zip(targets).enumerate() {
        if !finite {
            check_input(sample, input)?;
        }
        loss.check(target).map_err(|error| TrainError::Target { sample, error })?;
    }
    Ok(())
}

/// Looks for an element that is not finite.
#[cold]
fn check_input<X: Sample>(sample: usize, input: &X) -> Result<(), TrainError> {
    match input.as_ref().iter().enumerate().find(|(_, x)| !x.is_finite()) {
        Some((element, found)) => Err(TrainError::Input { sample, element, found: found.to_f64() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Adam, Dense, Identity, MeanSquaredError};
    extern crate std;

    use std::boxed::Box;

    /// The counters saturate: a step after the last one that can be counted is a step.
    #[test]
    fn counters_saturate() -> Result<(), Box<dyn std::error::Error>> {
        let mut trainer = Trainer::<Dense<1, 1, Identity>, Adam, 1>::ZEROED;
        (trainer.steps, trainer.epochs) = (u64::MAX - 1, u64::MAX - 1);
        let adam = Adam::new(0.25)?;
        for _ in 0..3 {
            let before = trainer.network.bias[0];
            trainer.epoch(&adam, &MeanSquaredError, &[[1.0]], &[[9.0]])?;
            assert!(trainer.network.bias[0] > before);
        }
        assert_eq!((trainer.steps(), trainer.epochs()), (u64::MAX, u64::MAX));
        Ok(())
    }
}
