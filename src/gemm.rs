//! The three products, Z = W·X + b·1ᵀ, D = Wᵀ·Δ and G += Δ·Xᵀ, and who computes them.

pub(crate) mod portable;
mod vectorized;

pub(crate) use vectorized::vectorized;
