//! Memory: large networks train where there is no stack for them, statics lie in .bss, and nothing on the path of
//! training and prediction allocates. In debug builds too: tests are built without optimisation.

mod common;
#[path = "common/counting.rs"]
mod counting;

use chainrule::{
    Accuracy, Adam, Class, Confusion, Dense, Dropout, Identity, Layer, Momentum, Network, Optimizer, Parameters, Relu,
    Residual, Sgd, SoftmaxCrossEntropy, Tanh, Tensor, Trainer, Vector, Zeroed, network,
};
use common::Draws;
use counting::allocations;
use std::sync::Mutex;
use std::thread;

/// The counter counts: else the tests below would prove nothing.
#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))).0, 1);
    assert_eq!(allocations(|| std::hint::black_box(vec![0_u8; 100])).0, 1);
    assert_eq!(allocations(Vector::<64>::boxed).0, 1);
    assert_eq!(allocations(|| ()).0, 0);
}

network! {
    /// Every kind of layer; of shapes at which no product goes through the crate matrixmultiply, which packs its operands
    /// in memory that it allocates.
    struct Every<T = f32>: 12 => 4 {
        first: Dense<12, 16, Relu, T>,
        skip: Residual<(Dense<16, 8, Tanh, T>, Dense<8, 16, Identity, T>)>,
        off: Dropout<1, 4, T>,
        last: Dense<16, 4, Identity, T>,
    }
}

/// A step, an epoch, accumulation, evaluation with metrics and prediction allocate nothing, for every optimiser; nor
/// does initialisation in place, nor a step that is refused.
#[test]
fn training_allocates_nothing() {
    fn check<O: Optimizer + 'static>(rule: &O) {
        let mut draws = Draws(1);
        let (inputs, targets): (Vec<[f32; 12]>, Vec<Class<4>>) =
            (0..37).map(|_| (draws.array(1.0), Class::new(draws.below(4)).unwrap())).unzip();
        let batch = (inputs[..8].try_into().unwrap(), targets[..8].try_into().unwrap());
        let mut bad = inputs.clone();
        bad[36][3] = f32::NAN;
        let mut trainer = Trainer::<Every, O, 8>::boxed();
        let mut metrics = (Accuracy::default(), Confusion::<4>::default());
        let loss = &SoftmaxCrossEntropy;
        let mut sum = 0.0;
        // Warm: run-time detection of vector instructions may cache its finding.
        trainer.init(1);
        trainer.step(rule, loss, batch.0, batch.1).unwrap();
        assert_eq!(allocations(|| trainer.init(1)).0, 0, "init");
        assert_eq!(allocations(|| trainer.step(rule, loss, batch.0, batch.1).unwrap()).0, 0, "step");
        assert_eq!(allocations(|| trainer.epoch(rule, loss, &inputs, &targets).unwrap()).0, 0, "epoch");
        assert_eq!(allocations(|| trainer.accumulate(rule, loss, &inputs, &targets).unwrap()).0, 0, "accumulate");
        assert_eq!(allocations(|| trainer.evaluate(loss, &inputs, &targets, &mut metrics).unwrap()).0, 0, "evaluate");
        assert_eq!(allocations(|| trainer.predict(&inputs, |_, y| sum += y[0])).0, 0, "predict");
        assert_eq!(allocations(|| trainer.epoch(rule, loss, &bad, &targets).is_err()), (0, true), "refused");
        assert!(sum.is_finite());
    }
    check(&Sgd::new(0.1).unwrap());
    check(&Momentum::new(0.1).unwrap());
    check(&Adam::new(0.01).unwrap());
}

/// Prediction of one sample with borrowed weights allocates nothing.
#[test]
fn prediction_allocates_nothing() {
    let network = Every::<f32>::new(1);
    let x = Vector::filled(0.5);
    let mut scratch = Zeroed::ZEROED;
    network.predict(&x, &mut scratch);
    let (count, y) = allocations(|| network.predict(&x, &mut scratch)[0]);
    assert!(count == 0 && y.is_finite());
}

// ---------------------------------------------------------------- large networks

network! {
    struct Large<T = f32>: 784 => 10 {
        hidden: Dense<784, 512, Relu, T>,
        output: Dense<512, 10, Identity, T>,
    }
}
type LargeTrainer = Trainer<Large, Adam, 32>;

/// One step, and a loss that falls: on data that the thread's small stack never holds.
fn train(trainer: &mut LargeTrainer) {
    let mut draws = Draws(3);
    let inputs: Vec<[f32; 784]> = (0..32).map(|_| draws.array(1.0)).collect();
    let targets: Vec<Class<10>> = (0..32).map(|_| Class::new(draws.below(10)).unwrap()).collect();
    let adam = Adam::new(1e-3).unwrap();
    trainer.init(1);
    let before = trainer
        .step(
            &adam,
            &SoftmaxCrossEntropy,
            inputs.as_slice().try_into().unwrap(),
            targets.as_slice().try_into().unwrap(),
        )
        .unwrap();
    let after = trainer.epoch(&adam, &SoftmaxCrossEntropy, &inputs, &targets).unwrap();
    assert!(after < before, "{before} to {after}");
    trainer.predict(&inputs[..1], |_, y| assert!(y.iter().all(|y| y.is_finite())));
}

/// 784-512-10 with Adam and batches of 32 is 6.8 MB; it is built, initialised and trained in a thread of 64 KiB.
#[test]
fn boxed_in_64_kib() {
    assert!(size_of::<LargeTrainer>() > 6_000_000);
    let small = thread::Builder::new().stack_size(64 * 1024);
    small.spawn(|| train(&mut LargeTrainer::boxed())).unwrap().join().unwrap();
}

static STATIC: Mutex<LargeTrainer> = Mutex::new(Trainer::ZEROED);
static MATRIX: Mutex<chainrule::Matrix<784, 512>> = Mutex::new(chainrule::Matrix::ZEROED);

/// The same as a static.
#[test]
fn static_in_64_kib() {
    let small = thread::Builder::new().stack_size(64 * 1024);
    small.spawn(|| train(&mut STATIC.lock().unwrap())).unwrap().join().unwrap();
}

/// Every part of a network that is boxed is zero, wherever it lies: what the allocator hands out is what `ZEROED` is.
#[test]
fn boxed_is_zeroed() {
    let boxed = Trainer::<Every, Adam, 8>::boxed();
    let zero = Trainer::<Every, Adam, 8>::ZEROED;
    assert_eq!(boxed.network, zero.network);
    assert_eq!(boxed.state(), zero.state());
    assert_eq!((boxed.steps(), boxed.epochs()), (0, 0));
    assert_eq!(Large::<f32>::boxed().norm(), 0.0);
}

// ---------------------------------------------------------------- where statics lie

/// The range of addresses of section .bss in this running program, from the headers of its own ELF file.
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
fn bss() -> std::ops::Range<usize> {
    let file = std::fs::read("/proc/self/exe").unwrap();
    let number = |at: usize, bytes: usize| {
        file[at..at + bytes].iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
    };
    assert_eq!(&file[..5], b"\x7fELF\x02", "a 64-bit ELF file");
    let (headers, size, count, names) = (number(40, 8), number(58, 2), number(60, 2), number(62, 2));
    let header = |i: usize| headers + i * size;
    let text = number(header(names) + 24, 8);
    let section =
        (0..count).map(header).find(|h| file[text + number(*h, 4)..].starts_with(b".bss\0")).expect("a section .bss");
    let (start, length) = (number(section + 16, 8), number(section + 32, 8));
    // Where the file was loaded: its mapping with offset 0. An executable at fixed addresses (type 2) is not moved.
    let base = if number(16, 2) == 2 {
        0
    } else {
        let exe = std::fs::read_link("/proc/self/exe").unwrap();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let line = maps
            .lines()
            .find(|line| line.ends_with(exe.to_str().unwrap()) && line.split_whitespace().nth(2) == Some("00000000"))
            .expect("the program's first mapping");
        usize::from_str_radix(line.split('-').next().unwrap(), 16).unwrap()
    };
    base + start..base + start + length
}

/// A static trainer and a static matrix, each in its mutex, lie in .bss: not a byte of them in the program's image. (A
/// static that nobody can write is a constant to the compiler, and lies in .rodata whatever its value.)
#[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
#[test]
fn statics_lie_in_bss() {
    fn lies_in<T>(range: &std::ops::Range<usize>, value: &T) -> bool {
        let start = std::ptr::from_ref(value).addr();
        range.contains(&start) && start + size_of::<T>() <= range.end
    }
    static ONES: Vector<1000> = Vector::filled(1.0);
    let bss = bss();
    assert!(lies_in(&bss, &STATIC), "the trainer is in the image");
    assert!(lies_in(&bss, &MATRIX), "the matrix is in the image");
    // What is not zero is not there: the test can tell.
    assert!(!lies_in(&bss, &ONES));
    assert!(std::hint::black_box(&ONES)[999] == 1.0);
    assert_eq!(std::hint::black_box(&MATRIX).lock().unwrap().norm(), 0.0);
}

/// Sizes are what the parts add up to: caches hold one output a layer, prediction no more than that, and a frozen or a
/// parameterless layer no gradient.
#[test]
fn sizes() {
    type Hidden = Dense<64, 32, Tanh>;
    type X = chainrule::Matrix<64, 8>;
    assert_eq!(size_of::<Hidden>(), 4 * (64 * 32 + 32));
    assert_eq!(size_of::<<Hidden as Tensor>::Gradient>(), size_of::<Hidden>());
    assert_eq!(<Hidden as Layer<X>>::CACHE_BYTES, 4 * 32 * 8);
    assert_eq!(size_of::<<Hidden as Layer<X>>::Scratch>(), 4 * 32 * 8);
    assert_eq!(size_of::<Dropout<1, 2>>(), 0);
    assert_eq!(size_of::<<Sgd as Optimizer>::State<Hidden>>(), 0);
    assert_eq!(size_of::<<Momentum as Optimizer>::State<Hidden>>(), size_of::<Hidden>());
    assert_eq!(size_of::<<Adam as Optimizer>::State<Hidden>>(), 2 * size_of::<Hidden>());
    assert_eq!(size_of::<<Large as Network>::InputSample>(), 4 * 784);
}
