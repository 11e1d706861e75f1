//! Matrices and tensors against naive arithmetic: the products at every edge of a tile, and the vector space.

mod common;

use chainrule::{Dual, Empty, Matrix, Role, Scalar, Strict, Tensor, Vector, Zeroed};
use common::{Comparison, Draws, assert_close, cases, scalars};
use proptest::prelude::*;

// ---------------------------------------------------------------- products

/// The sums of Wᵀ·δ where every bit counts: up to eight partial sums side by side, whose upper half is then added to the
/// lower until one is left.
#[test]
fn partial_sums_in_their_order() {
    fn check<const N: usize>(draws: &mut Draws) {
        for _ in 0..20 {
            let [a, b]: [[f32; N]; 2] = core::array::from_fn(|_| core::array::from_fn(|_| draws.symmetric() as f32));
            let mut found = Vector::<1, Strict<f32>>::ZEROED;
            let (w, delta) = (Vector::from(a.map(Strict)), Vector::from(b.map(Strict)));
            found.set_transpose_product(&w, &delta);
            let mut parts = vec![0.0; N.min(8)];
            a.iter().zip(b).enumerate().for_each(|(k, (a, b))| parts[k % 8] += a * b);
            while parts.len() > 1 {
                let upper = parts.split_off(parts.len().div_ceil(2));
                parts.iter_mut().zip(upper).for_each(|(lower, upper)| *lower += upper);
            }
            assert_eq!(found[0].0.to_bits(), parts[0].to_bits(), "{N} products");
        }
    }
    let draws = &mut Draws(41);
    check::<1>(draws);
    check::<2>(draws);
    check::<3>(draws);
    check::<4>(draws);
    check::<5>(draws);
    check::<6>(draws);
    check::<7>(draws);
    check::<8>(draws);
    check::<9>(draws);
    check::<13>(draws);
    check::<29>(draws);
}

/// Σ aᵢ·bᵢ in twice the precision, for the reference of `f64`: products by an exact fused operation, sums by Knuth's
/// two-sum.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (mut sum, mut rest) = (0.0_f64, 0.0);
    for (a, b) in a.iter().zip(b) {
        let product = a * b;
        rest += a.mul_add(*b, -product);
        let next = sum + product;
        let back = next - sum;
        rest += (sum - (next - back)) + (product - back);
        sum = next;
    }
    sum + rest
}

/// The four products of one shape, twice: with small integers, where every order of summation gives the same number and
/// must; and with random numbers, within γ of (k + 2) roundings of the sum of magnitudes. Outputs that are
/// overwritten are filled with NaN before, so that what is forgotten or read shows.
fn products<const R: usize, const K: usize, const C: usize, T: Scalar>(u: f64) {
    let mut draws = Draws((R * 10_000 + K * 100 + C) as u64);
    for exact in [true, false] {
        let number = |draws: &mut Draws| if exact { draws.integer(3) as f64 } else { draws.symmetric() };
        let mut a = Matrix::<R, K, T>::boxed();
        let mut b = Matrix::<K, C, T>::boxed();
        let mut bias = Vector::<R, T>::boxed();
        for x in a.as_mut_slice().iter_mut().chain(b.as_mut_slice()).chain(bias.as_mut_slice()) {
            *x = T::from_f64(number(&mut draws));
        }
        let mut comparison = Comparison::default();
        // A sum of m products and a start: exact in f64 for f32, in twice the precision for f64.
        let mut check = |name: &str, at: (usize, usize), found: T, terms: &[(f64, f64)]| {
            let (p, q): (Vec<f64>, Vec<f64>) = terms.iter().copied().unzip();
            let magnitude: f64 = terms.iter().map(|(a, b)| (a * b).abs()).sum();
            let n = (terms.len() + 1) as f64;
            let gamma = if exact { 0.0 } else { n * u / (1.0 - n * u) };
            let place = || format!("{name} of {R}×{K}×{C} at {at:?}, integers: {exact}");
            comparison.observe(place, found.to_f64(), dot(&p, &q), gamma * magnitude);
        };
        // Of the largest products, the edges and one element in 61: the reference takes its time.
        let skips = |row: usize, column: usize, rows: usize, columns: usize| {
            R * K * C > 1_000_000 && row + 1 < rows && column + 1 < columns && !(row * 7 + column).is_multiple_of(61)
        };
        let nan = T::from_f64(f64::NAN);
        let n = |x: T| x.to_f64();

        let (mut product, mut affine) = (Matrix::<R, C, T>::boxed(), Matrix::<R, C, T>::boxed());
        product.fill(nan);
        affine.fill(nan);
        product.set_product(&a, &b);
        affine.set_affine(&a, &b, &bias);
        for j in 0..R {
            for s in (0..C).filter(|s| !skips(j, *s, R, C)) {
                let mut terms: Vec<_> = (0..K).map(|k| (n(a[(j, k)]), n(b[(k, s)]))).collect();
                check("A·B", (j, s), product[(j, s)], &terms);
                terms.push((1.0, n(bias[j])));
                check("A·B + b", (j, s), affine[(j, s)], &terms);
            }
        }

        // Δ is R×C: Aᵀ·Δ is K×C, Δ·Bᵀ is R×K.
        let delta = product;
        let mut back = Matrix::<K, C, T>::boxed();
        back.fill(nan);
        back.set_transpose_product(&a, &delta);
        let mut gradient = Matrix::<R, K, T>::boxed();
        gradient.copy_from(&a);
        gradient.add_product_transpose(&delta, &b);
        let mut sum = Vector::<R, T>::boxed();
        sum.copy_from(&bias);
        sum.add_column_sum(&delta);
        for k in 0..K {
            for s in (0..C).filter(|s| !skips(k, *s, K, C)) {
                let terms: Vec<_> = (0..R).map(|j| (n(a[(j, k)]), n(delta[(j, s)]))).collect();
                check("Aᵀ·Δ", (k, s), back[(k, s)], &terms);
            }
            for j in (0..R).filter(|j| !skips(*j, k, R, K)) {
                let mut terms: Vec<_> = (0..C).map(|s| (n(delta[(j, s)]), n(b[(k, s)]))).collect();
                terms.push((1.0, n(a[(j, k)])));
                check("A + Δ·Bᵀ", (j, k), gradient[(j, k)], &terms);
            }
        }
        for j in 0..R {
            let mut terms: Vec<_> = (0..C).map(|s| (1.0, n(delta[(j, s)]))).collect();
            terms.push((1.0, n(bias[j])));
            check("b + Δ·1", (j, 0), sum[j], &terms);
        }
        comparison.finish();
    }
}

/// One dimension walks along the edges of the tiles while the others stay small, and both dimensions of a matrix at
/// once for a single sample.
macro_rules! edges {
    ($($edge:literal)*) => {
        const F32: f64 = f32::EPSILON as f64 / 2.0;
        const F64: f64 = f64::EPSILON / 2.0;

        // proves eq:dense-affine, eq:weight-gradient, eq:bias-gradient, eq:input-gradient
        #[test]
        fn products_at_the_edges_of_rows() {
            $(products::<$edge, 5, 3, f32>(F32); products::<$edge, 5, 3, f64>(F64);)*
        }
        // proves eq:dense-affine, eq:weight-gradient, eq:bias-gradient, eq:input-gradient
        #[test]
        fn products_at_the_edges_of_the_inner_dimension() {
            $(products::<4, $edge, 3, f32>(F32); products::<4, $edge, 3, f64>(F64);)*
        }
        // proves eq:dense-affine, eq:weight-gradient, eq:bias-gradient, eq:input-gradient
        #[test]
        fn products_at_the_edges_of_the_batch() {
            $(products::<5, 4, $edge, f32>(F32); products::<5, 4, $edge, f64>(F64);)*
        }
        // proves eq:dense-affine, eq:weight-gradient, eq:bias-gradient, eq:input-gradient
        #[test]
        fn products_of_one_sample() {
            $(products::<$edge, $edge, 1, f32>(F32);)*
        }
    };
}
edges!(1 2 3 7 8 9 15 16 17 31 32 33 64 65);

/// Several edges at once, large enough for every kind of kernel, and scalars whose products are the portable ones.
// proves eq:dense-affine, eq:weight-gradient, eq:bias-gradient, eq:input-gradient
#[test]
fn products_of_larger_shapes() {
    products::<33, 65, 17, f32>(F32);
    products::<65, 33, 32, f32>(F32);
    products::<64, 64, 32, f32>(F32);
    products::<17, 31, 9, f64>(F64);
    products::<40, 129, 33, f64>(F64);
    products::<9, 17, 8, Strict<f32>>(F32);
    products::<33, 5, 3, Strict<f32>>(F32);
    products::<7, 9, 2, Strict<f64>>(F64);
    products::<3, 4, 2, Dual<f64>>(F64);
    // Beyond what stays in the first caches, and beyond any threshold for packing.
    products::<512, 301, 128, f32>(F32);
}

/// NaN and infinity pass through products, also where the other factor is zero.
#[test]
fn products_hand_on_what_is_not_finite() {
    for bad in [f32::NAN, f32::INFINITY] {
        let mut a = Matrix::<17, 9>::ZEROED;
        a[(16, 8)] = bad;
        let mut y = Matrix::<17, 3>::filled(1.0);
        y.set_product(&a, &Matrix::ZEROED);
        assert!(y[(16, 0)].is_nan() && y[(16, 2)].is_nan() && y[(15, 2)] == 0.0);
        let mut d = Matrix::<9, 3>::filled(1.0);
        d.set_transpose_product(&a, &Matrix::ZEROED);
        assert!(d[(8, 0)].is_nan() && d[(7, 2)] == 0.0);
    }
}

// ---------------------------------------------------------------- matrices

/// Rows as written, columns as stored, transposes of transposes, rows, and elements outside.
#[test]
fn rows_columns_and_transposes() {
    fn check<const R: usize, const C: usize>() {
        let mut draws = Draws((R * 100 + C) as u64);
        let rows: [[f32; C]; R] = core::array::from_fn(|_| draws.array(1.0));
        let m = Matrix::from_rows(rows);
        let mut t = Matrix::<C, R>::filled(f32::NAN);
        t.set_transpose(&m);
        let mut back = Matrix::<R, C>::filled(f32::NAN);
        back.set_transpose(&t);
        assert_eq!(m, back);
        for r in 0..R {
            assert!(m.row(r).eq(&rows[r]));
            assert_eq!(t.columns()[r], rows[r]);
            for c in 0..C {
                assert_eq!(m[(r, c)], rows[r][c]);
                assert_eq!(m.get(r, c), Some(&rows[r][c]));
                assert_eq!(m.as_slice()[c * R + r], rows[r][c]);
            }
        }
        assert_eq!((m.get(R, 0), m.get(0, C), m.row(R).count()), (None, None, 0));
        assert_eq!(Matrix::from_columns(m.clone().into_columns()), m);
        assert_eq!((Matrix::<R, C>::ROWS, Matrix::<R, C>::COLUMNS, Matrix::<R, C>::LEN), (R, C, R * C));
        let block = Matrix::<R, C>::block(0);
        assert_eq!((block.rows, block.columns, block.role), (R, C, Role::Other));
    }
    check::<1, 1>();
    check::<1, 5>();
    check::<5, 1>();
    check::<3, 3>();
    check::<7, 16>();
    check::<17, 9>();
}

/// Writing: by index, by `get_mut`, by columns and slices, all at the same places.
#[test]
fn elements_are_written_where_they_are_read() {
    let mut m = Matrix::<2, 3>::ZEROED;
    m[(1, 2)] = 5.0;
    *m.get_mut(0, 1).unwrap() = 3.0;
    m.columns_mut()[0] = [1.0, 2.0];
    m.as_mut_slice()[4] = 4.0;
    assert_eq!(m, Matrix::from_rows([[1.0, 3.0, 4.0], [2.0, 0.0, 5.0]]));
    assert!(m.get_mut(2, 0).is_none() && m.get_mut(0, 3).is_none());
    let mut v = Vector::from([1.0, 2.0]);
    v[1] = 7.0;
    v.as_mut_array()[0] = 6.0;
    assert_eq!((v.as_array(), <[f32; 2]>::from(v.clone())), (&[6.0, 7.0], [6.0, 7.0]));
    assert_eq!(format!("{m:?}"), "[[1.0, 3.0, 4.0], [2.0, 0.0, 5.0]]");
    assert_eq!(format!("{m:4.1}"), " 1.0  3.0  4.0\n 2.0  0.0  5.0");
    m.map(|x| -x);
    m.zip(&Matrix::filled(2_u8), |x, y| x * f32::from(y));
    assert_eq!(m, Matrix::from_rows([[-2.0, -6.0, -8.0], [-4.0, 0.0, -10.0]]));
    m.set_zero();
    assert_eq!(m, Matrix::ZEROED);
}

/// Outside a matrix, indexing panics, and says where, as arrays do.
#[test]
#[should_panic(expected = "index out of bounds: the len is 3 but the index is 3")]
fn indexing_outside_panics() {
    let _ = Matrix::<2, 3>::ZEROED[(0, 3)];
}

/// Slices and arrays are matrices without a copy, and a wrong length is an error with both lengths.
#[cfg(feature = "borrow")]
#[test]
fn borrowed_slices() {
    let mut numbers = [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0];
    let start = numbers.as_ptr();
    let m = Matrix::<2, 3>::from_slice_ref(&numbers).unwrap();
    assert!(std::ptr::eq(m.as_slice().as_ptr(), start));
    assert_eq!(m[(1, 2)], 6.0);
    Matrix::<3, 2>::from_slice_mut(&mut numbers).unwrap()[(0, 1)] = 9.0;
    assert_eq!(numbers[3], 9.0);
    for length in [0, 1, 5, 7, 8, 12] {
        let error = Matrix::<2, 3>::from_slice_ref(&[0.0; 12][..length]).unwrap_err();
        assert_eq!(error.to_string(), format!("expected 6 elements, found {length}"));
        assert!(Matrix::<2, 3>::from_slice_mut(&mut [0.0; 12][..length]).is_err());
    }
    let mut columns = [[1.0, 2.0], [3.0, 4.0]];
    Matrix::from_columns_mut(&mut columns)[(0, 1)] = 7.0;
    assert_eq!(Matrix::from_columns_ref(&columns)[(0, 1)], 7.0);
    let mut array = [1.0, 2.0];
    <&mut Vector<2>>::from(&mut array)[0] = 5.0;
    assert_eq!(<&Vector<2>>::from(&array), &Vector::from([5.0, 2.0]));
}

// ---------------------------------------------------------------- the vector space

/// axpy, scale, dot, norm, the largest magnitude and finiteness against loops, over tensors of several slices.
#[test]
fn vector_space() {
    type Pair = (chainrule::Dense<5, 7, chainrule::Tanh, f64>, chainrule::Dense<7, 3, chainrule::Identity, f64>);
    proptest!(cases(file!()), |(seed: u64, a in -4.0..4.0_f64)| {
        let mut draws = Draws(seed);
        let (mut x, mut y) = (Pair::ZEROED, Pair::ZEROED);
        draws.fill(&mut x, 3.0);
        draws.fill(&mut y, 3.0);
        let (p, q) = (scalars(&x), scalars(&y));
        assert_eq!(p.len(), Pair::LEN);
        let u = f64::EPSILON;
        let n = p.len() as f64;
        let magnitudes: f64 = p.iter().zip(&q).map(|(p, q)| (p * q).abs()).sum();
        assert_close("dot", x.dot(&y), p.iter().zip(&q).map(|(p, q)| p * q).sum(), n * u * magnitudes);
        let norm = p.iter().map(|p| p * p).sum::<f64>().sqrt();
        assert_close("norm", x.norm(), norm, n * u * norm);
        assert_eq!(x.max_abs(), p.iter().fold(0.0, |m, p| p.abs().max(m)));
        assert!(x.all_finite());
        x.axpy(a, &y);
        for ((found, p), q) in scalars(&x).into_iter().zip(&p).zip(&q) {
            assert_close("axpy", found, p + a * q, 2.0 * u * (p.abs() + (a * q).abs()));
        }
        x.copy_from(&y);
        assert_eq!(x, y);
        x.scale(a);
        assert_eq!(scalars(&x), q.iter().map(|q| a * q).collect::<Vec<_>>());
        // One element that is not finite is found wherever it is.
        let at = draws.below(Pair::LEN);
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut left = at;
            for i in 0..Pair::SLICES {
                if left < y.slice(i).len() {
                    y.slice_mut(i)[left] = bad;
                    break;
                }
                left -= y.slice(i).len();
            }
            assert!(!y.all_finite());
            assert!(!y.norm().is_finite() && !y.max_abs().is_finite());
        }
    });
}

/// Norms of numbers whose squares overflow or vanish; zero, infinity and NaN are their own.
#[test]
fn norms_at_the_ends_of_the_range() {
    let close =
        |found: f32, expected: f32| assert_close("norm", found.into(), expected.into(), 1e-6 * f64::from(expected));
    close(Vector::from([3e38_f32, 0.0]).norm(), 3e38);
    close(Vector::from([2e38_f32, 2e38, 1e38]).norm(), 3e38);
    close(Vector::from([3e-38_f32, -4e-38]).norm(), 5e-38);
    assert_eq!(Vector::from([f32::from_bits(3), f32::from_bits(4)]).norm(), f32::from_bits(5));
    assert_eq!(Vector::from([0.0_f32, -0.0]).norm(), 0.0);
    assert_eq!(Vector::from([1.0, f32::INFINITY]).norm(), f32::INFINITY);
    assert!(Vector::from([1.0, f32::NAN, f32::INFINITY]).norm().is_nan());
    close(Matrix::<1000, 1000>::boxed().norm(), 0.0);
    assert_close("f64", Vector::from([3e200_f64, 4e200]).norm(), 5e200, 5e185);
}

/// A tensor without scalars: as many slices, all of them empty.
#[test]
fn empty_tensors() {
    type None = Empty<chainrule::Dense<3, 2>>;
    let mut none = None::ZEROED;
    assert_eq!((None::SLICES, None::LEN, size_of::<None>()), (2, 0, 0));
    assert!(none.slice(0).is_empty() && none.slice_mut(1).is_empty() && none.all_finite());
    assert_eq!((none.norm(), None::block(1).rows), (0.0, 0));
}
