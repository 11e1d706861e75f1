//! Reads IDX, the format of MNIST and its kin: a magic number, the dimensions, then one byte an element.
//!
//! All numbers are big-endian. The magic number is 0, 0, the type of the elements (8: unsigned bytes), and how many
//! dimensions there are; each dimension takes four bytes.

use super::read_error::ReadError;
use std::io::Read;

/// The content of an IDX file of unsigned bytes with `RANK` dimensions.
#[derive(Debug, PartialEq)]
pub struct Idx<const RANK: usize> {
    /// The length along each dimension; for images: how many, rows, columns.
    pub dimensions: [usize; RANK],
    /// The elements; the last dimension varies fastest.
    pub elements: Vec<u8>,
}

/// Reads an IDX file to its end. `file` is its name in errors. No memory is taken for elements that are not there,
/// whatever the header claims.
///
/// # Errors
///
/// [`ReadError`], with the offset, when the file cannot be read, is no such IDX file, ends early or goes on after its
/// last element.
pub fn read<const RANK: usize>(file: &str, mut data: impl Read) -> Result<Idx<RANK>, ReadError> {
    let error = |offset: usize, expected: String, found: String| {
        let place = format!("byte {offset}");
        ReadError { file: file.to_owned(), place, expected, found }
    };
    let failed = |offset, cause: std::io::Error| error(offset, "readable bytes".to_owned(), cause.to_string());

    let mut header = Vec::new();
    let header_len = 4 + 4 * RANK;
    data.by_ref().take(header_len as u64).read_to_end(&mut header).map_err(|cause| failed(header.len(), cause))?;
    if header.len() < header_len {
        return Err(error(header.len(), format!("a header of {header_len} bytes"), "the end of the file".to_owned()));
    }
    let (words, _) = header.as_chunks::<4>();
    let mut words = words.iter();
    let magic = words.next().copied().unwrap_or_default();
    let expected_magic = [0, 0, 8, RANK as u8];
    if magic != expected_magic {
        return Err(error(0, format!("the magic number {}", hex(expected_magic)), hex(magic)));
    }
    let mut dimensions = [0; RANK];
    for (dimension, word) in dimensions.iter_mut().zip(words) {
        *dimension = u32::from_be_bytes(*word) as usize;
    }
    let count = dimensions.iter().try_fold(1_usize, |product, dimension| product.checked_mul(*dimension));
    let Some(count) = count else {
        let found = dimensions.map(|dimension| dimension.to_string()).join(" × ");
        return Err(error(4, format!("dimensions whose product is at most {}", usize::MAX), found));
    };

    let mut elements = Vec::new();
    let offset = |elements: &Vec<u8>| header_len + elements.len();
    data.by_ref().take(count as u64).read_to_end(&mut elements).map_err(|cause| failed(offset(&elements), cause))?;
    if elements.len() < count {
        let found = format!("the end of the file after {}", elements.len());
        return Err(error(offset(&elements), format!("{count} elements"), found));
    }
    if data.read(&mut [0]).map_err(|cause| failed(offset(&elements), cause))? > 0 {
        let expected = format!("the end of the file after {count} elements");
        return Err(error(offset(&elements), expected, "more bytes".to_owned()));
    }
    Ok(Idx { dimensions, elements })
}

fn hex(bytes: [u8; 4]) -> String {
    bytes.map(|byte| format!("{byte:02x}")).join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two images of 1×3 pixels.
    const GOOD: [u8; 22] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];

    fn read_bytes(bytes: &[u8]) -> Result<Idx<3>, String> {
        read("images", bytes).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn assert_error(bytes: &[u8], message: &str) {
        assert_eq!(read_bytes(bytes), Err(message.to_owned()));
    }

    #[test]
    fn dimensions_and_elements_arrive() {
        let expected = Idx { dimensions: [2, 1, 3], elements: vec![1, 2, 3, 4, 5, 6] };
        assert_eq!(read_bytes(&GOOD), Ok(expected));
        let none = [0, 0, 8, 1, 0, 0, 0, 0];
        assert_eq!(read("labels", &none[..]), Ok(Idx { dimensions: [0], elements: vec![] }));
    }

    #[test]
    fn every_proper_prefix_is_an_error() {
        for len in 0..GOOD.len() {
            let error = read_bytes(&GOOD[..len]).unwrap_err();
            assert!(error.starts_with(&format!("images, byte {len}: expected ")), "{error}");
            assert!(error.contains("the end of the file"), "{error}");
        }
        assert_error(&GOOD[..7], "images, byte 7: expected a header of 16 bytes, found the end of the file");
        assert_error(&GOOD[..20], "images, byte 20: expected 6 elements, found the end of the file after 4");
    }

    #[test]
    fn a_wrong_magic_number_is_an_error() {
        let expected = "images, byte 0: expected the magic number 00 00 08 03, found ";
        for (index, value, found) in [(0, 0x1f, "1f 00 08 03"), (2, 0x0d, "00 00 0d 03"), (3, 1, "00 00 08 01")] {
            let mut bytes = GOOD;
            bytes[index] = value;
            assert_error(&bytes, &format!("{expected}{found}"));
        }
    }

    #[test]
    fn trailing_bytes_are_an_error() {
        let mut bytes = GOOD.to_vec();
        bytes.push(0);
        assert_error(&bytes, "images, byte 22: expected the end of the file after 6 elements, found more bytes");
    }

    #[test]
    fn dimensions_whose_product_overflows_are_an_error() {
        let mut bytes = GOOD;
        bytes[4..16].fill(0xff);
        let error = read_bytes(&bytes).unwrap_err();
        assert!(error.starts_with("images, byte 4: expected dimensions whose product is at most "), "{error}");
        assert!(error.ends_with("found 4294967295 × 4294967295 × 4294967295"), "{error}");
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_header_that_claims_too_much_takes_no_memory() {
        let mut bytes = GOOD;
        bytes[4..8].fill(0xff);
        let error = read_bytes(&bytes).unwrap_err();
        assert_eq!(error, "images, byte 22: expected 12884901885 elements, found the end of the file after 6");
    }

    #[test]
    fn what_cannot_be_decompressed_is_an_error() {
        let error = read::<3>("images.gz", flate2::read::GzDecoder::new(&GOOD[..])).unwrap_err().to_string();
        assert!(error.starts_with("images.gz, byte 0: expected readable bytes, found "), "{error}");
    }
}
