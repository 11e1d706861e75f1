//! `f32` and `f64`: elementary functions of our own, products and elementwise loops through the kernels.

use super::{Real, Scalar};
use crate::lanes::Lanes;
use crate::{Activation, elementary, gemm, threads};

macro_rules! float {
    ($float:ident, $bits:ident) => {
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
            #[inline]
            fn max_abs(slice: &[Self]) -> Self {
                // As whole numbers the bits of |x| are in the order of |x|, infinity and NaN on top, and a maximum of
                // whole numbers may be taken in any order: the loop runs on vectors.
                #[inline(always)]
                fn largest(slice: &[$float]) -> $bits {
                    slice.iter().fold(0, |largest, x| largest.max(x.abs().to_bits().cast_signed()))
                }
                #[inline(never)]
                fn largest_of_many(slice: &[$float]) -> $bits {
                    threads::largest(
                        slice,
                        #[inline(always)]
                        |part| largest(part),
                    )
                }
                // A call costs more than so few.
                <$float>::from_bits(
                    if slice.len() <= 16 { largest(slice) } else { largest_of_many(slice) }.cast_unsigned(),
                )
            }
            #[inline]
            fn dense<A: Activation, const OUT: usize, const IN: usize, const B: usize>(
                weights: &[[Self; OUT]; IN],
                x: &[[Self; IN]; B],
                bias: &[Self; OUT],
                y: &mut [[Self; OUT]; B],
            ) {
                gemm::forward::<A, Self, OUT, IN, B>(weights, x, bias, y);
            }
            #[inline]
            fn transpose_product<const OUT: usize, const IN: usize, const B: usize>(
                weights: &[[Self; OUT]; IN],
                delta: &[[Self; OUT]; B],
                d_input: &mut [[Self; IN]; B],
            ) {
                gemm::backward(weights, delta, d_input);
            }
            #[inline]
            fn outer_product<const ADD: bool, const OUT: usize, const IN: usize, const B: usize>(
                delta: &[[Self; OUT]; B],
                x: &[[Self; IN]; B],
                gradient: &mut [[Self; OUT]; IN],
            ) {
                gemm::gradient::<ADD, Self, OUT, IN, B>(delta, x, gradient);
            }
            #[inline]
            fn outer_product_parts<const OUT: usize, const IN: usize, const B: usize>(
                delta: &[[Self; OUT]; B],
                x: &[[Self; IN]; B],
                gradient: &mut [[Self; OUT]; IN],
                each: impl FnMut(usize, &[Self]),
            ) {
                gemm::gradient_parts(delta, x, gradient, each);
            }
            #[inline]
            fn descend_outer_product<const OUT: usize, const IN: usize, const B: usize>(
                rate: Self,
                delta: &[[Self; OUT]; B],
                x: &[[Self; IN]; B],
                weights: &mut [[Self; OUT]; IN],
                room: &mut [[Self; OUT]; IN],
            ) {
                gemm::descend(rate, delta, x, weights, room);
            }
            #[inline]
            fn activate<A: Activation>(z: &mut [Self]) {
                gemm::activate::<A, Self>(z);
            }
            #[inline]
            fn scale_by_derivative<A: Activation>(d: &mut [Self], at: &[Self]) {
                gemm::scale_by_derivative::<A, Self>(d, at);
            }
            #[inline]
            fn softmax<const K: usize>(
                z: &[[Self; K]],
                p: &mut [[Self; K]],
                largest: &mut [Self],
                log_sums: &mut [Self],
            ) {
                gemm::softmax(z, p, largest, log_sums);
            }
            #[inline(always)]
            fn vectorized<R>(body: impl FnOnce() -> R) -> R {
                gemm::vectorized(body)
            }
        }
    };
}
float!(f32, i32);
float!(f64, i64);
