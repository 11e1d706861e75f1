//! The three products, Z = W·X + b·1ᵀ, D = Wᵀ·Δ and G += Δ·Xᵀ, and who computes them.

#[cfg(feature = "matrixmultiply")]
mod blas;
pub(crate) mod portable;
mod vectorized;

pub(crate) use vectorized::vectorized;
