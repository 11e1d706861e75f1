//! The three products for any scalar, in an order of operations that depends on the sizes alone.
//!
//! No sum is reordered and nothing is fused, so a scalar of fixed arithmetic gets the same bits on every machine. Sums
//! stay in registers, a block of them side by side: that suits vector units, which the compiler then uses, and a
//! microcontroller.

use crate::Scalar;
use crate::optimizer::descend_all;

/// How many partial sums a [`dot`] product has.
const PARTS: usize = 8;

/// Z = W·X + b·1ᵀ: each element starts from the bias and adds w·x, the inputs in their order.
#[inline]
pub(crate) fn forward<T: Scalar, const OUT: usize, const IN: usize, const B: usize>(
    w: &[[T; OUT]; IN],
    x: &[[T; IN]; B],
    b: &[T; OUT],
    z: &mut [[T; OUT]; B],
) {
    for (x, z) in x.iter().zip(z) {
        *z = *b;
        add_columns(w, x.iter().copied(), z);
    }
}

/// D = Wᵀ·Δ: each element is the [`dot`] product of two columns.
#[inline]
pub(crate) fn backward<T: Scalar, const OUT: usize, const IN: usize, const B: usize>(
    w: &[[T; OUT]; IN],
    delta: &[[T; OUT]; B],
    d: &mut [[T; IN]; B],
) {
    for (delta, d) in delta.iter().zip(d) {
        for (w, d) in w.iter().zip(d) {
            *d = dot(w, delta);
        }
    }
}

/// G = Δ·Xᵀ, or G += Δ·Xᵀ with `ADD`: each element adds δ·x, the samples in their order.
#[inline]
pub(crate) fn gradient<const ADD: bool, T: Scalar, const OUT: usize, const IN: usize, const B: usize>(
    delta: &[[T; OUT]; B],
    x: &[[T; IN]; B],
    g: &mut [[T; OUT]; IN],
) {
    for (i, g) in g.iter_mut().enumerate() {
        if !ADD {
            g.fill(T::ZERO);
        }
        add_columns(delta, x.iter().map(|x| x[i]), g);
    }
}

/// Calls `each` with G = Δ·Xᵀ, all of it, and 0.
#[inline]
pub(crate) fn gradient_parts<T: Scalar, const OUT: usize, const IN: usize, const B: usize>(
    delta: &[[T; OUT]; B],
    x: &[[T; IN]; B],
    g: &mut [[T; OUT]; IN],
    mut each: impl FnMut(usize, &[T]),
) {
    T::outer_product::<false, OUT, IN, B>(delta, x, g);
    each(0, g.as_flattened());
}

/// W −= η·(Δ·Xᵀ), by the parts of the product, made in `room`.
#[inline]
pub(crate) fn descend<T: Scalar, const OUT: usize, const IN: usize, const B: usize>(
    rate: T,
    delta: &[[T; OUT]; B],
    x: &[[T; IN]; B],
    w: &mut [[T; OUT]; IN],
    room: &mut [[T; OUT]; IN],
) {
    let w = w.as_flattened_mut();
    T::outer_product_parts(delta, x, room, |start, g| {
        descend_all(w.get_mut(start..start + g.len()).unwrap_or_default(), rate, g);
    });
}

/// `sums += Σ columns[k]·factors[k]`, in the order of k.
#[inline(always)]
pub(crate) fn add_columns<T: Scalar, const R: usize, const K: usize>(
    columns: &[[T; R]; K],
    factors: impl Iterator<Item = T> + Clone,
    sums: &mut [T; R],
) {
    let (sixteens, rest) = sums.as_chunks_mut::<16>();
    let mut row = 0;
    for sums in sixteens {
        row = add_block(columns, factors.clone(), sums, row);
    }
    let (fours, rest) = rest.as_chunks_mut::<4>();
    for sums in fours {
        row = add_block(columns, factors.clone(), sums, row);
    }
    for sum in rest.as_chunks_mut::<1>().0 {
        row = add_block(columns, factors.clone(), sum, row);
    }
}

/// [`add_columns`] for the `N` rows from `row`; returns the next one.
#[inline(always)]
fn add_block<const N: usize, T: Scalar, const R: usize, const K: usize>(
    columns: &[[T; R]; K],
    factors: impl Iterator<Item = T>,
    sums: &mut [T; N],
    row: usize,
) -> usize {
    let mut block = *sums;
    for (column, factor) in columns.iter().zip(factors) {
        if let Some(elements) = column.get(row..).and_then(<[T]>::first_chunk::<N>) {
            for (sum, &element) in block.iter_mut().zip(elements) {
                *sum += element * factor;
            }
        }
    }
    *sums = block;
    row + N
}

/// Σ a·b. Partial sum j adds the products j, j + 8, j + 16 … in their order, from zero. Of the partial sums, 8 or as
/// many as there are products, the upper half is then added to the lower until one is left.
#[inline(always)]
pub(crate) fn dot<T: Scalar, const N: usize>(a: &[T; N], b: &[T; N]) -> T {
    let mut parts = [T::ZERO; PARTS];
    for (a, b) in a.chunks(PARTS).zip(b.chunks(PARTS)) {
        for ((part, &a), &b) in parts.iter_mut().zip(a).zip(b) {
            *part += a * b;
        }
    }
    let mut left = if N < PARTS { N } else { PARTS };
    while left > 1 {
        let half = left.div_ceil(2);
        let (lower, upper) = parts.split_at_mut(half);
        for (lower, &mut upper) in lower.iter_mut().zip(upper.iter_mut().take(left - half)) {
            *lower += upper;
        }
        left = half;
    }
    let [sum, ..] = parts;
    sum
}

/// For every sample: p_k ← e^(z_k − m) / Σ with Σ = Σ e^(z_i − m), m ← max z, and `log_sums` ← ln Σ.
#[inline]
pub(crate) fn softmax<T: Scalar, const K: usize>(
    z: &[[T; K]],
    p: &mut [[T; K]],
    largest: &mut [T],
    log_sums: &mut [T],
) {
    for (((z, p), largest), log_sum) in z.iter().zip(p).zip(largest).zip(log_sums) {
        *p = *z;
        let sum;
        (*largest, sum) = exponentials(p);
        let scale = T::ONE / sum;
        for p in p {
            *p *= scale;
        }
        *log_sum = sum.ln();
    }
}

/// z_k ← e^(z_k − m), m = max z; returns m and Σ e^(z_k − m).
#[inline]
pub(crate) fn exponentials<T: Scalar>(z: &mut [T]) -> (T, T) {
    // Any shift will do, so a comparison that drops a NaN drops nothing: the exponential of the NaN hands it on.
    let mut largest = z.first().copied().unwrap_or(T::ZERO);
    for z in z.iter() {
        if *z > largest {
            largest = *z;
        }
    }
    let mut sum = T::ZERO;
    for z in z.iter_mut() {
        *z = (*z - largest).exp();
        sum += *z;
    }
    (largest, sum)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::boxed::Box;
    use std::vec;

    fn boxed<T: Scalar, const R: usize, const C: usize>(mut value: impl FnMut() -> T) -> Box<[[T; R]; C]> {
        let mut matrix: Box<[[T; R]; C]> = vec![[T::ZERO; R]; C].into_boxed_slice().try_into().unwrap();
        matrix.as_flattened_mut().fill_with(&mut value);
        matrix
    }

    /// The documented order, written down without blocks: every bit has to agree.
    fn keeps_the_documented_order<const OUT: usize, const IN: usize, const B: usize>() {
        let mut state = (OUT + 100 * IN + 10_000 * B) as u64;
        let mut any = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        let (w, x, b) = (boxed::<_, OUT, IN>(&mut any), boxed::<_, IN, B>(&mut any), boxed::<_, OUT, 1>(&mut any));
        let (delta, old) = (boxed::<_, OUT, B>(&mut any), boxed::<_, OUT, IN>(&mut any));
        let (mut z, mut d, mut g) = (boxed(|| f32::NAN), boxed(|| f32::NAN), old.clone());
        forward(&w, &x, &b[0], &mut z);
        backward(&w, &delta, &mut d);
        gradient::<true, _, _, _, _>(&delta, &x, &mut g);
        for s in 0..B {
            for o in 0..OUT {
                let expected = (0..IN).fold(b[0][o], |sum, i| sum + w[i][o] * x[s][i]);
                assert_eq!(z[s][o].to_bits(), expected.to_bits(), "forward {OUT} {IN} {B}: ({o}, {s})");
            }
            for i in 0..IN {
                let mut parts = vec![0.0; OUT.min(8)];
                for o in 0..OUT {
                    parts[o % 8] += w[i][o] * delta[s][o];
                }
                while parts.len() > 1 {
                    let upper = parts.split_off(parts.len().div_ceil(2));
                    parts.iter_mut().zip(upper).for_each(|(part, upper)| *part += upper);
                }
                assert_eq!(d[s][i].to_bits(), parts[0].to_bits(), "backward {OUT} {IN} {B}: ({i}, {s})");
            }
        }
        for i in 0..IN {
            for o in 0..OUT {
                let expected = (0..B).fold(old[i][o], |sum, s| sum + delta[s][o] * x[s][i]);
                assert_eq!(g[i][o].to_bits(), expected.to_bits(), "gradient {OUT} {IN} {B}: ({o}, {i})");
            }
        }
    }

    #[test]
    fn sums_are_in_the_documented_order() {
        keeps_the_documented_order::<1, 1, 1>();
        keeps_the_documented_order::<2, 3, 5>();
        keeps_the_documented_order::<3, 2, 1>();
        keeps_the_documented_order::<5, 9, 2>();
        keeps_the_documented_order::<8, 7, 3>();
        keeps_the_documented_order::<10, 33, 4>();
        keeps_the_documented_order::<16, 16, 1>();
        keeps_the_documented_order::<31, 17, 2>();
        keeps_the_documented_order::<65, 64, 9>();
        keeps_the_documented_order::<117, 40, 3>();
    }

    /// Any order of small whole numbers gives the same sum, also for a scalar that is no float.
    #[test]
    fn whole_numbers_are_exact() {
        const OUT: usize = 21;
        const IN: usize = 18;
        const B: usize = 5;
        let mut count = 0;
        let mut whole = move || {
            count = (count * 5 + 3) % 17;
            f64::from(count) - 8.0
        };
        let (w, x, delta) =
            (boxed::<_, OUT, IN>(&mut whole), boxed::<_, IN, B>(&mut whole), boxed::<_, OUT, B>(&mut whole));
        let (mut z, mut d, mut g) = (boxed(|| f64::NAN), boxed(|| f64::NAN), boxed(|| 1.0));
        forward(&w, &x, &[2.0; OUT], &mut z);
        backward(&w, &delta, &mut d);
        gradient::<true, _, _, _, _>(&delta, &x, &mut g);
        let sum = |count: usize, term: &dyn Fn(usize) -> f64| (0..count).map(term).sum::<f64>();
        assert!((0..B).all(|s| (0..OUT).all(|o| z[s][o] == 2.0 + sum(IN, &|i| w[i][o] * x[s][i]))));
        assert!((0..B).all(|s| (0..IN).all(|i| d[s][i] == sum(OUT, &|o| w[i][o] * delta[s][o]))));
        assert!((0..IN).all(|i| (0..OUT).all(|o| g[i][o] == 1.0 + sum(B, &|s| delta[s][o] * x[s][i]))));
    }
}
