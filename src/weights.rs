//! Weights as bytes: a network leaves the process as a file or an image in flash, and is never loaded wrongly.
//!
//! A weights file is a header of 64 bytes and the scalars of the network, little-endian, in the order of its
//! [slices](crate::Tensor::slice). The header names the scalar and the architecture, and holds a checksum; its length
//! is a constant of the network. `docs/format.md` in the repository specifies every byte.
//!
//! ```
//! use chainrule::{network, weights, Dense, Identity, Parameters, Tanh, Zeroed};
//!
//! network! {
//!     pub struct Xor<T = f32>: 2 => 1 {
//!         hidden: Dense<2, 4, Tanh, T>,
//!         output: Dense<4, 1, Identity, T>,
//!     }
//! }
//!
//! let trained = <Xor>::new(1);
//! let mut bytes = [0; weights::length::<Xor>()]; // into flash, say
//! weights::write(&trained, &mut bytes)?;
//!
//! let mut network = <Xor>::ZEROED;
//! weights::read(&mut network, &bytes)?;
//! assert_eq!(network, trained);
//!
//! bytes[100] ^= 1;
//! let error = weights::read(&mut network, &bytes).unwrap_err();
//! assert!(matches!(error, weights::WeightsError::Checksum { .. }), "{error}");
//! assert_eq!(network, trained); // nothing has changed
//! # Ok::<(), chainrule::weights::WeightsError>(())
//! ```
//!
//! What is read is verified as a whole before a byte of the network changes: length, header, architecture, checksum,
//! and that every number is finite. Nothing here allocates, and no length from a file is trusted.
//!
//! - [`write`](fn@write) and [`read`] work on slices, on any machine.
//! - [`write_source`] makes Rust source of them, for programs without this crate.
//! - `write_to`, `read_boxed` and `read_from` (feature `std`) go through any `Write` and `Read`.
//! - `save` and `load` (feature `files`) keep files whole: a power cut leaves the old one or the new. `Checkpoints` keeps the
//!   last and the best of a training run.
//! - `safetensors` (feature of this name) exchanges weights with PyTorch.
//! - [`Trainer::write_checkpoint`](crate::Trainer::write_checkpoint) saves a training run, to be resumed to the bit.
//! - [`view`] (feature `borrow`) sees bytes in memory as a network, without a copy: flash, `include_bytes!`, a mapped file.
//! - `flash` (feature `flash`) saves to flash, so that a power cut leaves the old weights or the new.

mod checkpoint;
mod error;
#[cfg(feature = "files")]
mod files;
#[cfg(feature = "flash")]
pub mod flash;
mod header;
mod record;
#[cfg(feature = "safetensors")]
pub mod safetensors;
mod source;
mod stored;
#[cfg(feature = "std")]
mod stream;
#[cfg(feature = "borrow")]
#[allow(unsafe_code, reason = "bytes seen as a network")]
mod view;

pub use error::{Architecture, WeightsError};
#[cfg(feature = "files")]
pub use files::{Checkpoints, FileError, load, save};
pub use source::write_source;
pub use stored::{Contents, Number, Stored};
#[cfg(feature = "std")]
pub use stream::{StreamError, read_boxed, read_from, write_to};
#[cfg(feature = "borrow")]
pub use view::{Aligned, Plain, view};

use crate::{Parameters, Tensor};
use header::Header;
use record::Record;

/// The payload begins, and ends, at a multiple of so many bytes, as networks do that are aligned to cache lines.
const ALIGNMENT: usize = Header::BYTES;

/// The bytes of `count` scalars, filled up with zeros.
const fn padded<T: Stored>(count: usize) -> usize {
    (count * T::BYTES).next_multiple_of(ALIGNMENT)
}

/// The bytes of a weights file of `N`, header and all: a constant, for buffers and flash pages.
///
/// ```
/// use chainrule::{weights, Dense};
/// const BYTES: usize = weights::length::<Dense<64, 32>>();
/// assert_eq!(BYTES, 64 + 4 * (64 * 32 + 32));
/// ```
#[must_use]
pub const fn length<N: Parameters<Scalar: Stored>>() -> usize {
    Header::BYTES + padded::<N::Scalar>(N::LEN)
}

/// Writes the weights of `network` into `bytes`, of which there are [`length`].
///
/// # Errors
///
/// [`WeightsError`], when `bytes` has another length or a weight is NaN or infinite. Nothing is written then.
pub fn write<N: Parameters<Scalar: Stored>>(network: &N, bytes: &mut [u8]) -> Result<(), WeightsError> {
    let length = WeightsError::Length { expected: length::<N>() as u64, found: bytes.len() as u64 };
    if bytes.len() != self::length::<N>() {
        return Err(length);
    }
    check_finite(network)?;
    let (header, payload) = bytes.split_first_chunk_mut().ok_or(length)?;
    encode(network, payload)?;
    *header = header_of::<N>(checksum(payload)).to_bytes();
    Ok(())
}

/// Overwrites `network` with the weights in `bytes`, a weights file or a checkpoint, once all of them are verified.
///
/// # Errors
///
/// [`WeightsError`] says what was expected and what was found; the network is byte for byte as before.
pub fn read<N: Parameters<Scalar: Stored>>(network: &mut N, bytes: &[u8]) -> Result<(), WeightsError> {
    let payload = verify::<N>(bytes)?;
    check_slices(network)?;
    decode(network, payload)
}

/// The header of a file of `N`.
fn header_of<N: Parameters<Scalar: Stored>>(checksum: u32) -> Header {
    let (contents, number) = (Contents::Network, N::Scalar::NUMBER);
    Header { contents, number, architecture: Architecture::of::<N>(), counters: [0; 3], checksum }
}

/// The payload of a file for `N`, if every byte of the file is as it must be; of a checkpoint, the part of the network.
fn verify<N: Parameters<Scalar: Stored>>(bytes: &[u8]) -> Result<&[u8], WeightsError> {
    let error = |expected| WeightsError::Length { expected, found: bytes.len() as u64 };
    let mut expected = length::<N>() as u64;
    let (header, body) = bytes.split_first_chunk().ok_or(error(expected))?;
    let header = Header::parse(header)?;
    header.check::<N>()?;
    let mut payload = body;
    if header.contents == Contents::Checkpoint {
        expected = expected.saturating_add(Record::BYTES as u64);
        let (record, rest) = body.split_first_chunk().ok_or(error(expected))?;
        expected = expected.saturating_add(Record::parse(record)?.state_bytes::<N::Scalar>());
        payload = rest;
    }
    if bytes.len() as u64 != expected {
        return Err(error(expected));
    }
    verify_checksum(&header, body)?;
    let network = payload.get(..padded::<N::Scalar>(N::LEN)).ok_or(error(expected))?;
    verify_payload::<N>(network)?;
    Ok(network)
}

/// What is behind the header is what was written there.
fn verify_checksum(header: &Header, body: &[u8]) -> Result<(), WeightsError> {
    let (expected, found) = (header.checksum, checksum(body));
    if found == expected { Ok(()) } else { Err(WeightsError::Checksum { expected, found }) }
}

/// Every scalar is finite, and what fills up the end is zero.
fn verify_payload<P: Tensor<Scalar: Stored>>(payload: &[u8]) -> Result<(), WeightsError> {
    let (scalars, padding) = payload.split_at_checked(P::LEN * P::Scalar::BYTES).unwrap_or((payload, &[]));
    if padding.iter().any(|byte| *byte != 0) {
        return Err(WeightsError::Reserved);
    }
    match P::Scalar::first_not_finite(scalars) {
        None => Ok(()),
        Some(position) => Err(not_finite::<P>(position)),
    }
}

/// Scalar number `position` of a tensor is not finite.
#[cold]
fn not_finite<P: Tensor>(mut position: usize) -> WeightsError {
    for i in 0..P::SLICES {
        let block = P::block(i);
        let length = block.rows * block.columns;
        if position < length {
            return WeightsError::NotFinite { block: block.name, element: position };
        }
        position -= length;
    }
    WeightsError::Slices
}

fn check_finite<P: Tensor>(tensor: &P) -> Result<(), WeightsError> {
    for i in 0..P::SLICES {
        let finite = |x: &P::Scalar| crate::Scalar::is_finite(*x);
        if let Some(element) = tensor.slice(i).iter().position(|x| !finite(x)) {
            return Err(WeightsError::NotFinite { block: P::block(i).name, element });
        }
    }
    Ok(())
}

/// The scalars of all slices, and zeros to the end.
fn encode<P: Tensor<Scalar: Stored>>(tensor: &P, mut payload: &mut [u8]) -> Result<(), WeightsError> {
    for i in 0..P::SLICES {
        let slice = tensor.slice(i);
        let (part, rest) = payload.split_at_mut_checked(size_of_val(slice)).ok_or(WeightsError::Slices)?;
        P::Scalar::encode(slice, part);
        payload = rest;
    }
    payload.fill(0);
    Ok(())
}

/// A tensor whose slices do not add up to its `LEN` is found out before it changes.
fn check_slices<P: Tensor>(tensor: &P) -> Result<(), WeightsError> {
    let length: usize = (0..P::SLICES).map(|i| tensor.slice(i).len()).sum();
    if length == P::LEN { Ok(()) } else { Err(WeightsError::Slices) }
}

/// The way back of [`encode`].
fn decode<P: Tensor<Scalar: Stored>>(tensor: &mut P, mut payload: &[u8]) -> Result<(), WeightsError> {
    for i in 0..P::SLICES {
        let slice = tensor.slice_mut(i);
        let (part, rest) = payload.split_at_checked(size_of_val(slice)).ok_or(WeightsError::Slices)?;
        P::Scalar::decode(part, slice);
        payload = rest;
    }
    Ok(())
}

/// CRC-32: with `std` through vector instructions, without it bit by bit, since a table is a kilobyte.
fn checksum(bytes: &[u8]) -> u32 {
    #[cfg(feature = "std")]
    return crc32fast::hash(bytes);
    #[cfg(not(feature = "std"))]
    return crate::fingerprint::CRC.checksum(bytes);
}
