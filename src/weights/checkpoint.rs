use super::header::Header;
use super::record::Record;
use super::{
    Contents, Stored, WeightsError, check_finite, check_slices, checksum, decode, encode, header_of, padded,
    verify_checksum, verify_payload,
};
use crate::layer::{Batch, Layer, Network};
use crate::{Optimizer, Parameters, Tensor, Trainer};

/// A training run that stands still.
pub(super) struct Run<N, S> {
    pub network: N,
    pub state: S,
    /// Steps, epochs and seed.
    pub counters: [u64; 3],
    pub lowest_loss: f64,
}

/// The bytes of a checkpoint of `N` with the state `S`.
pub(super) const fn length<N: Parameters<Scalar: Stored>, S: Tensor<Scalar = N::Scalar>>() -> usize {
    Header::BYTES + Record::BYTES + padded::<N::Scalar>(N::LEN) + padded::<N::Scalar>(S::LEN)
}

pub(super) fn write<N: Parameters<Scalar: Stored>, S: Tensor<Scalar = N::Scalar>>(
    run: &Run<&N, &S>,
    optimizer: &impl Optimizer,
    bytes: &mut [u8],
) -> Result<(), WeightsError> {
    let length = WeightsError::Length { expected: length::<N, S>() as u64, found: bytes.len() as u64 };
    if bytes.len() != self::length::<N, S>() {
        return Err(length);
    }
    let record = Record::of::<_, S>(optimizer, run.lowest_loss)?;
    check_finite(run.network)?;
    check_finite(run.state)?;
    let (header, body) = bytes.split_first_chunk_mut().ok_or(length)?;
    let (place, payload) = body.split_first_chunk_mut().ok_or(length)?;
    *place = record.to_bytes();
    let (weights, state) = payload.split_at_mut_checked(padded::<N::Scalar>(N::LEN)).ok_or(length)?;
    encode(run.network, weights)?;
    encode(run.state, state)?;
    let (contents, counters) = (Contents::Checkpoint, run.counters);
    *header = Header { contents, counters, ..header_of::<N>(checksum(body)) }.to_bytes();
    Ok(())
}

/// Overwrites network and state once everything is verified; returns counters and the lowest loss.
pub(super) fn read<N: Parameters<Scalar: Stored>, S: Tensor<Scalar = N::Scalar>>(
    network: &mut N,
    state: &mut S,
    optimizer: &impl Optimizer,
    bytes: &[u8],
) -> Result<([u64; 3], f64), WeightsError> {
    let length = WeightsError::Length { expected: length::<N, S>() as u64, found: bytes.len() as u64 };
    let (header, body) = bytes.split_first_chunk().ok_or(length)?;
    let header = Header::parse(header)?;
    header.check::<N>()?;
    header.check_contents(Contents::Checkpoint)?;
    let (record, payload) = body.split_first_chunk().ok_or(length)?;
    let record = Record::parse(record)?;
    record.check::<_, S>(optimizer)?;
    if bytes.len() != self::length::<N, S>() {
        return Err(length);
    }
    let (weights, moments) = payload.split_at_checked(padded::<N::Scalar>(N::LEN)).ok_or(length)?;
    verify_checksum(&header, body)?;
    verify_payload::<N>(weights)?;
    verify_payload::<S>(moments)?;
    check_slices(network)?;
    check_slices(state)?;
    decode(network, weights)?;
    decode(state, moments)?;
    Ok((header.counters, record.lowest_loss))
}

/// Checkpoints: a run that is read from one continues to the very bits of one that was never interrupted, if the calls
/// that follow are the same.
///
/// A checkpoint holds the network, what the optimiser remembers, the counters and the seed, from which all later orders
/// and masks are drawn; and it tells the optimiser by name and hyper-parameters. [`weights::read`](crate::weights::read)
/// takes the network alone out of it.
impl<N, O, const B: usize> Trainer<N, O, B>
where
    N: Network<Scalar: Stored> + Layer<Batch<N::InputSample, B>, Output = Batch<N::OutputSample, B>>,
    O: Optimizer + 'static,
{
    /// The bytes of a checkpoint.
    pub const CHECKPOINT_LENGTH: usize = length::<N, O::State<N::Gradient>>();

    /// Writes a checkpoint into `bytes`, of which there are [`CHECKPOINT_LENGTH`](Trainer::CHECKPOINT_LENGTH).
    ///
    /// ```
    /// use chainrule::{Adam, Dense, MeanSquaredError, Trainer, Zeroed};
    ///
    /// type Run = Trainer<Dense<1, 1>, Adam, 2>;
    /// let (adam, inputs, targets) = (Adam::new(0.1)?, [[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0]]);
    /// let mut trainer = Run::ZEROED;
    /// trainer.init(1);
    /// trainer.epoch(&adam, &MeanSquaredError, &inputs, &targets)?;
    /// let mut checkpoint = [0; Run::CHECKPOINT_LENGTH];
    /// trainer.write_checkpoint(&adam, &mut checkpoint)?;
    /// trainer.epoch(&adam, &MeanSquaredError, &inputs, &targets)?;
    ///
    /// let mut resumed = Run::ZEROED;
    /// resumed.read_checkpoint(&adam, &checkpoint)?;
    /// resumed.epoch(&adam, &MeanSquaredError, &inputs, &targets)?;
    /// assert_eq!(resumed.network, trainer.network);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`WeightsError`], when `bytes` has another length, or a number is NaN or infinite. Nothing is written then.
    pub fn write_checkpoint(&self, optimizer: &O, bytes: &mut [u8]) -> Result<(), WeightsError> {
        write(&self.run(f64::INFINITY), optimizer, bytes)
    }

    /// Takes the place of the trainer that wrote the checkpoint, once all of it is verified.
    ///
    /// The hyper-parameters must be those that it was written with. To go on with others, read with the old ones first.
    ///
    /// # Errors
    ///
    /// [`WeightsError`] says what was expected and what was found; the trainer is byte for byte as before.
    pub fn read_checkpoint(&mut self, optimizer: &O, bytes: &[u8]) -> Result<(), WeightsError> {
        let (counters, _) = read(&mut self.network, &mut self.state, optimizer, bytes)?;
        [self.steps, self.epochs, self.seed] = counters;
        Ok(())
    }

    pub(super) fn run(&self, lowest_loss: f64) -> Run<&N, &O::State<N::Gradient>> {
        let counters = [self.steps, self.epochs, self.seed];
        Run { network: &self.network, state: &self.state, counters, lowest_loss }
    }
}
