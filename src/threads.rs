//! Large loops on the threads of a rayon pool. Without the feature `rayon` every one runs whole, where it is called.
//!
//! A loop is cut into a few pieces for each thread, but no sum is: the bits are those of one thread.

#[cfg(all(feature = "rayon", feature = "simd"))]
mod awake;
#[cfg(feature = "rayon")]
mod pool;

use crate::Scalar;

/// A call costs more than an elementwise loop over so few elements.
pub(crate) const FEW: usize = 32;

/// Calls `piece` with (0, n) to (n − 1, n), the number of a piece and how many there are, for a product of `work`
/// multiplications.
#[cfg(feature = "simd")]
#[cfg_attr(not(feature = "rayon"), allow(unused_variables))]
#[inline(always)]
pub(crate) fn pieces(work: usize, piece: impl Fn(usize, usize) + Sync) {
    #[cfg(feature = "rayon")]
    if let count @ 2.. = pool::count(work, pool::LEAST_PRODUCT) {
        return pool::pieces(0..count, count, pool::Environment::current(), &piece);
    }
    piece(0, 1);
}

/// Runs `body`, a training step with `work` multiplications forward, while the threads of the pool that can help stay awake.
#[cfg_attr(not(all(feature = "rayon", feature = "simd")), allow(unused_variables))]
#[inline(always)]
pub(crate) fn awake<R>(work: usize, body: impl FnOnce() -> R) -> R {
    #[cfg(all(feature = "rayon", feature = "simd"))]
    return awake::awake(work, body);
    #[cfg(not(all(feature = "rayon", feature = "simd")))]
    body()
}

/// Whether a product of `work` multiplications would be cut into pieces.
#[cfg(feature = "simd")]
#[cfg_attr(not(feature = "rayon"), allow(unused_variables))]
#[inline(always)]
pub(crate) fn cut(work: usize) -> bool {
    #[cfg(feature = "rayon")]
    return pool::count(work, pool::LEAST_PRODUCT) > 1;
    #[cfg(not(feature = "rayon"))]
    false
}

/// Runs a loop over the same elements of all slices, vectorised. `body` gets all of them, or any part.
#[inline(always)]
pub(crate) fn elementwise<T: Scalar, const W: usize, const R: usize>(
    written: [&mut [T]; W],
    read: [&[T]; R],
    body: impl Fn([&mut [T]; W], [&[T]; R]) + Sync,
) {
    #[cfg(feature = "rayon")]
    {
        let lens = written.iter().map(|slice| slice.len()).chain(read.iter().map(|slice| slice.len()));
        let len = lens.min().unwrap_or(0);
        if let count @ 2.. = pool::count(len, pool::LEAST_ELEMENTS) {
            return pool::elementwise(written, read, len, count, pool::Environment::current(), &body);
        }
    }
    // Of a slice of known length only one of these is compiled.
    if written.iter().all(|slice| slice.len() <= FEW) {
        return body(written, read);
    }
    T::vectorized(
        #[inline(always)]
        || body(written, read),
    );
}

/// The largest of what `body` finds in parts of `slice`, or in all of it.
#[inline(always)]
pub(crate) fn largest<T: Scalar, R: Ord + Send>(slice: &[T], body: impl Fn(&[T]) -> R + Sync) -> R {
    #[cfg(feature = "rayon")]
    if let count @ 2.. = pool::count(slice.len(), pool::LEAST_ELEMENTS) {
        return pool::largest(slice, count, &body);
    }
    T::vectorized(
        #[inline(always)]
        || body(slice),
    )
}
