//! Registers of 128 bits on 64-bit Arm, where every machine has them.

use super::{Kernel, Register};
use crate::elementary::Precision;
use crate::lanes::Lanes;
use core::arch::aarch64::*;

/// Instructions of this module's registers.
macro_rules! neon {
    ($($code:tt)*) => {
        // SAFETY: the build has them, or else this module were not there. Memory is touched only by functions whose
        // callers vouch for it.
        unsafe { $($code)* }
    };
}

/// Four `f32`.
#[derive(Clone, Copy)]
pub(super) struct F32x4(float32x4_t);

impl Lanes for F32x4 {
    type Element = f32;
    type Mask = uint32x4_t;
    const LEN: usize = 4;
    // SAFETY: as many numbers in a row.
    const ZERO: Self = Self(unsafe { core::mem::transmute::<[f32; 4], float32x4_t>([0.0; 4]) });
    // SAFETY: as many numbers in a row.
    const ONE: Self = Self(unsafe { core::mem::transmute::<[f32; 4], float32x4_t>([1.0; 4]) });

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self(neon!(vdupq_n_f32(value)))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(neon!(vaddq_f32(self.0, other.0)))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(neon!(vsubq_f32(self.0, other.0)))
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(neon!(vmulq_f32(self.0, other.0)))
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(neon!(vdivq_f32(self.0, other.0)))
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        Self(neon!(vfmaq_f32(addend.0, self.0, factor.0)))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(neon!(vabsq_f32(self.0)))
    }
    #[inline(always)]
    fn copy_sign(self, sign: Self) -> Self {
        Self(neon!(vbslq_f32(vdupq_n_u32(1 << 31), sign.0, self.0)))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(neon!(vsqrtq_f32(self.0)))
    }
    #[inline(always)]
    fn less(self, other: Self) -> uint32x4_t {
        neon!(vcltq_f32(self.0, other.0))
    }
    #[inline(always)]
    fn is_nan(self) -> uint32x4_t {
        neon!(veorq_u32(vceqq_f32(self.0, self.0), vdupq_n_u32(u32::MAX)))
    }
    #[inline(always)]
    fn select(mask: uint32x4_t, yes: Self, no: Self) -> Self {
        Self(neon!(vbslq_f32(mask, yes.0, no.0)))
    }
    #[inline(always)]
    fn neg(self) -> Self {
        Self(neon!(vnegq_f32(self.0)))
    }
    #[inline(always)]
    fn at_least(self, bound: Self) -> Self {
        Self::select(self.less(bound), bound, self)
    }
    #[inline(always)]
    fn at_most(self, bound: Self) -> Self {
        Self::select(bound.less(self), bound, self)
    }

    // The integer steps are those of the plain lanes, where they are explained.

    #[inline(always)]
    fn power_of_two(self) -> Self {
        neon! {
            let biased = vaddq_f32(self.0, vdupq_n_f32(f32::ROUNDER + 127.0));
            Self(vreinterpretq_f32_u32(vshlq_n_u32::<23>(vreinterpretq_u32_f32(biased))))
        }
    }
    #[inline(always)]
    fn scale_by_power_of_two(self, n: Self) -> Self {
        neon! {
            let biased = vaddq_f32(n.0, vdupq_n_f32(f32::ROUNDER + 2.0 * 127.0));
            let exponents = vreinterpretq_u32_f32(biased);
            let first = vshrq_n_u32::<1>(exponents);
            let second = vsubq_u32(exponents, first);
            let product = vmulq_f32(self.0, vreinterpretq_f32_u32(vshlq_n_u32::<23>(first)));
            Self(vmulq_f32(product, vreinterpretq_f32_u32(vshlq_n_u32::<23>(second))))
        }
    }
    #[inline(always)]
    fn mantissa_and_exponent(self) -> (Self, Self) {
        neon! {
            const ROOT_OF_HALF: u32 = core::f32::consts::FRAC_1_SQRT_2.to_bits();
            const UNIT_SPACED: f32 = (1_u64 << 23) as f32;
            let subnormal = vcltq_f32(self.0, vdupq_n_f32(f32::MIN_POSITIVE));
            let lifted = vmulq_n_f32(self.0, 2.0 * UNIT_SPACED);
            let normal = vreinterpretq_u32_f32(vbslq_f32(subnormal, lifted, self.0));
            let moved = vaddq_u32(normal, vdupq_n_u32(1.0_f32.to_bits() - ROOT_OF_HALF));
            let fraction = vandq_u32(moved, vdupq_n_u32((1 << 23) - 1));
            let mantissa = vreinterpretq_f32_u32(vaddq_u32(fraction, vdupq_n_u32(ROOT_OF_HALF)));
            let biased = vorrq_u32(vshrq_n_u32::<23>(moved), vdupq_n_u32(UNIT_SPACED.to_bits()));
            let exponent = vsubq_f32(vreinterpretq_f32_u32(biased), vdupq_n_f32(UNIT_SPACED + 127.0));
            let lifted_by = vbslq_f32(subnormal, vdupq_n_f32(23.0 + 1.0), vdupq_n_f32(0.0));
            (Self(mantissa), Self(vsubq_f32(exponent, lifted_by)))
        }
    }
}

impl Register for F32x4 {
    type Part = (usize, usize);
    const ROWS: usize = 3;
    const COLUMNS: usize = 4;
    const ALIGN: bool = false;

    #[inline(always)]
    unsafe fn enter<K: Kernel<f32>>(kernel: K) {
        kernel.run::<Self>();
    }
    #[inline(always)]
    fn part(from: usize, to: usize) -> (usize, usize) {
        (from, to)
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self(neon!(vld1q_f32(from)))
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        neon!(vst1q_f32(to, self.0));
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f32, part: (usize, usize)) -> Self {
        let mut lanes = [0.0; 4];
        for i in part.0..part.1 {
            lanes[i] = neon!(*from.wrapping_add(i));
        }
        Self(neon!(vld1q_f32(lanes.as_ptr())))
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, part: (usize, usize)) {
        let mut lanes = [0.0; 4];
        neon!(vst1q_f32(lanes.as_mut_ptr(), self.0));
        for i in part.0..part.1 {
            neon!(*to.wrapping_add(i) = lanes[i]);
        }
    }
    #[inline(always)]
    fn zip(self, other: Self) -> (Self, Self) {
        neon! { (Self(vzip1q_f32(self.0, other.0)), Self(vzip2q_f32(self.0, other.0))) }
    }
    #[inline(always)]
    fn shifted(self, next: Self, by: usize) -> Self {
        neon! {
            Self(match by {
                0 => self.0,
                1 => vextq_f32::<1>(self.0, next.0),
                2 => vextq_f32::<2>(self.0, next.0),
                _ => vextq_f32::<3>(self.0, next.0),
            })
        }
    }
}

/// Two `f64`.
#[derive(Clone, Copy)]
pub(super) struct F64x2(float64x2_t);

impl Lanes for F64x2 {
    type Element = f64;
    type Mask = uint64x2_t;
    const LEN: usize = 2;
    // SAFETY: as many numbers in a row.
    const ZERO: Self = Self(unsafe { core::mem::transmute::<[f64; 2], float64x2_t>([0.0; 2]) });
    // SAFETY: as many numbers in a row.
    const ONE: Self = Self(unsafe { core::mem::transmute::<[f64; 2], float64x2_t>([1.0; 2]) });

    #[inline(always)]
    fn splat(value: f64) -> Self {
        Self(neon!(vdupq_n_f64(value)))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(neon!(vaddq_f64(self.0, other.0)))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(neon!(vsubq_f64(self.0, other.0)))
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(neon!(vmulq_f64(self.0, other.0)))
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(neon!(vdivq_f64(self.0, other.0)))
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        Self(neon!(vfmaq_f64(addend.0, self.0, factor.0)))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(neon!(vabsq_f64(self.0)))
    }
    #[inline(always)]
    fn copy_sign(self, sign: Self) -> Self {
        Self(neon!(vbslq_f64(vdupq_n_u64(1 << 63), sign.0, self.0)))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(neon!(vsqrtq_f64(self.0)))
    }
    #[inline(always)]
    fn less(self, other: Self) -> uint64x2_t {
        neon!(vcltq_f64(self.0, other.0))
    }
    #[inline(always)]
    fn is_nan(self) -> uint64x2_t {
        neon!(veorq_u64(vceqq_f64(self.0, self.0), vdupq_n_u64(u64::MAX)))
    }
    #[inline(always)]
    fn select(mask: uint64x2_t, yes: Self, no: Self) -> Self {
        Self(neon!(vbslq_f64(mask, yes.0, no.0)))
    }
    #[inline(always)]
    fn neg(self) -> Self {
        Self(neon!(vnegq_f64(self.0)))
    }
    #[inline(always)]
    fn at_least(self, bound: Self) -> Self {
        Self::select(self.less(bound), bound, self)
    }
    #[inline(always)]
    fn at_most(self, bound: Self) -> Self {
        Self::select(bound.less(self), bound, self)
    }

    // The integer steps are those of the plain lanes, where they are explained.

    #[inline(always)]
    fn power_of_two(self) -> Self {
        neon! {
            let biased = vaddq_f64(self.0, vdupq_n_f64(f64::ROUNDER + 1023.0));
            Self(vreinterpretq_f64_u64(vshlq_n_u64::<52>(vreinterpretq_u64_f64(biased))))
        }
    }
    #[inline(always)]
    fn scale_by_power_of_two(self, n: Self) -> Self {
        neon! {
            let biased = vaddq_f64(n.0, vdupq_n_f64(f64::ROUNDER + 2.0 * 1023.0));
            let exponents = vreinterpretq_u64_f64(biased);
            let first = vshrq_n_u64::<1>(exponents);
            let second = vsubq_u64(exponents, first);
            let product = vmulq_f64(self.0, vreinterpretq_f64_u64(vshlq_n_u64::<52>(first)));
            Self(vmulq_f64(product, vreinterpretq_f64_u64(vshlq_n_u64::<52>(second))))
        }
    }
    #[inline(always)]
    fn mantissa_and_exponent(self) -> (Self, Self) {
        neon! {
            const ROOT_OF_HALF: u64 = core::f64::consts::FRAC_1_SQRT_2.to_bits();
            const UNIT_SPACED: f64 = (1_u64 << 52) as f64;
            let subnormal = vcltq_f64(self.0, vdupq_n_f64(f64::MIN_POSITIVE));
            let lifted = vmulq_n_f64(self.0, 2.0 * UNIT_SPACED);
            let normal = vreinterpretq_u64_f64(vbslq_f64(subnormal, lifted, self.0));
            let moved = vaddq_u64(normal, vdupq_n_u64(1.0_f64.to_bits() - ROOT_OF_HALF));
            let fraction = vandq_u64(moved, vdupq_n_u64((1 << 52) - 1));
            let mantissa = vreinterpretq_f64_u64(vaddq_u64(fraction, vdupq_n_u64(ROOT_OF_HALF)));
            let biased = vorrq_u64(vshrq_n_u64::<52>(moved), vdupq_n_u64(UNIT_SPACED.to_bits()));
            let exponent = vsubq_f64(vreinterpretq_f64_u64(biased), vdupq_n_f64(UNIT_SPACED + 1023.0));
            let lifted_by = vbslq_f64(subnormal, vdupq_n_f64(52.0 + 1.0), vdupq_n_f64(0.0));
            (Self(mantissa), Self(vsubq_f64(exponent, lifted_by)))
        }
    }
}

impl Register for F64x2 {
    type Part = (usize, usize);
    const ROWS: usize = 3;
    const COLUMNS: usize = 2;
    const ALIGN: bool = false;

    #[inline(always)]
    unsafe fn enter<K: Kernel<f64>>(kernel: K) {
        kernel.run::<Self>();
    }
    #[inline(always)]
    fn part(from: usize, to: usize) -> (usize, usize) {
        (from, to)
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        Self(neon!(vld1q_f64(from)))
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        neon!(vst1q_f64(to, self.0));
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f64, part: (usize, usize)) -> Self {
        let mut lanes = [0.0; 2];
        for i in part.0..part.1 {
            lanes[i] = neon!(*from.wrapping_add(i));
        }
        Self(neon!(vld1q_f64(lanes.as_ptr())))
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f64, part: (usize, usize)) {
        let mut lanes = [0.0; 2];
        neon!(vst1q_f64(lanes.as_mut_ptr(), self.0));
        for i in part.0..part.1 {
            neon!(*to.wrapping_add(i) = lanes[i]);
        }
    }
    #[inline(always)]
    fn zip(self, other: Self) -> (Self, Self) {
        neon! { (Self(vzip1q_f64(self.0, other.0)), Self(vzip2q_f64(self.0, other.0))) }
    }
    #[inline(always)]
    fn shifted(self, next: Self, by: usize) -> Self {
        neon! {
            Self(match by {
                0 => self.0,
                _ => vextq_f64::<1>(self.0, next.0),
            })
        }
    }
}
