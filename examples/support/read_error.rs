//! What is wrong in a file of data, and where.

use std::fmt;

/// A file that cannot be used: what was expected, what was found, and where.
#[derive(Debug, PartialEq)]
pub struct ReadError {
    /// The file, as the user knows it.
    pub file: String,
    /// The place in it, such as `line 3, column 7`; empty for the file as a whole.
    pub place: String,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, place, expected, found } = self;
        let separator = if place.is_empty() { "" } else { ", " };
        write!(f, "{file}{separator}{place}: expected {expected}, found {found}")
    }
}

impl std::error::Error for ReadError {}
