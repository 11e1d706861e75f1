//! Weights in the flash of a device: two slots, of which a save overwrites the older, so that a power cut at any moment
//! leaves the old weights or the new ones.
//!
//! The driver is that of your hardware, through the traits of [embedded-storage](embedded_storage::nor_flash). A region
//! of flash is given to one network; each half of it is a slot, which holds the weights file, then its sequence number.
//!
//! | | |
//! |---|---|
//! | [`save`] | writes the older slot, through a buffer of 64 bytes, and reads it back |
//! | [`load`] | copies the newer slot into a network |
//! | [`view`] | sees the newer slot as a network, in place, where flash lies in memory |
//!
//! ```
//! use chainrule::{Dense, Parameters, Zeroed, weights::flash};
//! # use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
//! # struct Ram([u8; 4096]);
//! # impl ErrorType for Ram { type Error = NorFlashErrorKind; }
//! # impl ReadNorFlash for Ram {
//! #     const READ_SIZE: usize = 1;
//! #     fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
//! #         bytes.copy_from_slice(&self.0[offset as usize..][..bytes.len()]);
//! #         Ok(())
//! #     }
//! #     fn capacity(&self) -> usize { 4096 }
//! # }
//! # impl NorFlash for Ram {
//! #     const WRITE_SIZE: usize = 4;
//! #     const ERASE_SIZE: usize = 1024;
//! #     fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
//! #         self.0[from as usize..to as usize].fill(0xff);
//! #         Ok(())
//! #     }
//! #     fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
//! #         self.0[offset as usize..][..bytes.len()].copy_from_slice(bytes);
//! #         Ok(())
//! #     }
//! # }
//! # let mut driver = Ram([0xff; 4096]);
//! const REGION: core::ops::Range<u32> = 0x800..0x1000; // two pages
//! assert!(REGION.len() >= 2 * flash::slot_length::<Dense<2, 1>>());
//!
//! let trained = Dense::<2, 1>::new(1);
//! flash::save(&trained, &mut driver, REGION)?;
//!
//! let mut network = Dense::<2, 1>::ZEROED;
//! flash::load(&mut network, &mut driver, REGION)?;
//! assert_eq!(network, trained);
//! # Ok::<(), flash::FlashError<NorFlashErrorKind>>(())
//! ```

use super::header::Header;
use super::{Contents, Plain, Stored, WeightsError, check_finite, check_slices, header_of, padded};
use crate::fingerprint::CRC;
use crate::{Parameters, Tensor};
use core::fmt;
use core::ops::Range;
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};

/// What is read or written at once: a header, a part of the payload, or a [`seal`].
type Chunk = [u8; CHUNK];
const CHUNK: usize = Header::BYTES;

/// The bytes of a slot for `N`: those of the weights file and 64 more. A region is two of them, each filled up to whole
/// pages.
#[must_use]
pub const fn slot_length<N: Parameters<Scalar: Stored>>() -> usize {
    super::length::<N>() + CHUNK
}

/// Why weights were not saved or loaded. What the slots held before is still there.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FlashError<E> {
    /// The driver failed.
    Driver(E),
    /// The region is not two slots.
    Region {
        /// Each half must have at least so many bytes.
        least: usize,
        /// Beginning and halves must be multiples of this.
        multiple: usize,
        /// The region.
        found: Range<u32>,
    },
    /// The network cannot be saved, or not be viewed.
    Weights(WeightsError),
    /// What was written was read back as something else: the flash is worn out, or the driver wrong.
    NotHeld(WeightsError),
    /// Neither slot holds weights of this network; what is wrong with the first.
    NoWeights(SlotError<E>),
}

/// What is wrong with a slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SlotError<E> {
    /// It cannot be read; torn words of flash with error correction are such.
    Driver(E),
    /// It does not hold weights of this network.
    Weights(WeightsError),
}

impl<E: fmt::Debug> fmt::Display for FlashError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Driver(error) => SlotError::Driver(error).fmt(f),
            Self::Region { least, multiple, found } => write!(
                f,
                "expected a region of two slots, multiples of {multiple} bytes and at least {least} each, found {:#x}..{:#x}",
                found.start, found.end
            ),
            Self::Weights(error) => error.fmt(f),
            Self::NotHeld(error) => write!(f, "what was written does not hold: {error}"),
            Self::NoWeights(error) => write!(f, "no weights in flash: {error}"),
        }
    }
}

impl<E: fmt::Debug> fmt::Display for SlotError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Driver(error) => write!(f, "expected flash that works, found {error:?}"),
            Self::Weights(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for FlashError<E> {}
impl<E: fmt::Debug> core::error::Error for SlotError<E> {}

impl<E> From<WeightsError> for FlashError<E> {
    fn from(error: WeightsError) -> Self {
        Self::Weights(error)
    }
}

impl<E> From<WeightsError> for SlotError<E> {
    fn from(error: WeightsError) -> Self {
        Self::Weights(error)
    }
}

/// Saves the weights of `network` in the older slot of `region`, byte addresses of `flash` whose halves are whole pages.
///
/// The weights are read back before the sequence number, the last thing written, makes the slot the newer one. So
/// whatever happens in between, [`load`] and [`view`] find the old weights, and a reference that `view` gave stays good
/// until the save after this one.
///
/// # Errors
///
/// [`FlashError`]; the slot with the newest weights is as it was.
pub fn save<N, F>(network: &N, flash: &mut F, region: Range<u32>) -> Result<(), FlashError<F::Error>>
where
    N: Parameters<Scalar: Stored>,
    F: NorFlash,
{
    const { assert!(CHUNK.is_multiple_of(F::WRITE_SIZE), "flash is written in parts of 64 bytes, this one in larger") };
    let slots = slots::<N, F>(flash, region, F::ERASE_SIZE)?;
    check_slices(network)?;
    check_finite(network)?;
    let (older, sequence) = match newest::<N, F>(flash, slots) {
        Some((0, sequence)) => (slots[1], sequence.wrapping_add(1)),
        Some((_, sequence)) => (slots[0], sequence.wrapping_add(1)),
        None => (slots[0], 0),
    };
    write(network, flash, older, sequence).map_err(|error| match error {
        SlotError::Driver(error) => FlashError::Driver(error),
        SlotError::Weights(error) => FlashError::NotHeld(error),
    })
}

/// Overwrites `network` with the newer weights in `region`, once all of them are verified.
///
/// # Errors
///
/// [`FlashError`]; the network is as before, unless the driver fails after the flash was verified.
pub fn load<N, F>(network: &mut N, flash: &mut F, region: Range<u32>) -> Result<(), FlashError<F::Error>>
where
    N: Parameters<Scalar: Stored>,
    F: ReadNorFlash,
{
    let slots = slots::<N, F>(flash, region, 1)?;
    let newer = find::<N, F>(flash, slots)?;
    check_slices(network)?;
    for (i, at) in payload::<N>(newer).enumerate() {
        let mut chunk = [0; CHUNK];
        flash.read(at, &mut chunk).map_err(FlashError::Driver)?;
        decode(network, i, &chunk);
    }
    Ok(())
}

/// Sees the newer weights as a network in place. `region` is the region as it lies in memory, aligned as
/// [`Aligned`](super::Aligned) is.
///
/// # Errors
///
/// [`FlashError`]; damaged weights are never seen.
pub fn view<N>(region: &[u8]) -> Result<&N, FlashError<NorFlashErrorKind>>
where
    N: Parameters<Scalar: Stored> + Plain,
{
    let mut flash = Mapped(region);
    let slots = slots::<N, _>(&flash, 0..u32::try_from(region.len()).unwrap_or(u32::MAX), 1)?;
    let at = find::<N, _>(&mut flash, slots)? + CHUNK as u32;
    let payload = flash.bytes(at, padded::<N::Scalar>(N::LEN)).map_err(FlashError::Driver)?;
    Ok(super::view::see(payload)?)
}

/// Where the two slots begin.
fn slots<N, F>(flash: &F, region: Range<u32>, page: usize) -> Result<[u32; 2], FlashError<F::Error>>
where
    N: Parameters<Scalar: Stored>,
    F: ReadNorFlash,
{
    const { assert!(CHUNK.is_multiple_of(F::READ_SIZE), "flash is read in parts of 64 bytes, this one in larger") };
    let half = region.len() / 2;
    let fits = half >= slot_length::<N>()
        && half.is_multiple_of(page)
        && (region.start as usize).is_multiple_of(page)
        && region.end as usize <= flash.capacity();
    match u32::try_from(half) {
        Ok(half) if fits => Ok([region.start, region.start + half]),
        _ => Err(FlashError::Region { least: slot_length::<N>(), multiple: page, found: region }),
    }
}

/// The slot with the newest weights, and their sequence number. Errors are large: none is kept here.
fn newest<N, F>(flash: &mut F, slots: [u32; 2]) -> Option<(usize, u32)>
where
    N: Parameters<Scalar: Stored>,
    F: ReadNorFlash,
{
    match slots.map(|slot| sequence::<N, F>(flash, slot).ok()) {
        // The difference, since the numbers may wrap around.
        [Some(first), Some(second)] if second.wrapping_sub(first).cast_signed() > 0 => Some((1, second)),
        [Some(first), _] => Some((0, first)),
        [None, second] => second.map(|second| (1, second)),
    }
}

/// Where the newest weights are.
fn find<N, F>(flash: &mut F, slots: [u32; 2]) -> Result<u32, FlashError<F::Error>>
where
    N: Parameters<Scalar: Stored>,
    F: ReadNorFlash,
{
    match newest::<N, F>(flash, slots) {
        Some((newer, _)) => Ok(slots[newer]),
        None => sequence::<N, F>(flash, slots[0]).map(|_| slots[0]).map_err(FlashError::NoWeights),
    }
}

/// The sequence number of a slot in which every bit is as it must be.
fn sequence<N, F>(flash: &mut F, slot: u32) -> Result<u32, SlotError<F::Error>>
where
    N: Parameters<Scalar: Stored>,
    F: ReadNorFlash,
{
    let mut buffer = [0; CHUNK];
    let checksum = verify::<N, F>(flash, slot, &mut buffer)?;
    let found = read(flash, slot + super::length::<N>() as u32, &mut buffer)?;
    let sequence = found.first_chunk().map_or(0, |number| u32::from_le_bytes(*number));
    if *found == seal(sequence, checksum) { Ok(sequence) } else { Err(WeightsError::Unfinished.into()) }
}

/// Reads the weights file at `slot` and checks all that [`view`](super::view) does; returns the payload's checksum.
fn verify<N, F>(flash: &mut F, slot: u32, buffer: &mut Chunk) -> Result<u32, SlotError<F::Error>>
where
    N: Parameters<Scalar: Stored>,
    F: ReadNorFlash,
{
    let header = Header::parse(read(flash, slot, buffer)?)?;
    header.check::<N>()?;
    header.check_contents(Contents::Network)?;
    let expected = header.checksum;
    let mut digest = CRC.digest();
    let mut contents = Ok(());
    for (i, at) in payload::<N>(slot).enumerate() {
        let chunk = read(flash, at, buffer)?;
        digest.update(chunk);
        contents = contents.and_then(|()| verify_chunk::<N>(i, chunk));
    }
    let found = digest.finalize();
    if found != expected {
        return Err(WeightsError::Checksum { expected, found }.into());
    }
    contents?;
    Ok(found)
}

/// Writes a slot.
fn write<N, F>(network: &N, flash: &mut F, slot: u32, sequence: u32) -> Result<(), SlotError<F::Error>>
where
    N: Parameters<Scalar: Stored>,
    F: NorFlash,
{
    let end = slot + slot_length::<N>().next_multiple_of(F::ERASE_SIZE) as u32;
    flash.erase(slot, end).map_err(SlotError::Driver)?;
    let mut digest = CRC.digest();
    let mut buffer = [0; CHUNK];
    for (i, at) in payload::<N>(slot).enumerate() {
        buffer = encode(network, i);
        digest.update(&buffer);
        flash.write(at, &buffer).map_err(SlotError::Driver)?;
    }
    let checksum = digest.finalize();
    flash.write(slot, &header_of::<N>(checksum).to_bytes()).map_err(SlotError::Driver)?;
    let found = verify::<N, F>(flash, slot, &mut buffer)?;
    if found != checksum {
        return Err(WeightsError::Checksum { expected: checksum, found }.into());
    }
    let (at, seal) = (slot + super::length::<N>() as u32, seal(sequence, checksum));
    flash.write(at, &seal).map_err(SlotError::Driver)?;
    if *read(flash, at, &mut buffer)? == seal { Ok(()) } else { Err(WeightsError::Unfinished.into()) }
}

/// What ends a slot: its sequence number, and the checksum of that and of the payload's checksum.
fn seal(sequence: u32, checksum: u32) -> Chunk {
    let number = u64::from(sequence) | u64::from(checksum) << 32;
    let own = CRC.checksum(&number.to_le_bytes());
    let mut seal = [0; CHUNK];
    if let Some(place) = seal.first_chunk_mut() {
        *place = (u64::from(sequence) | u64::from(own) << 32).to_le_bytes();
    }
    seal
}

/// Where the chunks of the payload lie.
fn payload<N: Parameters<Scalar: Stored>>(slot: u32) -> impl Iterator<Item = u32> {
    (0..(padded::<N::Scalar>(N::LEN) / CHUNK) as u32).map(move |i| slot + (i + 1) * CHUNK as u32)
}

fn read<'a, F: ReadNorFlash>(flash: &mut F, at: u32, buffer: &'a mut Chunk) -> Result<&'a Chunk, SlotError<F::Error>> {
    flash.read(at, buffer).map_err(SlotError::Driver)?;
    Ok(buffer)
}

/// The scalars of a chunk.
fn scalars<N: Tensor<Scalar: Stored>>(chunk: usize) -> Range<usize> {
    let per_chunk = CHUNK / N::Scalar::BYTES;
    chunk * per_chunk..((chunk + 1) * per_chunk).min(N::LEN)
}

/// Every scalar is finite, and what fills up the end is zero.
fn verify_chunk<N: Tensor<Scalar: Stored>>(i: usize, chunk: &Chunk) -> Result<(), WeightsError> {
    let scalars = scalars::<N>(i);
    let (numbers, padding) = chunk.split_at_checked(scalars.len() * N::Scalar::BYTES).unwrap_or((chunk, &[]));
    if let Some(element) = N::Scalar::first_not_finite(numbers) {
        return Err(super::not_finite::<N>(scalars.start + element));
    }
    if padding.iter().any(|byte| *byte != 0) { Err(WeightsError::Reserved) } else { Ok(()) }
}

/// Chunk `i` of the payload: its scalars, and zeros behind the last.
fn encode<N: Tensor<Scalar: Stored>>(network: &N, i: usize) -> Chunk {
    let mut chunk = [0; CHUNK];
    let (mut skip, mut rest) = (scalars::<N>(i).start, chunk.as_mut_slice());
    for slice in (0..N::SLICES).map(|i| network.slice(i)) {
        let wanted = slice.get(skip..).unwrap_or(&[]);
        skip = skip.saturating_sub(slice.len());
        N::Scalar::encode(wanted, rest);
        rest = rest.get_mut(size_of_val(wanted)..).unwrap_or(&mut []);
    }
    chunk
}

/// The way back.
fn decode<N: Tensor<Scalar: Stored>>(network: &mut N, i: usize, chunk: &Chunk) {
    let scalars = scalars::<N>(i);
    let numbers = scalars.len() * N::Scalar::BYTES;
    let (mut skip, mut rest) = (scalars.start, chunk.get(..numbers).unwrap_or(chunk));
    for i in 0..N::SLICES {
        let slice = network.slice_mut(i);
        let length = slice.len();
        let wanted = slice.get_mut(skip..).unwrap_or(&mut []);
        skip = skip.saturating_sub(length);
        N::Scalar::decode(rest, wanted);
        rest = rest.get(size_of_val(wanted)..).unwrap_or(&[]);
    }
}

/// Flash that lies in memory.
struct Mapped<'a>(&'a [u8]);

impl<'a> Mapped<'a> {
    fn bytes(&self, at: u32, length: usize) -> Result<&'a [u8], NorFlashErrorKind> {
        self.0.get(at as usize..).and_then(|rest| rest.get(..length)).ok_or(NorFlashErrorKind::OutOfBounds)
    }
}

impl ErrorType for Mapped<'_> {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Mapped<'_> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        bytes.copy_from_slice(self.bytes(offset, bytes.len())?);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.len()
    }
}
