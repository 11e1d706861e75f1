//! The product of strided matrices, in tiles of registers. Every batch, in all three products, comes here.

use super::{Kernel, MOST_LANES, Register};
use core::mem::MaybeUninit;

/// Registers in the packed panel of `a`: 32 KiB with AVX-512, most of the first cache.
const PANEL: usize = 512;

const FIRST_CACHE: usize = 48 << 10;

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

/// `c = start + a·b`, with a zero start if there is none. One stride of `a`, of `c` and of `start` is 1.
#[derive(Clone, Copy)]
pub(crate) struct Product<T> {
    pub rows: usize,
    pub depth: usize,
    pub columns: usize,
    pub a: View<T>,
    pub b: View<T>,
    pub start: Option<View<T>>,
    /// Written, though it is a view as the others.
    pub c: View<T>,
}

impl<T: Copy> Product<T> {
    /// So many rows of `c`, from row `from`.
    #[inline(always)]
    pub fn part(&self, from: usize, rows: usize) -> Self {
        let start = self.start.map(|start| start.from(from, 0));
        Self { rows, a: self.a.from(from, 0), start, c: self.c.from(from, 0), b: self.b, ..*self }
    }

    /// The same product as `cᵀ = startᵀ + bᵀ·aᵀ`.
    #[inline(always)]
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            a: self.b.transposed(),
            b: self.a.transposed(),
            start: self.start.map(View::transposed),
            c: self.c.transposed(),
            ..self
        }
    }
}

/// [`blocked`], to be compiled once for all shapes.
pub(crate) struct Blocked<T>(pub Product<T>);

impl<T: Copy> Kernel<T> for Blocked<T> {
    #[inline(always)]
    fn run<V: Register<Element = T>>(self) {
        // SAFETY: whoever made the product vouches for its views.
        unsafe { blocked::<V>(self.0) }
    }
}

/// A product of any size.
///
/// Rows come in panels of `ROWS` registers, columns in strips of `COLUMNS`. A panel of `a` is packed on the stack where
/// its rows are not adjacent, and where it is read often enough to repay that.
#[inline(always)]
pub(super) unsafe fn blocked<V: Register>(p: Product<V::Element>) {
    let mut panel = [const { MaybeUninit::<V>::uninit() }; PANEL];
    let panel = panel.as_mut_ptr().cast::<V::Element>();
    let large = p.rows * p.depth * size_of::<V::Element>() > FIRST_CACHE / 2;
    let packed = p.a.row != 1 || large && p.columns >= 64;
    let registers = p.rows.div_ceil(V::LEN);
    let (height, width) = (even(registers, V::ROWS), even(p.columns, V::COLUMNS));
    let step = if packed { even(p.depth, PANEL / height) } else { p.depth };
    for r in (0..registers).step_by(height) {
        let height = height.min(registers - r);
        let r = r * V::LEN;
        let rows = (p.rows - r).min(height * V::LEN);
        for k in (0..p.depth).step_by(step) {
            let depth = step.min(p.depth - k);
            let mut a = p.a.from(r, k);
            if packed {
                // SAFETY: the panel holds `height` registers for each of `depth` columns.
                unsafe { pack::<V>(a, rows, depth, panel) };
                a = View { at: panel, row: 1, column: height * V::LEN };
            }
            let start = if k == 0 { p.start } else { Some(p.c) };
            for c in (0..p.columns).step_by(width) {
                let columns = width.min(p.columns - c);
                let start = start.map(|start| start.from(r, c));
                let tile = Product { rows, depth, columns, a, b: p.b.from(k, c), start, c: p.c.from(r, c) };
                // SAFETY: the tile lies within the product, and is no larger than the largest.
                unsafe { if p.c.row == 1 { run_tile::<V>(&tile) } else { run_tile_transposed::<V>(&tile) } }
            }
        }
    }
}

/// The length of the pieces, of nearly equal length and at most `most`, that make up `len`.
#[inline(always)]
pub(super) fn even(len: usize, most: usize) -> usize {
    len.div_ceil(len.div_ceil(most))
}

/// Copies `rows` × `depth` of `a` column by column, each padded to whole registers.
#[inline(always)]
unsafe fn pack<V: Register>(a: View<V::Element>, rows: usize, depth: usize, panel: *mut V::Element) {
    let column = rows.next_multiple_of(V::LEN);
    for r in (0..rows).step_by(V::LEN) {
        let rows = (rows - r).min(V::LEN);
        if a.row == 1 {
            let part = V::part(0, rows);
            for k in 0..depth {
                // SAFETY:
                unsafe { V::load_part(a.from(r, k).at, part).store(panel.add(k * column + r)) };
            }
        } else {
            for k in (0..depth).step_by(V::LEN) {
                let depth = (depth - k).min(V::LEN);
                let part = V::part(0, depth);
                let mut square = [V::zero(); MOST_LANES];
                for i in 0..V::LEN {
                    // Beyond the last row, the last one again: always the same number of loads, so that `square` is kept in registers.
                    // SAFETY:
                    square[i] = unsafe { V::load_part(a.from(r + i.min(rows - 1), k).at, part) };
                }
                zip_all(&mut square, V::LEN);
                for i in 0..depth {
                    // SAFETY:
                    unsafe { square[i].store(panel.add((k + i) * column + r)) };
                }
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

/// Runs a tile into memory of its own and turns that round: the rows of `c`, not its columns, are adjacent.
#[inline(always)]
unsafe fn run_tile_transposed<V: Register>(p: &Product<V::Element>) {
    let column = p.rows.next_multiple_of(V::LEN);
    let width = V::COLUMNS.next_power_of_two();
    let mut sums = [[V::zero(); 3]; 8];
    let at = sums.as_mut_ptr().cast::<V::Element>();
    // SAFETY: no tile is larger than `sums`.
    unsafe { run_tile::<V>(&Product { start: None, c: View { at, row: 1, column }, ..*p }) };
    let part = V::part(0, p.columns);
    for r in (0..p.rows).step_by(V::LEN) {
        let mut block = [V::zero(); MOST_LANES];
        for c in 0..width {
            // SAFETY:
            block[c] = unsafe { V::load(at.add(c * column + r)) };
        }
        zip_all(&mut block, width);
        let row = block.as_ptr().cast::<V::Element>();
        for i in 0..V::LEN.min(p.rows - r) {
            // SAFETY:
            unsafe {
                let mut row = V::load_part(row.add(i * width), part);
                if let Some(start) = p.start {
                    row = row.add(V::load_part(start.from(r + i, 0).at, part));
                }
                row.store_part(p.c.from(r + i, 0).at.cast_mut(), part);
            }
        }
    }
}

/// Runs a tile in a function of its own, of which there is one for every size, so that its loop has all registers.
#[inline(always)]
unsafe fn run_tile<V: Register>(p: &Product<V::Element>) {
    // SAFETY: as the caller's.
    unsafe { Tiles::<V, 3>::ALL[p.rows.div_ceil(V::LEN) - 1][p.columns - 1](p) }
}

/// The tiles of at most `M` registers of rows, by columns.
struct Tiles<V, const M: usize>(V);

impl<V: Register> Tiles<V, 3> {
    const ALL: [[unsafe fn(&Product<V::Element>); 8]; 3] =
        [Tiles::<V, 1>::WIDE, Tiles::<V, 2>::WIDE, Tiles::<V, 3>::WIDE];
}

impl<V: Register, const M: usize> Tiles<V, M> {
    const WIDE: [unsafe fn(&Product<V::Element>); 8] = [
        Self::enter::<1>,
        Self::enter::<2>,
        Self::enter::<3>,
        Self::enter::<4>,
        Self::enter::<5>,
        Self::enter::<6>,
        Self::enter::<7>,
        Self::enter::<8>,
    ];

    unsafe fn enter<const N: usize>(p: &Product<V::Element>) {
        // SAFETY:
        unsafe { V::enter(Tile::<_, M, N>(p)) }
    }
}

struct Tile<'a, T, const M: usize, const N: usize>(&'a Product<T>);

impl<T: Copy, const M: usize, const N: usize> Kernel<T> for Tile<'_, T, M, N> {
    #[inline(always)]
    fn run<V: Register<Element = T>>(self) {
        // SAFETY: as above
        unsafe { tile::<V, M, N>(self.0) }
    }
}

/// A product so small that it is compiled for its sizes, all of them constants here.
#[inline(always)]
pub(super) unsafe fn tiny<V: Register>(p: Product<V::Element>) {
    let width = even(p.columns, V::COLUMNS);
    for c in (0..p.columns).step_by(width) {
        let columns = width.min(p.columns - c);
        for r in (0..p.rows).step_by(V::LEN) {
            let rows = (p.rows - r).min(V::LEN);
            let start = p.start.map(|start| start.from(r, c));
            let p = Product { rows, columns, a: p.a.from(r, 0), b: p.b.from(0, c), start, c: p.c.from(r, c), ..p };
            // SAFETY:
            unsafe {
                match columns {
                    1 => tile::<V, 1, 1>(&p),
                    2 => tile::<V, 1, 2>(&p),
                    3 => tile::<V, 1, 3>(&p),
                    4 => tile::<V, 1, 4>(&p),
                    5 => tile::<V, 1, 5>(&p),
                    6 => tile::<V, 1, 6>(&p),
                    7 => tile::<V, 1, 7>(&p),
                    _ => tile::<V, 1, 8>(&p),
                }
            }
        }
    }
}

/// `c = start + a·b` for `M` registers of rows, the last perhaps not full, and `N` columns.
#[inline(always)]
unsafe fn tile<V: Register, const M: usize, const N: usize>(p: &Product<V::Element>) {
    let last = V::part(0, p.rows - (M - 1) * V::LEN);
    // SAFETY:
    unsafe {
        let mut sums = match p.start {
            Some(start) => load::<V, M, N>(start, last),
            None => [[V::zero(); M]; N],
        };
        // Two cursors through b, unrelated for all that LLVM knows: with one it computes each column's address from the
        // one before, and that chain of additions takes longer than the multiplications.
        let (mut a, mut near, mut far) = (p.a, p.b.at, opaque(p.b.from(0, 4).at));
        for _ in 0..p.depth {
            let [rows] = load::<V, M, 1>(a, last);
            for c in 0..N {
                let factor = V::splat(*if c < 4 { near } else { far }.add(c % 4 * p.b.column));
                for m in 0..M {
                    sums[c][m] = rows[m].mul_add(factor, sums[c][m]);
                }
            }
            a = a.from(0, 1);
            near = near.wrapping_add(p.b.row);
            far = far.wrapping_add(p.b.row);
        }
        for c in 0..N {
            let to = p.c.from(0, c).at.cast_mut();
            for m in 0..M - 1 {
                sums[c][m].store(to.add(m * V::LEN));
            }
            sums[c][M - 1].store_part(to.add((M - 1) * V::LEN), last);
        }
    }
}

/// `M` registers of rows, of the last only a part, of `N` columns.
#[inline(always)]
unsafe fn load<V: Register, const M: usize, const N: usize>(from: View<V::Element>, last: V::Part) -> [[V; M]; N] {
    let mut block = [[V::zero(); M]; N];
    for c in 0..N {
        let at = from.from(0, c).at;
        // SAFETY:
        unsafe {
            for m in 0..M - 1 {
                block[c][m] = V::load(at.add(m * V::LEN));
            }
            block[c][M - 1] = V::load_part(at.add((M - 1) * V::LEN), last);
        }
    }
    block
}

/// The same pointer, of which LLVM knows nothing.
#[inline(always)]
fn opaque<T>(mut pointer: *const T) -> *const T {
    // SAFETY: no instruction at all.
    unsafe { core::arch::asm!("/* {} */", inout(reg) pointer, options(pure, nomem, nostack, preserves_flags)) };
    pointer
}
