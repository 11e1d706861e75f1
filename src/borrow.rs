//! Arrays and slices borrow as vectors and matrices without a copy. The way back is safe and always there:
//! [`columns`](Matrix::columns), [`as_slice`](Matrix::as_slice), [`as_array`](Vector::as_array).
#![allow(unsafe_code, reason = "`Matrix` is transparent over its columns; only a cast can say so to the compiler")]

use crate::error::LengthError;
use crate::{Matrix, Vector};

impl<const R: usize, const C: usize, T> Matrix<R, C, T> {
    /// Sees an array of columns as a matrix.
    ///
    /// ```
    /// let columns = [[1.0, 2.0], [3.0, 4.0]];
    /// let m = chainrule::Matrix::from_columns_ref(&columns);
    /// assert_eq!(m[(0, 1)], 3.0);
    /// ```
    pub const fn from_columns_ref(columns: &[[T; R]; C]) -> &Self {
        // SAFETY: `Matrix` is `repr(transparent)` over `[[T; R]; C]`; the lifetime and the shared borrow stay.
        unsafe { &*core::ptr::from_ref(columns).cast() }
    }

    /// Sees an array of columns as a matrix to be written.
    pub const fn from_columns_mut(columns: &mut [[T; R]; C]) -> &mut Self {
        // SAFETY: as in `from_columns_ref`; the exclusive borrow is handed on.
        unsafe { &mut *core::ptr::from_mut(columns).cast() }
    }

    /// Sees a slice of `R·C` elements, column by column, as a matrix.
    ///
    /// # Errors
    ///
    /// [`LengthError`] when the slice has another length.
    ///
    /// ```
    /// let m = chainrule::Matrix::<2, 2>::from_slice_ref(&[1.0, 2.0, 3.0, 4.0])?;
    /// assert_eq!(m[(0, 1)], 3.0);
    /// let misfit = chainrule::Matrix::<2, 2>::from_slice_ref(&[1.0]).unwrap_err();
    /// assert_eq!(misfit.to_string(), "expected 4 elements, found 1");
    /// # Ok::<(), chainrule::LengthError>(())
    /// ```
    pub fn from_slice_ref(slice: &[T]) -> Result<&Self, LengthError> {
        let error = LengthError { expected: R * C, found: slice.len() };
        let (columns, rest) = slice.as_chunks::<R>();
        if !rest.is_empty() {
            return Err(error);
        }
        columns.try_into().map(Self::from_columns_ref).map_err(|_| error)
    }

    /// Sees a slice of `R·C` elements, column by column, as a matrix to be written.
    ///
    /// # Errors
    ///
    /// [`LengthError`] when the slice has another length.
    pub fn from_slice_mut(slice: &mut [T]) -> Result<&mut Self, LengthError> {
        let error = LengthError { expected: R * C, found: slice.len() };
        let (columns, rest) = slice.as_chunks_mut::<R>();
        if !rest.is_empty() {
            return Err(error);
        }
        columns.try_into().map(Self::from_columns_mut).map_err(|_| error)
    }
}

impl<const N: usize, T> Vector<N, T> {
    /// Sees an array as a vector: a DMA buffer is one as it stands.
    ///
    /// ```
    /// let samples = [0.5, -0.5];
    /// let x = chainrule::Vector::from_array_ref(&samples);
    /// assert_eq!(x[1], -0.5);
    /// ```
    pub const fn from_array_ref(array: &[T; N]) -> &Self {
        // SAFETY: `Matrix<N, 1, T>` is transparent over `[[T; N]; 1]`, which has the layout of `[T; N]`.
        unsafe { &*core::ptr::from_ref(array).cast() }
    }

    /// Sees an array as a vector to be written.
    pub const fn from_array_mut(array: &mut [T; N]) -> &mut Self {
        // SAFETY: as in `from_array_ref`; the exclusive borrow is handed on.
        unsafe { &mut *core::ptr::from_mut(array).cast() }
    }
}

impl<'a, const N: usize, T> From<&'a [T; N]> for &'a Vector<N, T> {
    fn from(array: &'a [T; N]) -> Self {
        Vector::from_array_ref(array)
    }
}

impl<'a, const N: usize, T> From<&'a mut [T; N]> for &'a mut Vector<N, T> {
    fn from(array: &'a mut [T; N]) -> Self {
        Vector::from_array_mut(array)
    }
}
