//! Weights through any [`Read`] and [`Write`], in one pass.

use super::header::Header;
use super::record::Record;
use super::{Contents, Stored, WeightsError, check_slices, checkpoint, not_finite, padded};
use crate::layer::{Batch, Layer, Network};
use crate::{Optimizer, Parameters, Tensor, Trainer};
use crc32fast::Hasher;
use std::boxed::Box;
use std::io::{self, ErrorKind, Read, Write};
use std::{fmt, vec};

/// Why weights did not come through a stream. What they were to be read into is as before.
#[derive(Debug)]
#[non_exhaustive]
pub enum StreamError {
    /// The stream failed.
    Io(io::Error),
    /// What came through it is not what was expected.
    Weights(WeightsError),
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Weights(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for StreamError {}

impl From<io::Error> for StreamError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<WeightsError> for StreamError {
    fn from(error: WeightsError) -> Self {
        Self::Weights(error)
    }
}

/// Writes the weights of `network`, [`length`](super::length) bytes.
///
/// # Errors
///
/// [`StreamError`], when a weight is NaN or infinite, and then nothing is written, or when the stream fails.
pub fn write_to<N: Parameters<Scalar: Stored>>(network: &N, writer: impl Write) -> Result<(), StreamError> {
    let mut bytes = vec![0; super::length::<N>()];
    super::write(network, &mut bytes)?;
    finish(&bytes, writer)
}

fn finish(bytes: &[u8], mut writer: impl Write) -> Result<(), StreamError> {
    writer.write_all(bytes)?;
    Ok(writer.flush()?)
}

/// Reads a network onto the heap, in one pass: beside the network it takes a quarter of a mebibyte. The stream ends
/// where the weights file or the checkpoint does.
///
/// ```
/// use chainrule::{weights, Dense, Parameters};
/// let mut bytes = Vec::new();
/// weights::write_to(&Dense::<2, 1>::new(1), &mut bytes)?;
/// assert_eq!(*weights::read_boxed::<Dense<2, 1>>(&bytes[..])?, Dense::new(1));
/// # Ok::<(), weights::StreamError>(())
/// ```
///
/// # Errors
///
/// [`StreamError`], when the stream fails, ends too early or goes on, or when anything in it is not as it must be.
pub fn read_boxed<N: Parameters<Scalar: Stored>>(reader: impl Read) -> Result<Box<N>, StreamError> {
    let mut source = Source::open::<N>(reader, super::length::<N>())?;
    let mut network = N::boxed();
    source.tensor(&mut *network)?;
    source.close()?;
    Ok(network)
}

/// Overwrites `network` with the weights in a stream, once all of them are verified; until then they are on the heap.
///
/// # Errors
///
/// As [`read_boxed`]; the network is byte for byte as before.
pub fn read_from<N: Parameters<Scalar: Stored>>(network: &mut N, reader: impl Read) -> Result<(), StreamError> {
    network.copy_from(&*read_boxed(reader)?);
    Ok(())
}

impl<N, O, const B: usize> Trainer<N, O, B>
where
    N: Network<Scalar: Stored> + Layer<Batch<N::InputSample, B>, Output = Batch<N::OutputSample, B>>,
    O: Optimizer + 'static,
{
    /// Writes a checkpoint, [`CHECKPOINT_LENGTH`](Trainer::CHECKPOINT_LENGTH) bytes.
    ///
    /// # Errors
    ///
    /// As [`write_checkpoint`](Trainer::write_checkpoint), or when the stream fails.
    pub fn write_checkpoint_to(&self, optimizer: &O, writer: impl Write) -> Result<(), StreamError> {
        self.write_run(optimizer, f64::INFINITY, writer)
    }

    /// Takes the place of the trainer that wrote the checkpoint, once all of it is verified.
    ///
    /// # Errors
    ///
    /// As [`read_checkpoint`](Trainer::read_checkpoint), or when the stream fails; the trainer is byte for byte as before.
    pub fn read_checkpoint_from(&mut self, optimizer: &O, reader: impl Read) -> Result<(), StreamError> {
        self.read_run(optimizer, reader)?;
        Ok(())
    }

    pub(super) fn write_run(&self, optimizer: &O, lowest_loss: f64, writer: impl Write) -> Result<(), StreamError> {
        let mut bytes = vec![0; Self::CHECKPOINT_LENGTH];
        checkpoint::write(&self.run(lowest_loss), optimizer, &mut bytes)?;
        finish(&bytes, writer)
    }

    /// Reads a checkpoint; returns the lowest loss that was observed when it was written.
    pub(super) fn read_run(&mut self, optimizer: &O, reader: impl Read) -> Result<f64, StreamError> {
        let mut source = Source::open::<N>(reader, Self::CHECKPOINT_LENGTH)?;
        source.header.check_contents(Contents::Checkpoint)?;
        let Some(record) = source.record else { return Err(WeightsError::Reserved.into()) };
        record.check::<_, O::State<N::Gradient>>(optimizer)?;
        let mut network = N::boxed();
        let mut state = <O::State<N::Gradient> as crate::Zeroed>::boxed();
        source.tensor(&mut *network)?;
        source.tensor(&mut *state)?;
        [self.steps, self.epochs, self.seed] = source.close()?.counters;
        self.network.copy_from(&network);
        self.state.copy_from(&state);
        Ok(record.lowest_loss)
    }
}

/// A stream behind whose header is a payload. Its bytes pass once: into the checksum, through the check for finite
/// numbers, into their place. What is wrong with single numbers is told last, since a damaged file is full of them.
struct Source<R> {
    reader: R,
    header: Header,
    record: Option<Record>,
    /// Of the whole stream, as header and record tell.
    length: u64,
    found: u64,
    digest: Hasher,
    fault: Option<WeightsError>,
    buffer: Box<[u8]>,
    /// What of the buffer has not been handed out.
    rest: core::ops::Range<usize>,
}

impl<R: Read> Source<R> {
    /// Small enough for a core's own cache, where the bytes then are for all three uses.
    const CHUNK: usize = 1 << 18;

    /// A stream of at least so many bytes.
    fn open<N: Parameters<Scalar: Stored>>(mut reader: R, least: usize) -> Result<Self, StreamError> {
        let (least, mut found, mut digest, mut record) = (least as u64, 0, Hasher::new(), None);
        let mut bytes = [0; Header::BYTES];
        fill(&mut reader, &mut bytes, &mut found, least)?;
        let header = Header::parse(&bytes)?;
        header.check::<N>()?;
        let mut length = super::length::<N>() as u64;
        if header.contents == Contents::Checkpoint {
            length = length.saturating_add(Record::BYTES as u64);
            let mut bytes = [0; Record::BYTES];
            fill(&mut reader, &mut bytes, &mut found, least.max(length))?;
            digest.update(&bytes);
            let parsed = Record::parse(&bytes)?;
            length = length.saturating_add(parsed.state_bytes::<N::Scalar>());
            record = Some(parsed);
        }
        let buffer = vec![0; Self::CHUNK].into_boxed_slice();
        Ok(Self { reader, header, record, length, found, digest, fault: None, buffer, rest: 0..0 })
    }

    /// The next bytes, at least one and at most `most`, where there must be more. Between two fillings of the buffer are
    /// whole numbers, since its length is a multiple of all of theirs.
    fn next(&mut self, most: usize) -> Result<&[u8], StreamError> {
        if self.rest.is_empty() {
            let left = usize::try_from(self.length - self.found).unwrap_or(usize::MAX);
            let bytes = self.buffer.get_mut(..left.min(Self::CHUNK)).unwrap_or(&mut []);
            fill(&mut self.reader, bytes, &mut self.found, self.length)?;
            self.digest.update(bytes);
            self.rest = 0..bytes.len();
        }
        let start = self.rest.start;
        self.rest.start += self.rest.len().min(most);
        Ok(self.buffer.get(start..self.rest.start).unwrap_or(&[]))
    }

    /// Overwrites a tensor.
    fn tensor<P: Tensor<Scalar: Stored>>(&mut self, tensor: &mut P) -> Result<(), StreamError> {
        check_slices(tensor)?;
        let (mut position, mut fault) = (0, None);
        for i in 0..P::SLICES {
            let mut slice = tensor.slice_mut(i);
            while !slice.is_empty() {
                let bytes = self.next(size_of_val(slice))?;
                let count = bytes.len() / P::Scalar::BYTES;
                let (part, rest) = slice.split_at_mut_checked(count).ok_or(WeightsError::Slices)?;
                if let (None, Some(infinite)) = (fault, P::Scalar::first_not_finite(bytes)) {
                    fault = Some(not_finite::<P>(position + infinite));
                }
                P::Scalar::decode(bytes, part);
                (position, slice) = (position + count, rest);
            }
        }
        let mut padding = padded::<P::Scalar>(P::LEN) - P::LEN * P::Scalar::BYTES;
        while padding > 0 {
            let bytes = self.next(padding)?;
            padding -= bytes.len();
            if bytes.iter().any(|byte| *byte != 0) {
                fault = Some(WeightsError::Reserved);
            }
        }
        self.fault = self.fault.or(fault);
        Ok(())
    }

    /// The header, if all is well. What nobody asked for, as a checkpoint's state, goes into the checksum alone.
    fn close(mut self) -> Result<Header, StreamError> {
        while self.found < self.length || !self.rest.is_empty() {
            self.next(Self::CHUNK)?;
        }
        let (length, mut more) = (self.length, self.length);
        match fill(&mut self.reader, &mut [0], &mut more, length) {
            Err(StreamError::Weights(WeightsError::Length { .. })) => {}
            Err(error) => return Err(error),
            Ok(()) => return Err(WeightsError::Length { expected: length, found: more }.into()),
        }
        let (expected, found) = (self.header.checksum, self.digest.finalize());
        if found != expected {
            return Err(WeightsError::Checksum { expected, found }.into());
        }
        self.fault.map_or(Ok(self.header), |fault| Err(fault.into()))
    }
}

/// Fills `bytes`, which must be there, and counts them.
fn fill(reader: &mut impl Read, mut bytes: &mut [u8], found: &mut u64, expected: u64) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        match reader.read(bytes) {
            Ok(0) => return Err(WeightsError::Length { expected, found: *found }.into()),
            Ok(count) => {
                *found += count as u64;
                bytes = bytes.get_mut(count..).unwrap_or(&mut []);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
