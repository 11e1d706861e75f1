//! The layers, one file each: forward and backward side by side.

mod dense;
mod dropout;
mod frozen;
mod layer_norm;
mod prelu;
mod residual;
mod scale;

pub use dense::{Dense, DenseCache};
pub use dropout::{Dropout, DropoutCache};
pub use frozen::Frozen;
pub use layer_norm::{LayerNorm, LayerNormCache, LayerNormalization};
pub use prelu::Prelu;
pub use residual::{Residual, ResidualCache};
pub use scale::{Moments, Scale};
