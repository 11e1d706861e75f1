use super::{Architecture, Contents, Number, Stored, WeightsError, checksum};
use crate::Parameters;

/// The first 64 bytes of a file.
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub contents: Contents,
    pub number: Number,
    pub architecture: Architecture,
    /// Of a checkpoint: steps, epochs and seed; else zeros.
    pub counters: [u64; 3],
    /// Of the payload.
    pub checksum: u32,
}

impl Header {
    pub const BYTES: usize = 64;

    /// As PNG's: not text, and changed by whatever takes it for text.
    pub const MAGIC: [u8; 8] = *b"\x89CRN\r\n\x1a\n";

    pub const VERSION: u16 = 1;

    /// 02 01 in a little-endian file, 01 02 in another.
    pub const BYTE_ORDER: [u8; 2] = 0x0102_u16.to_le_bytes();

    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let rest = &mut bytes.as_mut_slice();
        put(rest, &Self::MAGIC);
        put(rest, &Self::BYTE_ORDER);
        put(rest, &Self::VERSION.to_le_bytes());
        put(rest, &[self.contents.tag(), self.number.tag(), 0, 0]);
        put_architecture(rest, &self.architecture);
        for counter in self.counters {
            put(rest, &counter.to_le_bytes());
        }
        put(rest, &self.checksum.to_le_bytes());
        seal(&mut bytes);
        bytes
    }

    /// The header, if it is one of this version.
    pub fn parse(bytes: &[u8; Self::BYTES]) -> Result<Self, WeightsError> {
        let mut rest = bytes.as_slice();
        let rest = &mut rest;
        let magic = take::<8>(rest);
        if magic != Self::MAGIC {
            return Err(WeightsError::Magic { found: magic });
        }
        let byte_order = take::<2>(rest);
        if byte_order != Self::BYTE_ORDER {
            return Err(WeightsError::ByteOrder { found: byte_order });
        }
        let version = u16::from_le_bytes(take(rest));
        if version != Self::VERSION {
            return Err(WeightsError::Version { found: version });
        }
        let [contents, number, reserved @ ..] = take::<4>(rest);
        let architecture = take_architecture(rest);
        let counters = [0; 3].map(|_: u64| u64::from_le_bytes(take(rest)));
        let payload = u32::from_le_bytes(take(rest));
        check_seal(bytes)?;
        let contents = Contents::from_tag(contents).ok_or(WeightsError::Reserved)?;
        let number = Number::from_tag(number).ok_or(WeightsError::Reserved)?;
        if reserved != [0; 2] || (contents == Contents::Network && counters != [0; 3]) {
            return Err(WeightsError::Reserved);
        }
        Ok(Self { contents, number, architecture, counters, checksum: payload })
    }

    /// Whether the file holds the weights of an `N`.
    pub fn check<N: Parameters<Scalar: Stored>>(&self) -> Result<(), WeightsError> {
        let (number, architecture) = (N::Scalar::NUMBER, Architecture::of::<N>());
        if self.number != number {
            return Err(WeightsError::Number { expected: number, found: self.number });
        }
        if self.architecture != architecture {
            return Err(WeightsError::Architecture { expected: architecture, found: self.architecture });
        }
        Ok(())
    }

    pub fn check_contents(&self, expected: Contents) -> Result<(), WeightsError> {
        let found = self.contents;
        if found == expected { Ok(()) } else { Err(WeightsError::Contents { expected, found }) }
    }
}

/// The next bytes become `field`, as far as there are any.
pub(super) fn put(bytes: &mut &mut [u8], field: &[u8]) {
    if let Some((place, rest)) = core::mem::take(bytes).split_at_mut_checked(field.len()) {
        place.copy_from_slice(field);
        *bytes = rest;
    }
}

pub(super) fn put_architecture(bytes: &mut &mut [u8], architecture: &Architecture) {
    put(bytes, &architecture.scalars.to_le_bytes());
    put(bytes, &architecture.blocks.to_le_bytes());
    put(bytes, &architecture.fingerprint.0.to_le_bytes());
}

/// The next `N` bytes; zeros beyond the end.
pub(super) fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let Some((field, rest)) = bytes.split_first_chunk() else { return [0; N] };
    *bytes = rest;
    *field
}

pub(super) fn take_architecture(bytes: &mut &[u8]) -> Architecture {
    Architecture {
        scalars: u64::from_le_bytes(take(bytes)),
        blocks: u32::from_le_bytes(take(bytes)),
        fingerprint: crate::Fingerprint(u32::from_le_bytes(take(bytes))),
    }
}

/// The last four bytes become the checksum of those before.
pub(super) fn seal(bytes: &mut [u8]) {
    if let Some((checked, place)) = bytes.split_last_chunk_mut() {
        *place = checksum(checked).to_le_bytes();
    }
}

pub(super) fn check_seal(bytes: &[u8]) -> Result<(), WeightsError> {
    let (checked, expected) = bytes.split_last_chunk().unwrap_or((&[], &[0; 4]));
    let (expected, found) = (u32::from_le_bytes(*expected), checksum(checked));
    if found == expected { Ok(()) } else { Err(WeightsError::HeaderChecksum { expected, found }) }
}
