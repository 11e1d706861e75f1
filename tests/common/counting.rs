//! An allocator that counts, thread by thread.
#![allow(dead_code, reason = "each file of tests uses its own part")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

/// What happened on this thread: calls that allocate, calls that give back, bytes that are held now and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub allocations: usize,
    pub deallocations: usize,
    held: isize,
    pub peak: isize,
}

thread_local! {
    static COUNTS: Cell<Counts> =
        const { Cell::new(Counts { allocations: 0, deallocations: 0, held: 0, peak: 0 }) };
}

fn count(allocated: Option<usize>, freed: Option<usize>) {
    let mut counts = COUNTS.get();
    counts.allocations += usize::from(allocated.is_some());
    counts.deallocations += usize::from(freed.is_some());
    counts.held += allocated.unwrap_or(0) as isize - freed.unwrap_or(0) as isize;
    counts.peak = counts.peak.max(counts.held);
    COUNTS.set(counts);
}

#[allow(unsafe_code, reason = "an allocator is unsafe by nature; this one counts and hands on")]
// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(Some(layout.size()), None);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(None, Some(layout.size()));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(Some(layout.size()), None);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(Some(size), Some(layout.size()));
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `f` does on this thread, the peak above what was held before.
pub fn counts<R>(f: impl FnOnce() -> R) -> (Counts, R) {
    let before = COUNTS.get();
    COUNTS.set(Counts { peak: before.held, ..before });
    let result = f();
    let after = COUNTS.get();
    let difference = Counts {
        allocations: after.allocations - before.allocations,
        deallocations: after.deallocations - before.deallocations,
        held: after.held - before.held,
        peak: after.peak - before.held,
    };
    (difference, result)
}

/// How often `f` allocates on this thread.
pub fn allocations<R>(f: impl FnOnce() -> R) -> (usize, R) {
    let (counts, result) = counts(f);
    (counts.allocations, result)
}
