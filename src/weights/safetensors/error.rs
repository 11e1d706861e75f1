use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Why a safetensors file was not read or written. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SafetensorsError {
    /// Too few bytes for what the header tells, or too many.
    Length {
        /// How many there should be.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// The header is not what it must be, in the words of the JSON reader.
    Header(String),
    /// All tensors that are not as they should be.
    Tensors(Vec<TensorError>),
}

/// What is wrong with one tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorError {
    /// Its name in the file, or what renaming made of it.
    pub name: String,
    /// What was expected, and what was found.
    pub difference: Difference,
}

/// What was expected of a tensor, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// The network has it and the file does not.
    Missing {
        /// The type of its numbers, as the network would write it.
        dtype: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// The file has it and the network does not.
    Unexpected {
        /// The type of its numbers.
        dtype: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// Another shape.
    Shape {
        /// The network's.
        expected: Vec<usize>,
        /// The file's.
        found: Vec<usize>,
    },
    /// Numbers of a type that is not read.
    Dtype {
        /// The type.
        found: String,
    },
    /// A number that is NaN or infinite, or beyond the network's scalar.
    NotFinite {
        /// Its position, row by row.
        element: usize,
    },
    /// More than one tensor of this name.
    Duplicate,
    /// A place in the file that leaves a gap, overlaps another tensor, or does not suit shape and type.
    Offsets {
        /// Where it should begin, counted from the header's end.
        start: usize,
        /// How many bytes it should have.
        bytes: u128,
        /// Where it is said to begin and to end.
        found: (usize, usize),
    },
}

impl fmt::Display for SafetensorsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { expected, found } => write!(f, "expected {expected} bytes, found {found}"),
            Self::Header(error) => write!(f, "expected the header of a safetensors file, found another: {error}"),
            Self::Tensors(errors) => {
                let s = if errors.len() == 1 { "" } else { "s" };
                write!(f, "expected the tensors of the network, found {} difference{s}:", errors.len())?;
                errors.iter().try_for_each(|error| write!(f, "\n  {error}"))
            }
        }
    }
}

impl core::error::Error for SafetensorsError {}

impl fmt::Display for TensorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.name.escape_debug(), self.difference)
    }
}

impl core::error::Error for TensorError {}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { dtype, shape } => write!(f, "expected {dtype} {shape:?}, found no such tensor"),
            Self::Unexpected { dtype, shape } => write!(f, "expected no such tensor, found {dtype} {shape:?}"),
            Self::Shape { expected, found } => {
                write!(f, "expected the shape {expected:?}, found {found:?}")?;
                let transposed = expected.len() == 2 && expected.iter().eq(found.iter().rev());
                f.write_str(if transposed { ": transposed?" } else { "" })
            }
            Self::Dtype { found } => write!(
                f,
                "expected F32 or F64, found {found}: convert it before it is saved, in PyTorch by `tensor.float()`"
            ),
            Self::NotFinite { element } => {
                write!(f, "element {element}: expected a finite number of the network's scalar, found none")
            }
            Self::Duplicate => f.write_str("expected one tensor of this name, found another"),
            Self::Offsets { start, bytes, found: (from, to) } => {
                write!(f, "expected {bytes} bytes from byte {start} on, found bytes {from} to {to}")
            }
        }
    }
}
