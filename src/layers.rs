//! The layers, one file each: forward and backward side by side.

mod dense;
mod dropout;
mod frozen;
mod residual;

pub use dense::{Dense, DenseCache};
pub use dropout::{Dropout, DropoutCache};
pub use frozen::Frozen;
pub use residual::{Residual, ResidualCache};
