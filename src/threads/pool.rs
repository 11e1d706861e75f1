//! What [`threads`](super) are with the feature `rayon`.

#![allow(unsafe_code, reason = "the control register of floating-point numbers is read and written in assembly")]

use super::team::{self, Finally};
use crate::Scalar;
use core::cell::Cell;
use core::ops::Range;
use core::slice;
use std::sync::{Mutex, PoisonError};

/// How much work a piece must be.
#[derive(Clone, Copy)]
pub(super) struct Least {
    /// In the middle of a step whose team stands by.
    team: usize,
    /// Where the threads of the pool that the caller is one of have to be woken first.
    inside: usize,
    /// Where the caller has to be woken too.
    outside: usize,
}

/// Multiplications of a product.
pub(super) const PRODUCT: Least = Least { team: 1 << 18, inside: 1 << 21, outside: 1 << 23 };

/// Elements of an elementwise loop.
pub(super) const ELEMENTS: Least = Least { team: 1 << 14, inside: 1 << 16, outside: 1 << 18 };

/// So many pieces for each thread, where there is work enough: threads are not equally fast.
const PIECES: usize = 8;

std::thread_local! {
    /// Whether this thread, since it last asked, has come to a loop that is worth waking threads for.
    static CUT: Cell<bool> = const { Cell::new(false) };
}

/// Into how many pieces to cut `work`.
#[inline]
pub(super) fn count(work: usize, least: Least) -> usize {
    if work < 2 * least.team {
        return 1;
    }
    if work >= 2 * least.inside {
        CUT.set(true);
    }
    let least = match rayon::current_thread_index() {
        Some(_) if team::is_led() => least.team,
        Some(_) => least.inside,
        None => least.outside,
    };
    // Outside, the pool is not asked for, and so does not start, before there is enough to do.
    if work < 2 * least {
        return 1;
    }
    match rayon::current_num_threads() {
        threads @ 2.. => (PIECES * threads).min(work / least),
        _ => 1,
    }
}

/// How many other threads can help with a training step of `work` multiplications forward: none unless the caller is one of
/// the pool's, and something of the step before was worth it.
pub(super) fn helpers(work: usize) -> usize {
    let least = PRODUCT.inside;
    if work < 2 * least || team::is_led() || !CUT.replace(false) || rayon::current_thread_index().is_none() {
        return 0;
    }
    rayon::current_num_threads().min(work / least) - 1
}

/// Calls `body` with ranges that cover 0 to `count`, each number once.
pub(super) fn pieces(count: usize, body: impl Fn(Range<usize>) + Sync) {
    let environment = Environment::current();
    team::share(count, rayon::current_num_threads(), &|pieces| environment.during(|| body(pieces)));
}

/// Which of `len` elements are in these pieces, of `count`: `len` × number / `count`, which does not overflow.
fn within(len: usize, count: usize, pieces: &Range<usize>) -> Range<usize> {
    let at = |number: usize| len / count * number + len % count * number / count;
    at(pieces.start)..at(pieces.end)
}

/// Calls `body` with `count` parts of the slices, of which the first `len` elements are looked at.
pub(super) fn parts<T: Send + Sync, const W: usize, const R: usize>(
    written: [&mut [T]; W],
    read: [&[T]; R],
    len: usize,
    count: usize,
    body: impl Fn([&mut [T]; W], [&[T]; R]) + Sync,
) {
    /// The beginning of a slice.
    struct Start<T>(*mut T);
    // SAFETY: each piece makes use of elements of its own.
    unsafe impl<T: Send> Sync for Start<T> {}

    let written = written.map(|slice| Start(slice.as_mut_ptr()));
    pieces(count, |pieces| {
        let part = within(len, count, &pieces);
        let written = written.each_ref().map(|Start(at)| {
            // SAFETY: all slices have `len` elements, and no other piece has these.
            unsafe { slice::from_raw_parts_mut(at.add(part.start), part.len()) }
        });
        let read = read.map(|slice| slice.get(part.clone()).unwrap_or_default());
        body(written, read);
    });
}

/// The largest of what `body` finds in `count` parts of `slice`.
pub(super) fn largest<T: Scalar, R: Ord + Send>(
    slice: &[T],
    count: usize,
    body: impl Fn(&[T]) -> R + Sync,
) -> Option<R> {
    let largest = Mutex::new(None);
    pieces(count, |pieces| {
        let part = within(slice.len(), count, &pieces);
        let found = T::vectorized(|| body(slice.get(part).unwrap_or_default()));
        let mut largest = largest.lock().unwrap_or_else(PoisonError::into_inner);
        *largest = largest.take().max(Some(found));
    });
    largest.into_inner().unwrap_or_else(PoisonError::into_inner)
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
        let own = Self::current();
        let restore = (own != self).then(|| {
            self.set();
            Finally(move || own.set())
        });
        let result = body();
        drop(restore);
        result
    }
}
