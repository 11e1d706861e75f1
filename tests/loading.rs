//! Ten million weights from a file: the memory that it takes, and the time beside that of reading the file.
//!
//! ```text
//! cargo test --release --test loading -- --ignored --nocapture   # prints the ratios
//! ```
#![cfg(feature = "files")]
#![allow(unsafe_code, reason = "an allocator that counts")]

use chainrule::{Dense, Identity, Random, Tensor, Zeroed, weights};
use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::{self, File};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

type Large = Dense<4000, 2500, Identity>;
const _: () = assert!(<Large as Tensor>::LEN >= 10_000_000);

/// The system's allocator, which knows how many bytes are in use, and were at most.
struct Counting;
static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn count(bytes: usize) {
    PEAK.fetch_max(NOW.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's contract is the same.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Tests of this file run one after the other: they share the allocator's counters.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn saved(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut network = Large::boxed();
    let mut random = Random::new(1, 0);
    for i in 0..Large::SLICES {
        network.slice_mut(i).iter_mut().for_each(|w| *w = random.uniform() as f32);
    }
    weights::save(&*network, &path).unwrap();
    path
}

/// At most the network and one mebibyte, from before the file is opened to after it is closed.
#[test]
fn memory() {
    let _alone = ALONE.lock();
    let path = saved("memory.crn");
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let network = weights::load::<Large>(&path).unwrap();
    let extra = PEAK.load(Relaxed) - before - size_of::<Large>();
    println!("beside the network: {extra} bytes");
    assert!(extra <= 1 << 20, "{extra} bytes");
    assert!(network.all_finite());
    fs::remove_file(path).unwrap();
}

/// The shorter half of the rounds is what the machine can do; the rest is what else it did.
fn typical(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 4].as_secs_f64()
}

#[test]
#[ignore = "measures time: on a machine with nothing else to do, with --release"]
fn time() {
    let _alone = ALONE.lock();
    let path = saved("time.crn");
    let mut network = Large::boxed();
    let [mut read, mut load, mut into, mut slice] = [const { Vec::new() }; 4];
    let timed = |times: &mut Vec<Duration>, f: &mut dyn FnMut()| {
        let start = Instant::now();
        f();
        times.push(start.elapsed());
    };
    for _ in 0..20 {
        timed(&mut read, &mut || drop(black_box(fs::read(&path).unwrap())));
        timed(&mut load, &mut || drop(black_box(weights::load::<Large>(&path).unwrap())));
        timed(&mut into, &mut || weights::read_from(&mut *network, File::open(&path).unwrap()).unwrap());
        timed(&mut slice, &mut || weights::read(&mut *network, &fs::read(&path).unwrap()).unwrap());
    }
    let [read, load, into, slice] = [read, load, into, slice].map(typical);
    println!("reading the file of {} weights: {:.2} ms", Large::LEN, 1e3 * read);
    println!("into a new box: {:.2} ms, {:.2} times as long (at most 1.2)", 1e3 * load, load / read);
    println!("into a network, through the heap: {:.2} ms, {:.2} times (at most 2.5)", 1e3 * into, into / read);
    println!("into a network, from the bytes read: {:.2} ms, {:.2} times (at most 2.5)", 1e3 * slice, slice / read);
    assert!(load <= 1.2 * read && into <= 2.5 * read && slice <= 2.5 * read);
    fs::remove_file(path).unwrap();
}
