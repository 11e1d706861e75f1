//! The three products, Z = W·X + b·1ᵀ, D = Wᵀ·Δ and G += Δ·Xᵀ, and who computes them.
//!
//! | who | when |
//! |---|---|
//! | [`simd`], our vector kernels, without heap | the feature `simd`, and an instruction set that has them |
//! | [`blas`], the crate matrixmultiply | the feature of that name, and a product so large that it is faster |
//! | `simd::vfp`, in assembly, to the bits of [`portable`] | the feature `simd`, on a microcontroller with a floating-point unit |
//! | [`portable`] | every other number, machine and build |

#[cfg(feature = "matrixmultiply")]
mod blas;
pub(crate) mod portable;
#[cfg(feature = "simd")]
#[allow(unsafe_code, reason = "intrinsics and pointers; each block gives its reason")]
mod simd;
mod vectorized;
#[cfg(feature = "simd")]
mod wide;

pub(crate) use vectorized::vectorized;

#[cfg(feature = "simd")]
use crate::threads;
use crate::{Activation, Identity, Scalar};
use core::any::TypeId;

#[cfg(not(feature = "simd"))]
mod simd {
    pub(crate) trait Float {}
    impl Float for f32 {}
    impl Float for f64 {}
}
#[cfg(not(feature = "matrixmultiply"))]
mod blas {
    pub(crate) trait Blas {}
    impl Blas for f32 {}
    impl Blas for f64 {}
}

/// A number for which there are fast kernels: `f32` or `f64`.
pub(crate) trait Float: Scalar + simd::Float + blas::Blas + crate::elementary::Precision {
    /// Z = W·X + b·1ᵀ, where no register is.
    #[inline(always)]
    fn forward<const OUT: usize, const IN: usize, const B: usize>(
        w: &[[Self; OUT]; IN],
        x: &[[Self; IN]; B],
        b: &[Self; OUT],
        z: &mut [[Self; OUT]; B],
    ) {
        portable::forward(w, x, b, z);
    }

    /// D = Wᵀ·Δ, where no register is.
    #[inline(always)]
    fn backward<const OUT: usize, const IN: usize, const B: usize>(
        w: &[[Self; OUT]; IN],
        delta: &[[Self; OUT]; B],
        d: &mut [[Self; IN]; B],
    ) {
        portable::backward(w, delta, d);
    }
}

impl Float for f64 {}

impl Float for f32 {
    #[cfg(all(feature = "simd", target_arch = "arm", target_abi = "eabihf"))]
    #[inline(always)]
    fn forward<const OUT: usize, const IN: usize, const B: usize>(
        w: &[[f32; OUT]; IN],
        x: &[[f32; IN]; B],
        b: &[f32; OUT],
        z: &mut [[f32; OUT]; B],
    ) {
        simd::vfp::forward(w, x, b, z);
    }

    #[cfg(all(feature = "simd", target_arch = "arm", target_abi = "eabihf"))]
    #[inline(always)]
    fn backward<const OUT: usize, const IN: usize, const B: usize>(
        w: &[[f32; OUT]; IN],
        delta: &[[f32; OUT]; B],
        d: &mut [[f32; IN]; B],
    ) {
        simd::vfp::backward(w, delta, d);
    }
}

/// Y = σ(W·X + b·1ᵀ).
#[inline]
pub(crate) fn forward<A: Activation, T: Float, const OUT: usize, const IN: usize, const B: usize>(
    w: &[[T; OUT]; IN],
    x: &[[T; IN]; B],
    b: &[T; OUT],
    y: &mut [[T; OUT]; B],
) {
    #[cfg(feature = "matrixmultiply")]
    if const { blas::is_faster(OUT, IN, B) } {
        blas::forward(w, x, b, y);
        return activate::<A, T>(y.as_flattened_mut());
    }
    #[cfg(feature = "simd")]
    if let Some(isa) = simd::Isa::detect() {
        return simd::forward(isa, w, x, b, y, wide::Activate::<A>::new());
    }
    T::forward(w, x, b, y);
    activate::<A, T>(y.as_flattened_mut());
}

/// D = Wᵀ·Δ.
#[inline]
pub(crate) fn backward<T: Float, const OUT: usize, const IN: usize, const B: usize>(
    w: &[[T; OUT]; IN],
    delta: &[[T; OUT]; B],
    d: &mut [[T; IN]; B],
) {
    #[cfg(feature = "matrixmultiply")]
    if const { blas::is_faster(IN, OUT, B) } {
        return blas::backward(w, delta, d);
    }
    #[cfg(feature = "simd")]
    if let Some(isa) = simd::Isa::detect() {
        return simd::backward(isa, w, delta, d);
    }
    T::backward(w, delta, d);
}

/// G = Δ·Xᵀ, or G += Δ·Xᵀ with `ADD`.
#[inline]
pub(crate) fn gradient<const ADD: bool, T: Float, const OUT: usize, const IN: usize, const B: usize>(
    delta: &[[T; OUT]; B],
    x: &[[T; IN]; B],
    g: &mut [[T; OUT]; IN],
) {
    #[cfg(feature = "matrixmultiply")]
    if const { blas::is_faster(OUT, B, IN) } {
        return blas::gradient::<ADD, T, OUT, IN, B>(delta, x, g);
    }
    #[cfg(feature = "simd")]
    if let Some(isa) = simd::Isa::detect() {
        return simd::gradient::<ADD, T, OUT, IN, B>(isa, delta, x, g);
    }
    portable::gradient::<ADD, T, OUT, IN, B>(delta, x, g);
}

/// Calls `each` with G = Δ·Xᵀ in parts, and with the number of a part's first element.
#[inline]
pub(crate) fn gradient_parts<T: Float, const OUT: usize, const IN: usize, const B: usize>(
    delta: &[[T; OUT]; B],
    x: &[[T; IN]; B],
    g: &mut [[T; OUT]; IN],
    each: impl FnMut(usize, &[T]),
) {
    #[cfg(feature = "simd")]
    if let Some(isa) = simd::Isa::detect() {
        return simd::gradient_parts(isa, delta, x, g, each);
    }
    portable::gradient_parts(delta, x, g, each);
}

/// W −= η·(Δ·Xᵀ); the product may be made in `room`.
#[inline]
pub(crate) fn descend<T: Float, const OUT: usize, const IN: usize, const B: usize>(
    rate: T,
    delta: &[[T; OUT]; B],
    x: &[[T; IN]; B],
    w: &mut [[T; OUT]; IN],
    room: &mut [[T; OUT]; IN],
) {
    #[cfg(feature = "simd")]
    if let Some(isa) = simd::Isa::detect()
        && simd::descend(isa, rate, delta, x, w)
    {
        return;
    }
    portable::descend(rate, delta, x, w, room);
}

/// z ← σ(z).
#[inline]
pub(crate) fn activate<A: Activation, T: Float>(z: &mut [T]) {
    #[cfg(feature = "simd")]
    if let Some(isa) = simd::Isa::detect() {
        return simd::map(isa, z, wide::Activate::<A>::new());
    }
    for z in z {
        *z = A::value(*z);
    }
}

/// d ← d ⊙ σ′.
#[inline]
pub(crate) fn scale_by_derivative<A: Activation, T: Float>(d: &mut [T], at: &[T]) {
    // Times 1.
    if TypeId::of::<A>() == TypeId::of::<Identity>() {
        return;
    }
    #[cfg(feature = "simd")]
    if let Some(isa) = simd::Isa::detect() {
        return threads::parts(
            [d],
            [at],
            #[inline(always)]
            |[d], [at]| T::enter(isa, wide::ScaleByDerivative::<A, T>::new(d, at)),
        );
    }
    for (d, at) in d.iter_mut().zip(at) {
        *d *= A::derivative(*at);
    }
}

/// For every sample: p_k ← e^(z_k − m) / Σ with Σ = Σ e^(z_i − m), m ← max z, and `log_sums` ← ln Σ.
#[inline]
pub(crate) fn softmax<T: Float, const K: usize>(z: &[[T; K]], p: &mut [[T; K]], largest: &mut [T], log_sums: &mut [T]) {
    #[cfg(feature = "simd")]
    if let Some(isa) = simd::Isa::detect() {
        return T::enter(isa, wide::Softmax { z, p, largest, log_sums });
    }
    portable::softmax(z, p, largest, log_sums);
}
