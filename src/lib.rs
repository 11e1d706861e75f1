#![doc = "Deep feed-forward networks with hand-written back-propagation."]
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(any(feature = "alloc", feature = "borrow", feature = "simd", feature = "matrixmultiply")),
    forbid(unsafe_code)
)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

// The macros first: the modules below are defined with them.
#[macro_use]
#[cfg_attr(feature = "alloc", allow(unsafe_code))]
mod zeroed;
mod macros;

mod activation;
#[cfg(feature = "borrow")]
mod borrow;
mod data;
mod elementary;
mod error;
mod gemm;
#[cfg_attr(feature = "alloc", allow(unsafe_code))]
pub mod gradcheck;
mod init;
mod layer;
#[cfg_attr(feature = "alloc", allow(unsafe_code))]
mod layers;
mod loss;
#[cfg_attr(feature = "alloc", allow(unsafe_code))]
mod matrix;
mod metrics;
mod optimizer;
mod random;
#[cfg_attr(feature = "alloc", allow(unsafe_code))]
mod scalar;
#[doc(hidden)]
#[cfg_attr(feature = "alloc", allow(unsafe_code))]
pub mod sequence;
#[cfg(feature = "proptest")]
pub mod strategies;
#[doc(hidden)]
pub mod summary;
#[cfg_attr(feature = "alloc", allow(unsafe_code))]
mod tensor;
#[cfg_attr(feature = "alloc", allow(unsafe_code))]
mod trainer;

pub use activation::*;
pub use data::*;
pub use error::*;
pub use init::Initializer;
pub use layer::*;
pub use layers::*;
pub use loss::*;
pub use matrix::{Matrix, Vector};
pub use metrics::*;
pub use optimizer::*;
pub use random::Random;
pub use scalar::*;
pub use summary::{Row, Summarize, Summary};
pub use tensor::{Block, Empty, Name, Role, Tensor};
pub use trainer::Trainer;
pub use zeroed::Zeroed;
pub use {num_traits, rand};
