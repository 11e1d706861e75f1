//! Deep feed-forward networks with hand-written back-propagation: layer sizes are types, the core has no heap, and every
//! gradient is an equation of [the derivation](#the-derivation), written out and proved.
//!
//! ```
//! use chainrule::{network, Adam, BinaryCrossEntropy, Dense, Identity, Layer, Tanh, Trainer, Vector, Zeroed};
//!
//! network! {
//!     /// Is exactly one of two inputs on?
//!     pub struct Xor<T = f32>: 2 => 1 {
//!         hidden: Dense<2, 4, Tanh, T>,
//!         output: Dense<4, 1, Identity, T>,
//!     }
//! }
//!
//! let inputs = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
//! let targets = [[0.0], [1.0], [1.0], [0.0]];
//!
//! let adam = Adam::new(0.05)?;
//! let mut trainer = Trainer::<Xor, Adam, 4>::ZEROED;
//! trainer.init(1);
//! for _ in 0..200 {
//!     trainer.epoch(&adam, &BinaryCrossEntropy, &inputs, &targets)?;
//! }
//!
//! let mut scratch = Zeroed::ZEROED;
//! let logit = trainer.network.predict(&Vector::from([1.0, 0.0]), &mut scratch)[0];
//! assert!(logit > 0.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Notation
//!
//! A sample is a **column**, and a batch of B samples a matrix with B columns. Matrices are stored column by column.
//!
//! | on paper | here |
//! |---|---|
//! | x ∈ Rⁿ, one sample | `[T; N]` as data, [`Vector<N, T>`] in a network |
//! | X, a batch of B samples | [`Matrix<N, B, T>`] |
//! | W, b; W_jk weighs input k on neuron j | `weights: Matrix<OUT, IN, T>`, `bias: Vector<OUT, T>` of [`Dense`] |
//! | Z = W·X + b·1ᵀ, Y = σ(Z) | [`Layer::forward`], [`Activation::value`] |
//! | Δ = ∇Y ⊙ σ′(Z) | `d_output` after [`Layer::backward`], [`Activation::derivative`] |
//! | ∇W = Δ·Xᵀ, ∇b = Δ·1, ∇X = Wᵀ·Δ | `gradient` and `d_input` of [`Layer::backward`] |
//!
//! # A tour
//!
//! - [`Matrix`], [`Vector`]: fixed shapes. [`Scalar`]: their element. [`Tensor`]: every block of scalars, up to a network.
//! - [`Dense`], [`Dropout`], [`LayerNorm`], [`Prelu`], [`Residual`], [`Scale`], [`Frozen`] are layers; [`Layer`] is their contract, and yours:
//!   [`parameters!`] defines what a layer of your own holds.
//! - [`network!`] puts layers one after the other under names; the pair `(A, B)` does so without.
//! - [`Activation`]s, [`Loss`]es, [`Optimizer`]s, [`Initializer`]s: each is one short file.
//! - [`weights`] takes networks out of the process and back: files, flash.
//! - [`gradcheck`] proves gradients, yours too.
//! - [`Trainer`] holds a network and all it takes to train it. [`Metric`]s tell how good it is.
//!
//! # Memory
//!
//! Nothing allocates but `boxed()` and, for large products and with the feature `matrixmultiply`, that crate's packing.
//! Small trainers can stand on the stack. Large ones belong in a `static`, where they cost no byte of the program image,
//! or on the heap through [`Zeroed::boxed`], which never moves them over the stack.
//!
//! # Errors and panics
//!
//! What comes from outside is checked where it comes in, and errors say what was expected, what was found, and where.
//! A step that returns an error has changed nothing; of an epoch, the steps before it stand. The library does not panic;
//! indexing a matrix out of bounds, as in `m[(9, 9)]`, panics as indexing does, and [`Matrix::get`] does not.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `std` | yes | vector instructions chosen at run time; implies `alloc` |
//! | `simd` | yes | our own vector kernels; implies `borrow` |
//! | `matrixmultiply` | yes | large products through the crate of that name; implies `alloc` |
//! | `files` | yes | weights and checkpoints in files; implies `std` |
//! | `alloc` | by `std` | [`Zeroed::boxed`] |
//! | `borrow` | by `simd` | arrays and slices borrow as vectors and matrices, without a copy |
//! | `flash` | no | [`weights`] in a device's flash, safe from power cuts; implies `borrow` |
//! | `safetensors` | no | weights from and to PyTorch: [`weights`]`::safetensors`; implies `alloc` |
//! | `rayon` | no | [several threads](#threads); implies `std` |
//! | `proptest` | no | `strategies` for property tests; implies `std` |
//!
//! Without any of them the crate is `no_std`, needs no allocator, and forbids `unsafe` code.
//!
//! # Threads
//!
//! With the feature `rayon`, products of our vector kernels and elementwise loops (activations, updates, checks) that are large
//! enough are cut into pieces, up to eight for each of the pool's threads; smaller ones stay on the caller's. The bits are the
//! same for any number of threads, and without the feature. In the pool a step allocates nothing more than rayon's queues, which
//! grow once.
//!
//! Train inside the pool, `rayon::scope(|_| trainer.epoch(…))` or `pool.install(…)`. There a [`Trainer`]'s step leads a team, if the
//! step before had a loop that is cut without one: as many of the pool's threads as it can use, if they are idle, watch for its
//! pieces while it lasts, a core each. They take up nothing else meanwhile, and neither does the step. Elsewhere threads have to be
//! woken for each loop, outside the pool the caller's too, and so only larger ones are cut:
//!
//! | cut | from, for each piece, in a team | in the pool | outside |
//! |---|---|---|---|
//! | a product | 2¹⁸ multiplications | 2²¹ | 2²³ |
//! | an elementwise loop | 2¹⁴ elements | 2¹⁶ | 2¹⁸ |
//!
//! So nothing in a step, such as a loss, may wait for other threads of the pool, as `rayon::broadcast` does, or for a job of it. And
//! who waits in rayon may be given another job, or watch another's step: hold no lock across a step, or anything else that waits
//! in rayon, if a step or job of the same pool takes it too.
//!
//! # The derivation
//!
//! `docs/derivation.md` in the repository derives every formula. Comments cite its equations by their identifiers.
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
#[cfg_attr(any(feature = "alloc", feature = "borrow"), allow(unsafe_code))]
mod zeroed;
mod macros;

mod activation;
#[cfg(feature = "borrow")]
mod borrow;
mod data;
mod elementary;
mod error;
mod fingerprint;
mod gemm;
#[cfg_attr(feature = "alloc", allow(unsafe_code))]
pub mod gradcheck;
mod init;
mod lanes;
mod layer;
#[cfg_attr(any(feature = "alloc", feature = "borrow"), allow(unsafe_code))]
mod layers;
mod loss;
#[cfg_attr(any(feature = "alloc", feature = "borrow"), allow(unsafe_code))]
mod matrix;
mod metrics;
#[cfg_attr(feature = "alloc", allow(unsafe_code))]
mod online;
#[cfg_attr(feature = "alloc", allow(unsafe_code))]
mod optimizer;
mod predict;
mod random;
#[cfg_attr(any(feature = "alloc", feature = "borrow"), allow(unsafe_code))]
mod scalar;
#[doc(hidden)]
#[cfg_attr(any(feature = "alloc", feature = "borrow"), allow(unsafe_code))]
pub mod sequence;
#[cfg(feature = "proptest")]
pub mod strategies;
#[doc(hidden)]
pub mod summary;
#[cfg_attr(any(feature = "alloc", feature = "borrow"), allow(unsafe_code))]
mod tensor;
mod threads;
#[cfg_attr(feature = "alloc", allow(unsafe_code))]
mod trainer;
mod training;
pub mod weights;

pub use activation::*;
pub use data::*;
pub use error::*;
pub use fingerprint::Fingerprint;
pub use init::Initializer;
pub use layer::*;
pub use layers::*;
pub use loss::*;
pub use matrix::{Matrix, Vector};
pub use metrics::*;
pub use online::{Online, OnlineTrainer};
pub use optimizer::*;
pub use predict::{Predict, Predictor};
pub use random::Random;
pub use scalar::*;
pub use summary::{Row, Summarize, Summary};
pub use tensor::{Block, Empty, Name, Part, Role, Tensor};
pub use trainer::Trainer;
pub use training::{EarlyStopping, Verdict};
#[cfg(feature = "borrow")]
pub use weights::Plain;
pub use zeroed::Zeroed;
// Their traits stand in our signatures.
pub use {num_traits, rand};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../docs/guide.md")]
struct Guide;

#[cfg(all(doctest, feature = "safetensors"))]
#[doc = include_str!("../docs/exchange.md")]
struct Exchange;
