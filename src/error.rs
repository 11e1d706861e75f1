//! What can be wrong with what comes from outside: each error says what was expected, what was found, and where.

use core::fmt;

/// A slice or an array has the wrong length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthError {
    /// How many elements there should be.
    pub expected: usize,
    /// How many there are.
    pub found: usize,
}

impl fmt::Display for LengthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if self.expected == 1 { "" } else { "s" };
        write!(f, "expected {} element{s}, found {}", self.expected, self.found)
    }
}

impl core::error::Error for LengthError {}

/// A class outside the range of its [`Class<K>`](crate::Class).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassError {
    /// How many classes there are: a class lies in `0..classes`.
    pub classes: usize,
    /// The number found; those that fit no `i128` are at its ends.
    pub found: i128,
}

impl fmt::Display for ClassError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a class in 0..{}, found {}", self.classes, self.found)
    }
}

impl core::error::Error for ClassError {}

/// A hyper-parameter outside its range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HyperparameterError {
    /// Its name, as in the struct.
    pub name: &'static str,
    /// The range, in words.
    pub expected: &'static str,
    /// The value found.
    pub found: f64,
}

impl fmt::Display for HyperparameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.name, self.expected, self.found)
    }
}

impl core::error::Error for HyperparameterError {}

/// Checks that a hyper-parameter lies in its range; NaN lies in none.
pub(crate) fn check(
    name: &'static str,
    found: f64,
    in_range: bool,
    expected: &'static str,
) -> Result<(), HyperparameterError> {
    if in_range { Ok(()) } else { Err(HyperparameterError { name, expected, found }) }
}

/// A target that its loss cannot use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetError {
    /// Which element of the target; `None` when it is the target as a whole.
    pub element: Option<usize>,
    /// What the loss expects, in words.
    pub expected: &'static str,
    /// The value found.
    pub found: f64,
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(element) = self.element {
            write!(f, "element {element}: ")?;
        }
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

impl core::error::Error for TargetError {}

/// Why a training step or an evaluation did not take place. The trainer is as it was before.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum TrainError {
    /// There are no samples.
    NoSamples,
    /// Inputs and targets differ in number.
    Lengths {
        /// How many inputs.
        inputs: usize,
        /// How many targets.
        targets: usize,
    },
    /// An element of an input is NaN or infinite.
    Input {
        /// The number of the sample.
        sample: usize,
        /// The number of the element in it.
        element: usize,
        /// The value found.
        found: f64,
    },
    /// A target that the loss cannot use.
    Target {
        /// The number of the sample.
        sample: usize,
        /// What is wrong with it.
        error: TargetError,
    },
    /// A hyper-parameter of the optimiser or the loss lies outside its range.
    Hyperparameter(HyperparameterError),
    /// The loss is NaN or infinite: parameters have diverged, or hold such a value.
    Loss {
        /// The loss found.
        found: f64,
    },
    /// A gradient is NaN or infinite.
    Gradient {
        /// The block that holds it, by the user's field names.
        block: crate::Name,
    },
    /// The step would make a parameter infinite.
    Update {
        /// The block that holds it, by the user's field names.
        block: crate::Name,
    },
}

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSamples => f.write_str("expected at least one sample, found none"),
            Self::Lengths { inputs, targets } => {
                write!(f, "expected as many targets as inputs, found {inputs} inputs and {targets} targets")
            }
            Self::Input { sample, element, found } => {
                write!(f, "input of sample {sample}, element {element}: expected a finite number, found {found}")
            }
            Self::Target { sample, error } => write!(f, "target of sample {sample}: {error}"),
            Self::Hyperparameter(error) => error.fmt(f),
            Self::Loss { found } => {
                write!(
                    f,
                    "expected a finite loss, found {found}: are the parameters finite, the learning rate too large?"
                )
            }
            Self::Gradient { block } => {
                write!(
                    f,
                    "expected a finite gradient, found one that is not in `{block}`: is the learning rate too large?"
                )
            }
            Self::Update { block } => {
                write!(
                    f,
                    "expected finite parameters, but the step would overflow in `{block}`: is the learning rate too large?"
                )
            }
        }
    }
}

impl core::error::Error for TrainError {}

impl From<HyperparameterError> for TrainError {
    fn from(error: HyperparameterError) -> Self {
        Self::Hyperparameter(error)
    }
}
