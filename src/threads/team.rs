//! A team: the threads that share a loop, or all the large loops of a training step. One leads it; others of rayon's pool, if they
//! have nothing else to do, watch for pieces until it is over. They take up nothing else meanwhile, nor does the leader: what it
//! waits for has begun. Asleep between two loops of a step they would have to be woken, which takes tens of microseconds.

#![allow(
    unsafe_code,
    reason = "a loop is on offer no longer than it is borrowed, and what need not be `Send` stays on its thread"
)]

use core::any::Any;
use core::cell::Cell;
use core::mem;
use core::ops::Range;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::boxed::Box;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};

std::thread_local! {
    /// The team that a training step on this thread leads.
    static LED: Cell<*const Team> = const { Cell::new(ptr::null()) };
    /// Whether this thread is in the middle of a piece, of whichever team.
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// A loop: it is called with the numbers of some of its pieces, which lie side by side.
type Loop<'a> = &'a (dyn Fn(Range<usize>) + Sync);

/// What its threads know of each other. One loop at a time is on offer.
struct Team {
    /// How many they are.
    threads: usize,
    /// That loop. Whoever has taken a piece may call it until that is done.
    offer: AtomicPtr<Loop<'static>>,
    /// The pieces that nobody has taken yet, [packed].
    open: AtomicUsize,
    /// How many are not done.
    undone: AtomicUsize,
    /// What a piece panicked with.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// How many threads watch.
    watching: AtomicUsize,
    over: AtomicBool,
}

/// A range in one number, which several threads may change.
const fn packed(start: usize, end: usize) -> usize {
    start | end << (usize::BITS / 2)
}

const fn unpacked(bits: usize) -> Range<usize> {
    let end = bits >> (usize::BITS / 2);
    (bits ^ packed(0, end))..end
}

impl Team {
    fn of(threads: usize) -> Self {
        Self {
            threads,
            offer: AtomicPtr::new(ptr::null_mut()),
            open: AtomicUsize::new(0),
            undone: AtomicUsize::new(0),
            panic: Mutex::new(None),
            watching: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        }
    }

    /// Runs the pieces 0 to `count` − 1 of a loop, each once, on this thread and those that watch.
    fn share(&self, count: usize, body: Loop<'_>) {
        debug_assert!(count >> (usize::BITS / 2) == 0, "it is packed");
        let offer = ptr::from_ref(&body).cast_mut().cast::<Loop<'static>>();
        self.offer.store(offer, Ordering::Relaxed);
        self.undone.store(count, Ordering::Relaxed);
        self.open.store(packed(0, count), Ordering::Release);
        while let Some(pieces) = self.take(false) {
            self.run(pieces);
        }
        wait(|| self.undone.load(Ordering::Acquire) == 0);
        let panic = self.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
    }

    /// Takes some of the first open pieces, or of the last: a thread that always begins at the same end finds more of it in its
    /// caches. At first they are many, since a loop has something to prepare for each call, and in the end one.
    fn take(&self, last: bool) -> Option<Range<usize>> {
        let some = |open: &Range<usize>| (3 * open.len() / (4 * self.threads)).max(1);
        let rest = |bits| {
            let open = unpacked(bits);
            let some = if open.is_empty() { return None } else { some(&open) };
            Some(if last { packed(open.start, open.end - some) } else { packed(open.start + some, open.end) })
        };
        let open = unpacked(self.open.fetch_update(Ordering::Acquire, Ordering::Acquire, rest).ok()?);
        let some = some(&open);
        Some(if last { open.end - some..open.end } else { open.start..open.start + some })
    }

    /// Runs pieces that this thread has taken.
    fn run(&self, pieces: Range<usize>) {
        let count = pieces.len();
        // SAFETY: `share` waits for these pieces, and so the loop is borrowed until they are done. It was put there before they
        // could be taken.
        let body = unsafe { *self.offer.load(Ordering::Relaxed) };
        let before = BUSY.replace(true);
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| body(pieces))) {
            let mut first = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
            if first.is_none() {
                *first = Some(payload);
            } else {
                // To drop what somebody panicked with may panic again, and nothing may unwind from here.
                mem::forget(payload);
            }
        }
        BUSY.set(before);
        self.undone.fetch_sub(count, Ordering::Release);
    }

    /// Runs pieces until the team's work is over; not in the middle of a step of one's own, or of a piece: two could wait for each
    /// other's end.
    fn watch(&self) {
        if BUSY.get() || !LED.get().is_null() {
            return;
        }
        self.watching.fetch_add(1, Ordering::Relaxed);
        while !self.over.load(Ordering::Acquire) {
            wait(|| !unpacked(self.open.load(Ordering::Relaxed)).is_empty() || self.over.load(Ordering::Relaxed));
            while let Some(pieces) = self.take(true) {
                self.run(pieces);
            }
        }
        self.watching.fetch_sub(1, Ordering::Release);
    }

    /// Calls `lead` here, and offers to the pool as many watches.
    fn gather<R: Send>(&self, watches: usize, lead: impl FnOnce() -> R + Send) -> R {
        if watches == 0 {
            // Who watches leaves, if it has begun, before rayon is told to wait for it, since it looks for other jobs meanwhile.
            let _end = Finally(|| {
                self.over.store(true, Ordering::Release);
                wait(|| self.watching.load(Ordering::Acquire) == 0);
            });
            return lead();
        }
        rayon::join(|| self.gather(watches - 1, lead), || self.watch()).0
    }
}

/// Calls this at the end, also if that is a panic.
pub(super) struct Finally<F: Fn()>(pub(super) F);

impl<F: Fn()> Drop for Finally<F> {
    fn drop(&mut self) {
        self.0();
    }
}

/// Waits for what will be so soon.
fn wait(is_so: impl Fn() -> bool) {
    let mut looks = 0;
    while !is_so() {
        if looks < 64 {
            looks += 1;
            core::hint::spin_loop();
        } else {
            // There may be more threads than cores.
            std::thread::yield_now();
        }
    }
}

/// Whether this thread leads a team.
pub(super) fn is_led() -> bool {
    !LED.get().is_null()
}

/// Runs the pieces 0 to `count` − 1 of a loop: on the team that this thread leads, or on one of up to `threads` for this loop alone.
pub(super) fn share(count: usize, threads: usize, body: Loop<'_>) {
    // A loop on offer takes the whole team: one within a piece would find none.
    let led = LED.replace(ptr::null());
    let _restore = Finally(|| LED.set(led));
    // SAFETY: `lead` takes the pointer away before the team goes.
    match unsafe { led.as_ref() } {
        Some(team) => team.share(count, body),
        None => {
            let threads = threads.min(count);
            let team = Team::of(threads);
            team.gather(threads - 1, || team.share(count, body));
        }
    }
}

/// Runs `body`, which must stay on this thread, one of the pool's, as the leader of a team with so many `others`.
pub(super) fn lead<R>(others: usize, body: impl FnOnce() -> R) -> R {
    debug_assert!(rayon::current_thread_index().is_some(), "rayon leaves a closure on a thread of the pool alone");
    let team = Team::of(1 + others);
    let body = Stays(body);
    team.gather(others, || {
        let body = body;
        LED.set(&raw const team);
        let _end = Finally(|| LED.set(ptr::null()));
        Stays((body.0)())
    })
    .0
}

/// What stays on its thread.
struct Stays<T>(T);

// SAFETY: `lead` alone makes use of it, for the first closure of `rayon::join` and what that returns: in a pool "the calling
// thread … will begin by executing closure A (on the current thread)".
unsafe impl<T> Send for Stays<T> {}
