use super::header::Header;
use super::{Stored, WeightsError, verify};
use crate::{Parameters, Strict};

/// A type of which every sequence of bytes is a value: numbers, and structs of nothing else.
///
/// [`parameters!`](crate::parameters) and [`network!`](crate::network) implement it where all fields are, so that
/// [`view`] can see bytes as a network.
///
/// # Safety
///
/// Whatever initialised bytes lie where the type is seen must be a valid value, and nothing in it may be changed
/// through a shared reference.
pub unsafe trait Plain {}

// SAFETY: every pattern of bits is a number, or a NaN.
unsafe impl Plain for f32 {}
// SAFETY: as above.
unsafe impl Plain for f64 {}
// SAFETY: transparent over the number.
unsafe impl<T: Plain> Plain for Strict<T> {}
// SAFETY: it has no bytes.
unsafe impl<T: ?Sized> Plain for core::marker::PhantomData<T> {}
// SAFETY: both are; what lies between them may hold anything.
unsafe impl<A: Plain, B: Plain> Plain for (A, B) {}

/// The memory of numbers, which is as a weights file has them.
#[cfg(all(feature = "std", target_endian = "little"))]
pub(super) fn bytes_mut<T: Stored>(numbers: &mut [T]) -> &mut [u8] {
    let count = size_of_val(numbers);
    // SAFETY: `Stored` is sealed: its types are numbers, without gaps, of which every pattern of bits is a value. The
    // exclusive borrow and its lifetime are handed on.
    unsafe { core::slice::from_raw_parts_mut(numbers.as_mut_ptr().cast(), count) }
}

/// Sees the bytes of a weights file as a network, without a copy: in flash, in the program's image through
/// `include_bytes!`, in a mapped file. They are verified first, as [`read`](super::read) does; keep the reference.
///
/// The bytes must lie at a multiple of the network's alignment, and of four or eight in any case. [`Aligned`] sees to it.
///
/// # Errors
///
/// [`WeightsError`], also when the bytes lie at another address, or when the network is not its scalars one after the
/// other in memory, as nested networks with alignment of their own may not be.
pub fn view<N: Parameters<Scalar: Stored> + Plain>(bytes: &[u8]) -> Result<&N, WeightsError> {
    see(verify::<N>(bytes)?)
}

/// A verified payload as a network.
pub(super) fn see<N: Parameters<Scalar: Stored> + Plain>(payload: &[u8]) -> Result<&N, WeightsError> {
    let address = payload.as_ptr().addr();
    if !address.is_multiple_of(align_of::<N>()) {
        let found = 1 << address.trailing_zeros();
        return Err(WeightsError::Alignment { expected: align_of::<N>(), found });
    }
    if size_of::<N>() > payload.len() || cfg!(target_endian = "big") {
        return Err(WeightsError::Layout);
    }
    // SAFETY: the address is aligned, the bytes are enough and initialised, `Plain` says that they are a value, and the
    // shared borrow and its lifetime are handed on.
    let network: &N = unsafe { &*payload.as_ptr().cast() };
    // Each slice must lie where the file has it.
    let mut offset = 0;
    for i in 0..N::SLICES {
        let slice = network.slice(i);
        // An empty slice may lie anywhere.
        if !slice.is_empty() && slice.as_ptr().addr() != address + offset {
            return Err(WeightsError::Layout);
        }
        offset += size_of_val(slice);
    }
    if offset != N::LEN * N::Scalar::BYTES {
        return Err(WeightsError::Slices);
    }
    Ok(network)
}

/// Bytes aligned as [`view`] wants them, at a multiple of 64: those of `include_bytes!` may lie anywhere.
///
/// ```
/// use chainrule::{weights::{self, Aligned}, Dense, Parameters};
///
/// // In a program: static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("model.crn"));
/// let mut model = Aligned([0; weights::length::<Dense<2, 1>>()]);
/// weights::write(&Dense::<2, 1>::new(1), &mut model.0)?;
///
/// let network: &Dense<2, 1> = weights::view(&model.0)?;
/// assert_eq!(*network, Dense::new(1));
/// # Ok::<(), weights::WeightsError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Aligned<B: ?Sized>(
    /// The bytes.
    pub B,
);

const _: () = assert!(align_of::<Aligned<[u8; 1]>>().is_multiple_of(Header::BYTES));
