//! Products with one vector, or a few, of sizes known to the compiler: nothing is packed, and the matrix is read once
//! and in order. Every field of a [`Product`] but its pointers is a constant here.

use super::product::{Product, even};
use super::{Epilogue, FEW_SAMPLES, MOST_LANES, MOST_TIMES, Register, reduce, reduce_all};

/// Most registers of rows that [`down`] sums at a time: 128 `f32` with AVX-512, wherever they begin.
const ROWS: usize = 9;

/// So many sums under way hide how long an addition takes: two a cycle, four cycles each.
const SUMS: usize = 8;

/// For so few registers of rows each factor is loaded by itself: one instruction less, which would wait for the layer before.
/// For more of them it is loads that there are too many of.
const FEW_ROWS: usize = 4;

/// As many elements of `b` as [`Register::splat_four`] takes.
const FACTORS: usize = 4;

/// Whether rows are so few, a divisor of `LEN`, that a register holds several columns, and columns enough to fill it.
#[inline(always)]
pub(super) const fn are_few<V: Register>(rows: usize, columns: usize) -> bool {
    2 * rows <= V::LEN && V::LEN % rows == 0 && rows * columns >= V::LEN
}

/// `c = epilogue(start + a·b)` for few rows without gaps: registers of several columns of `a`, times as many elements
/// of `b`, each of them repeated for all rows.
///
/// # Safety
///
/// See [`Product`]; its rows [are few](are_few).
#[inline(always)]
pub(super) unsafe fn across_columns<V: Register, E: Epilogue<V::Element>>(p: Product<V::Element>, epilogue: E) {
    for c in 0..p.columns {
        let mut sums = [V::ZERO; MOST_TIMES];
        // SAFETY: `rows` elements of a column.
        unsafe {
            if let Some(start) = p.start {
                sums[0] = V::load_first(start.from(0, c).at, p.rows);
            }
        }
        for k in (0..p.depth).step_by(V::LEN) {
            let depth = V::LEN.min(p.depth - k);
            // SAFETY: `depth` elements of a column of `b`, and as many columns of `a`.
            unsafe {
                let factors = V::load_first(p.b.from(k, c).at, depth).repeated(p.rows);
                for i in 0..p.rows {
                    let count = (depth * p.rows).saturating_sub(i * V::LEN).min(V::LEN);
                    let columns = V::load_first(p.a.from(0, k).at.wrapping_add(i * V::LEN), count);
                    sums[i] = columns.mul_add(factors[i], sums[i]);
                }
            }
        }
        let sum = reduce(add_all(&mut sums, p.rows), p.rows, V::add);
        // SAFETY: `rows` elements of a column.
        unsafe { epilogue.apply(sum).store_first(p.c.from(0, c).at.cast_mut(), p.rows) };
    }
}

/// The sum of the first `count` registers, the upper half added to the lower until one is left.
#[inline(always)]
fn add_all<V: Register>(sums: &mut [V], count: usize) -> V {
    let mut left = count;
    while left > 1 {
        let half = left.div_ceil(2);
        for i in half..left {
            sums[i - half] = sums[i - half].add(sums[i]);
        }
        left = half;
    }
    sums[0]
}

/// `c = epilogue(start + a·b)` for one column `b`, down the columns of `a`.
///
/// # Safety
///
/// See [`Product`]; the rows of `a` are adjacent.
#[inline(always)]
pub(super) unsafe fn down_columns<V: Register, E: Epilogue<V::Element>>(p: Product<V::Element>, epilogue: E) {
    let registers = p.rows.div_ceil(V::LEN);
    let height = even(registers, ROWS - 1);
    let last = (registers - 1) / height * height;
    // SAFETY: parts of the product.
    unsafe {
        for r in (0..last).step_by(height) {
            down_rows::<V, E>(p.part(r * V::LEN, height * V::LEN), epilogue, height);
        }
        down_rows::<V, E>(p.part(last * V::LEN, p.rows - last * V::LEN), epilogue, registers - last);
    }
}

/// [`down_columns`] for rows in so many registers.
///
/// Where all columns of `a` are equally far from a cache line's end, registers begin with the line and not with the
/// column, `past` elements before it: a register across two lines costs twice. This takes one register more.
///
/// # Safety
///
/// As [`down_columns`].
#[inline(always)]
unsafe fn down_rows<V: Register, E: Epilogue<V::Element>>(p: Product<V::Element>, epilogue: E, registers: usize) {
    let pays = V::ALIGN && registers > 1 && p.depth >= 32;
    let aligns = pays && p.rows % V::LEN == 0 && p.a.column % V::LEN == 0;
    let past = if aligns { p.a.at.addr() / size_of::<V::Element>() % V::LEN } else { 0 };
    // SAFETY: the caller's promise.
    unsafe {
        match registers + usize::from(past > 0) {
            1 => down::<V, E, 1>(p, epilogue, past),
            2 => down::<V, E, 2>(p, epilogue, past),
            3 => down::<V, E, 3>(p, epilogue, past),
            4 => down::<V, E, 4>(p, epilogue, past),
            5 => down::<V, E, 5>(p, epilogue, past),
            6 => down::<V, E, 6>(p, epilogue, past),
            7 => down::<V, E, 7>(p, epilogue, past),
            8 => down::<V, E, 8>(p, epilogue, past),
            _ => down::<V, E, ROWS>(p, epilogue, past),
        }
    }
}

/// [`down_rows`] in `M` registers. Columns are summed a few apart, so that there are always enough sums under way.
///
/// # Safety
///
/// As [`down_columns`]; the registers hold the rows and the `past` elements before, of which there are none unless all
/// columns have `past` elements before.
#[inline(always)]
unsafe fn down<V: Register, E: Epilogue<V::Element>, const M: usize>(p: Product<V::Element>, epilogue: E, past: usize) {
    let beyond = M * V::LEN - past - p.rows;
    let ends = Some((V::part(past, V::LEN - if M == 1 { beyond } else { 0 }), V::part(0, V::LEN - beyond)));
    // Lanes that are no rows may be filled from the columns before and behind, but not from before and behind `a`.
    let (begin, end) = (usize::from(past > 0), p.depth - beyond.div_ceil(p.a.column).min(p.depth));
    let apart = SUMS.div_ceil(M).min(p.depth.div_ceil(2)).next_power_of_two();
    let step = if apart < FACTORS { FACTORS } else { apart };
    let mut sums = [[V::ZERO; SUMS]; M];
    // Where the registers begin with the rows, the sums begin with what is added.
    if past == 0 {
        for m in 0..M {
            // SAFETY: only rows are read.
            sums[m][0] = unsafe { start_of(&p, m * V::LEN) };
        }
    }
    let mut k = begin;
    // SAFETY: nothing outside of `a` and `b` is read.
    unsafe {
        for k in 0..begin {
            add_column(&mut sums, 0, &p, k, V::splat(*p.b.from(k, 0).at), past, ends);
        }
        while k + step <= end {
            for four in (0..step).step_by(FACTORS) {
                let b = p.b.from(k + four, 0).at;
                let four_factors = if M > FEW_ROWS { V::splat_four(b) } else { [V::ZERO; FACTORS] };
                for i in 0..FACTORS {
                    let factor = if M > FEW_ROWS { four_factors[i] } else { V::splat(*b.add(i)) };
                    add_column(&mut sums, (four + i) % apart, &p, k + four + i, factor, past, None);
                }
            }
            k += step;
        }
        for i in 0..step {
            if k + i < end {
                add_column(&mut sums, i % apart, &p, k + i, V::splat(*p.b.from(k + i, 0).at), past, None);
            }
        }
        for k in end.max(begin)..p.depth {
            add_column(&mut sums, 0, &p, k, V::splat(*p.b.from(k, 0).at), past, ends);
        }
    }
    let mut registers = [V::ZERO; M];
    for m in 0..M {
        registers[m] = add_all(&mut sums[m], apart);
    }
    if past > 0 {
        for m in 1..M {
            registers[m - 1] = registers[m - 1].shifted(registers[m], past);
        }
    }
    for r in (0..p.rows).step_by(V::LEN) {
        let mut sum = registers[r / V::LEN];
        // SAFETY: only rows are read and written.
        unsafe {
            if past > 0 {
                sum = sum.add(start_of(&p, r));
            }
            epilogue.apply(sum).store_first(p.c.from(r, 0).at.cast_mut(), V::LEN.min(p.rows - r));
        }
    }
}

/// The rows of `start` from row `r` that a register holds, or zeros.
///
/// # Safety
///
/// See [`Product`].
#[inline(always)]
unsafe fn start_of<V: Register>(p: &Product<V::Element>, r: usize) -> V {
    match p.start {
        // SAFETY: only rows are read.
        Some(start) => unsafe { V::load_first(start.from(r, 0).at, V::LEN.min(p.rows - r)) },
        None => V::ZERO,
    }
}

/// Adds column `k` of `a`, from `past` elements before it, times `factor` to sum `i` of every register; of the first and of
/// the last register only a part, if so asked.
///
/// # Safety
///
/// So much of `a` can be read.
#[inline(always)]
unsafe fn add_column<V: Register, const M: usize>(
    sums: &mut [[V; SUMS]; M],
    i: usize,
    p: &Product<V::Element>,
    k: usize,
    factor: V,
    past: usize,
    ends: Option<(V::Part, V::Part)>,
) {
    for m in 0..M {
        let at = p.a.from(0, k).at.wrapping_sub(past).wrapping_add(m * V::LEN);
        // SAFETY: the caller's promise.
        let rows = unsafe {
            match ends {
                Some((head, _)) if m == 0 => V::load_part(at, head),
                Some((_, tail)) if m == M - 1 => V::load_part(at, tail),
                _ => V::load(at),
            }
        };
        sums[m][i] = rows.mul_add(factor, sums[m][i]);
    }
}

/// `c = a·b` where the columns of `a`, not its rows, are adjacent: dot products, as many at a time as a register has
/// lanes, and then the lanes of all of them are summed together.
///
/// # Safety
///
/// See [`Product`]; the columns of `a` and the rows of `b` are adjacent, and there is no start.
#[inline(always)]
pub(super) unsafe fn dots<V: Register>(p: Product<V::Element>) {
    let count = V::LEN.min(p.rows.next_power_of_two());
    for r in (0..p.rows).step_by(V::LEN) {
        let rows = V::LEN.min(p.rows - r);
        for c in 0..p.columns {
            let mut sums = [V::ZERO; MOST_LANES];
            for k in (0..p.depth).step_by(V::LEN) {
                let depth = V::LEN.min(p.depth - k);
                // SAFETY: the last row stands for those that are none.
                unsafe {
                    let factors = V::load_first(p.b.from(k, c).at, depth);
                    for i in 0..count {
                        let row = V::load_first(p.a.from(r + i.min(rows - 1), k).at, depth);
                        sums[i] = row.mul_add(factors, sums[i]);
                    }
                }
            }
            // SAFETY: `rows` elements from row r.
            unsafe { reduce_all(&mut sums, count, V::add).store_first(p.c.from(r, c).at.cast_mut(), rows) };
        }
    }
}

/// `c = start + a·b` for few columns `a`, whose rows fill whole registers, in the order in which `c` lies in memory.
///
/// # Safety
///
/// See [`Product`]; the rows of `a` are adjacent and a multiple of `LEN`, the depth is at most [`FEW_SAMPLES`].
#[inline(always)]
pub(super) unsafe fn outer<V: Register>(p: Product<V::Element>) {
    for c in 0..p.columns {
        let mut factors = [V::ZERO; FEW_SAMPLES];
        for k in 0..p.depth {
            // SAFETY: within `b`.
            factors[k] = V::splat(unsafe { *p.b.from(k, c).at });
        }
        for r in (0..p.rows).step_by(V::LEN) {
            // SAFETY: whole registers within the matrices.
            unsafe {
                let mut sum = V::ZERO;
                if let Some(start) = p.start {
                    sum = V::load(start.from(r, c).at);
                }
                for k in 0..p.depth {
                    sum = V::load(p.a.from(r, k).at).mul_add(factors[k], sum);
                }
                sum.store(p.c.from(r, c).at.cast_mut());
            }
        }
    }
}
