use super::{Architecture, Contents, Number, WeightsError, checksum};

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
        let mut rest = bytes.as_mut_slice();
        let mut put = |field: &[u8]| {
            if let Some((place, after)) = core::mem::take(&mut rest).split_at_mut_checked(field.len()) {
                place.copy_from_slice(field);
                rest = after;
            }
        };
        put(&Self::MAGIC);
        put(&Self::BYTE_ORDER);
        put(&Self::VERSION.to_le_bytes());
        put(&[self.contents.tag(), self.number.tag(), 0, 0]);
        put(&self.architecture.scalars.to_le_bytes());
        put(&self.architecture.blocks.to_le_bytes());
        put(&self.architecture.fingerprint.0.to_le_bytes());
        for counter in self.counters {
            put(&counter.to_le_bytes());
        }
        put(&self.checksum.to_le_bytes());
        let own = checksum(bytes.split_last_chunk::<4>().map_or(&[], |(checked, _)| checked));
        if let Some((_, place)) = bytes.split_last_chunk_mut() {
            *place = own.to_le_bytes();
        }
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
        let architecture = Architecture {
            scalars: u64::from_le_bytes(take(rest)),
            blocks: u32::from_le_bytes(take(rest)),
            fingerprint: crate::Fingerprint(u32::from_le_bytes(take(rest))),
        };
        let counters = [0; 3].map(|_: u64| u64::from_le_bytes(take(rest)));
        let payload = u32::from_le_bytes(take(rest));
        let expected = u32::from_le_bytes(take(rest));
        let found = checksum(bytes.split_last_chunk::<4>().map_or(&[], |(checked, _)| checked));
        if found != expected {
            return Err(WeightsError::HeaderChecksum { expected, found });
        }
        let contents = Contents::from_tag(contents).ok_or(WeightsError::Reserved)?;
        let number = Number::from_tag(number).ok_or(WeightsError::Reserved)?;
        if reserved != [0; 2] || (contents == Contents::Network && counters != [0; 3]) {
            return Err(WeightsError::Reserved);
        }
        Ok(Self { contents, number, architecture, counters, checksum: payload })
    }

    /// Whether the file holds what is expected; counters and checksum may differ.
    pub fn check(&self, expected: &Self) -> Result<(), WeightsError> {
        if self.contents != expected.contents {
            return Err(WeightsError::Contents { expected: expected.contents, found: self.contents });
        }
        if self.number != expected.number {
            return Err(WeightsError::Number { expected: expected.number, found: self.number });
        }
        if self.architecture != expected.architecture {
            return Err(WeightsError::Architecture { expected: expected.architecture, found: self.architecture });
        }
        Ok(())
    }
}

/// The next `N` bytes; zeros beyond the end.
fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let Some((field, rest)) = bytes.split_first_chunk() else { return [0; N] };
    *bytes = rest;
    *field
}
