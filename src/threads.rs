//! Large loops on the threads of a rayon pool. Without the feature `rayon` every one runs whole, where it is called.
//!
//! A loop is cut into a few pieces for each thread, but no sum is: the bits are those of one thread.

#[cfg(feature = "rayon")]
mod pool;
#[cfg(feature = "rayon")]
mod team;

use crate::Scalar;
#[cfg(feature = "simd")]
use core::ops::Range;

/// A call costs more than an elementwise loop over so few elements.
pub(crate) const FEW: usize = 32;

/// Calls `body` with ranges that cover 0 to n, and with n, into how many pieces it cuts a product of `work` multiplications.
#[cfg(feature = "simd")]
#[cfg_attr(not(feature = "rayon"), allow(unused_variables))]
#[inline(always)]
pub(crate) fn pieces(work: usize, body: impl Fn(Range<usize>, usize) + Sync) {
    #[cfg(feature = "rayon")]
    if let count @ 2.. = pool::count(work, pool::PRODUCT) {
        return pool::pieces(count, |pieces| body(pieces, count));
    }
    body(0..1, 1);
}

/// Runs `body`, a training step with `work` multiplications forward, as the leader of those threads of the pool that can help.
#[cfg_attr(not(feature = "rayon"), allow(unused_variables))]
#[inline(always)]
pub(crate) fn step<R>(work: usize, body: impl FnOnce() -> R) -> R {
    #[cfg(feature = "rayon")]
    if let others @ 1.. = pool::helpers(work) {
        return team::lead(others, body);
    }
    body()
}

/// Whether a product of `work` multiplications would be cut into pieces.
#[cfg(feature = "simd")]
#[cfg_attr(not(feature = "rayon"), allow(unused_variables))]
#[inline(always)]
pub(crate) fn cut(work: usize) -> bool {
    #[cfg(feature = "rayon")]
    return pool::count(work, pool::PRODUCT) > 1;
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
    // Of a slice of known length only one of these is compiled.
    if written.iter().all(|slice| slice.len() <= FEW) {
        return body(written, read);
    }
    parts(
        written,
        read,
        #[inline(always)]
        |written, read| {
            T::vectorized(
                #[inline(always)]
                || body(written, read),
            );
        },
    );
}

/// Calls `body` with the slices, or, if they are long, with the same part of all of them, one after the other.
#[inline(always)]
pub(crate) fn parts<T: Send + Sync, const W: usize, const R: usize>(
    written: [&mut [T]; W],
    read: [&[T]; R],
    body: impl Fn([&mut [T]; W], [&[T]; R]) + Sync,
) {
    #[cfg(feature = "rayon")]
    {
        let lens = written.iter().map(|slice| slice.len()).chain(read.iter().map(|slice| slice.len()));
        let len = lens.min().unwrap_or(0);
        if let count @ 2.. = pool::count(len, pool::ELEMENTS) {
            return pool::parts(written, read, len, count, body);
        }
    }
    body(written, read);
}

/// The largest of what `body` finds in parts of `slice`, or in all of it.
#[inline(always)]
pub(crate) fn largest<T: Scalar, R: Ord + Send>(slice: &[T], body: impl Fn(&[T]) -> R + Sync) -> R {
    #[cfg(feature = "rayon")]
    if let count @ 2.. = pool::count(slice.len(), pool::ELEMENTS)
        && let Some(largest) = pool::largest(slice, count, &body)
    {
        return largest;
    }
    T::vectorized(
        #[inline(always)]
        || body(slice),
    )
}
