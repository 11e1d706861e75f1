//! Every kernel on every instruction set of this machine, against plain loops, at all sizes around a register's edge.

extern crate std;

mod activations;
mod elementary;
mod pieces;
mod registers;
mod softmax;

use super::product::{LARGE_PANEL, PANEL};
use super::*;
use core::fmt::Debug;
use std::boxed::Box;
use std::vec;
use std::vec::Vec;

/// Around the ends of registers and tiles.
const SIZES: [usize; 15] = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Path {
    Blocked,
    Panels,
    LargePanels,
    Turned,
    Strips,
    Tiny,
    TinyPacked,
    Down,
    Across,
    Dots,
    Outer,
}

/// Every tile.
const WHOLE: Piece = Piece { part: 0..1, of: 1 };

/// A product on a given path; on none where that path is not for it.
struct On<'a, T>(Path, Product<T>, &'a mut bool);

impl<T: Float> Kernel<T> for On<'_, T> {
    #[inline(always)]
    fn run<V: Register<Element = T>>(self) {
        let On(path, p, ran) = self;
        *ran = match path {
            Path::Blocked | Path::Panels | Path::LargePanels | Path::Turned => true,
            Path::Strips => product::has_strips(&p),
            Path::Tiny => p.a.row == 1,
            Path::TinyPacked => p.a.column == 1 && product::has_room(p.rows, p.depth),
            Path::Down => p.a.row == 1 && p.columns == 1,
            Path::Across => {
                p.a.row == 1 && p.a.column == p.rows && p.b.row == 1 && vector::are_few::<V>(p.rows, V::LEN)
            }
            Path::Dots => p.a.column == 1 && p.b.row == 1 && p.start.is_none(),
            Path::Outer => p.a.row == 1 && p.rows % V::LEN == 0 && p.depth <= FEW_SAMPLES,
        };
        if !*ran {
            return;
        }
        // SAFETY: the tests make views of arrays of the product's sizes.
        unsafe {
            match path {
                Path::Blocked => product::blocked::<V, PANEL>(p, WHOLE),
                Path::Panels => product::in_panels::<V, PANEL>(p, false, WHOLE),
                Path::LargePanels => product::in_panels::<V, LARGE_PANEL>(p, false, WHOLE),
                Path::Turned => product::in_panels::<V, PANEL>(p.transposed(), true, WHOLE),
                Path::Strips => product::in_strips::<V, LARGE_PANEL>(p, WHOLE),
                Path::Tiny => product::tiny::<V, _>(p, Identity),
                Path::TinyPacked => product::tiny_packed::<V>(p),
                Path::Down => vector::down_columns::<V, _>(p, Identity),
                Path::Across => vector::across_columns::<V, _>(p, Identity),
                Path::Dots => vector::dots::<V>(p),
                Path::Outer => vector::outer::<V>(p),
            }
        }
    }
}

/// The numbers of the tests, with what an exact comparison needs.
trait Number: Float + PartialEq + Debug {
    const NAN: Self;
    const ROUNDOFF: f64;
    fn of(value: f64) -> Self;
    fn is_nan(self) -> bool;
    /// Bit for bit.
    fn is_same_as(self, other: Self) -> bool;
    /// `start + Σ a·b` and `|start| + Σ |a·b|`, the sum with hardly an error.
    fn reference(start: Self, terms: impl Iterator<Item = (Self, Self)>) -> (f64, f64);
    /// How far `self` is from a [`reference`](Number::reference).
    fn error(self, exact: f64) -> f64;
}

impl Number for f32 {
    const NAN: f32 = f32::NAN;
    const ROUNDOFF: f64 = f32::EPSILON as f64 / 2.0;
    fn of(value: f64) -> f32 {
        value as f32
    }
    fn is_nan(self) -> bool {
        f32::is_nan(self)
    }
    fn is_same_as(self, other: Self) -> bool {
        self.to_bits() == other.to_bits()
    }
    fn reference(start: f32, terms: impl Iterator<Item = (f32, f32)>) -> (f64, f64) {
        terms.fold((f64::from(start), f64::from(start.abs())), |(sum, size), (a, b)| {
            let product = f64::from(a) * f64::from(b);
            (sum + product, size + product.abs())
        })
    }
    fn error(self, exact: f64) -> f64 {
        (f64::from(self) - exact).abs()
    }
}

impl Number for f64 {
    const NAN: f64 = f64::NAN;
    const ROUNDOFF: f64 = f64::EPSILON / 2.0;
    fn of(value: f64) -> f64 {
        value
    }
    fn is_nan(self) -> bool {
        f64::is_nan(self)
    }
    fn is_same_as(self, other: Self) -> bool {
        self.to_bits() == other.to_bits()
    }
    fn reference(start: f64, terms: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
        // The errors of every product and every addition are exact numbers, and summed apart.
        let (sum, rest, size) = terms.fold((start, 0.0, start.abs()), |(sum, rest, size), (a, b)| {
            let product = a * b;
            let next = sum + product;
            let part = next - sum;
            let lost = (sum - (next - part)) + (product - part);
            (next, rest + lost + a.mul_add(b, -product), size + product.abs())
        });
        (sum + rest, size)
    }
    fn error(self, exact: f64) -> f64 {
        (self - exact).abs()
    }
}

/// Numbers between guards of NaN, at every distance from a cache line's end in turn.
struct Guarded<T> {
    all: Vec<T>,
    from: usize,
    len: usize,
}

impl<T: Number> Guarded<T> {
    fn new(len: usize, shift: usize, mut value: impl FnMut() -> T) -> Self {
        let from = 64 + shift % 16;
        let mut all = vec![T::NAN; from + len + 64];
        all[from..from + len].fill_with(&mut value);
        Self { all, from, len }
    }

    fn get(&self) -> &[T] {
        &self.all[self.from..self.from + self.len]
    }

    /// A matrix stored column by column.
    fn view(&mut self, rows: usize) -> View<T> {
        View { at: self.all[self.from..].as_mut_ptr().cast_const(), row: 1, column: rows }
    }

    fn guards_hold(&self) -> bool {
        let (before, rest) = self.all.split_at(self.from);
        before.iter().chain(&rest[self.len..]).all(|guard| Number::is_nan(*guard))
    }
}

/// A generator of whole numbers, or of any in −1..1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 >> 11
    }
    fn whole<T: Number>(&mut self) -> T {
        T::of((self.next() >> 20) as f64 % 7.0 - 3.0)
    }
    fn any<T: Number>(&mut self) -> T {
        T::of(self.next() as f64 / (1u64 << 52) as f64 - 1.0)
    }
}

/// The three products as the layers ask for them.
#[derive(Clone, Copy, Debug)]
enum Of {
    Forward { bias: bool },
    Backward,
    Gradient { add: bool },
}

const PRODUCTS: [Of; 5] = [
    Of::Forward { bias: true },
    Of::Forward { bias: false },
    Of::Backward,
    Of::Gradient { add: true },
    Of::Gradient { add: false },
];
const PATHS: [Path; 11] = [
    Path::Blocked,
    Path::Panels,
    Path::LargePanels,
    Path::Turned,
    Path::Strips,
    Path::Tiny,
    Path::TinyPacked,
    Path::Down,
    Path::Across,
    Path::Dots,
    Path::Outer,
];

/// Runs a product on every path that takes it, in both orientations: `check` gets each element, its reference and size.
fn run<T: Number>(
    isa: Isa,
    of: Of,
    sizes: [usize; 3],
    number: &mut dyn FnMut() -> T,
    check: fn(T, f64, f64, usize) -> bool,
) {
    let [rows, depth, columns] = sizes;
    let shift = rows + 3 * depth + 5 * columns;
    let mut a = Guarded::new(rows * depth, shift, &mut *number);
    let mut b = Guarded::new(depth * columns, shift / 2, &mut *number);
    let mut bias = Guarded::new(rows, shift / 3, &mut *number);
    let bias_view = View { column: 0, ..bias.view(rows) };
    let (turned_a, turned_b) = (matches!(of, Of::Backward), matches!(of, Of::Gradient { .. }));
    let a = if turned_a { a.view(depth).transposed() } else { a.view(rows) };
    let b = if turned_b { b.view(columns).transposed() } else { b.view(depth) };
    let old: Vec<T> =
        (0..rows * columns).map(|_| if let Of::Gradient { add: true } = of { number() } else { T::NAN }).collect();
    let start = |i: usize| match of {
        Of::Forward { bias: true } => bias.get()[i % rows],
        Of::Gradient { add: true } => old[i],
        _ => T::of(0.0),
    };
    let references: Vec<(f64, f64)> = (0..rows * columns)
        .map(|i| {
            // SAFETY: within the matrices.
            let term = |k| unsafe { (*a.from(i % rows, k).at, *b.from(k, i / rows).at) };
            T::reference(start(i), (0..depth).map(term))
        })
        .collect();
    for path in PATHS {
        let mut old_values = old.iter().copied();
        let mut c = Guarded::new(rows * columns, shift / 5, || old_values.next().unwrap());
        let view = c.view(rows);
        let start = match of {
            Of::Forward { bias: true } => Some(bias_view),
            Of::Gradient { add: true } => Some(view),
            _ => None,
        };
        let product = Product { rows, depth, columns, whole: columns, a, b, start, rate: None, c: view };
        let mut ran = false;
        T::enter(isa, On(path, product, &mut ran));
        if !ran {
            continue;
        }
        assert!(c.guards_hold(), "{isa:?} {of:?} {sizes:?} {path:?}: wrote outside");
        for (i, (&value, &(exact, size))) in c.get().iter().zip(&references).enumerate() {
            assert!(
                check(value, exact, size, depth),
                "{isa:?} {of:?} {sizes:?} {path:?}: element ({}, {}) is {value:?} and not {exact}",
                i % rows,
                i / rows
            );
        }
    }
}

/// Triples of sizes, in which every pair of sizes occurs at every two places.
fn triples() -> impl Iterator<Item = [usize; 3]> {
    let indices = (0..SIZES.len().pow(3)).map(|i| [i / 225, i / 15 % 15, i % 15]);
    indices.filter(|[i, j, k]| (i + j + k) % 8 == 0).map(|indices| indices.map(|i| SIZES[i]))
}

/// Sums of small whole numbers have no rounding errors: any order and any fusing gives the same number.
fn whole_numbers_are_exact<T: Number>() {
    let mut random = Random(1);
    for isa in Isa::available() {
        for sizes in triples() {
            for of in PRODUCTS {
                run::<T>(isa, of, sizes, &mut || random.whole(), |value, exact, _, _| value == T::of(exact));
            }
        }
    }
}

#[test]
fn whole_numbers_are_exact_f32() {
    whole_numbers_are_exact::<f32>();
}

#[test]
fn whole_numbers_are_exact_f64() {
    whole_numbers_are_exact::<f64>();
}

/// |ĉ − c| ≤ γ(k + 2)·(|C₀| + |A||B|), whatever the order of the sum.
fn errors_are_bounded<T: Number>() {
    let mut random = Random(2);
    for isa in Isa::available() {
        for sizes in triples().chain([[130, 600, 20], [20, 1030, 65]]) {
            for of in PRODUCTS {
                run::<T>(isa, of, sizes, &mut || random.any(), |value, exact, size, depth| {
                    let terms = (depth + 2) as f64 * T::ROUNDOFF;
                    value.error(exact) <= terms / (1.0 - terms) * size
                });
            }
        }
    }
}

#[test]
fn errors_are_bounded_f32() {
    errors_are_bounded::<f32>();
}

#[test]
fn errors_are_bounded_f64() {
    errors_are_bounded::<f64>();
}

/// The functions for callers, that choose the path.
fn chooses_a_right_path<const OUT: usize, const IN: usize, const B: usize>() {
    let mut random = Random((OUT + 100 * IN + 10000 * B) as u64);
    for isa in Isa::available() {
        let mut fill = |matrix: &mut [f32]| matrix.fill_with(|| random.whole());
        let (mut w, mut x, mut b) = (boxed::<OUT, IN>(), boxed::<IN, B>(), boxed::<OUT, 1>());
        let (mut delta, mut g) = (boxed::<OUT, B>(), boxed::<OUT, IN>());
        for matrix in [
            w.as_flattened_mut(),
            x.as_flattened_mut(),
            b.as_flattened_mut(),
            delta.as_flattened_mut(),
            g.as_flattened_mut(),
        ] {
            fill(matrix);
        }
        let sum = |depth: usize, term: &dyn Fn(usize) -> f32| (0..depth).map(term).sum::<f32>();

        let mut z = boxed::<OUT, B>();
        forward(isa, &w, &x, &b[0], &mut z, Double);
        for s in 0..B {
            for o in 0..OUT {
                assert!(z[s][o] == 2.0 * (b[0][o] + sum(IN, &|i| w[i][o] * x[s][i])), "{isa:?} {OUT} {IN} {B} forward");
            }
        }
        let mut d = boxed::<IN, B>();
        backward(isa, &w, &delta, &mut d);
        for s in 0..B {
            for i in 0..IN {
                assert!(d[s][i] == sum(OUT, &|o| w[i][o] * delta[s][o]), "{isa:?} {OUT} {IN} {B} backward");
            }
        }
        let old = g.clone();
        gradient::<true, _, _, _, _>(isa, &delta, &x, &mut g);
        for i in 0..IN {
            for o in 0..OUT {
                assert!(
                    g[i][o] == old[i][o] + sum(B, &|s| delta[s][o] * x[s][i]),
                    "{isa:?} {OUT} {IN} {B} gradient, added"
                );
            }
        }
        g.as_flattened_mut().fill(f32::NAN);
        gradient::<false, _, _, _, _>(isa, &delta, &x, &mut g);
        for i in 0..IN {
            for o in 0..OUT {
                assert!(g[i][o] == sum(B, &|s| delta[s][o] * x[s][i]), "{isa:?} {OUT} {IN} {B} gradient");
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Double;

impl<T> Epilogue<T> for Double {
    fn apply<V: Lanes<Element = T>>(self, values: V) -> V {
        values.add(values)
    }
}

fn boxed<const R: usize, const C: usize>() -> Box<[[f32; R]; C]> {
    vec![[f32::NAN; R]; C].try_into().unwrap()
}

#[test]
fn every_choice_of_path_is_right() {
    chooses_a_right_path::<1, 1, 1>();
    chooses_a_right_path::<4, 2, 4>();
    chooses_a_right_path::<1, 16, 1>();
    chooses_a_right_path::<1, 33, 5>();
    chooses_a_right_path::<4, 64, 1>();
    chooses_a_right_path::<4, 64, 32>();
    chooses_a_right_path::<10, 31, 1>();
    chooses_a_right_path::<10, 33, 32>();
    chooses_a_right_path::<16, 16, 4>();
    chooses_a_right_path::<64, 8, 1>();
    chooses_a_right_path::<64, 64, 1>();
    chooses_a_right_path::<64, 64, 3>();
    chooses_a_right_path::<64, 64, 32>();
    chooses_a_right_path::<100, 40, 7>();
    chooses_a_right_path::<128, 784, 1>();
    chooses_a_right_path::<128, 300, 33>();
    chooses_a_right_path::<300, 40, 1>();
    chooses_a_right_path::<512, 40, 2>();
    chooses_a_right_path::<130, 140, 65>();
}

/// Where panels are large, and the strips of a gradient leave them behind. Unoptimised it takes six seconds, so it is for the
/// profile `kernels` alone.
#[cfg(not(debug_assertions))]
#[test]
fn the_path_of_large_products_is_right() {
    chooses_a_right_path::<1030, 260, 256>();
}

/// A NaN reaches the elements that depend on it, and no other.
#[test]
fn not_a_number_stays_in_its_row_and_column() {
    const OUT: usize = 20;
    const IN: usize = 35;
    fn check<const B: usize>() {
        for isa in Isa::available() {
            let (mut w, mut x) = ([[1.0f32; OUT]; IN], [[1.0f32; IN]; B]);
            let (mut z, mut d, mut g) = ([[0.0; OUT]; B], [[0.0; IN]; B], [[0.0; OUT]; IN]);
            w[7][9] = f32::NAN;
            forward(isa, &w, &x, &[0.0; OUT], &mut z, Identity);
            backward(isa, &w, &[[1.0; OUT]; B], &mut d);
            x[B - 1][3] = f32::INFINITY;
            gradient::<true, _, _, _, _>(isa, &[[1.0; OUT]; B], &x, &mut g);
            for s in 0..B {
                assert!((0..OUT).all(|o| z[s][o].is_nan() == (o == 9)), "{isa:?} {B} {z:?}");
                assert!((0..IN).all(|i| d[s][i].is_nan() == (i == 7)), "{isa:?} {B} {d:?}");
            }
            assert!((0..IN).all(|i| g[i].iter().all(|g| g.is_finite() == (i != 3))), "{isa:?} {B} {g:?}");
        }
    }
    check::<1>();
    check::<4>();
    check::<33>();
}
