//! What [`threads`](super) are with the feature `rayon`.

#![allow(unsafe_code, reason = "the control register of floating-point numbers is read and written in assembly")]

use crate::Scalar;
#[cfg(feature = "simd")]
use core::ops::Range;

/// Below so many multiplications for each piece a product is not cut: about 40 µs of AVX-512.
#[cfg(feature = "simd")]
pub(super) const LEAST_PRODUCT: usize = 1 << 21;

/// Below so many elements for each piece an elementwise loop is not cut.
pub(super) const LEAST_ELEMENTS: usize = 1 << 16;

/// A caller outside the pool sleeps while its threads, which have to wake up first, do the work: there must be so many
/// times more of it.
const OUTSIDE: usize = 4;

/// So many pieces for each thread, where there is work enough: threads are not equally fast.
const PIECES: usize = 4;

#[cfg(feature = "simd")]
std::thread_local! {
    /// Whether this thread has cut something since it last asked.
    pub(super) static CUT: core::cell::Cell<bool> = const { core::cell::Cell::new(false) };
}

/// Into how many pieces to cut `work`; `CUT` remembers it if that is more than one.
#[inline]
pub(super) fn count(work: usize, least: usize) -> usize {
    // The pool is not asked for, and so does not start, before there is enough to do for two threads.
    if work < 2 * least {
        return 1;
    }
    let least = if rayon::current_thread_index().is_some() { least } else { least * OUTSIDE };
    match rayon::current_num_threads() {
        threads @ 2.. if work >= 2 * least => {
            #[cfg(feature = "simd")]
            CUT.set(true);
            (PIECES * threads).min(work / least)
        }
        _ => 1,
    }
}

/// Runs the pieces of these numbers, of `count`.
#[cfg(feature = "simd")]
pub(super) fn pieces(
    numbers: Range<usize>,
    count: usize,
    environment: Environment,
    piece: &(impl Fn(usize, usize) + Sync),
) {
    if numbers.len() == 1 {
        return environment.during(|| piece(numbers.start, count));
    }
    let middle = numbers.start.midpoint(numbers.end);
    let (left, right) = (numbers.start..middle, middle..numbers.end);
    rayon::join(|| pieces(left, count, environment, piece), || pieces(right, count, environment, piece));
}

/// Runs `body` on `count` parts of the slices, of which the first `len` elements are looked at.
pub(super) fn elementwise<T: Scalar, const W: usize, const R: usize>(
    mut written: [&mut [T]; W],
    mut read: [&[T]; R],
    len: usize,
    count: usize,
    environment: Environment,
    body: &(impl Fn([&mut [T]; W], [&[T]; R]) + Sync),
) {
    if count == 1 {
        return environment.during(|| T::vectorized(|| body(written, read)));
    }
    let left = count / 2;
    let middle = len * left / count;
    let written_right = written.each_mut().map(|slice| slice.split_off_mut(middle..).unwrap_or_default());
    let read_right = read.each_mut().map(|slice| slice.split_off(middle..).unwrap_or_default());
    rayon::join(
        || elementwise(written, read, middle, left, environment, body),
        || elementwise(written_right, read_right, len - middle, count - left, environment, body),
    );
}

/// The largest of what `body` finds in `count` parts of `slice`.
pub(super) fn largest<T: Scalar, R: Ord + Send>(slice: &[T], count: usize, body: &(impl Fn(&[T]) -> R + Sync)) -> R {
    if count == 1 {
        return T::vectorized(|| body(slice));
    }
    let left = count / 2;
    let (first, second) = slice.split_at(slice.len() * left / count);
    let (first, second) = rayon::join(|| largest(first, left, body), || largest(second, count - left, body));
    first.max(second)
}

/// How numbers are rounded, and whether subnormal ones are flushed, is a state of each thread. The threads of the pool take
/// over the caller's, so that it makes no difference who runs a piece.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Environment(u64);

impl Environment {
    /// That of this thread.
    pub(super) fn current() -> Self {
        #[allow(unused_mut, reason = "on machines that are not known here there is nothing to read")]
        let mut control = 0_u64;
        #[cfg(target_arch = "x86_64")]
        // SAFETY: stores 32 bits into 64. The six lowest ones are set by arithmetic and control nothing.
        unsafe {
            core::arch::asm!("stmxcsr [{}]", in(reg) &raw mut control, options(nostack, preserves_flags));
            control &= !0x3f;
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: reads a register.
        unsafe {
            core::arch::asm!("mrs {}, fpcr", out(reg) control, options(nomem, nostack, preserves_flags));
        }
        Self(control)
    }

    fn set(self) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a value that a thread of this process computed with.
        unsafe {
            core::arch::asm!("ldmxcsr [{}]", in(reg) &raw const self.0, options(nostack, preserves_flags, readonly));
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: as above.
        unsafe {
            core::arch::asm!("msr fpcr, {}", in(reg) self.0, options(nomem, nostack, preserves_flags));
        }
    }

    /// Runs `body` in this environment, and leaves the thread's own behind.
    pub(super) fn during<R>(self, body: impl FnOnce() -> R) -> R {
        struct Restore(Environment);
        impl Drop for Restore {
            fn drop(&mut self) {
                self.0.set();
            }
        }
        let own = Self::current();
        let restore = (own != self).then(|| {
            self.set();
            Restore(own)
        });
        let result = body();
        drop(restore);
        result
    }
}
