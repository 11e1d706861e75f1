//! How deep the stack went.

unsafe extern "C" {
    static _stack_start: u32;
    static _stack_end: u32;
}

/// What `cortex-m-rt` painted the stack with.
const PAINT: u32 = 0xcccc_cccc;

/// The largest depth of the stack so far, in bytes: from its start down to the lowest word that lost its paint.
pub fn peak() -> usize {
    let (end, start) = (&raw const _stack_end, &raw const _stack_start);
    let mut word = end;
    // SAFETY: the words between the two symbols of the linker are RAM, aligned, and the reads are volatile since the
    // stack in use is among them.
    while word < start && unsafe { word.read_volatile() } == PAINT {
        word = word.wrapping_add(1);
    }
    start.addr() - word.addr()
}
