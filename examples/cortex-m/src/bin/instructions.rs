//! Counts instructions, of prediction and of training, beside three rivals in C and C++; `./instructions.sh` says how.

#![no_std]
#![no_main]
#![allow(unsafe_code, reason = "the rivals are C")]

use chainrule::{
    Activation, Class, Dense, Identity, Layer, Loss, MeanSquaredError, Network, Online, OnlineTrainer, Pass, Random,
    Real, Sgd, SoftmaxCrossEntropy, Strict, Tanh, Tensor, Vector, Zeroed, network,
};
use chainrule_cortex_m::count::{self, instructions as count};
use chainrule_cortex_m::{report, say};
use core::hint::black_box;
use cortex_m_rt::entry;

network! {
    pub struct Small<A: Activation = Tanh, T = f32>: 4 => 1 {
        first: Dense<4, 16, A, T>,
        second: Dense<16, 16, A, T>,
        output: Dense<16, 1, Identity, T>,
    }
}

network! {
    pub struct Control<A: Activation = Tanh, T = f32>: 8 => 4 {
        first: Dense<8, 64, A, T>,
        second: Dense<64, 64, A, T>,
        output: Dense<64, 4, Identity, T>,
    }
}

network! {
    pub struct Digits<A: Activation = Tanh, T = f32>: 64 => 10 {
        hidden: Dense<64, 32, A, T>,
        output: Dense<32, 10, Identity, T>,
    }
}

/// A rival's prediction: its parameters, an input, and where the output goes.
type Rival = unsafe extern "C" fn(*const *const f32, *const f32, *mut f32);

macro_rules! rivals {
    ($($name:ident)*) => { unsafe extern "C" { $(fn $name(parameters: *const *const f32, x: *const f32, y: *mut f32);)* } };
}
rivals!(column_4_16_16_1 column_8_64_64_4 column_64_32_10 textbook_4_16_16_1 textbook_8_64_64_4 textbook_64_32_10
    rltools_4_16_16_1 rltools_8_64_64_4 rltools_64_32_10);
unsafe extern "C" {
    fn rltools_load_4_16_16_1(parameters: *const *const f32);
    fn rltools_load_8_64_64_4(parameters: *const *const f32);
    fn rltools_load_64_32_10(parameters: *const *const f32);
}

/// How many inputs the counts are compared over.
const INPUTS: usize = 10_000;

/// What no sensor should send.
const SPECIAL: [f32; 8] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e-40, -1e-45, 0.0, f32::MIN_POSITIVE, f32::MAX];

#[entry]
fn main() -> ! {
    count::start();
    let mut random = Random::new(1, 0);
    let mut same = true;
    same &= same_bits::<1, 1>(&mut random);
    same &= same_bits::<3, 2>(&mut random);
    same &= same_bits::<5, 7>(&mut random);
    same &= same_bits::<4, 16>(&mut random);
    same &= same_bits::<9, 17>(&mut random);
    same &= same_bits::<16, 8>(&mut random);
    same &= same_bits::<13, 24>(&mut random);
    same &= same_bits::<7, 31>(&mut random);
    same &= same_bits::<64, 32>(&mut random);
    same &= same_bits::<2, 48>(&mut random);
    say!("bits of the plain kernels: {}", if same { "yes" } else { "no" });

    let mut well = same;
    let number = |random: &mut Random| [symmetric(random)];
    let rivals =
        [("column", column_4_16_16_1 as Rival), ("textbook", textbook_4_16_16_1), ("RLtools", rltools_4_16_16_1)];
    well &= measure::<Small, Small<Identity>, Small<Tanh, Strict<f32>>, _, _, 4, 1>(
        "4-16-16-1",
        rivals,
        rltools_load_4_16_16_1,
        &MeanSquaredError,
        number,
    );
    let numbers = |random: &mut Random| core::array::from_fn(|_| symmetric(random));
    let rivals =
        [("column", column_8_64_64_4 as Rival), ("textbook", textbook_8_64_64_4), ("RLtools", rltools_8_64_64_4)];
    well &= measure::<Control, Control<Identity>, Control<Tanh, Strict<f32>>, _, [f32; 4], 8, 4>(
        "8-64-64-4",
        rivals,
        rltools_load_8_64_64_4,
        &MeanSquaredError,
        numbers,
    );
    let class = |random: &mut Random| Class::argmax(&core::array::from_fn::<_, 10, _>(|_| symmetric(random))).unwrap();
    let rivals = [("column", column_64_32_10 as Rival), ("textbook", textbook_64_32_10), ("RLtools", rltools_64_32_10)];
    well &= measure::<Digits, Digits<Identity>, Digits<Tanh, Strict<f32>>, _, _, 64, 10>(
        "64-32-10",
        rivals,
        rltools_load_64_32_10,
        &SoftmaxCrossEntropy,
        class,
    );
    if well {
        say!("distinct counts: 1");
    }
    report::finish(well)
}

/// Measures the network `N`, its like `I` without activations, its like `P` on the plain kernels, and the rivals; says
/// whether all outputs agree and the counts do not depend on the input.
fn measure<N, I, P, L, Target, const IN: usize, const OUT: usize>(
    name: &str,
    rivals: [(&str, Rival); 3],
    load: unsafe extern "C" fn(*const *const f32),
    loss: &L,
    target: impl Fn(&mut Random) -> Target,
) -> bool
where
    N: Network<InputSample = [f32; IN], OutputSample = [f32; OUT]>
        + Online<Vector<IN>, Scalar = f32, Output = Vector<OUT>>,
    I: Layer<Vector<IN>, Scalar = f32, Output = Vector<OUT>>,
    P: Layer<Vector<IN, Strict<f32>>, Scalar = Strict<f32>, Output = Vector<OUT, Strict<f32>>>,
    L: Loss<[f32; OUT], Target>,
{
    let mut random = Random::new(2, 0);
    let x = Vector::from(core::array::from_fn(|_| symmetric(&mut random)));
    let mut trainer = OnlineTrainer::<N>::ZEROED;
    trainer.init(1);
    let network = copied::<N, N>(&trainer.network);

    // Textbooks have their weights row by row.
    let mut rows = N::ZEROED;
    let (mut columns_at, mut rows_at) = ([core::ptr::null(); 6], [core::ptr::null(); 6]);
    let mut products = 0;
    for i in 0..N::SLICES {
        let (block, from, to) = (N::block(i), network.slice(i), rows.slice_mut(i));
        products += if block.columns > 1 { from.len() } else { 0 };
        for (k, weight) in from.iter().enumerate() {
            to[k % block.rows * block.columns + k / block.rows] = *weight;
        }
        (columns_at[i], rows_at[i]) = (from.as_ptr(), to.as_ptr());
    }
    let per_product = |count: u32| f64::from(count) / products as f64;

    let mut scratch = N::Scratch::ZEROED;
    let expected = *network.predict(&x, &mut scratch).as_array();
    let mut inference = |x: &Vector<IN>| {
        count(&mut || {
            black_box(network.predict(black_box(x), &mut scratch));
        })
    };
    let total = inference(&x);

    let linear = copied::<N, I>(&network);
    let mut scratch = I::Scratch::ZEROED;
    let without = count(&mut || {
        black_box(linear.predict(black_box(&x), &mut scratch));
    });
    say!(
        "{} inference: {} instructions, {:.2} a multiply-accumulate ({:.2} and activations {:.2})",
        name,
        total,
        per_product(total),
        per_product(without),
        per_product(total - without)
    );

    let plain = copied::<N, P>(&network);
    let mut scratch = P::Scratch::ZEROED;
    let strict_x = Vector::from(x.as_array().map(Strict));
    let strict = count(&mut || {
        black_box(plain.predict(black_box(&strict_x), &mut scratch));
    });
    let same = *plain.predict(&strict_x, &mut scratch).as_array() == expected.map(Strict);
    say!(
        "{} inference, plain kernels: {} instructions, {:.2} a multiply-accumulate, same bits: {}",
        name,
        strict,
        per_product(strict),
        same
    );

    let mut well = same;
    // SAFETY: the pointers are to as many numbers as the network of that name has.
    unsafe { load(rows_at.as_ptr()) };
    for (rival, predict) in rivals {
        let parameters = if rival == "column" { &columns_at } else { &rows_at };
        let mut y = [f32::NAN; OUT];
        let needed = count(&mut || {
            // SAFETY: as above, and `x` and `y` are as long as the network's ends.
            unsafe {
                predict(
                    black_box(parameters).as_ptr(),
                    black_box(&x).as_slice().as_ptr(),
                    black_box(&mut y).as_mut_ptr(),
                )
            };
        });
        let agrees = expected.iter().zip(&y).all(|(a, b)| (a - b).abs() <= 1e-5 * (1.0 + a.abs()));
        say!(
            "{} inference, {}: {} instructions, {:.2} a multiply-accumulate, agrees: {}",
            name,
            rival,
            needed,
            per_product(needed),
            agrees
        );
        well &= agrees && needed > total;
    }

    let sgd = Sgd { learning_rate: 0.01 };
    let (mut predictions, mut steps) = (Distinct::NONE, Distinct::NONE);
    for i in 0..INPUTS {
        let finite = Vector::from(core::array::from_fn(|_| finite(&mut random)));
        let special = Vector::from(core::array::from_fn(|k| SPECIAL[(i + k * (1 + i / 8)) % SPECIAL.len()]));
        predictions.add(inference(&finite));
        predictions.add(inference(&special));
        let x = Vector::from(core::array::from_fn(|_| symmetric(&mut random)));
        let target = target(&mut random);
        steps.add(count(&mut || well &= trainer.step(&sgd, loss, black_box(&x), black_box(&target)).is_ok()));
    }
    let step = steps.greatest();
    say!("{} training step: {} instructions, {:.2} a multiply-accumulate of inference", name, step, per_product(step));
    say!("{} distinct counts: {} of inference, {} of training", name, predictions.len, steps.len);
    well && predictions.len == 1 && predictions.greatest() == total && steps.len == 1
}

/// Forward and backward of one layer, on these kernels and on the plain ones.
fn same_bits<const IN: usize, const OUT: usize>(random: &mut Random) -> bool {
    let mut layer = Dense::<IN, OUT, Identity, f32>::ZEROED;
    for i in 0..2 {
        layer.slice_mut(i).iter_mut().for_each(|w| *w = symmetric(random));
    }
    let plain = copied::<_, Dense<IN, OUT, Identity, Strict<f32>>>(&layer);
    let x = Vector::from(core::array::from_fn(|_| symmetric(random)));
    let mut delta = Vector::from(core::array::from_fn(|_| symmetric(random)));
    let strict_x = Vector::from(x.as_array().map(Strict));
    let mut strict_delta = Vector::from(delta.as_array().map(Strict));

    let (mut cache, mut d_input) = (Zeroed::ZEROED, Vector::<IN>::ZEROED);
    layer.forward(&x, &mut cache, &mut Pass::evaluate());
    layer.backward(&x, &mut cache, &mut delta, None, Some(&mut d_input));
    let (mut plain_cache, mut plain_d_input) = (Zeroed::ZEROED, Vector::<IN, Strict<f32>>::ZEROED);
    plain.forward(&strict_x, &mut plain_cache, &mut Pass::evaluate());
    plain.backward(&strict_x, &mut plain_cache, &mut strict_delta, None, Some(&mut plain_d_input));
    let equal = |a: &[f32], b: &[Strict<f32>]| a.iter().zip(b).all(|(a, b)| a.to_bits() == b.0.to_bits());
    equal(
        Dense::<IN, OUT>::output(&cache).as_slice(),
        Dense::<IN, OUT, Identity, Strict<f32>>::output(&plain_cache).as_slice(),
    ) && equal(d_input.as_slice(), plain_d_input.as_slice())
}

/// The same parameters in another type.
fn copied<N: Tensor<Scalar = f32>, M: Tensor>(from: &N) -> M {
    let mut to = M::ZEROED;
    for i in 0..N::SLICES {
        for (to, from) in to.slice_mut(i).iter_mut().zip(from.slice(i)) {
            *to = M::Scalar::from_f64(f64::from(*from));
        }
    }
    to
}

/// The distinct ones of many counts, as far as they fit.
struct Distinct {
    counts: [u32; 16],
    len: usize,
}

impl Distinct {
    const NONE: Self = Self { counts: [0; 16], len: 0 };

    fn add(&mut self, count: u32) {
        if self.len < self.counts.len() && !self.counts[..self.len].contains(&count) {
            self.counts[self.len] = count;
            self.len += 1;
        }
    }

    fn greatest(&self) -> u32 {
        self.counts.into_iter().fold(0, u32::max)
    }
}

/// In [−1, 1).
fn symmetric(random: &mut Random) -> f32 {
    (random.word() >> 8) as f32 / (1 << 23) as f32 - 1.0
}

/// Any finite number.
fn finite(random: &mut Random) -> f32 {
    loop {
        let x = f32::from_bits(random.word());
        if x.is_finite() {
            return x;
        }
    }
}
