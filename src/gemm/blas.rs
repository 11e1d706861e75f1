//! Large products, through the crate matrixmultiply. It packs its operands into a buffer that it allocates.
#![allow(unsafe_code, reason = "matrixmultiply takes pointers and strides")]

/// Whether a product of these sizes (rows, summands, columns) is faster here than in our own kernels.
pub(crate) const fn is_faster(rows: usize, summands: usize, columns: usize) -> bool {
    // Without vector kernels of our own matrixmultiply wins as soon as packing pays.
    !cfg!(feature = "simd") && columns > 1 && rows * summands * columns >= 1 << 13
}

/// The general product of matrixmultiply for one number type.
pub(crate) trait Blas: Copy {
    const ZERO: Self;
    const ONE: Self;
    /// C ← A·B + β·C for sizes M, K, N (M×K times K×N), by pointers, row strides and column strides.
    ///
    /// # Safety
    ///
    /// As `matrixmultiply::sgemm`: the strides stay within what the pointers point at, and C overlaps neither A nor B.
    unsafe fn gemm(
        sizes: [usize; 3],
        a: (*const Self, isize, isize),
        b: (*const Self, isize, isize),
        beta: Self,
        c: (*mut Self, isize, isize),
    );
}

macro_rules! blas {
    ($float:ident, $gemm:ident) => {
        impl Blas for $float {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            #[inline]
            unsafe fn gemm(
                [m, k, n]: [usize; 3],
                a: (*const Self, isize, isize),
                b: (*const Self, isize, isize),
                beta: Self,
                c: (*mut Self, isize, isize),
            ) {
                // SAFETY: the caller's promise is that of `matrixmultiply`.
                unsafe { matrixmultiply::$gemm(m, k, n, 1.0, a.0, a.1, a.2, b.0, b.1, b.2, beta, c.0, c.1, c.2) }
            }
        }
    };
}
blas!(f32, sgemm);
blas!(f64, dgemm);

/// Z ← W·X + b·1ᵀ.
pub(crate) fn forward<T: Blas, const OUT: usize, const IN: usize, const B: usize>(
    w: &[[T; OUT]; IN],
    x: &[[T; IN]; B],
    bias: &[T; OUT],
    z: &mut [[T; OUT]; B],
) {
    z.fill(*bias);
    let (w, x) = ((w.as_ptr().cast(), 1, OUT as isize), (x.as_ptr().cast(), 1, IN as isize));
    // SAFETY: OUT×IN, IN×B and OUT×B, column by column, in arrays of exactly that size; `z` is borrowed exclusively.
    unsafe { T::gemm([OUT, IN, B], w, x, T::ONE, (z.as_mut_ptr().cast(), 1, OUT as isize)) }
}

/// D ← Wᵀ·Δ.
pub(crate) fn backward<T: Blas, const OUT: usize, const IN: usize, const B: usize>(
    w: &[[T; OUT]; IN],
    delta: &[[T; OUT]; B],
    d: &mut [[T; IN]; B],
) {
    // The strides of W swapped: its transpose.
    let (w, delta) = ((w.as_ptr().cast(), OUT as isize, 1), (delta.as_ptr().cast(), 1, OUT as isize));
    // SAFETY: IN×OUT, OUT×B and IN×B in arrays of exactly that size; `d` is borrowed exclusively.
    unsafe { T::gemm([IN, OUT, B], w, delta, T::ZERO, (d.as_mut_ptr().cast(), 1, IN as isize)) }
}

/// G ← Δ·Xᵀ, or G ← G + Δ·Xᵀ with `ADD`.
pub(crate) fn gradient<const ADD: bool, T: Blas, const OUT: usize, const IN: usize, const B: usize>(
    delta: &[[T; OUT]; B],
    x: &[[T; IN]; B],
    g: &mut [[T; OUT]; IN],
) {
    let (delta, x) = ((delta.as_ptr().cast(), 1, OUT as isize), (x.as_ptr().cast(), IN as isize, 1));
    let beta = if ADD { T::ONE } else { T::ZERO };
    // SAFETY: OUT×B, B×IN and OUT×IN in arrays of exactly that size; `g` is borrowed exclusively.
    unsafe { T::gemm([OUT, B, IN], delta, x, beta, (g.as_mut_ptr().cast(), 1, OUT as isize)) }
}
