//! `Scalar` for `f32` and `f64`: elementary functions of our own, products through the kernels.

use super::Scalar;
use crate::gemm;

macro_rules! float {
    ($float:ident) => {
        impl Scalar for $float {
            #[inline]
            #[allow(clippy::cast_possible_truncation, trivial_numeric_casts)]
            fn from_f64(value: f64) -> Self {
                value as $float
            }
            #[inline]
            #[allow(clippy::cast_lossless, trivial_numeric_casts)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline]
            fn is_finite(self) -> bool {
                <$float>::is_finite(self)
            }
            #[inline]
            fn abs(self) -> Self {
                <$float>::abs(self)
            }
            #[inline]
            fn exp(self) -> Self {
                <$float>::exp(self)
            }
            #[inline]
            fn ln(self) -> Self {
                <$float>::ln(self)
            }
            #[inline]
            fn sqrt(self) -> Self {
                <$float>::sqrt(self)
            }
            #[inline]
            fn exp_m1(self) -> Self {
                <$float>::exp_m1(self)
            }
            #[inline]
            fn ln_1p(self) -> Self {
                <$float>::ln_1p(self)
            }
            #[inline]
            fn tanh(self) -> Self {
                <$float>::tanh(self)
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
