//! Weights through any [`Read`] and [`Write`], in one pass.

use super::header::Header;
use super::record::Record;
use super::{ALIGNMENT, Contents, Stored, WeightsError, check_slices, checkpoint, not_finite, padded};
use crate::layer::{Batch, Layer, Network};
use crate::{Optimizer, Parameters, Tensor, Trainer};
use crc32fast::Hasher;
use std::boxed::Box;
use std::io::{self, BufReader, ErrorKind, Read, Write};
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

/// Reads a network onto the heap, in one pass: beside the network it takes a buffer of some kibibytes. The stream ends
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

/// A stream behind whose header is a payload. Its bytes pass once, into their place, and while they are in a core's own
/// cache into the checksum and through the check for finite numbers. What is wrong with single numbers is told last,
/// since a damaged file is full of them.
struct Source<R> {
    /// What is longer than its buffer goes past it.
    reader: BufReader<R>,
    header: Header,
    record: Option<Record>,
    /// Of the whole stream, as header and record tell.
    length: u64,
    found: u64,
    digest: Hasher,
    fault: Option<WeightsError>,
}

impl<R: Read> Source<R> {
    /// Bytes that a core's own cache holds.
    const CHUNK: usize = 1 << 17;

    /// A stream of at least so many bytes.
    fn open<N: Parameters<Scalar: Stored>>(reader: R, least: usize) -> Result<Self, StreamError> {
        let (mut reader, least, mut found) = (BufReader::new(reader), least as u64, 0);
        let (mut digest, mut record) = (Hasher::new(), None);
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
        Ok(Self { reader, header, record, length, found, digest, fault: None })
    }

    /// The next bytes of the payload.
    fn next(&mut self, bytes: &mut [u8]) -> Result<(), StreamError> {
        fill(&mut self.reader, bytes, &mut self.found, self.length)?;
        self.digest.update(bytes);
        Ok(())
    }

    /// The next numbers; returns the position of the first that is not finite.
    fn numbers<T: Stored>(&mut self, numbers: &mut [T]) -> Result<Option<usize>, StreamError> {
        #[cfg(all(feature = "borrow", target_endian = "little"))]
        {
            let bytes = super::view::bytes_mut(numbers);
            self.next(bytes)?;
            Ok(T::first_not_finite(bytes))
        }
        #[cfg(not(all(feature = "borrow", target_endian = "little")))]
        {
            let (mut bytes, mut position, mut infinite) = ([0; 4096], 0, None);
            for part in numbers.chunks_mut(bytes.len() / T::BYTES) {
                let bytes = bytes.get_mut(..size_of_val(part)).unwrap_or(&mut []);
                self.next(bytes)?;
                infinite = infinite.or(T::first_not_finite(bytes).map(|i| position + i));
                T::decode(bytes, part);
                position += part.len();
            }
            Ok(infinite)
        }
    }

    /// Overwrites a tensor.
    fn tensor<P: Tensor<Scalar: Stored>>(&mut self, tensor: &mut P) -> Result<(), StreamError> {
        check_slices(tensor)?;
        let mut position = 0;
        for i in 0..P::SLICES {
            for part in tensor.slice_mut(i).chunks_mut(Self::CHUNK / P::Scalar::BYTES) {
                let infinite = self.numbers(part)?;
                self.fault = self.fault.or(infinite.map(|infinite| not_finite::<P>(position + infinite)));
                position += part.len();
            }
        }
        let (mut bytes, padding) = ([0; ALIGNMENT], padded::<P::Scalar>(P::LEN) - P::LEN * P::Scalar::BYTES);
        self.next(bytes.get_mut(..padding).unwrap_or(&mut []))?;
        if bytes != [0; ALIGNMENT] {
            self.fault = self.fault.or(Some(WeightsError::Reserved));
        }
        Ok(())
    }

    /// The header, if all is well. What nobody asked for, as a checkpoint's state, goes into the checksum alone.
    fn close(mut self) -> Result<Header, StreamError> {
        let mut bytes = [0; 4096];
        while self.found < self.length {
            let left = usize::try_from(self.length - self.found).unwrap_or(usize::MAX);
            self.next(bytes.get_mut(..left.min(4096)).unwrap_or(&mut []))?;
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
