//! [`Matrix`] and [`Vector`]: fixed shapes, stored column by column.

use crate::tensor::{Block, Role, Tensor};
use crate::{Fingerprint, Identity, Scalar, Zeroed, threads};
use core::fmt;
use core::ops::{Index, IndexMut};

/// An `R`×`C` matrix of `T`, stored column by column, its shape part of its type.
///
/// A sample is a column, and a batch of `B` samples a matrix with `B` columns, so that every sample is contiguous in
/// memory. [`from_rows`](Matrix::from_rows) reads as written on paper; `Debug` and `Display` print rows.
///
/// Operations write into a matrix that exists, `Clone` is explicit, and there is no `Copy`: a large matrix never moves
/// unless you say so.
///
/// ```
/// use chainrule::{Matrix, Vector};
///
/// let w = Matrix::from_rows([[1.0, 2.0, 3.0],
///                            [4.0, 5.0, 6.0]]);
/// let x = Vector::from([1.0, 0.0, -1.0]);
/// let mut y = Vector::from([0.0; 2]);
/// y.set_product(&w, &x);
/// assert_eq!(y, Vector::from([-2.0, -2.0]));
/// assert_eq!(w[(1, 0)], 4.0);
/// ```
///
/// A matrix without rows or columns does not compile once it is used, and neither does a product of misfits:
///
/// ```compile_fail,E0308
/// # use chainrule::{Matrix, Vector, Zeroed};
/// let w = Matrix::<2, 3>::ZEROED;
/// let x = Vector::<4>::ZEROED;
/// let mut y = Vector::<2>::ZEROED;
/// y.set_product(&w, &x); // expected `&Matrix<3, 1>`, found `&Matrix<4, 1>`
/// ```
///
/// # Interoperation
///
#[doc = include_str!("../docs/interoperation.md")]
#[derive(Clone, PartialEq)]
#[repr(transparent)]
pub struct Matrix<const R: usize, const C: usize, T = f32> {
    columns: [[T; R]; C],
}

/// A column of `N` numbers.
pub type Vector<const N: usize, T = f32> = Matrix<N, 1, T>;

crate::__impl_zeroed!(
    [const R: usize, const C: usize, T: Zeroed] Matrix<R, C, T>,
    Self { columns: Self::ZERO_COLUMNS }
);

crate::__impl_plain!([const R: usize, const C: usize, T] Matrix<R, C, T>: T);

impl<const R: usize, const C: usize, T: Zeroed> Matrix<R, C, T> {
    const ZERO_COLUMNS: [[T; R]; C] = {
        assert!(R > 0 && C > 0, "a matrix needs at least one row and one column");
        <[[T; R]; C]>::ZEROED
    };
}

impl<const R: usize, const C: usize, T> Matrix<R, C, T> {
    /// The number of rows.
    pub const ROWS: usize = R;
    /// The number of columns.
    pub const COLUMNS: usize = C;

    /// The matrix with these columns: the storage itself, moved.
    ///
    /// ```
    /// let m = chainrule::Matrix::from_columns([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(m[(1, 0)], 2.0);
    /// ```
    pub const fn from_columns(columns: [[T; R]; C]) -> Self {
        const { assert!(R > 0 && C > 0, "a matrix needs at least one row and one column") };
        Self { columns }
    }

    /// The columns, each contiguous.
    pub const fn columns(&self) -> &[[T; R]; C] {
        &self.columns
    }

    /// The columns, each contiguous, to be written.
    pub const fn columns_mut(&mut self) -> &mut [[T; R]; C] {
        &mut self.columns
    }

    /// The columns, by value.
    pub fn into_columns(self) -> [[T; R]; C] {
        self.columns
    }

    /// All elements, column by column.
    pub const fn as_slice(&self) -> &[T] {
        self.columns.as_flattened()
    }

    /// All elements, column by column, to be written.
    pub const fn as_mut_slice(&mut self) -> &mut [T] {
        self.columns.as_flattened_mut()
    }

    /// The element at (`row`, `column`), or `None` outside.
    pub fn get(&self, row: usize, column: usize) -> Option<&T> {
        self.columns.get(column)?.get(row)
    }

    /// The element at (`row`, `column`) to be written, or `None` outside.
    pub fn get_mut(&mut self, row: usize, column: usize) -> Option<&mut T> {
        self.columns.get_mut(column)?.get_mut(row)
    }

    /// The elements of one row, from left to right; none when there is no such row.
    ///
    /// ```
    /// let m = chainrule::Matrix::from_rows([[1.0, 2.0], [3.0, 4.0]]);
    /// assert!(m.row(1).eq(&[3.0, 4.0]));
    /// ```
    pub fn row(&self, row: usize) -> impl Iterator<Item = &T> {
        self.columns.iter().filter_map(move |column| column.get(row))
    }
}

impl<const R: usize, const C: usize, T: Copy> Matrix<R, C, T> {
    /// The matrix written row by row, as on paper.
    ///
    /// ```
    /// const W: chainrule::Matrix<2, 3> = chainrule::Matrix::from_rows([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(W.columns()[2], [3.0, 6.0]);
    /// ```
    pub const fn from_rows(rows: [[T; C]; R]) -> Self {
        const { assert!(R > 0 && C > 0, "a matrix needs at least one row and one column") };
        let mut columns = [[rows[0][0]; R]; C];
        let mut c = 0;
        while c < C {
            let mut r = 0;
            while r < R {
                columns[c][r] = rows[r][c];
                r += 1;
            }
            c += 1;
        }
        Self { columns }
    }

    /// Every element is `value`.
    pub const fn filled(value: T) -> Self {
        Self::from_columns([[value; R]; C])
    }

    /// Overwrites every element with `value`.
    pub fn fill(&mut self, value: T) {
        self.as_mut_slice().fill(value);
    }

    /// Overwrites this matrix with the transpose of `source`.
    ///
    /// ```
    /// use chainrule::{Matrix, Zeroed};
    /// let m = Matrix::from_rows([[1.0, 2.0, 3.0]]);
    /// let mut t = Matrix::<3, 1>::ZEROED;
    /// t.set_transpose(&m);
    /// assert_eq!(t, Matrix::from_rows([[1.0], [2.0], [3.0]]));
    /// ```
    pub fn set_transpose(&mut self, source: &Matrix<C, R, T>) {
        for (c, column) in self.columns.iter_mut().enumerate() {
            for (element, row) in column.iter_mut().zip(&source.columns) {
                *element = row[c];
            }
        }
    }

    /// Replaces every element x by f(x).
    ///
    /// ```
    /// let mut m = chainrule::Matrix::from_rows([[1.0, -2.0]]);
    /// m.map(|x: f32| x.abs());
    /// assert_eq!(m, chainrule::Matrix::from_rows([[1.0, 2.0]]));
    /// ```
    pub fn map(&mut self, mut f: impl FnMut(T) -> T) {
        for x in self.as_mut_slice() {
            *x = f(*x);
        }
    }

    /// Replaces every element x by f(x, y), y the element of `other` at the same place.
    ///
    /// ```
    /// let mut m = chainrule::Matrix::from_rows([[1.0, 2.0]]);
    /// m.zip(&chainrule::Matrix::from_rows([[3.0, 4.0]]), |x, y| x * y);
    /// assert_eq!(m, chainrule::Matrix::from_rows([[3.0, 8.0]]));
    /// ```
    pub fn zip<U: Copy>(&mut self, other: &Matrix<R, C, U>, mut f: impl FnMut(T, U) -> T) {
        for (x, y) in self.as_mut_slice().iter_mut().zip(other.as_slice()) {
            *x = f(*x, *y);
        }
    }
}

impl<const R: usize, const C: usize, T: Scalar> Matrix<R, C, T> {
    /// Overwrites this matrix with the product A·B.
    pub fn set_product<const K: usize>(&mut self, a: &Matrix<R, K, T>, b: &Matrix<K, C, T>) {
        T::dense::<Identity, R, K, C>(&a.columns, &b.columns, &[T::ZERO; R], &mut self.columns);
    }

    /// Overwrites this matrix with A·B + b·1ᵀ: the affine map of a dense layer, the bias added to every column.
    pub fn set_affine<const K: usize>(&mut self, a: &Matrix<R, K, T>, b: &Matrix<K, C, T>, bias: &Vector<R, T>) {
        T::dense::<Identity, R, K, C>(&a.columns, &b.columns, &bias.columns[0], &mut self.columns);
    }

    /// Overwrites this matrix with Aᵀ·B.
    pub fn set_transpose_product<const K: usize>(&mut self, a: &Matrix<K, R, T>, b: &Matrix<K, C, T>) {
        T::transpose_product(&a.columns, &b.columns, &mut self.columns);
    }

    /// Adds A·Bᵀ to this matrix: a sum of outer products, one a column.
    pub fn add_product_transpose<const K: usize>(&mut self, a: &Matrix<R, K, T>, b: &Matrix<C, K, T>) {
        T::outer_product::<true, R, C, K>(&a.columns, &b.columns, &mut self.columns);
    }

    /// Overwrites this matrix with A·Bᵀ.
    pub fn set_product_transpose<const K: usize>(&mut self, a: &Matrix<R, K, T>, b: &Matrix<C, K, T>) {
        T::outer_product::<false, R, C, K>(&a.columns, &b.columns, &mut self.columns);
    }

    /// Adds every column of `a` to this vector's... see [`Vector::add_column_sum`].
    #[inline(always)]
    fn add_columns_of<const B: usize>(&mut self, a: &Matrix<R, B, T>) {
        for column in &a.columns {
            for (sum, x) in self.columns[0].iter_mut().zip(column) {
                *sum += *x;
            }
        }
    }
}

impl<const N: usize, T> Vector<N, T> {
    /// The elements as an array, without a copy.
    pub const fn as_array(&self) -> &[T; N] {
        let [elements] = &self.columns;
        elements
    }

    /// The elements as an array to be written.
    pub const fn as_mut_array(&mut self) -> &mut [T; N] {
        let [elements] = &mut self.columns;
        elements
    }
}

impl<const N: usize, T: Scalar> Vector<N, T> {
    /// Adds the sum of the columns of `a` to this vector: A·1.
    ///
    /// ```
    /// use chainrule::{Matrix, Vector};
    /// let mut sum = Vector::from([10.0, 20.0]);
    /// sum.add_column_sum(&Matrix::from_rows([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(sum, Vector::from([13.0, 27.0]));
    /// ```
    #[inline]
    pub fn add_column_sum<const B: usize>(&mut self, a: &Matrix<N, B, T>) {
        if N * B <= threads::FEW {
            return self.add_columns_of(a);
        }
        T::vectorized(
            #[inline(always)]
            || self.add_columns_of(a),
        );
    }

    /// Overwrites this vector with the sum of the columns of `a`: A·1.
    #[inline]
    pub fn set_column_sum<const B: usize>(&mut self, a: &Matrix<N, B, T>) {
        self.fill(T::ZERO);
        self.add_column_sum(a);
    }
}

impl<const R: usize, const C: usize, T: Scalar> Tensor for Matrix<R, C, T> {
    type Scalar = T;
    type With<U: Scalar> = Matrix<R, C, U>;
    type Gradient = Self;
    const SLICES: usize = 1;
    const LEN: usize = R * C;
    const FINGERPRINT: Fingerprint = Fingerprint::EMPTY.number(R as u64).number(C as u64);

    fn slice(&self, i: usize) -> &[T] {
        if i == 0 { self.as_slice() } else { &[] }
    }

    fn slice_mut(&mut self, i: usize) -> &mut [T] {
        if i == 0 { self.as_mut_slice() } else { &mut [] }
    }

    fn block(_: usize) -> Block {
        Block::new(Role::Other, R, C)
    }
}

impl<const N: usize, T> From<[T; N]> for Vector<N, T> {
    fn from(elements: [T; N]) -> Self {
        Self::from_columns([elements])
    }
}

impl<const N: usize, T> From<Vector<N, T>> for [T; N] {
    fn from(vector: Vector<N, T>) -> Self {
        let [elements] = vector.columns;
        elements
    }
}

/// (row, column).
///
/// # Panics
///
/// Outside the matrix, as indexing does; [`get`](Matrix::get) does not.
impl<const R: usize, const C: usize, T> Index<(usize, usize)> for Matrix<R, C, T> {
    type Output = T;
    fn index(&self, (row, column): (usize, usize)) -> &T {
        &self.columns[column][row]
    }
}

/// (row, column).
impl<const R: usize, const C: usize, T> IndexMut<(usize, usize)> for Matrix<R, C, T> {
    fn index_mut(&mut self, (row, column): (usize, usize)) -> &mut T {
        &mut self.columns[column][row]
    }
}

impl<const N: usize, T> Index<usize> for Vector<N, T> {
    type Output = T;
    fn index(&self, row: usize) -> &T {
        &self.columns[0][row]
    }
}

impl<const N: usize, T> IndexMut<usize> for Vector<N, T> {
    fn index_mut(&mut self, row: usize) -> &mut T {
        &mut self.columns[0][row]
    }
}

impl<const R: usize, const C: usize, T: fmt::Debug> fmt::Debug for Matrix<R, C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Row<'a, const R: usize, const C: usize, T>(&'a Matrix<R, C, T>, usize);
        impl<const R: usize, const C: usize, T: fmt::Debug> fmt::Debug for Row<'_, R, C, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_list().entries(self.0.row(self.1)).finish()
            }
        }
        f.debug_list().entries((0..R).map(|r| Row(self, r))).finish()
    }
}

/// One row a line; width and precision apply to every element.
impl<const R: usize, const C: usize, T: fmt::Display> fmt::Display for Matrix<R, C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for r in 0..R {
            if r > 0 {
                f.write_str("\n")?;
            }
            for (c, x) in self.row(r).enumerate() {
                if c > 0 {
                    f.write_str(" ")?;
                }
                x.fmt(f)?;
            }
        }
        Ok(())
    }
}
