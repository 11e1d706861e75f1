use super::header::Header;
use super::record::Record;
use super::{Contents, Number};
use crate::{Fingerprint, Name, Parameters, RuleName};
use core::fmt;

/// What tells a network from another: compared before anything is read, and a key to choose among networks by.
///
/// ```
/// use chainrule::{weights::Architecture, Dense, Relu, Tanh};
/// const EXPECTED: Architecture = Architecture::of::<Dense<16, 4, Tanh>>();
/// assert_ne!(EXPECTED, Architecture::of::<Dense<4, 16, Tanh>>());
/// assert_ne!(EXPECTED, Architecture::of::<Dense<16, 4, Relu>>());
/// assert_eq!(EXPECTED, Architecture::of::<Dense<16, 4, Tanh, f64>>()); // the scalar is told apart from it
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Architecture {
    /// How many scalars.
    pub scalars: u64,
    /// In how many blocks.
    pub blocks: u32,
    /// Of names, shapes, roles, order and kinds.
    pub fingerprint: Fingerprint,
}

impl Architecture {
    /// The architecture of `N`.
    #[must_use]
    pub const fn of<N: Parameters>() -> Self {
        Self { scalars: N::LEN as u64, blocks: N::SLICES as u32, fingerprint: N::FINGERPRINT.with(N::KIND) }
    }

    /// The architecture that the header of a weights file tells; nothing behind the header is looked at.
    ///
    /// # Errors
    ///
    /// [`WeightsError`], when there is no header of this version.
    ///
    /// ```
    /// use chainrule::{weights::{self, Architecture}, Dense, Parameters};
    /// let mut bytes = [0; weights::length::<Dense<2, 1>>()];
    /// weights::write(&Dense::<2, 1>::new(1), &mut bytes)?;
    /// assert_eq!(Architecture::in_file(&bytes)?, Architecture::of::<Dense<2, 1>>());
    /// # Ok::<(), weights::WeightsError>(())
    /// ```
    pub fn in_file(bytes: &[u8]) -> Result<Self, WeightsError> {
        let error = WeightsError::Length { expected: Header::BYTES as u64, found: bytes.len() as u64 };
        Header::parse(bytes.first_chunk().ok_or(error)?).map(|header| header.architecture)
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} weights in {} blocks, fingerprint {}", self.scalars, self.blocks, self.fingerprint)
    }
}

/// Why weights were not read or written. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum WeightsError {
    /// Too few bytes, or too many.
    Length {
        /// How many there should be; of a file too short for a header, at least.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// It does not begin as a weights file does.
    Magic {
        /// How it begins.
        found: [u8; 8],
    },
    /// Another byte order.
    ByteOrder {
        /// The mark found.
        found: [u8; 2],
    },
    /// A version of the format that this program does not know.
    Version {
        /// The version found.
        found: u16,
    },
    /// The header was changed or damaged.
    HeaderChecksum {
        /// The checksum that the header states.
        expected: u32,
        /// Its checksum.
        found: u32,
    },
    /// A network where a checkpoint was expected, or the reverse.
    Contents {
        /// What should be there.
        expected: Contents,
        /// What is there.
        found: Contents,
    },
    /// Another scalar.
    Number {
        /// The network's.
        expected: Number,
        /// The file's.
        found: Number,
    },
    /// Another network.
    Architecture {
        /// The network's.
        expected: Architecture,
        /// The file's.
        found: Architecture,
    },
    /// A checkpoint of another optimiser.
    Rule {
        /// The trainer's.
        expected: &'static RuleName,
        /// The file's.
        found: RuleName,
    },
    /// What the optimiser remembers has another shape, as where other layers are frozen.
    State {
        /// The trainer's.
        expected: Architecture,
        /// The file's.
        found: Architecture,
    },
    /// The optimiser has another hyper-parameter.
    Hyperparameter {
        /// Its name.
        name: &'static str,
        /// The value given.
        expected: f64,
        /// The file's.
        found: f64,
    },
    /// An optimiser with more hyper-parameters than a checkpoint can state.
    Hyperparameters {
        /// How many.
        found: usize,
    },
    /// The payload was changed or damaged.
    Checksum {
        /// The checksum that the header states.
        expected: u32,
        /// The checksum of the payload.
        found: u32,
    },
    /// A weight is NaN or infinite.
    NotFinite {
        /// The block that holds it, by the user's field names.
        block: Name,
        /// Its position in the block, column by column.
        element: usize,
    },
    /// Bytes that must be zero are not, or a tag has no meaning.
    Reserved,
    /// Bytes at an address at which no such network can lie.
    Alignment {
        /// The address must be a multiple of this.
        expected: usize,
        /// It is a multiple of this.
        found: usize,
    },
    /// In memory the network is not its scalars one after the other, so it cannot be viewed, only read.
    Layout,
    /// A slot in flash without its end: the power was cut during the save, or the end was damaged.
    Unfinished,
    /// A hand-written `Tensor` whose slices do not add up to its `LEN`.
    Slices,
}

impl fmt::Display for WeightsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { expected, found } => write!(f, "expected {expected} bytes, found {found}"),
            Self::Magic { found } => {
                write!(f, "expected the magic number {:02x?}, found {found:02x?}", Header::MAGIC)?;
                f.write_str(match found {
                    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => ": erased memory?",
                    [0, 0, 0, 0, 0, 0, 0, 0] => ": memory never written?",
                    _ => ": not a weights file",
                })
            }
            Self::ByteOrder { found } => {
                write!(f, "expected the byte order mark {:02x?}, little-endian, found {found:02x?}", Header::BYTE_ORDER)
            }
            Self::Version { found } => write!(f, "expected version {} of the format, found {found}", Header::VERSION),
            Self::HeaderChecksum { expected, found } => {
                write!(
                    f,
                    "expected the header's checksum {expected:08x}, found {found:08x}: it was changed or damaged"
                )
            }
            Self::Contents { expected, found } => write!(f, "expected a {expected}, found a {found}"),
            Self::Number { expected, found } => write!(f, "expected weights in {expected}, found {found}"),
            Self::Architecture { expected, found } => {
                write!(f, "expected the architecture with {expected}; found {found}: the weights of another network")
            }
            Self::Rule { expected, found } => write!(f, "expected a checkpoint of `{expected}`, found one of `{found}`"),
            Self::State { expected, found } => {
                write!(f, "expected an optimiser's state with {expected}; found {found}: are other layers frozen?")
            }
            Self::Hyperparameter { name, expected, found } => write!(f, "{name}: expected {expected}, found {found}"),
            Self::Hyperparameters { found } => {
                write!(f, "expected at most {} hyper-parameters, found {found}", Record::HYPERPARAMETERS)
            }
            Self::Checksum { expected, found } => {
                write!(
                    f,
                    "expected the checksum {expected:08x}, found {found:08x}: the weights were changed or damaged"
                )
            }
            Self::NotFinite { block, element } => {
                write!(f, "`{block}`, element {element}: expected a finite number, found one that is not")
            }
            Self::Reserved => f.write_str("expected zeros in reserved bytes and known tags, found others"),
            Self::Alignment { expected, found } => {
                write!(f, "expected bytes at a multiple of {expected}, found an address that is a multiple of {found}")
            }
            Self::Layout => f.write_str(
                "expected a network that lies in memory as in a little-endian file, found another layout: read it instead",
            ),
            Self::Unfinished => f.write_str("expected a finished save, found one that was cut off or damaged"),
            Self::Slices => f.write_str("expected slices that add up to the tensor's length, found others"),
        }
    }
}

impl core::error::Error for WeightsError {}
