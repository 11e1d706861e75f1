//! `f32` and `f64`: elementary functions of our own, products and elementwise loops through the kernels.

use super::{Real, Scalar};
use crate::lanes::Lanes;
use crate::{elementary, gemm};

macro_rules! float {
    ($float:ident) => {
        impl Real for $float {
            #[inline(always)]
            #[allow(clippy::cast_possible_truncation, trivial_numeric_casts)]
            fn from_f64(value: f64) -> Self {
                value as $float
            }
            #[inline(always)]
            fn maximum(self, other: Self) -> Self {
                // Two comparisons and no branch, so that loops of it run on vectors. A NaN in `other` fails the first.
                let larger = if self > other { self } else { other };
                if self.is_nan() { self } else { larger }
            }
            #[inline(always)]
            fn if_positive(self, yes: Self, no: Self) -> Self {
                if self > 0.0 { yes } else { no }
            }
            #[inline(always)]
            fn abs(self) -> Self {
                <$float>::abs(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                Lanes::sqrt(self)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                elementary::exp(self)
            }
            #[inline(always)]
            fn exp_m1(self) -> Self {
                elementary::exp_m1(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                elementary::ln(self)
            }
            #[inline(always)]
            fn ln_1p(self) -> Self {
                elementary::ln_1p(self)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                elementary::tanh(self)
            }
            #[inline(always)]
            fn sigmoid(self) -> Self {
                elementary::sigmoid(self)
            }
            #[inline(always)]
            fn softplus(self) -> Self {
                elementary::softplus(self)
            }
            #[inline(always)]
            fn erf(self) -> Self {
                elementary::erf(self)
            }
        }

        impl Scalar for $float {
            #[inline(always)]
            #[allow(clippy::cast_lossless, trivial_numeric_casts)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                <$float>::is_finite(self)
            }
            #[inline(always)]
            fn vectorized<R>(body: impl FnOnce() -> R) -> R {
                gemm::vectorized(body)
            }
        }
    };
}
float!(f32);
float!(f64);
