//! Weights from and to PyTorch and its kin, as [safetensors](https://docs.rs/safetensors).
//!
//! Tensors have the names of your fields, with PyTorch's word for the last one: `hidden.weight`, `hidden.bias`. They have
//! PyTorch's layout too, a matrix row by row, so that a module with submodules of the same names loads the file with
//! `load_state_dict(safetensors.torch.load_file(path))`.
//!
//! | here | in the file |
//! |---|---|
//! | `weights` of [`Dense`](crate::Dense), `OUT` × `IN` | `weight`, \[OUT, IN\], as `torch.nn.Linear` has it |
//! | `gain` of [`LayerNorm`](crate::LayerNorm), `slope` of [`Prelu`](crate::Prelu) | `weight`, \[N\] |
//! | `bias` | `bias`, \[N\] |
//! | any other field of a layer, so those of [`Scale`](crate::Scale) | its own name |
//! | [`Residual`](crate::Residual), [`Frozen`](crate::Frozen) | the names of the layer inside, as if they were not there |
//! | a network as a field, a pair | `field.` or `0.`, `1.` before the names inside |
//!
//! ```
//! use chainrule::{network, weights::safetensors, Dense, Identity, Parameters, Tanh, Zeroed};
//!
//! network! {
//!     struct Xor<T = f32>: 2 => 1 {
//!         hidden: Dense<2, 4, Tanh, T>,
//!         output: Dense<4, 1, Identity, T>,
//!     }
//! }
//!
//! let trained = <Xor>::new(1);
//! let file = safetensors::write(&trained)?; // std::fs::write("xor.safetensors", &file)?
//! let mut network = <Xor>::ZEROED;
//! safetensors::read(&mut network, &file)?;
//! assert_eq!(network, trained);
//!
//! let error = safetensors::read(&mut Dense::<2, 4>::ZEROED, &file).unwrap_err();
//! assert_eq!(error.to_string(), "\
//! expected the tensors of the network, found 6 differences:
//!   `weight`: expected F32 [4, 2], found no such tensor
//!   `bias`: expected F32 [4], found no such tensor
//!   `hidden.bias`: expected no such tensor, found F32 [4]
//!   `hidden.weight`: expected no such tensor, found F32 [4, 2]
//!   `output.bias`: expected no such tensor, found F32 [1]
//!   `output.weight`: expected no such tensor, found F32 [1, 4]");
//! # Ok::<(), safetensors::SafetensorsError>(())
//! ```
//!
//! Files of F32 and F64 are read into networks of `f32` and `f64`, whichever meet: from F32 to `f64` exactly, from F64 to
//! `f32` rounded to the nearest. All of a file is verified before a byte of the network changes. The file says how long
//! everything is, and is not trusted with it: lengths are compared with what is there before they are used, so that
//! what is allocated is at most a small multiple of the header's own bytes.
//!
//! The functions compute what they compute: names and shapes tell nothing of activations. A file in the
//! [native format](crate::weights) does, and is read without the heap.

mod error;

pub use error::{Difference, SafetensorsError, TensorError};

use super::{Number, Stored};
use crate::{Block, Parameters, Real, Role, Scalar};
use ::safetensors::{Dtype, View, tensor::TensorInfo};
use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};

/// A safetensors file of `network`.
///
/// # Errors
///
/// [`SafetensorsError`], when a weight is NaN or infinite, or two blocks have one name.
pub fn write<N: Parameters<Scalar: Stored>>(network: &N) -> Result<Vec<u8>, SafetensorsError> {
    write_renamed(network, str::to_string)
}

/// As [`write`](fn@write), under the names that `rename` makes of the usual ones.
///
/// # Errors
///
/// As [`write`](fn@write).
pub fn write_renamed<N: Parameters<Scalar: Stored>>(
    network: &N,
    rename: impl Fn(&str) -> String,
) -> Result<Vec<u8>, SafetensorsError> {
    let mut errors = Vec::new();
    let mut tensors = BTreeMap::new();
    for i in 0..N::SLICES {
        let block = N::block(i);
        let name = rename(&name(&block));
        let tensor = Outgoing { shape: shape(&block), numbers: rows(network.slice(i), block.rows).collect() };
        if let Some(element) = tensor.numbers.iter().position(|x| !x.is_finite()) {
            errors.push(TensorError { name: name.clone(), difference: Difference::NotFinite { element } });
        }
        if tensors.insert(name.clone(), tensor).is_some() {
            errors.push(TensorError { name, difference: Difference::Duplicate });
        }
    }
    if !errors.is_empty() {
        return Err(SafetensorsError::Tensors(errors));
    }
    ::safetensors::serialize(tensors, None).map_err(|error| SafetensorsError::Header(error.to_string()))
}

/// Overwrites `network` with the weights of a safetensors file.
///
/// # Errors
///
/// [`SafetensorsError`] lists all tensors that are missing, unexpected, or of another shape or type, with what was
/// expected and what was found. The network is byte for byte as before.
pub fn read<N: Parameters<Scalar: Stored>>(network: &mut N, bytes: &[u8]) -> Result<(), SafetensorsError> {
    read_renamed(network, bytes, |name| Some(name.to_string()))
}

/// As [`read`], for files with names of their own: `rename` makes ours of them, and leaves out what is to be ignored.
///
/// ```
/// use chainrule::{weights::safetensors, Dense, Parameters, Tanh, Zeroed};
/// let layer = Dense::<2, 1, Tanh>::new(1);
/// let foreign = safetensors::write_renamed(&layer, |name| format!("model.0.{name}"))?;
///
/// let mut network = Dense::<2, 1, Tanh>::ZEROED;
/// safetensors::read_renamed(&mut network, &foreign, |name| name.strip_prefix("model.0.").map(String::from))?;
/// assert_eq!(network, layer);
/// # Ok::<(), safetensors::SafetensorsError>(())
/// ```
///
/// # Errors
///
/// As [`read`].
pub fn read_renamed<N: Parameters<Scalar: Stored>>(
    network: &mut N,
    bytes: &[u8],
    rename: impl Fn(&str) -> Option<String>,
) -> Result<(), SafetensorsError> {
    let mut errors = Vec::new();
    let mut error = |name, difference| errors.push(TensorError { name, difference });
    let mut found = BTreeMap::new();
    for (name, tensor) in parse(bytes)? {
        let Some(name) = rename(&name) else { continue };
        if found.insert(name.clone(), tensor).is_some() {
            error(name, Difference::Duplicate);
        }
    }
    let mut incoming = Vec::with_capacity(N::SLICES);
    for i in 0..N::SLICES {
        let block = N::block(i);
        let (name, expected) = (name(&block), shape(&block));
        let Some(tensor) = found.remove(&name) else {
            error(name, Difference::Missing { dtype: dtype::<N::Scalar>().to_string(), shape: expected });
            continue;
        };
        let column = block.columns == 1 && (tensor.shape == [block.rows] || tensor.shape == [block.rows, 1]);
        if !column && tensor.shape != expected {
            error(name.clone(), Difference::Shape { expected, found: tensor.shape });
        }
        match Numbers::new(tensor.dtype, tensor.bytes) {
            None => error(name, Difference::Dtype { found: tensor.dtype.to_string() }),
            Some(numbers) => {
                let finite = |x| N::Scalar::from_f64(x).is_finite();
                if let Some(element) = (0..numbers.len()).find(|i| !numbers.get(*i).is_some_and(finite)) {
                    error(name, Difference::NotFinite { element });
                }
                incoming.push((i, block, numbers));
            }
        }
    }
    for (name, tensor) in found {
        error(name, Difference::Unexpected { dtype: tensor.dtype.to_string(), shape: tensor.shape });
    }
    if !errors.is_empty() {
        return Err(SafetensorsError::Tensors(errors));
    }
    for (i, block, numbers) in incoming {
        // Row by row there is column by column here.
        for (k, column) in network.slice_mut(i).chunks_exact_mut(block.rows.max(1)).enumerate() {
            for (j, x) in column.iter_mut().enumerate() {
                if let Some(number) = numbers.get(j * block.columns + k) {
                    *x = Real::from_f64(number);
                }
            }
        }
    }
    Ok(())
}

/// The user's field names, the last one in PyTorch's words.
fn name(block: &Block) -> String {
    let mut parts: Vec<&str> = block.name.parts().collect();
    if let Some(last @ &mut ("weights" | "gain" | "slope")) = parts.last_mut() {
        *last = "weight";
    }
    parts.join(".")
}

/// The shape in a file: a weight is a matrix even if one input is all that it weighs.
fn shape(block: &Block) -> Vec<usize> {
    let vector = block.columns == 1 && block.role != Role::Weight;
    if vector { [block.rows].into() } else { [block.rows, block.columns].into() }
}

/// The elements of a matrix that is stored column by column, row by row.
fn rows<T: Copy>(columns: &[T], rows: usize) -> impl Iterator<Item = T> {
    (0..rows).flat_map(move |j| columns.iter().skip(j).step_by(rows).copied())
}

/// What a number of type `T` is in a file.
const fn dtype<T: Stored>() -> Dtype {
    match T::NUMBER {
        Number::F32 => Dtype::F32,
        Number::F64 => Dtype::F64,
    }
}

/// A tensor to be written.
struct Outgoing<T> {
    shape: Vec<usize>,
    /// Row by row.
    numbers: Vec<T>,
}

impl<T: Stored> View for Outgoing<T> {
    fn dtype(&self) -> Dtype {
        dtype::<T>()
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let mut bytes = alloc::vec![0; self.data_len()];
        T::encode(&self.numbers, &mut bytes);
        bytes.into()
    }

    fn data_len(&self) -> usize {
        self.numbers.len() * T::BYTES
    }
}

/// A tensor of a file.
struct Incoming<'a> {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: &'a [u8],
}

/// The numbers of a tensor, little-endian.
enum Numbers<'a> {
    F32(&'a [[u8; 4]]),
    F64(&'a [[u8; 8]]),
}

impl<'a> Numbers<'a> {
    fn new(dtype: Dtype, bytes: &'a [u8]) -> Option<Self> {
        match dtype {
            Dtype::F32 => Some(Self::F32(bytes.as_chunks().0)),
            Dtype::F64 => Some(Self::F64(bytes.as_chunks().0)),
            _ => None,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::F32(numbers) => numbers.len(),
            Self::F64(numbers) => numbers.len(),
        }
    }

    fn get(&self, i: usize) -> Option<f64> {
        match self {
            Self::F32(numbers) => numbers.get(i).map(|bytes| f32::from_le_bytes(*bytes).into()),
            Self::F64(numbers) => numbers.get(i).map(|bytes| f64::from_le_bytes(*bytes)),
        }
    }
}

/// The tensors of a file, if it is one: eight bytes that tell the length of the header, the header in JSON, and the
/// tensors, each where the header says, without gap or overlap.
///
/// Not `SafeTensors::deserialize`: that of version 0.8 takes two tensors of the same name for one, and does not always say
/// which tensor is wrong.
fn parse(bytes: &[u8]) -> Result<Vec<(String, Incoming<'_>)>, SafetensorsError> {
    let length = |expected| SafetensorsError::Length { expected, found: bytes.len() as u64 };
    let (header, rest) = bytes.split_first_chunk().ok_or(length(8))?;
    let header = u64::from_le_bytes(*header);
    let split = usize::try_from(header).ok().and_then(|header| rest.split_at_checked(header));
    let (header, data) = split.ok_or(length(header.saturating_add(8)))?;

    let mut json = serde_json::Deserializer::from_slice(header);
    let tensors = json.deserialize_map(HeaderVisitor).and_then(|tensors| json.end().map(|()| tensors));
    let mut tensors = tensors.map_err(|error| SafetensorsError::Header(error.to_string()))?;
    tensors.sort_by_key(|(_, info)| info.data_offsets);

    let (start, mut end) = (bytes.len() - data.len(), 0);
    let mut incoming = Vec::with_capacity(tensors.len());
    for (name, TensorInfo { dtype, shape, data_offsets: found }) in tensors {
        let elements = shape.iter().fold(1, |product: u128, n| product.saturating_mul(*n as u128));
        let expected = elements.saturating_mul(dtype.bitsize() as u128).div_ceil(8);
        if found.0 != end || found.1.checked_sub(found.0).map(|found| found as u128) != Some(expected) {
            let difference = Difference::Offsets { start: end, bytes: expected, found };
            return Err(SafetensorsError::Tensors([TensorError { name, difference }].into()));
        }
        let bytes = data.get(found.0..found.1).ok_or(length((start as u64).saturating_add(found.1 as u64)))?;
        end = found.1;
        incoming.push((name, Incoming { dtype, shape, bytes }));
    }
    if end != data.len() {
        return Err(length((start + end) as u64));
    }
    Ok(incoming)
}

/// Reads a header; duplicates stay, to be refused.
struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Vec<(String, TensorInfo)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from names to tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut tensors = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                map.next_value::<IgnoredAny>()?;
            } else {
                tensors.push((name, map.next_value()?));
            }
        }
        Ok(tensors)
    }
}
