//! The pool's threads stay awake while a large training step lasts. Asleep they would have to be woken several times a step, which
//! takes tens of microseconds each.

#![allow(unsafe_code, reason = "a step that need not be `Send` is a closure of `join`, which leaves it on its thread")]

use super::pool::{CUT, LEAST_PRODUCT};
use core::cell::Cell;
use core::sync::atomic::{AtomicBool, Ordering};

std::thread_local! {
    /// Whether this thread is in the middle of a training step.
    static STEPPING: Cell<bool> = const { Cell::new(false) };
    /// Whether it watches somebody else's.
    static WATCHING: Cell<bool> = const { Cell::new(false) };
}

/// How many other threads can help with a training step of `work` multiplications forward: none unless the caller is one of
/// the pool's, and the step before it has cut something.
fn helpers(work: usize) -> usize {
    if work < 2 * LEAST_PRODUCT || STEPPING.get() || rayon::current_thread_index().is_none() || !CUT.replace(false) {
        return 0;
    }
    rayon::current_num_threads().min(work / LEAST_PRODUCT) - 1
}

/// Runs `body`, a step with `work` multiplications forward, while as many other threads of the pool as can help, if they have
/// nothing else to do, look out for its pieces.
pub(super) fn awake<R>(work: usize, body: impl FnOnce() -> R) -> R {
    /// Ends what is going on here, also if it panics.
    struct End<'a>(&'a AtomicBool);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
            STEPPING.set(false);
        }
    }
    let helpers = helpers(work);
    if helpers == 0 {
        return body();
    }
    let over = AtomicBool::new(false);
    let step = || {
        let _end = End(&over);
        STEPPING.set(true);
        body()
    };
    watched(helpers, Stays(step), &over).0
}

/// What stays on its thread.
struct Stays<T>(T);

// SAFETY: `watched` alone makes use of it, as the first closure of `rayon::join` and as what that returns: in a pool "the
// calling thread … will begin by executing closure A (on the current thread)", and `helpers` are none outside.
unsafe impl<T> Send for Stays<T> {}

/// Calls `step`, and offers to the pool as many watches until it is `over`.
fn watched<R>(watches: usize, step: Stays<impl FnOnce() -> R>, over: &AtomicBool) -> Stays<R> {
    if watches == 0 {
        return Stays((step.0)());
    }
    rayon::join(move || watched(watches - 1, step, over), || watch(over)).0
}

/// Does what others offer, until the step is `over`. Not in the middle of a step of one's own: two could wait for each other's end.
/// Nor can it be in the middle of a piece of the step that it watches: watches are offered before pieces, and the oldest is
/// taken first. Not on top of another watch: the first step's end would wait for the second's.
fn watch(over: &AtomicBool) {
    if STEPPING.get() || WATCHING.replace(true) {
        return;
    }
    while !over.load(Ordering::Acquire) {
        if rayon::yield_now() != Some(rayon::Yield::Executed) {
            // There may be more threads than cores.
            std::thread::yield_now();
        }
    }
    WATCHING.set(false);
}
