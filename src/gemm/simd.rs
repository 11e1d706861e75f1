//! The three products on vector registers, without heap: all `unsafe` of the crate's arithmetic.
//!
//! One body serves every instruction set and both precisions: it is written over [`Register`] and inlined into one
//! function an instruction set, which is chosen once a call, outside every loop.
//!
//! | shape | kernel |
//! |---|---|
//! | one sample, or outputs too few to fill a register | [`vector`]: sizes known to the compiler |
//! | tiny batches | [`product::tiny`], [`product::tiny_packed`]: sizes known to the compiler |
//! | everything else | [`product::blocked`]: compiled once for all shapes |

// Elsewhere there is no instruction set to choose from, and nothing of this is ever called.
#![cfg_attr(
    not(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon"))),
    allow(dead_code, unused_variables)
)]

use crate::lanes::Lanes;
use crate::threads;
use product::{MOST_COLUMNS, Piece, Product, View};

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod neon;
mod product;
#[cfg(test)]
mod tests;
mod vector;
#[cfg(all(target_arch = "arm", target_abi = "eabihf"))]
pub(crate) mod vfp;

// Paths are chosen by constants (`if const`), so that a shape costs the compiler only the one that it takes.

/// Whether a product is compiled for its shape, so that nothing is left but the arithmetic: where that is little, or not much and
/// its rows fill at least half a register, or pairs of registers. Beyond that it would cost the compiler too much.
const fn is_tiny(rows: usize, depth: usize, columns: usize) -> bool {
    let most = match rows {
        _ if rows < MOST_LANES / 2 => 1 << 11,
        _ if rows.is_multiple_of(2 * MOST_LANES) => 1 << 16,
        _ => 1 << 14,
    };
    rows * depth * columns <= most
}

/// For at most so many samples `Wᵀ·Δ` is dot products down the columns of `W`; more of them repay a transposition.
const FEW_SAMPLES: usize = 4;

/// A gradient larger than two of these, in bytes, comes in parts of about one, which fits into a first cache beside Δ.
const PART: usize = 16 << 10;

/// As many lanes as the widest register has.
pub(crate) const MOST_LANES: usize = 16;

/// As often as [`Register::repeated`] repeats a lane.
const MOST_TIMES: usize = MOST_LANES / 2;

/// `Z = epilogue(W·X + b·1ᵀ)`.
#[inline]
pub(crate) fn forward<T: Float, E: Epilogue<T>, const OUT: usize, const IN: usize, const B: usize>(
    isa: Isa,
    w: &[[T; OUT]; IN],
    x: &[[T; IN]; B],
    b: &[T; OUT],
    z: &mut [[T; OUT]; B],
    epilogue: E,
) {
    Forward { w, x, b, z, epilogue }.on(isa);
}

/// `D = Wᵀ·Δ`.
#[inline]
pub(crate) fn backward<T: Float, const OUT: usize, const IN: usize, const B: usize>(
    isa: Isa,
    w: &[[T; OUT]; IN],
    delta: &[[T; OUT]; B],
    d: &mut [[T; IN]; B],
) {
    let backward = Backward { w, delta, d };
    if const { B <= FEW_SAMPLES || is_tiny(IN, OUT, B) && (OUT == 1 || product::has_room(IN, OUT)) } {
        T::enter(isa, backward);
    } else {
        // SAFETY: the operands are borrowed until the end of this function.
        unsafe { T::product(isa, backward.product()) };
    }
}

/// `G += Δ·Xᵀ`, or `G = Δ·Xᵀ` unless `ADD`.
#[inline]
pub(crate) fn gradient<const ADD: bool, T: Float, const OUT: usize, const IN: usize, const B: usize>(
    isa: Isa,
    delta: &[[T; OUT]; B],
    x: &[[T; IN]; B],
    g: &mut [[T; OUT]; IN],
) {
    let gradient = Gradient::<ADD, T, OUT, IN, B> { delta, x, g };
    if const { B <= FEW_SAMPLES || is_tiny(OUT, B, IN) } {
        T::enter(isa, gradient);
    } else {
        // SAFETY: the operands are borrowed until the end of this function.
        unsafe { T::product(isa, gradient.product()) };
    }
}

/// Calls `each` with `G = Δ·Xᵀ` and 0, or with one part of it after the other, made at the beginning of `g`, and the number of
/// its first element.
#[inline]
pub(crate) fn gradient_parts<T: Float, const OUT: usize, const IN: usize, const B: usize>(
    isa: Isa,
    delta: &[[T; OUT]; B],
    x: &[[T; IN]; B],
    g: &mut [[T; OUT]; IN],
    mut each: impl FnMut(usize, &[T]),
) {
    let width = (PART / size_of::<[T; OUT]>() / MOST_COLUMNS * MOST_COLUMNS).max(MOST_COLUMNS);
    let in_parts = size_of::<[[T; OUT]; IN]>() > 2 * PART && B > FEW_SAMPLES && B <= product::UNCUT;
    if !in_parts || threads::cut(OUT * IN * B) {
        gradient::<false, T, OUT, IN, B>(isa, delta, x, g);
        return each(0, g.as_flattened());
    }
    for start in (0..IN).step_by(width) {
        let columns = width.min(IN - start);
        let product = Gradient::<false, T, OUT, IN, B> { delta, x, g }.product().columns(start, columns);
        // SAFETY: the operands are borrowed until the end of this function.
        unsafe { T::product(isa, product) };
        each(start * OUT, g.get(..columns).unwrap_or_default().as_flattened());
    }
}

/// `W −= η·(Δ·Xᵀ)`, unless the product is so small, or its sums so long, that they are not made in one go.
#[inline]
pub(crate) fn descend<T: Float, const OUT: usize, const IN: usize, const B: usize>(
    isa: Isa,
    rate: T,
    delta: &[[T; OUT]; B],
    x: &[[T; IN]; B],
    w: &mut [[T; OUT]; IN],
) -> bool {
    if B <= FEW_SAMPLES || is_tiny(OUT, B, IN) || !product::is_uncut::<T>(OUT, B, IN) {
        return false;
    }
    let product = Product { rate: Some(rate), ..Gradient::<true, T, OUT, IN, B> { delta, x, g: w }.product() };
    // SAFETY: the operands are borrowed until the end of this function.
    unsafe { T::product(isa, product) };
    true
}

struct Forward<'a, T, E, const OUT: usize, const IN: usize, const B: usize> {
    w: &'a [[T; OUT]; IN],
    x: &'a [[T; IN]; B],
    b: &'a [T; OUT],
    z: &'a mut [[T; OUT]; B],
    epilogue: E,
}

impl<T: Float, E: Epilogue<T>, const OUT: usize, const IN: usize, const B: usize> Forward<'_, T, E, OUT, IN, B> {
    #[inline(always)]
    fn product(&mut self) -> Product<T> {
        let (a, b, c) = (View::of(self.w), View::of(self.x), View::of_mut(self.z));
        let start = Some(View { at: self.b.as_ptr(), row: 1, column: 0 });
        Product { rows: OUT, depth: IN, columns: B, whole: B, a, b, start, rate: None, c }
    }

    #[inline(always)]
    fn on(mut self, isa: Isa) {
        const { assert!(OUT * IN * B > 0) };
        if const { B == 1 || 4 % OUT == 0 || is_tiny(OUT, IN, B) } {
            return T::enter(isa, self);
        }
        // SAFETY: the operands are borrowed until the end of this function.
        unsafe { T::product(isa, self.product()) };
        if !E::IDENTITY {
            map(isa, self.z.as_flattened_mut(), self.epilogue);
        }
    }
}

impl<T: Float, E: Epilogue<T>, const OUT: usize, const IN: usize, const B: usize> Kernel<T>
    for Forward<'_, T, E, OUT, IN, B>
{
    #[inline(always)]
    fn run<V: Register<Element = T>>(mut self) {
        let product = self.product();
        // SAFETY: the operands are borrowed until the end of this function.
        unsafe {
            if const { vector::are_few::<V>(OUT, IN) } {
                vector::across_columns::<V, E>(product, self.epilogue);
            } else if const { B == 1 } {
                vector::down_columns::<V, E>(product, self.epilogue);
            } else {
                product::tiny::<V, E>(product, self.epilogue);
            }
        }
    }
}

struct Backward<'a, T, const OUT: usize, const IN: usize, const B: usize> {
    w: &'a [[T; OUT]; IN],
    delta: &'a [[T; OUT]; B],
    d: &'a mut [[T; IN]; B],
}

impl<T: Float, const OUT: usize, const IN: usize, const B: usize> Backward<'_, T, OUT, IN, B> {
    #[inline(always)]
    fn product(self) -> Product<T> {
        const { assert!(OUT * IN * B > 0) };
        let (a, b, c) = (View::of(self.w).transposed(), View::of(self.delta), View::of_mut(self.d));
        Product { rows: IN, depth: OUT, columns: B, whole: B, a, b, start: None, rate: None, c }
    }
}

impl<T: Float, const OUT: usize, const IN: usize, const B: usize> Kernel<T> for Backward<'_, T, OUT, IN, B> {
    #[inline(always)]
    fn run<V: Register<Element = T>>(self) {
        // SAFETY: the operands are borrowed until the end of this function.
        unsafe {
            if const { OUT == 1 } {
                product::tiny::<V, _>(self.product(), Identity);
            } else if const { B <= FEW_SAMPLES } {
                vector::dots::<V>(self.product());
            } else {
                product::tiny_packed::<V>(self.product());
            }
        }
    }
}

struct Gradient<'a, const ADD: bool, T, const OUT: usize, const IN: usize, const B: usize> {
    delta: &'a [[T; OUT]; B],
    x: &'a [[T; IN]; B],
    g: &'a mut [[T; OUT]; IN],
}

impl<const ADD: bool, T: Float, const OUT: usize, const IN: usize, const B: usize> Gradient<'_, ADD, T, OUT, IN, B> {
    #[inline(always)]
    fn product(self) -> Product<T> {
        const { assert!(OUT * IN * B > 0) };
        let (a, b, c) = (View::of(self.delta), View::of(self.x).transposed(), View::of_mut(self.g));
        Product { rows: OUT, depth: B, columns: IN, whole: IN, a, b, start: ADD.then_some(c), rate: None, c }
    }
}

impl<const ADD: bool, T: Float, const OUT: usize, const IN: usize, const B: usize> Kernel<T>
    for Gradient<'_, ADD, T, OUT, IN, B>
{
    #[inline(always)]
    fn run<V: Register<Element = T>>(self) {
        // SAFETY: the operands are borrowed until the end of this function.
        unsafe {
            if const { B <= FEW_SAMPLES && OUT.is_multiple_of(V::LEN) } {
                vector::outer::<V>(self.product());
            } else {
                product::tiny::<V, _>(self.product(), Identity);
            }
        }
    }
}

/// Passes every element through `epilogue`.
#[inline(always)]
pub(crate) fn map<T: Float, E: Epilogue<T>>(isa: Isa, values: &mut [T], epilogue: E) {
    threads::parts(
        [values],
        [],
        #[inline(always)]
        |[values], []| T::enter(isa, Map(values, epilogue)),
    );
}

/// What becomes of each element of a finished product, such as an activation.
pub trait Epilogue<T>: Copy + Sync {
    /// Whether `apply` returns its argument, so that the pass over the output is left out.
    const IDENTITY: bool = false;
    fn apply<V: Lanes<Element = T>>(self, values: V) -> V;
}

/// Leaves the product as it is.
#[derive(Clone, Copy)]
pub(crate) struct Identity;

impl<T> Epilogue<T> for Identity {
    const IDENTITY: bool = true;
    #[inline(always)]
    fn apply<V: Lanes<Element = T>>(self, values: V) -> V {
        values
    }
}

/// The kernel that passes every element of a slice through an epilogue.
struct Map<'a, T, E>(&'a mut [T], E);

impl<T: Float, E: Epilogue<T>> Kernel<T> for Map<'_, T, E> {
    #[inline(always)]
    fn run<V: Register<Element = T>>(self) {
        let Map(values, epilogue) = self;
        let full = values.len() / V::LEN * V::LEN;
        let (at, rest) = (values.as_mut_ptr(), values.len() - full);
        // SAFETY: whole registers up to `full`, then as many elements as are left.
        unsafe {
            for i in (0..full).step_by(V::LEN) {
                epilogue.apply(V::load(at.add(i))).store(at.add(i));
            }
            if full < values.len() {
                epilogue.apply(V::load_part(at.add(full), V::part(0, rest))).store_first(at.add(full), rest);
            }
        }
    }
}

/// Work on registers of `T`, whichever the machine has.
///
/// `run` and all that it calls must be `#[inline(always)]` and free of closures that touch registers: only inside
/// [`Register::enter`] do register operations become single instructions.
pub(crate) trait Kernel<T> {
    fn run<V: Register<Element = T>>(self);
}

/// A register that memory can fill. Its operations need a machine that has it; only [`Register::enter`] may be called
/// elsewhere, on the word of an [`Isa`].
pub(crate) trait Register: Lanes {
    /// A range of lanes.
    type Part: Copy;
    /// Registers of rows in the largest tile, of which the sums and one column of `a` fit into the register file.
    const ROWS: usize;
    /// Columns of the largest tile; the next power of two fits into a register.
    const COLUMNS: usize;
    /// Whether a register across two cache lines costs twice.
    const ALIGN: bool;

    /// Asks for the memory at `at`, wherever that is, into the first cache.
    #[inline(always)]
    fn prefetch(at: *const Self::Element) {
        let _ = at;
    }

    /// Runs `kernel` in a function compiled for this register's instruction set.
    ///
    /// # Safety
    ///
    /// The machine has the instruction set.
    unsafe fn enter<K: Kernel<Self::Element>>(kernel: K);

    /// Lanes `from..to`, where `from <= to <= LEN`.
    fn part(from: usize, to: usize) -> Self::Part;
    /// # Safety
    ///
    /// `LEN` elements can be read at `from`.
    unsafe fn load(from: *const Self::Element) -> Self;
    /// # Safety
    ///
    /// `LEN` elements can be written at `to`.
    unsafe fn store(self, to: *mut Self::Element);
    /// The lanes of `part` from memory, which alone is touched, and zeros.
    ///
    /// # Safety
    ///
    /// The elements of `part`, counted from `from`, can be read.
    unsafe fn load_part(from: *const Self::Element, part: Self::Part) -> Self;
    /// The first `count` lanes from memory, and zeros, by plain loads where that takes one: such a load also gets at once what
    /// a store just before it wrote.
    ///
    /// # Safety
    ///
    /// `count` elements can be read at `from`, and `count <= LEN`.
    #[inline(always)]
    unsafe fn load_first(from: *const Self::Element, count: usize) -> Self {
        // SAFETY: the caller's promise.
        unsafe { if count == Self::LEN { Self::load(from) } else { Self::load_part(from, Self::part(0, count)) } }
    }
    /// Stores the lanes of `part` and touches nothing else.
    ///
    /// # Safety
    ///
    /// The elements of `part`, counted from `to`, can be written.
    unsafe fn store_part(self, to: *mut Self::Element, part: Self::Part);

    /// Stores the first `count` lanes, by plain stores where those of a part are slow (on AMD's AVX2 by ten times): a load
    /// that soon follows also gets from them what it would have to wait for after a store of a part.
    ///
    /// # Safety
    ///
    /// `count` elements can be written at `to`, and `count <= LEN`.
    #[inline(always)]
    unsafe fn store_first(self, to: *mut Self::Element, count: usize) {
        // SAFETY: the caller's promise.
        unsafe { self.store_part(to, Self::part(0, count)) }
    }

    /// Each of four adjacent numbers in all lanes of a register of its own.
    ///
    /// # Safety
    ///
    /// Four elements can be read at `from`.
    #[inline(always)]
    unsafe fn splat_four(from: *const Self::Element) -> [Self; 4] {
        // SAFETY: the caller's promise.
        unsafe { [Self::splat(*from), Self::splat(*from.add(1)), Self::splat(*from.add(2)), Self::splat(*from.add(3))] }
    }

    /// Each lane `times` times, 1, 2, 4 or 8, in as many registers.
    #[inline(always)]
    fn repeated(self, times: usize) -> [Self; MOST_TIMES] {
        let mut registers = [self; MOST_TIMES];
        let mut count = 1;
        while count < times {
            let old = registers;
            for i in 0..count {
                (registers[2 * i], registers[2 * i + 1]) = old[i].zip(old[i]);
            }
            count *= 2;
        }
        registers
    }

    /// The lanes of `self` and `other` in turn: the first half of each, and the second.
    fn zip(self, other: Self) -> (Self, Self);
    /// The lanes of `self` from lane `by` on, and then the first `by` lanes of `next`, where `by < LEN`.
    fn shifted(self, next: Self, by: usize) -> Self;
}

/// Lane i becomes the sum, or what else `combine` makes of two, of the lanes i modulo `count`, a power of two.
#[inline(always)]
pub(crate) fn reduce<V: Register>(mut lanes: V, count: usize, combine: impl Fn(V, V) -> V) -> V {
    let mut distance = V::LEN / 2;
    while distance >= count {
        lanes = combine(lanes, lanes.shifted(lanes, distance));
        distance /= 2;
    }
    lanes
}

/// Lane i becomes [that](reduce) of all lanes of register i, for `count` registers, a power of two, and so on from lane `count`.
#[inline(always)]
pub(crate) fn reduce_all<V: Register>(
    registers: &mut [V; MOST_LANES],
    count: usize,
    combine: impl Fn(V, V) -> V + Copy,
) -> V {
    // Every round makes one register of two, their lanes in turn.
    let mut left = count / 2;
    while left > 0 {
        for i in 0..left {
            let (low, high) = registers[i].zip(registers[i + left]);
            registers[i] = combine(low, high);
        }
        left /= 2;
    }
    reduce(registers[0], count, combine)
}

/// A number that registers hold: `f32` or `f64`.
pub(crate) trait Float: Copy + Send + Sync {
    /// Runs `kernel` on `isa`'s registers.
    fn enter<K: Kernel<Self>>(isa: Isa, kernel: K);

    /// [`product::blocked`] on `isa`'s registers: not generic, so that it is compiled here and not in every crate.
    ///
    /// # Safety
    ///
    /// See [`Product`].
    unsafe fn product(isa: Isa, product: Product<Self>);
}

impl Float for f32 {
    #[inline(always)]
    fn enter<K: Kernel<f32>>(isa: Isa, kernel: K) {
        match isa.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: an `Isa` is one of this machine's.
            Set::Avx512 => unsafe { avx512::F32x16::enter(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: an `Isa` is one of this machine's.
            Set::Avx2 => unsafe { avx2::F32x8::enter(kernel) },
            #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
            // SAFETY: an `Isa` is one of this machine's.
            Set::Neon => unsafe { neon::F32x4::enter(kernel) },
        }
    }

    unsafe fn product(isa: Isa, product: Product<f32>) {
        threads::pieces(product.work(), |part, of| {
            // SAFETY: the caller's promise.
            unsafe { product::run_piece(isa, product, Piece { part, of }) }
        });
    }
}

impl Float for f64 {
    #[inline(always)]
    fn enter<K: Kernel<f64>>(isa: Isa, kernel: K) {
        match isa.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: an `Isa` is one of this machine's.
            Set::Avx512 => unsafe { avx512::F64x8::enter(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: an `Isa` is one of this machine's.
            Set::Avx2 => unsafe { avx2::F64x4::enter(kernel) },
            #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
            // SAFETY: an `Isa` is one of this machine's.
            Set::Neon => unsafe { neon::F64x2::enter(kernel) },
        }
    }

    unsafe fn product(isa: Isa, product: Product<f64>) {
        threads::pieces(product.work(), |part, of| {
            // SAFETY: the caller's promise.
            unsafe { product::run_piece(isa, product, Piece { part, of }) }
        });
    }
}

/// An instruction set that this machine has: to hold one is the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Isa(Set);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    Neon,
}

/// Whether the machine (with `std`) or the build (without) has every one of the features.
#[cfg(target_arch = "x86_64")]
macro_rules! has {
    ($($feature:tt),+) => {{
        #[cfg(feature = "std")]
        let has = $(std::arch::is_x86_feature_detected!($feature))&&+;
        #[cfg(not(feature = "std"))]
        let has = cfg!(all($(target_feature = $feature),+));
        has
    }};
}

impl Isa {
    /// The fastest one, unless the machine has none for which there are kernels.
    ///
    /// None in a build with debug assertions: unoptimised, each operation on a register keeps its operands in a frame
    /// of its own, which adds up to a stack of about 250 KiB, and is slower than the portable kernels.
    #[inline(always)]
    pub(crate) fn detect() -> Option<Self> {
        if cfg!(debug_assertions) { None } else { Self::available().next() }
    }

    /// All of them, the fastest first.
    #[inline(always)]
    pub(crate) fn available() -> impl Iterator<Item = Self> {
        const SETS: &[Set] = &[
            #[cfg(target_arch = "x86_64")]
            Set::Avx512,
            #[cfg(target_arch = "x86_64")]
            Set::Avx2,
            #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
            Set::Neon,
        ];
        SETS.iter().copied().filter(|set| set.is_here()).map(Self)
    }
}

impl Set {
    #[inline(always)]
    fn is_here(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => has!("avx512f"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => has!("avx2", "fma"),
            #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
            Self::Neon => true,
        }
    }
}
