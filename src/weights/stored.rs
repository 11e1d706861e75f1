use crate::{Scalar, Strict};
use core::fmt;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// The weights of a network.
    Network,
    /// A training run: weights, optimiser state, counters and seed.
    Checkpoint,
}

impl Contents {
    /// Its tag in a header.
    pub(super) const fn tag(self) -> u8 {
        match self {
            Self::Network => 1,
            Self::Checkpoint => 2,
        }
    }

    pub(super) const fn from_tag(tag: u8) -> Option<Self> {
        match tag {
            1 => Some(Self::Network),
            2 => Some(Self::Checkpoint),
            _ => None,
        }
    }
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Network => "network",
            Self::Checkpoint => "checkpoint",
        })
    }
}

/// A number as it stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// IEEE 754 binary32, little-endian.
    F32,
    /// IEEE 754 binary64, little-endian.
    F64,
}

impl Number {
    /// Its tag in a header.
    pub(super) const fn tag(self) -> u8 {
        match self {
            Self::F32 => 1,
            Self::F64 => 2,
        }
    }

    pub(super) const fn from_tag(tag: u8) -> Option<Self> {
        match tag {
            1 => Some(Self::F32),
            2 => Some(Self::F64),
            _ => None,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

/// A scalar whose networks can be stored: `f32`, `f64`, and [`Strict`] of either, which is stored as the number inside.
#[diagnostic::on_unimplemented(
    message = "networks of `{Self}` cannot be stored",
    note = "those of `f32`, `f64`, `Strict<f32>` and `Strict<f64>` can; others convert with `Tensor::convert_from`"
)]
pub trait Stored: Scalar + sealed::Sealed {
    /// What stands in the file.
    const NUMBER: Number;

    /// Bytes of one number.
    const BYTES: usize = size_of::<Self>();

    /// Numbers to as many times [`BYTES`](Stored::BYTES) bytes; the shorter of the two decides.
    fn encode(numbers: &[Self], bytes: &mut [u8]);

    /// The way back.
    fn decode(bytes: &[u8], numbers: &mut [Self]);

    /// The position of the first number that is NaN or infinite.
    fn first_not_finite(bytes: &[u8]) -> Option<usize>;
}

macro_rules! stored {
    ($type:ty, $number:ident, $float:ident, $bits:ident, $bytes:literal, $wrap:expr, $unwrap:expr) => {
        impl sealed::Sealed for $type {}

        impl Stored for $type {
            const NUMBER: Number = Number::$number;

            fn encode(numbers: &[Self], bytes: &mut [u8]) {
                for (bytes, number) in bytes.as_chunks_mut::<$bytes>().0.iter_mut().zip(numbers) {
                    *bytes = $unwrap(number).to_le_bytes();
                }
            }

            fn decode(bytes: &[u8], numbers: &mut [Self]) {
                for (number, bytes) in numbers.iter_mut().zip(bytes.as_chunks::<$bytes>().0) {
                    *number = $wrap($float::from_le_bytes(*bytes));
                }
            }

            fn first_not_finite(bytes: &[u8]) -> Option<usize> {
                // As whole numbers the bits without sign are in the order of magnitude, infinity and NaN on top. The
                // largest first, on vectors; the place only where there is one.
                let numbers = bytes.as_chunks::<$bytes>().0;
                let magnitude = |bytes: &[u8; $bytes]| $bits::from_le_bytes(*bytes) & ($bits::MAX >> 1);
                let largest = $float::vectorized(
                    #[inline(always)]
                    || numbers.iter().fold(0, |largest, bytes| magnitude(bytes).max(largest)),
                );
                let infinite = $float::INFINITY.to_bits();
                if largest < infinite {
                    return None;
                }
                numbers.iter().position(|bytes| magnitude(bytes) >= infinite)
            }
        }
    };
}
stored!(f32, F32, f32, u32, 4, |x| x, |x: &f32| *x);
stored!(f64, F64, f64, u64, 8, |x| x, |x: &f64| *x);
stored!(Strict<f32>, F32, f32, u32, 4, Strict, |x: &Strict<f32>| x.0);
stored!(Strict<f64>, F64, f64, u64, 8, Strict, |x: &Strict<f64>| x.0);

mod sealed {
    pub trait Sealed {}
}
