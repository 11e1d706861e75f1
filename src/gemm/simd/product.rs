//! The product of strided matrices, in tiles of registers: every batch, in all three products, comes here.

use super::{Epilogue, Float, Identity, Isa, Kernel, MOST_LANES, Register};
use core::hint::black_box;
use core::mem::MaybeUninit;
use core::ops::Range;
use core::ptr;

/// Registers in a packed panel of `a`: 48 KiB with AVX-512, so that threads with a stack of 64 KiB can train.
pub(super) const PANEL: usize = 768;

/// The same where `c` leaves the second cache no room for what else is in use: with deeper panels it is fetched less often, and
/// beside a panel there is room for strips.
pub(super) const LARGE_PANEL: usize = 2 * PANEL;

/// Half of a first cache, and a second one, in bytes. From there on `a` is packed for 64 columns of `b`, and for 32.
const FIRST_CACHE: usize = 24 << 10;
const SECOND_CACHE: usize = 1 << 20;

/// Up to this depth no sum is cut where a panel is packed.
pub(super) const UNCUT: usize = PANEL / MOST_ROWS;

/// Whether no sum is cut anywhere: see [`in_panels`], and [`in_strips`].
pub(super) const fn is_uncut<T>(rows: usize, depth: usize, columns: usize) -> bool {
    let row = rows * size_of::<T>();
    depth <= UNCUT && (row * columns <= SECOND_CACHE || row * depth <= SECOND_CACHE)
}

/// From this depth on what the tallest tiles add to is asked for one column after the other.
const LONG: usize = 128;

/// So many columns of `a` ahead of the one in use are asked for, where it lies in the second cache.
const AHEAD: usize = 8;

/// A matrix in memory: element (r, c) lies at `at[r · row + c · column]`.
#[derive(Clone, Copy)]
pub(crate) struct View<T> {
    pub at: *const T,
    pub row: usize,
    pub column: usize,
}

impl<T: Copy> View<T> {
    /// A matrix stored column by column.
    #[inline(always)]
    pub fn of<const R: usize, const C: usize>(matrix: &[[T; R]; C]) -> Self {
        Self { at: (&raw const *matrix).cast(), row: 1, column: R }
    }

    /// One to write through.
    #[inline(always)]
    pub fn of_mut<const R: usize, const C: usize>(matrix: &mut [[T; R]; C]) -> Self {
        Self { at: (&raw mut *matrix).cast_const().cast(), row: 1, column: R }
    }

    #[inline(always)]
    pub fn transposed(self) -> Self {
        Self { at: self.at, row: self.column, column: self.row }
    }

    /// The part below and right of element (`row`, `column`).
    #[inline(always)]
    pub fn from(self, row: usize, column: usize) -> Self {
        Self { at: self.at.wrapping_add(row * self.row + column * self.column), ..self }
    }
}

/// `c = start + a·b`, from zero if there is no start, or `c = start − rate·(a·b)`, if there is a rate and no sum is
/// [cut](is_uncut); only tiles of a [`Blocked`] product know of a rate. One stride of `a` is 1.
///
/// A kernel that runs it needs the views to be valid for the sizes, and nobody else to use `c` meanwhile. The rows of
/// `c` and of `start` are adjacent; where a product is turned, their columns.
#[derive(Clone, Copy)]
pub(crate) struct Product<T> {
    pub rows: usize,
    pub depth: usize,
    pub columns: usize,
    /// The columns of the product that this is a part of: how it is summed depends on the whole one.
    pub whole: usize,
    pub a: View<T>,
    pub b: View<T>,
    pub start: Option<View<T>>,
    pub rate: Option<T>,
    /// Written to, through a pointer that may.
    pub c: View<T>,
}

// SAFETY: threads that share a product run different pieces of it, which write to different tiles of `c`.
unsafe impl<T: Send + Sync> Sync for Product<T> {}

impl<T: Copy> Product<T> {
    /// How many multiplications it takes.
    pub fn work(&self) -> usize {
        self.rows * self.depth * self.columns
    }

    /// Whether [`LARGE_PANEL`] pays.
    fn is_large(&self) -> bool {
        self.depth >= UNCUT && self.rows * self.whole * size_of::<T>() >= SECOND_CACHE
    }

    /// So many rows of `c`, from row `from`.
    #[inline(always)]
    pub fn part(&self, from: usize, rows: usize) -> Self {
        let start = self.start.map(|start| start.from(from, 0));
        Self { rows, a: self.a.from(from, 0), start, c: self.c.from(from, 0), ..*self }
    }

    /// So many columns of the product, from column `from`, at the beginning of `c`.
    #[inline(always)]
    pub fn columns(&self, from: usize, columns: usize) -> Self {
        Self { columns, b: self.b.from(0, from), ..*self }
    }

    /// The same product as `cᵀ = startᵀ + bᵀ·aᵀ`.
    #[inline(always)]
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            whole: self.rows,
            a: self.b.transposed(),
            b: self.a.transposed(),
            start: self.start.map(View::transposed),
            c: self.c.transposed(),
            ..self
        }
    }
}

/// The tiles of a product, cut into parts that threads may run at the same time. How a tile is computed depends on the
/// whole product alone, and so its bits do not depend on the cut.
pub(super) struct Piece {
    pub part: Range<usize>,
    pub of: usize,
}

impl Piece {
    /// Which of `panels` × `each` tiles are in this piece. Near the edge of a panel it ends there, so that few are packed twice.
    fn tiles(self, panels: usize, each: usize) -> Range<usize> {
        let cut = |number: usize| {
            let cut = panels * each * number / self.of;
            let nearest = (cut + each / 2) / each * each;
            if 4 * cut.abs_diff(nearest) <= each { nearest } else { cut }
        };
        cut(self.part.start)..cut(self.part.end)
    }
}

/// Runs a piece of a [`blocked`] product on `isa`'s registers.
///
/// # Safety
///
/// See [`Product`].
#[inline(always)]
pub(super) unsafe fn run_piece<T: Float>(isa: Isa, p: Product<T>, piece: Piece) {
    // Each in a frame of its own.
    if p.is_large() {
        T::enter(isa, Blocked::<T, LARGE_PANEL>(p, piece));
    } else {
        T::enter(isa, Blocked::<T, PANEL>(p, piece));
    }
}

/// [`blocked`] with panels of `N` registers, to be compiled once for all shapes.
struct Blocked<T, const N: usize>(Product<T>, Piece);

impl<T: Copy, const N: usize> Kernel<T> for Blocked<T, N> {
    #[inline(always)]
    fn run<V: Register<Element = T>>(self) {
        // SAFETY: whoever made the product vouches for it.
        unsafe { blocked::<V, N>(self.0, self.1) }
    }
}

/// A product of any size, turned if that costs less, and in strips where that is faster.
///
/// # Safety
///
/// See [`Product`].
#[inline(always)]
pub(super) unsafe fn blocked<V: Register, const N: usize>(p: Product<V::Element>, piece: Piece) {
    let turned = cost::<V>(&p.transposed(), true) < cost::<V>(&p, false);
    // SAFETY: the caller's promise.
    unsafe {
        if turned {
            in_panels::<V, N>(p.transposed(), true, piece);
        } else if has_strips(&p) && repays_strips::<V>(&p) {
            in_strips::<V, N>(p, piece);
        } else {
            in_panels::<V, N>(p, false, piece);
        }
    }
}

/// How long a product takes, in half cycles of AVX-512, of which a multiplication of registers takes one.
fn cost<V: Register>(p: &Product<V::Element>, turned: bool) -> usize {
    let multiply = p.rows.div_ceil(V::LEN) * p.depth * p.columns;
    let pack = if p.a.row == 1 { 0 } else { p.rows * p.depth * 9 / V::LEN };
    let turn = if turned { p.rows * p.columns * p.depth.div_ceil(PANEL / V::ROWS) * 24 / V::LEN } else { 0 };
    multiply + pack + turn
}

/// Whether a product, as that of the gradient, can run [`in_strips`].
#[inline(always)]
pub(super) fn has_strips<T>(p: &Product<T>) -> bool {
    p.a.row == 1 && p.b.column == 1
}

/// How much of the depth [`in_strips`] takes at a time: so much of `a` stays in the second cache, and a strip of `b` in a panel.
#[inline(always)]
fn depth_of_strips<V: Register>(p: &Product<V::Element>) -> usize {
    (SECOND_CACHE / (p.rows * size_of::<V::Element>())).clamp(1, PANEL * V::LEN / V::COLUMNS)
}

/// Whether it pays to go down the columns of `c`: where that does not fit into the second cache, but enough of `a` does, and where
/// few columns are a part of more, and `a` is not in the first cache.
#[inline(always)]
fn repays_strips<V: Register>(p: &Product<V::Element>) -> bool {
    let (step, bytes) = (depth_of_strips::<V>(p), p.rows * size_of::<V::Element>());
    bytes * p.whole >= SECOND_CACHE && (step >= p.depth || step >= LONG)
        || p.columns < p.whole && bytes * p.depth > FIRST_CACHE && step >= p.depth
}

/// Columns come in strips of `COLUMNS`, a group of which, packed on the stack, goes down all rows. `N` registers hold the group
/// and a panel of `a`, which the first strip leaves behind for the others: where its columns are far apart, caches keep little
/// of them. With room for one strip alone there is no panel.
///
/// # Safety
///
/// See [`Product`], which [has strips](has_strips).
#[inline(always)]
pub(super) unsafe fn in_strips<V: Register, const N: usize>(p: Product<V::Element>, piece: Piece) {
    const { assert!(PANEL * V::LEN / V::COLUMNS >= UNCUT && V::ROWS <= MOST_ROWS, "`is_uncut` says what is true") };
    const { assert!(N >= PANEL, "there is room for a strip") };
    let mut room = [const { MaybeUninit::<V>::uninit() }; N];
    let room = room.as_mut_ptr().cast::<V::Element>();
    let registers = p.rows.div_ceil(V::LEN);
    let height = even(registers, V::ROWS);
    let (panels, strips) = (registers.div_ceil(height), p.columns.div_ceil(V::COLUMNS));
    let tiles = piece.tiles(panels * strips, 1);
    let mine = tiles.start / panels..tiles.end.div_ceil(panels);
    let cut = Strips::new(p.columns, strips);
    let step = even(p.depth, depth_of_strips::<V>(&p));
    let (strip, panel) = ((step * V::COLUMNS).next_multiple_of(V::LEN), step * height * V::LEN);
    let group = even(mine.len().max(1), ((N * V::LEN).saturating_sub(panel) / strip).max(1));
    let panel = room.wrapping_add(group * strip);
    for k in (0..p.depth).step_by(step) {
        let depth = step.min(p.depth - k);
        let start = if k == 0 { p.start } else { Some(p.c) };
        for first in mine.clone().step_by(group) {
            let group = first..mine.end.min(first + group);
            for s in group.clone() {
                let (c, columns) = cut.at(s);
                let (part, to) = (V::part(0, columns), room.wrapping_add((s - first) * strip));
                for i in 0..depth {
                    // SAFETY: `columns` elements of a row of `b`, of which a strip has `step`.
                    unsafe { V::load_part(p.b.from(k + i, c).at, part).store_part(to.add(i * V::COLUMNS), part) };
                }
            }
            for (number, r) in (0..registers).step_by(height).enumerate() {
                let r = r * V::LEN;
                let rows = (p.rows - r).min(height * V::LEN);
                let mut a = p.a.from(r, k);
                for s in group.clone() {
                    if !tiles.contains(&(s * panels + number)) {
                        continue;
                    }
                    let (c, columns) = cut.at(s);
                    let b = View { at: room.wrapping_add((s - first) * strip), row: V::COLUMNS, column: 1 };
                    let start = start.map(|start| start.from(r, c));
                    let tile = Product { rows, depth, columns, a, b, start, c: p.c.from(r, c), ..p };
                    let copy = (a.at != panel && group.len() > 1 && can_copy::<V>(&tile)).then_some(panel);
                    // SAFETY: a part of the product, of at most `ROWS` registers of rows and `COLUMNS` columns; behind the group
                    // there is room for the panel.
                    unsafe { run_tile::<V>(&tile, copy) };
                    if copy.is_some() {
                        a = View { at: panel, row: 1, column: height * V::LEN };
                    }
                }
            }
        }
    }
}

/// Columns cut into strips, of which the first `wider` have one more than `width`.
#[derive(Clone, Copy)]
struct Strips {
    width: usize,
    wider: usize,
}

impl Strips {
    #[inline(always)]
    fn new(columns: usize, count: usize) -> Self {
        Self { width: columns / count, wider: columns % count }
    }

    /// Where a strip begins, and how many columns it has.
    #[inline(always)]
    fn at(self, number: usize) -> (usize, usize) {
        (number * self.width + number.min(self.wider), self.width + usize::from(number < self.wider))
    }
}

/// Rows come in panels of `ROWS` registers, columns in strips of `COLUMNS`. A panel of `a`, `N` registers, is packed on the stack
/// where its rows are not adjacent, and where it is read often enough to repay that.
///
/// # Safety
///
/// See [`Product`].
#[inline(always)]
pub(super) unsafe fn in_panels<V: Register, const N: usize>(p: Product<V::Element>, turned: bool, piece: Piece) {
    let mut panel = [const { MaybeUninit::<V>::uninit() }; N];
    let panel = panel.as_mut_ptr().cast::<V::Element>();
    let bytes = p.rows * p.depth * size_of::<V::Element>();
    let repays = p.columns >= 64 && bytes > FIRST_CACHE || p.columns >= 32 && bytes > SECOND_CACHE;
    let packed = p.a.row != 1 || repays;
    let registers = p.rows.div_ceil(V::LEN);
    let height = even(registers, V::ROWS);
    let step = if packed { even(p.depth, N / height) } else { p.depth };
    let strips = p.columns.div_ceil(V::COLUMNS);
    let tiles = piece.tiles(registers.div_ceil(height), strips);
    let cut = Strips::new(p.columns, strips);
    for (panel_number, r) in (0..registers).step_by(height).enumerate() {
        let before = panel_number * strips;
        let (first, last) = (tiles.start.saturating_sub(before), tiles.end.saturating_sub(before).min(strips));
        if first >= last {
            continue;
        }
        let height = height.min(registers - r);
        let r = r * V::LEN;
        let rows = (p.rows - r).min(height * V::LEN);
        for k in (0..p.depth).step_by(step) {
            let depth = step.min(p.depth - k);
            let mut a = p.a.from(r, k);
            if packed {
                // SAFETY: the panel holds `height` registers for each of `step` columns.
                unsafe { pack::<V>(a, rows, depth, panel) };
                a = View { at: panel, row: 1, column: height * V::LEN };
            }
            let start = if k == 0 { p.start } else { Some(p.c) };
            for s in first..last {
                let (c, columns) = cut.at(s);
                let start = start.map(|start| start.from(r, c));
                let tile = Product { rows, depth, columns, a, b: p.b.from(k, c), start, c: p.c.from(r, c), ..p };
                // SAFETY: a part of the product, of at most `ROWS` registers of rows and `COLUMNS` columns.
                unsafe { if turned { run_tile_turned::<V>(&tile) } else { run_tile::<V>(&tile, None) } }
            }
        }
    }
}

/// The length of the pieces, nearly equal and at most `most`, that make up `len`.
#[inline(always)]
pub(super) fn even(len: usize, most: usize) -> usize {
    len.div_ceil(len.div_ceil(most))
}

/// Copies `rows` × `depth` of `a` column by column, each filled up to whole registers.
///
/// # Safety
///
/// So much of `a` can be read, and so many registers written to `panel`.
#[inline(always)]
unsafe fn pack<V: Register>(a: View<V::Element>, rows: usize, depth: usize, panel: *mut V::Element) {
    let column = rows.next_multiple_of(V::LEN);
    if a.row == 1 {
        // Column after column, since each may lie in a page of its own.
        let last = column - V::LEN;
        let part = V::part(0, rows - last);
        for k in 0..depth {
            let (from, to) = (a.from(0, k).at, panel.wrapping_add(k * column));
            // SAFETY: the caller's promise.
            unsafe {
                for r in (0..last).step_by(V::LEN) {
                    V::load(from.add(r)).store(to.add(r));
                }
                V::load_part(from.add(last), part).store(to.add(last));
            }
        }
        return;
    }
    for r in (0..rows).step_by(V::LEN) {
        let rows = (rows - r).min(V::LEN);
        for k in (0..depth).step_by(V::LEN) {
            let depth = (depth - k).min(V::LEN);
            let part = V::part(0, depth);
            let mut square = [V::ZERO; MOST_LANES];
            for i in 0..V::LEN {
                // Always as many rows, so that they stay in registers: the last one stands for those that are none.
                // SAFETY: the caller's promise.
                square[i] = unsafe { V::load_part(a.from(r + i.min(rows - 1), k).at, part) };
            }
            zip_all(&mut square, V::LEN);
            for i in 0..depth {
                // SAFETY: the caller's promise.
                unsafe { square[i].store(panel.add((k + i) * column + r)) };
            }
        }
    }
}

/// The first `count` registers, a power of two, read one after the other as a `count` × `LEN` matrix, become its
/// transpose: each round of zips moves the uppermost bit of an element's index to the bottom.
#[inline(always)]
fn zip_all<V: Register>(registers: &mut [V; MOST_LANES], count: usize) {
    let mut left = count;
    while left > 1 {
        let old = *registers;
        for i in 0..count / 2 {
            (registers[2 * i], registers[2 * i + 1]) = old[i].zip(old[i + count / 2]);
        }
        left /= 2;
    }
}

/// Runs a tile into memory of its own and turns that round.
///
/// # Safety
///
/// See [`Product`]; it is no larger than a tile.
#[inline(always)]
unsafe fn run_tile_turned<V: Register>(p: &Product<V::Element>) {
    let column = p.rows.next_multiple_of(V::LEN);
    let mut sums = [[V::ZERO; MOST_ROWS]; MOST_COLUMNS];
    let at = sums.as_mut_ptr().cast::<V::Element>().cast_const();
    // SAFETY: the sums of the largest tile have room; the rest is the caller's promise.
    unsafe {
        run_tile::<V>(&Product { start: None, c: View { at, row: 1, column }, ..*p }, None);
        for r in (0..p.rows).step_by(V::LEN) {
            let block = p.part(r, V::LEN.min(p.rows - r));
            let sums = View { at, row: 1, column }.from(r, 0);
            match p.columns {
                1 => store_turned::<V, 1>(&block, sums),
                2 => store_turned::<V, 2>(&block, sums),
                3 | 4 => store_turned::<V, 4>(&block, sums),
                _ => store_turned::<V, 8>(&block, sums),
            }
        }
    }
}

/// Puts a register of rows by `N` columns, or not quite as many, [onto] `start`, and stores that where columns are adjacent.
///
/// # Safety
///
/// See [`Product`], of which `a` and `b` are not used; `sums` has whole registers.
#[inline(always)]
unsafe fn store_turned<V: Register, const N: usize>(p: &Product<V::Element>, sums: View<V::Element>) {
    let mut block = [V::ZERO; MOST_LANES];
    for c in 0..p.columns {
        // SAFETY: the caller's promise.
        block[c] = unsafe { V::load(sums.from(0, c).at) };
    }
    zip_all(&mut block, N);
    let gapless = |view: View<V::Element>| view.row == N;
    if p.rows == V::LEN && p.columns == N && gapless(p.c) && p.start.is_none_or(gapless) {
        for i in 0..N {
            // SAFETY: `LEN` rows of `N` elements are `N` registers.
            unsafe {
                if let Some(start) = p.start {
                    block[i] = onto(V::load(start.at.add(i * V::LEN)), block[i], p.rate);
                }
                block[i].store(p.c.at.add(i * V::LEN).cast_mut());
            }
        }
        return;
    }
    let (flat, part) = (block.as_ptr().cast::<V::Element>(), V::part(0, p.columns));
    let mut rows = [V::ZERO; MOST_LANES];
    // All rows are loaded before the first is stored: a load that follows a partial store next to it waits for that.
    for i in 0..V::LEN {
        // SAFETY: `block` has `LEN` rows of `N` elements; the last row of `start` stands for those that are none.
        unsafe {
            rows[i] = V::load_part(flat.add(i * N), part);
            if let Some(start) = p.start {
                rows[i] = onto(V::load_part(start.from(i.min(p.rows - 1), 0).at, part), rows[i], p.rate);
            }
        }
    }
    for i in 0..p.rows {
        // SAFETY: the caller's promise.
        unsafe { rows[i].store_first(p.c.from(i, 0).at.cast_mut(), p.columns) };
    }
}

/// A finished sum on what it is added to, or `rate` times the sum taken from that: as `optimizer::descend` does.
#[inline(always)]
fn onto<V: Register>(start: V, sum: V, rate: Option<V::Element>) -> V {
    match rate {
        None => sum.add(start),
        Some(rate) => start.sub(V::splat(rate).mul(sum).add(V::ZERO)),
    }
}

/// The largest tile of all instruction sets.
const MOST_ROWS: usize = 3;
pub(super) const MOST_COLUMNS: usize = 8;

/// Whether [`run_tile`] can leave a copy of `a` behind.
fn can_copy<V: Register>(p: &Product<V::Element>) -> bool {
    p.rows.div_ceil(V::LEN) == V::ROWS && p.columns == V::COLUMNS && p.depth >= LONG
}

/// Runs a tile in a function of its own, one for each size, so that its loop has all registers to itself.
///
/// # Safety
///
/// See [`Product`]; it is no larger than a tile. Only one that [can](can_copy) makes a copy, for which there is room.
#[inline(always)]
unsafe fn run_tile<V: Register>(p: &Product<V::Element>, copy: Option<*mut V::Element>) {
    // SAFETY: the caller's promise, and we are in a function that was entered with V.
    unsafe { Tiles::<V, MOST_ROWS>::ALL[p.rows.div_ceil(V::LEN) - 1][p.columns - 1](p, copy) }
}

/// The functions for tiles of `M` registers of rows.
struct Tiles<V, const M: usize>(V);

type Element<V> = <V as crate::lanes::Lanes>::Element;
type Run<V> = unsafe fn(&Product<Element<V>>, Option<*mut Element<V>>);

impl<V: Register> Tiles<V, MOST_ROWS> {
    const ALL: [[Run<V>; MOST_COLUMNS]; MOST_ROWS] =
        [Tiles::<V, 1>::OF_COLUMNS, Tiles::<V, 2>::OF_COLUMNS, Tiles::<V, MOST_ROWS>::OF_COLUMNS];
}

impl<V: Register, const M: usize> Tiles<V, M> {
    const OF_COLUMNS: [Run<V>; MOST_COLUMNS] = [
        Self::enter::<1>,
        Self::enter::<2>,
        Self::enter::<3>,
        Self::enter::<4>,
        Self::enter::<5>,
        Self::enter::<6>,
        Self::enter::<7>,
        Self::enter::<8>,
    ];

    /// # Safety
    ///
    /// The machine has V's instruction set; see [`run_tile`].
    unsafe fn enter<const N: usize>(p: &Product<V::Element>, copy: Option<*mut V::Element>) {
        // SAFETY: the caller's promise.
        unsafe { V::enter(Tile::<_, M, N>(p, copy)) }
    }
}

struct Tile<'a, T, const M: usize, const N: usize>(&'a Product<T>, Option<*mut T>);

impl<T: Copy, const M: usize, const N: usize> Kernel<T> for Tile<'_, T, M, N> {
    #[inline(always)]
    fn run<V: Register<Element = T>>(self) {
        // Not every tile that has a place in the table is one of V's.
        if M > V::ROWS || N > V::COLUMNS {
            return;
        }
        let Tile(p, copy) = self;
        let rest = p.rows - (M - 1) * V::LEN;
        // Whole registers have code of their own: stores of a part are slow on some machines.
        // SAFETY: whoever made the product vouches for it.
        unsafe {
            if rest == V::LEN {
                tile::<V, _, M, N, true>(p, Identity, V::LEN, copy);
            } else {
                tile::<V, _, M, N, true>(p, Identity, rest, copy);
            }
        }
    }
}

/// `c = epilogue(start + a·b)`, so small that it is compiled for its sizes: all of them are constants here.
///
/// # Safety
///
/// See [`Product`]; the rows of `a` are adjacent.
#[inline(always)]
pub(super) unsafe fn tiny<V: Register, E: Epilogue<V::Element>>(p: Product<V::Element>, epilogue: E) {
    let width = even(p.columns, V::COLUMNS);
    for c in (0..p.columns).step_by(width) {
        let columns = width.min(p.columns - c);
        for r in (0..p.rows).step_by(2 * V::LEN) {
            let rows = (2 * V::LEN).min(p.rows - r);
            let start = p.start.map(|start| start.from(r, c));
            let block = Product { rows, columns, a: p.a.from(r, 0), b: p.b.from(0, c), start, c: p.c.from(r, c), ..p };
            // SAFETY: a part of the product.
            unsafe {
                if rows > V::LEN {
                    tiny_block::<V, E, 2>(&block, epilogue);
                } else {
                    tiny_block::<V, E, 1>(&block, epilogue);
                }
            }
        }
    }
}

/// A block of [`tiny`], of `M` registers of rows.
///
/// # Safety
///
/// As [`tiny`].
#[inline(always)]
unsafe fn tiny_block<V: Register, E: Epilogue<V::Element>, const M: usize>(p: &Product<V::Element>, epilogue: E) {
    let rest = p.rows - (M - 1) * V::LEN;
    // SAFETY: the caller's promise.
    unsafe {
        match p.columns {
            1 => tile::<V, E, M, 1, false>(p, epilogue, rest, None),
            2 => tile::<V, E, M, 2, false>(p, epilogue, rest, None),
            3 => tile::<V, E, M, 3, false>(p, epilogue, rest, None),
            4 => tile::<V, E, M, 4, false>(p, epilogue, rest, None),
            5 => tile::<V, E, M, 5, false>(p, epilogue, rest, None),
            6 => tile::<V, E, M, 6, false>(p, epilogue, rest, None),
            7 => tile::<V, E, M, 7, false>(p, epilogue, rest, None),
            _ => tile::<V, E, M, 8, false>(p, epilogue, rest, None),
        }
    }
}

/// Whether [`tiny_packed`] has room for a matrix of that size.
pub(super) const fn has_room(rows: usize, depth: usize) -> bool {
    rows.next_multiple_of(MOST_LANES) * depth <= ROOM
}

/// Elements.
const ROOM: usize = 1024;

/// [`tiny`], where the columns of `a`, and not its rows, are adjacent.
///
/// # Safety
///
/// See [`Product`]; there [is room](has_room).
#[inline(always)]
pub(super) unsafe fn tiny_packed<V: Register>(p: Product<V::Element>) {
    #[repr(align(64))]
    struct Room<T>([T; ROOM]);
    let mut panel = MaybeUninit::<Room<V::Element>>::uninit();
    let at = panel.as_mut_ptr().cast::<V::Element>();
    // SAFETY: the caller's promise.
    unsafe {
        pack::<V>(p.a, p.rows, p.depth, at);
        let a = View { at: at.cast_const(), row: 1, column: p.rows.next_multiple_of(V::LEN) };
        tiny::<V, _>(Product { a, ..p }, Identity);
    }
}

/// `c = epilogue(start + a·b)` for `M` registers of rows, of which the last holds `rest`, and `N` columns.
///
/// `FAR`: what the sums are added to may be far away, and so is added last, and comes while they are summed: one column after
/// the other if there is time, since the processor keeps few requests. So do the columns of `a` ahead.
///
/// # Safety
///
/// See [`run_tile`]; the rows of `a` are adjacent.
#[inline(always)]
unsafe fn tile<V: Register, E: Epilogue<V::Element>, const M: usize, const N: usize, const FAR: bool>(
    p: &Product<V::Element>,
    epilogue: E,
    rest: usize,
    copy: Option<*mut V::Element>,
) {
    let mut sums = [[V::ZERO; M]; N];
    let mut walk = Walk::new(p, copy);
    // SAFETY: the caller's promise.
    unsafe {
        match p.start {
            Some(start) if !FAR => {
                for c in 0..N {
                    sums[c] = load::<V, M, FAR>(start.from(0, c), rest);
                }
                walk.add::<V, M, N, FAR, false, false>(&mut sums, rest, p.depth);
            }
            _ if FAR && M == V::ROWS && p.depth >= LONG => {
                let (mut left, mut to) = (p.depth, p.c);
                while left > 0 {
                    prefetch::<V, M>(to);
                    to = to.from(0, 1);
                    let steps = left.min(p.depth.div_ceil(N));
                    if N == V::COLUMNS && copy.is_some() {
                        walk.add::<V, M, N, FAR, true, true>(&mut sums, rest, steps);
                    } else {
                        walk.add::<V, M, N, FAR, true, false>(&mut sums, rest, steps);
                    }
                    left -= steps;
                }
            }
            Some(start) => {
                for c in 0..N {
                    prefetch::<V, M>(start.from(0, c));
                }
                walk.add::<V, M, N, FAR, false, false>(&mut sums, rest, p.depth);
            }
            None => walk.add::<V, M, N, FAR, false, false>(&mut sums, rest, p.depth),
        }
        if let (Some(start), true) = (p.start, FAR) {
            for c in 0..N {
                let rows = load::<V, M, FAR>(start.from(0, c), rest);
                for m in 0..M {
                    sums[c][m] = onto(rows[m], sums[c][m], p.rate);
                }
            }
        }
        if !FAR && M == 1 && 2 * rest <= V::LEN && p.c.column == rest {
            return store_joined(&sums, p, epilogue, rest);
        }
        for c in 0..N {
            let to = p.c.from(0, c).at.cast_mut();
            for m in 0..M - 1 {
                epilogue.apply(sums[c][m]).store(to.add(m * V::LEN));
            }
            epilogue.apply(sums[c][M - 1]).store_first(to.add((M - 1) * V::LEN), rest);
        }
    }
}

/// Where a tile is on its way along the depth.
struct Walk<T> {
    a: View<T>,
    /// Two cursors through b, unrelated for all that LLVM knows: with a single one it computes the address of each column from
    /// that of the one before, and such a chain of additions takes longer than the multiplications.
    near: *const T,
    far: *const T,
    b: View<T>,
    /// Where the copy of `a` goes on.
    copy: *mut T,
}

impl<T: Copy> Walk<T> {
    #[inline(always)]
    fn new(p: &Product<T>, copy: Option<*mut T>) -> Self {
        let far = p.b.at.wrapping_add(black_box(4 * p.b.column));
        Self { a: p.a, near: p.b.at, far, b: p.b, copy: copy.unwrap_or(ptr::null_mut()) }
    }

    /// Adds the products of the next `steps` columns of `a` and rows of `b`. `ASK`: and asks for columns of `a` to come. `COPY`:
    /// and leaves whole registers of those columns behind.
    ///
    /// # Safety
    ///
    /// So much of both can be read, `rest` rows of the last register, and so many registers written.
    #[inline(always)]
    unsafe fn add<
        V: Register<Element = T>,
        const M: usize,
        const N: usize,
        const FAR: bool,
        const ASK: bool,
        const COPY: bool,
    >(
        &mut self,
        sums: &mut [[V; M]; N],
        rest: usize,
        steps: usize,
    ) {
        for _ in 0..steps {
            if ASK {
                prefetch::<V, M>(self.a.from(0, AHEAD));
            }
            // SAFETY: the caller's promise.
            let rows = unsafe { load::<V, M, FAR>(self.a, rest) };
            if COPY {
                for m in 0..M {
                    // SAFETY: as above.
                    unsafe { rows[m].store(self.copy) };
                    self.copy = self.copy.wrapping_add(V::LEN);
                }
            }
            for c in 0..N {
                // SAFETY: as above.
                let factor = V::splat(unsafe { *if c < 4 { self.near } else { self.far }.add(c % 4 * self.b.column) });
                for m in 0..M {
                    sums[c][m] = rows[m].mul_add(factor, sums[c][m]);
                }
            }
            self.a = self.a.from(0, 1);
            self.near = self.near.wrapping_add(self.b.row);
            self.far = self.far.wrapping_add(self.b.row);
        }
    }
}

/// Stores `epilogue` of `N` columns of so few rows that a register holds several, which lie one after the other in `c`.
///
/// # Safety
///
/// See [`Product`], of which `a` and `b` are not used.
#[inline(always)]
unsafe fn store_joined<V: Register, E: Epilogue<V::Element>, const M: usize, const N: usize>(
    sums: &[[V; M]; N],
    p: &Product<V::Element>,
    epilogue: E,
    rows: usize,
) {
    let together = V::LEN / rows;
    for first in (0..N).step_by(together) {
        let count = together.min(N - first);
        let mut joined = V::ZERO;
        for c in first..first + count {
            joined = joined.shifted(sums[c][0], rows);
        }
        joined = joined.shifted(joined, V::LEN - count * rows);
        // SAFETY: `count` columns without gaps.
        unsafe { epilogue.apply(joined).store_first(p.c.from(0, first).at.cast_mut(), count * rows) };
    }
}

/// Asks for `M` registers of a column's rows.
#[inline(always)]
fn prefetch<V: Register, const M: usize>(from: View<V::Element>) {
    for m in 0..M {
        V::prefetch(from.at.wrapping_add(m * V::LEN));
    }
}

/// `M` registers of a column's rows, of which the last holds `rest`, a constant unless `FAR`.
///
/// # Safety
///
/// So much of `from` can be read, whose rows are adjacent.
#[inline(always)]
unsafe fn load<V: Register, const M: usize, const FAR: bool>(from: View<V::Element>, rest: usize) -> [V; M] {
    let mut rows = [V::ZERO; M];
    // SAFETY: the caller's promise.
    unsafe {
        for m in 0..M - 1 {
            rows[m] = V::load(from.at.add(m * V::LEN));
        }
        let at = from.at.add((M - 1) * V::LEN);
        rows[M - 1] = match rest {
            _ if !FAR => V::load_first(at, rest),
            _ if rest == V::LEN => V::load(at),
            _ => V::load_part(at, V::part(0, rest)),
        };
    }
    rows
}
