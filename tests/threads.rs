//! The feature `rayon`: the same bits on any number of threads, with any floating-point environment, without allocation.
//! Products are split by the fast kernels alone: `cargo test --profile kernels --features rayon --test threads`.

#![cfg(feature = "rayon")]
#![allow(unsafe_code, reason = "an allocator that counts; a register is written in assembly")]

use chainrule::{
    Activation, Adagrad, Adam, AdamW, Class, Dense, Identity, Loss, Matrix, Momentum, Nesterov, Optimizer, Part,
    Random, Real, RmsProp, Rprop, Sgd, SoftmaxCrossEntropy, Tanh, Tensor, TrainError, Trainer, Vector, Zeroed, network,
};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

// ---------------------------------------------------------------- an allocator that counts, all threads of a pool together

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether this thread is one of a [`pool`]: what the test harness allocates meanwhile is not counted.
    static IN_POOL: Cell<bool> = const { Cell::new(false) };
}

/// Tests that count, or that would disturb the count, run one at a time.
static ALONE: Mutex<()> = Mutex::new(());

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(IN_POOL.get().into(), Ordering::Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// ---------------------------------------------------------------- a network whose products and updates are split

const BATCH: usize = 64;

network! {
    struct Large<T = f32>: 300 => 5 {
        first: Dense<300, 700, Tanh, T>,
        second: Dense<700, 760, Tanh, T>,
        last: Dense<760, 5, Identity, T>,
    }
}

// One whose activation is split too.
network! {
    struct Activated<A: Activation = Tanh, T = f32>: 300 => 5 {
        first: Dense<300, 2000, A, T>,
        last: Dense<2000, 5, Identity, T>,
    }
}

type Training<O = Adam> = Trainer<Large, O, BATCH>;

fn data() -> (Vec<[f32; 300]>, Vec<Class<5>>) {
    let mut random = Random::new(5, 0);
    // Not a multiple of the batch.
    let inputs = (0..100).map(|_| std::array::from_fn(|_| random.uniform() as f32 - 0.5)).collect();
    (inputs, (0..100).map(|s| Class::new(s % 5).unwrap()).collect())
}

fn train() -> Box<Training> {
    train_by(&Adam::new(0.01).unwrap(), 1)
}

fn train_by<O: Optimizer + 'static>(rule: &O, seed: u64) -> Box<Training<O>> {
    let (inputs, targets) = data();
    let mut trainer = Training::<O>::boxed();
    trainer.init(seed);
    for _ in 0..2 {
        trainer.epoch(rule, &SoftmaxCrossEntropy, &inputs, &targets).unwrap();
    }
    trainer
}

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).start_handler(|_| IN_POOL.set(true)).build().unwrap()
}

fn bits<P: Tensor<Scalar = f32>>(tensor: &P) -> Vec<u32> {
    (0..P::SLICES).flat_map(|i| tensor.slice(i)).map(|x| x.to_bits()).collect()
}

/// Runs what may wait for ever.
fn in_time(run: impl FnOnce() + Send + 'static) {
    let (done, end) = mpsc::channel();
    thread::spawn(move || {
        run();
        done.send(()).unwrap();
    });
    assert!(end.recv_timeout(Duration::from_secs(30)).is_ok(), "it waits for ever, or has panicked");
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let _alone = ALONE.lock();
    // One thread never splits anything: these are the bits of a build without the feature.
    let one = pool(1).install(train);
    for threads in [2, 3, 8] {
        let many = pool(threads).install(train);
        assert!(bits(&many.network) == bits(&one.network), "{threads} threads");
        assert!(bits(many.state()) == bits(one.state()), "{threads} threads");
    }
    // Outside every pool.
    assert!(bits(&train().network) == bits(&one.network));
    // Plain descent takes its products from the weights, and stores none.
    let descend = || bits(&train_by(&Sgd::new(0.01).unwrap(), 1).network);
    let one = pool(1).install(descend);
    for threads in [2, 3, 8] {
        assert!(pool(threads).install(descend) == one, "{threads} threads");
    }
}

/// Several trainers in one pool, more of them than threads, or fewer: each gets its own bits, and none waits for ever for another
/// one to end.
#[test]
fn trainers_share_a_pool() {
    let _alone = ALONE.lock();
    let sgd = Sgd::new(0.01).unwrap();
    let alone: Vec<_> = (0..5).map(|seed| pool(1).install(|| bits(&train_by(&sgd, seed).network))).collect();
    for (threads, trainers) in [(2, 5), (3, 2), (4, 3)] {
        let pool = pool(threads);
        for _ in 0..10 {
            let mut together = vec![Vec::new(); trainers];
            pool.scope(|scope| {
                for (seed, network) in together.iter_mut().enumerate() {
                    scope.spawn(move |_| *network = bits(&train_by(&sgd, seed as u64).network));
                }
            });
            assert!(together == alone[..trainers], "{trainers} trainers on {threads} threads");
        }
    }
}

/// Cross-entropy, before whose gradients something happens: that is in the middle of a step.
struct Amid<F>(F);

impl<F: Fn()> Loss<[f32; 5], Class<5>> for Amid<F> {
    fn value(&self, output: &[f32; 5], target: &Class<5>) -> f32 {
        SoftmaxCrossEntropy.value(output, target)
    }
    fn gradient(&self, output: &[f32; 5], target: &Class<5>, d_output: &mut [f32; 5]) -> f32 {
        SoftmaxCrossEntropy.gradient(output, target, d_output)
    }
    fn gradients<'t>(
        &self,
        outputs: &[[f32; 5]],
        targets: impl Iterator<Item = &'t Class<5>>,
        d_outputs: &mut [[f32; 5]],
    ) -> f32 {
        self.0();
        SoftmaxCrossEntropy.gradients(outputs, targets, d_outputs)
    }
}

/// In the middle of a step its thread does what else the pool is given, if it is asked to, but watches no step, its own or
/// another's.
#[test]
fn a_step_in_the_middle_watches_none() {
    let _alone = ALONE.lock();
    in_time(|| {
        let (inputs, targets) = data();
        let (barrier, sgd) = (Barrier::new(2), Sgd::new(0.01).unwrap());
        // Both threads are in the middle of a step, and whatever there is to watch lies in their queues.
        let yields = Amid(|| {
            barrier.wait();
            while rayon::yield_now() == Some(rayon::Yield::Executed) {}
            barrier.wait();
        });
        pool(2).broadcast(|_| {
            let mut trainer = Trainer::<Large, Sgd, BATCH>::boxed();
            trainer.init(1);
            let (inputs, targets) = (inputs.first_chunk().unwrap(), targets.first_chunk().unwrap());
            for _ in 0..2 {
                trainer.step(&sgd, &yields, inputs, targets).unwrap();
            }
        });
    });
}

/// While a step lasts, who watches it takes up nothing else that the pool is given, so that the step need not wait for that.
#[test]
fn who_watches_takes_up_nothing_else() {
    let _alone = ALONE.lock();
    let (taken, early) = (Arc::new(AtomicBool::new(false)), AtomicBool::new(true));
    let spawns = Amid(|| {
        taken.store(false, Ordering::SeqCst);
        let job = taken.clone();
        rayon::spawn(move || job.store(true, Ordering::SeqCst));
        thread::sleep(Duration::from_millis(20));
        early.store(taken.load(Ordering::SeqCst), Ordering::SeqCst);
    });
    let (sgd, (inputs, targets)) = (Sgd::new(0.01).unwrap(), data());
    let (inputs, targets) = (inputs.first_chunk().unwrap(), targets.first_chunk().unwrap());
    let mut trainer = Trainer::<Large, Sgd, BATCH>::boxed();
    trainer.init(1);
    let pool = pool(2);
    // The first step is not watched.
    pool.install(|| (0..2).for_each(|_| _ = trainer.step(&sgd, &spawns, inputs, targets).unwrap()));
    assert!(!early.load(Ordering::SeqCst), "in the middle of the step");
    let start = Instant::now();
    while !taken.load(Ordering::SeqCst) {
        assert!(start.elapsed() < Duration::from_secs(30), "the job is lost");
        thread::yield_now();
    }
}

/// A piece that does what else there is, as a user's activation may, is not given its own team's watch, nor another's.
#[test]
#[cfg_attr(any(debug_assertions, not(feature = "simd")), ignore = "activations are split by the fast kernels alone")]
fn a_piece_watches_none() {
    struct Yields;
    impl Activation for Yields {
        type At = chainrule::Value;
        fn value<T: Real>(z: T) -> T {
            rayon::yield_now();
            z
        }
        fn derivative<T: Real>(_: T) -> T {
            T::one()
        }
    }
    let _alone = ALONE.lock();
    in_time(|| {
        let (inputs, targets) = data();
        let sgd = Sgd::new(0.01).unwrap();
        pool(2).broadcast(|_| {
            let mut trainer = Trainer::<Activated<Yields>, Sgd, BATCH>::boxed();
            trainer.init(1);
            for _ in 0..20 {
                let (inputs, targets) = (inputs.first_chunk().unwrap(), targets.first_chunk().unwrap());
                trainer.step(&sgd, &SoftmaxCrossEntropy, inputs, targets).unwrap();
            }
        });
    });
}

/// A panic in the middle of a step reaches the caller; the pool goes on.
#[test]
fn a_panic_in_a_step_ends_it() {
    let _alone = ALONE.lock();
    let (inputs, targets) = data();
    let (adam, pool) = (Adam::new(0.01).unwrap(), pool(2));
    let expected = bits(&train().network);
    for _ in 0..5 {
        let mut trainer = Training::boxed();
        trainer.init(1);
        let panics = Amid(|| panic!("on purpose"));
        let caught =
            pool.install(|| catch_unwind(AssertUnwindSafe(|| trainer.accumulate(&adam, &panics, &inputs, &targets))));
        assert!(caught.is_err());
        assert!(bits(&pool.install(train).network) == expected);
    }
}

/// So does one in a piece that another thread has taken.
#[test]
#[cfg_attr(any(debug_assertions, not(feature = "simd")), ignore = "activations are split by the fast kernels alone")]
fn a_panic_in_a_piece_ends_the_step() {
    thread_local! {
        static LEADS: Cell<bool> = const { Cell::new(true) };
    }
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    /// Of several panics at once one is told. The others must not be dropped in between.
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped")
        }
    }
    struct Panics;
    impl Activation for Panics {
        type At = chainrule::Value;
        fn value<T: Real>(z: T) -> T {
            if !LEADS.get() {
                PANICS.fetch_add(1, Ordering::SeqCst);
                std::panic::panic_any(Bomb);
            }
            // The leader leaves the other thread time for two.
            let start = Instant::now();
            while PANICS.load(Ordering::SeqCst) < 2 && start.elapsed() < Duration::from_micros(5) {
                thread::yield_now();
            }
            z
        }
        fn derivative<T: Real>(_: T) -> T {
            T::one()
        }
    }
    let _alone = ALONE.lock();
    let (inputs, targets) = data();
    let (inputs, targets) = (inputs.first_chunk().unwrap(), targets.first_chunk().unwrap());
    let (sgd, expected) = (Sgd::new(0.01).unwrap(), bits(&train().network));
    let pool = ThreadPoolBuilder::new().num_threads(2).start_handler(|_| LEADS.set(false)).build().unwrap();
    for _ in 0..5 {
        let payload = pool.install(|| {
            LEADS.set(true);
            PANICS.store(0, Ordering::SeqCst);
            let mut trainer = Trainer::<Activated<Panics>, Sgd, BATCH>::boxed();
            trainer.init(1);
            // The other thread may come late, more than once.
            let mut step = || trainer.step(&sgd, &SoftmaxCrossEntropy, inputs, targets).unwrap();
            let caught = catch_unwind(AssertUnwindSafe(|| (0..1000).map(|_| step()).sum::<f32>()));
            LEADS.set(false);
            caught.unwrap_err()
        });
        assert!(payload.is::<Bomb>());
        std::mem::forget(payload);
        assert!(bits(&pool.install(train).network) == expected);
    }
}

/// All three products, each of which adds to what is there or overwrites it.
#[test]
fn products_have_the_same_bits() {
    const N: usize = 200;
    fn run() -> [Vec<u32>; 3] {
        let mut random = Random::new(7, 0);
        let mut draw = || {
            let mut matrix = Matrix::<N, N>::boxed();
            matrix.map(|_: f32| random.uniform() as f32 - 0.5);
            matrix
        };
        let (a, b) = (draw(), draw());
        let [mut c, mut d, mut g] = [draw(), draw(), draw()];
        c.set_product(&a, &b);
        d.set_transpose_product(&a, &b);
        g.add_product_transpose(&a, &b);
        [c, d, g].map(|matrix| bits(&*matrix))
    }
    let _alone = ALONE.lock();
    let one = pool(1).install(run);
    for threads in [2, 3, 8] {
        assert!(pool(threads).install(run) == one, "{threads} threads");
    }
}

/// An optimiser's update of a slice long enough to be split, at the edges of the pieces too.
#[test]
fn every_rule_has_the_same_bits() {
    const LEN: usize = (1 << 17) + 5;
    fn run<O: Optimizer + Sync>(rule: &O) -> Vec<u32> {
        let mut random = Random::new(6, 0);
        let mut draw = || {
            let mut vector = Vector::<LEN>::boxed();
            vector.map(|_| random.uniform() as f32 - 0.5);
            vector
        };
        let (mut parameters, gradients) = (draw(), [draw(), draw()]);
        let mut state = <O::State<Vector<LEN>>>::boxed();
        for (step, gradient) in (1..).zip(&gradients) {
            rule.step(step, &mut *parameters, gradient, &mut state).unwrap();
        }
        bits(&*parameters)
    }
    fn check<O: Optimizer + Sync>(name: &str, rule: O) {
        let one = pool(1).install(|| run(&rule));
        for threads in [2, 3] {
            assert!(pool(threads).install(|| run(&rule)) == one, "{name} on {threads} threads");
        }
    }
    let _alone = ALONE.lock();
    check("SGD", Sgd::new(0.1).unwrap());
    check("momentum", Momentum::new(0.1).unwrap());
    check("Nesterov", Nesterov::new(0.1).unwrap());
    check("Adagrad", Adagrad::new(0.1).unwrap());
    check("RMSprop", RmsProp::new(0.1).unwrap());
    check("Adam", Adam::new(0.1).unwrap());
    check("AdamW", AdamW::new(0.1).unwrap());
    check("Rprop", Rprop::new(0.1).unwrap());
}

/// Whichever piece of a gradient it is in.
#[test]
fn what_is_not_finite_is_found_in_every_piece() {
    let _alone = ALONE.lock();
    for threads in [1, 2, 8] {
        for at in [0, 1 << 16, (1 << 19) + 4] {
            let found = pool(threads).install(|| {
                let mut gradient = Vector::<{ (1 << 19) + 5 }>::boxed();
                gradient[at] = f32::NAN;
                gradient.max_abs()
            });
            assert!(found.is_nan(), "{threads} threads, element {at}");
        }
    }
}

/// A parameter that would overflow, too, and then none has moved.
#[test]
fn an_overflow_is_found_in_every_piece() {
    const LEN: usize = (1 << 19) + 5;
    let _alone = ALONE.lock();
    for (threads, at) in [(1, LEN - 1), (2, 0), (2, LEN - 1), (8, LEN / 2)] {
        pool(threads).install(|| {
            let (mut w, mut g) = (Vector::<LEN>::boxed(), Vector::<LEN>::boxed());
            (w[at], g[at]) = (f32::MAX, -f32::MAX);
            let before = bits(&*w);
            let mut state = Zeroed::ZEROED;
            let result = Sgd::new(1.0).unwrap().step(1, &mut *w, &g, &mut state);
            assert!(result.is_err(), "{threads} threads, {at}");
            assert!(bits(&*w) == before);
        });
    }
}

/// A refused step leaves every byte as it was, on several threads too.
#[test]
fn a_refused_step_changes_nothing() {
    let _alone = ALONE.lock();
    let (mut inputs, targets) = data();
    inputs.iter_mut().for_each(|input| input.fill(3e38));
    pool(2).install(|| {
        let mut trainer = train();
        trainer.network.last.weights.fill(1e38);
        let before = bits(&trainer.network);
        let result = trainer.accumulate(&Adam::new(0.01).unwrap(), &SoftmaxCrossEntropy, &inputs, &targets);
        assert!(matches!(result, Err(TrainError::Loss { .. } | TrainError::Gradient { .. })), "{result:?}");
        assert!(bits(&trainer.network) == before);
    });
}

/// In a pool nothing is allocated once its queues have grown: 0 in twenty steps.
#[test]
fn a_step_in_a_pool_allocates_nothing() {
    let _alone = ALONE.lock();
    let (inputs, targets) = data();
    pool(2).install(|| {
        let adam = Adam::new(0.01).unwrap();
        let mut trainer = train();
        let mut step = || trainer.accumulate(&adam, &SoftmaxCrossEntropy, &inputs, &targets).unwrap();
        step();
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        for _ in 0..20 {
            step();
        }
        assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - before, 0);
        // The counter counts.
        drop(std::hint::black_box(Box::new(1)));
        assert!(ALLOCATIONS.load(Ordering::Relaxed) > before);
    });
}

/// A caller that flushes subnormal numbers gets the same from threads that were started without, and leaves them so.
#[cfg(target_arch = "x86_64")]
mod environment {
    use super::*;
    use std::arch::asm;
    use std::hint::black_box;

    fn set(register: u32) {
        // SAFETY: the default, or with flush-to-zero and denormals-are-zero, which is what is tested here.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const register, options(nostack, readonly)) };
    }

    /// `zeros` counts the zeros among `len` numbers that are subnormal, or flushed.
    fn is_the_callers(len: usize, zeros: impl Fn() -> usize + Sync) {
        let _alone = ALONE.lock();
        // Outside the pool, so that its threads run every piece, and these are started with the default.
        assert!(rayon::broadcast(keeps_subnormals).into_iter().all(|keeps| keeps));
        assert_eq!(zeros(), 0);
        set(0x9fc0);
        let flushed = zeros();
        set(0x1f80);
        assert_eq!(flushed, len);
        assert_eq!(zeros(), 0);
        assert!(rayon::broadcast(keeps_subnormals).into_iter().all(|keeps| keeps));
    }

    fn keeps_subnormals(_: rayon::BroadcastContext<'_>) -> bool {
        black_box(f32::MIN_POSITIVE) * black_box(0.5) != 0.0
    }

    fn zeros(x: &[f32]) -> usize {
        x.iter().filter(|x| x.to_bits() << 1 == 0).count()
    }

    #[test]
    fn of_an_update_is_the_callers() {
        const LEN: usize = 1 << 19;
        is_the_callers(LEN, || {
            let (mut w, mut g) = (Vector::<LEN>::boxed(), Vector::<LEN>::boxed());
            g.fill(f32::MIN_POSITIVE);
            let mut state = Zeroed::ZEROED;
            Sgd::new(black_box(0.5)).unwrap().update((), Part::whole(&*g, 0), &mut *w, g.as_slice(), &mut state);
            zeros(w.as_slice())
        });
    }

    #[test]
    fn of_a_product_is_the_callers() {
        const N: usize = 256;
        is_the_callers(N * N, || {
            let (mut a, mut b, mut c) = (Matrix::<N, N>::boxed(), Matrix::<N, N>::boxed(), Matrix::<N, N>::boxed());
            a.fill(1e-30);
            b.fill(1e-12);
            c.set_product(&a, &b);
            zeros(c.as_slice())
        });
    }
}
