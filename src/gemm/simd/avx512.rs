//! Registers of 512 bits, with no more than AVX-512F.

use super::avx2::{F32x8, F64x4};
use super::{Kernel, MOST_TIMES, Register};
use crate::lanes::Lanes;
use core::arch::x86_64::*;

/// Instructions of this module's registers.
macro_rules! avx {
    ($($code:tt)*) => {
        // SAFETY: registers are made in `enter` alone, and whoever calls that vouches for the instruction set. Memory
        // is touched only by functions whose callers vouch for it.
        unsafe { $($code)* }
    };
}

#[target_feature(enable = "avx512f")]
fn enter<V: Register, K: Kernel<V::Element>>(kernel: K) {
    kernel.run::<V>();
}

/// See that of AVX2.
#[inline]
#[target_feature(enable = "avx512f")]
fn opaque(mut register: __m512) -> __m512 {
    // SAFETY: no instruction at all.
    unsafe {
        core::arch::asm!("/* {} */", inout(zmm_reg) register, options(pure, nomem, nostack, preserves_flags));
    }
    register
}

/// The truth table of `c ? b : a`.
const WHERE_THIRD_SECOND_ELSE_FIRST: i32 = 0b1101_1000;

/// Sixteen `f32`.
#[derive(Clone, Copy)]
pub(super) struct F32x16(__m512);

impl Lanes for F32x16 {
    type Element = f32;
    type Mask = __mmask16;
    const LEN: usize = 16;
    // SAFETY: as many numbers in a row.
    const ZERO: Self = Self(unsafe { core::mem::transmute::<[f32; 16], __m512>([0.0; 16]) });
    // SAFETY: as many numbers in a row.
    const ONE: Self = Self(unsafe { core::mem::transmute::<[f32; 16], __m512>([1.0; 16]) });

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self(avx!(_mm512_set1_ps(value)))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(avx!(_mm512_add_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(avx!(_mm512_sub_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(avx!(_mm512_mul_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(avx!(_mm512_div_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        Self(avx!(_mm512_fmadd_ps(self.0, factor.0, addend.0)))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(avx!(_mm512_abs_ps(self.0)))
    }
    #[inline(always)]
    fn copy_sign(self, sign: Self) -> Self {
        avx! {
            let magnitude = _mm512_castps_si512(self.0);
            let sign = _mm512_castps_si512(sign.0);
            let bit = _mm512_set1_epi32(i32::MIN);
            let bits = _mm512_ternarylogic_epi32::<WHERE_THIRD_SECOND_ELSE_FIRST>(magnitude, sign, bit);
            Self(_mm512_castsi512_ps(bits))
        }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(avx!(_mm512_sqrt_ps(self.0)))
    }
    #[inline(always)]
    fn less(self, other: Self) -> __mmask16 {
        avx!(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, other.0))
    }
    #[inline(always)]
    fn is_nan(self) -> __mmask16 {
        avx!(_mm512_cmp_ps_mask::<_CMP_UNORD_Q>(self.0, self.0))
    }
    #[inline(always)]
    fn select(mask: __mmask16, yes: Self, no: Self) -> Self {
        Self(avx!(_mm512_mask_blend_ps(mask, no.0, yes.0)))
    }
    #[inline(always)]
    fn neg(self) -> Self {
        Self(avx!(_mm512_sub_ps(_mm512_set1_ps(-0.0), self.0)))
    }
    #[inline(always)]
    fn at_least(self, bound: Self) -> Self {
        Self(avx!(_mm512_max_ps(bound.0, self.0)))
    }
    #[inline(always)]
    fn at_most(self, bound: Self) -> Self {
        Self(avx!(_mm512_min_ps(bound.0, self.0)))
    }
    #[inline(always)]
    fn look_up(self, table: &[f32; 16]) -> Option<Self> {
        avx! {
            // Of each index the four lowest bits count.
            let quarter = _mm512_srli_epi32::<21>(_mm512_castps_si512(self.0));
            Some(Self(_mm512_permutexvar_ps(quarter, _mm512_loadu_ps(table.as_ptr()))))
        }
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        Self(avx!(_mm512_scalef_ps(_mm512_set1_ps(1.0), self.0)))
    }
    #[inline(always)]
    fn scale_by_power_of_two(self, n: Self) -> Self {
        Self(avx!(_mm512_scalef_ps(self.0, n.0)))
    }
    #[inline(always)]
    fn mantissa_and_exponent(self) -> (Self, Self) {
        avx! {
            // The unit's mantissa lies in [1, 2): from √2 on, halve it.
            let mantissa = _mm512_getmant_ps::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC>(self.0);
            let exponent = _mm512_getexp_ps(self.0);
            let boundary = _mm512_set1_ps(2.0 * core::f32::consts::FRAC_1_SQRT_2);
            let high = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(mantissa, boundary);
            let halved = _mm512_mask_mul_ps(mantissa, high, mantissa, _mm512_set1_ps(0.5));
            (Self(halved), Self(_mm512_mask_add_ps(exponent, high, exponent, _mm512_set1_ps(1.0))))
        }
    }
}

impl Register for F32x16 {
    type Part = __mmask16;
    const ROWS: usize = 3;
    const COLUMNS: usize = 8;
    const ALIGN: bool = true;

    #[inline(always)]
    fn prefetch(at: *const f32) {
        avx!(_mm_prefetch::<_MM_HINT_T0>(at.cast()));
    }
    #[inline(always)]
    unsafe fn enter<K: Kernel<f32>>(kernel: K) {
        // SAFETY: the caller's promise.
        unsafe { enter::<Self, K>(kernel) }
    }
    #[inline(always)]
    fn part(from: usize, to: usize) -> __mmask16 {
        ((1u32 << to) - (1u32 << from)) as __mmask16
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self(avx!(_mm512_loadu_ps(from)))
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        avx!(_mm512_storeu_ps(to, self.0));
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f32, part: __mmask16) -> Self {
        Self(avx!(_mm512_maskz_loadu_ps(part, from)))
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        avx! {
            match count {
                16 => Self::load(from),
                8 => Self(_mm512_zextps256_ps512(_mm256_loadu_ps(from))),
                4 => Self(_mm512_zextps128_ps512(_mm_loadu_ps(from))),
                1 => Self(_mm512_zextps128_ps512(_mm_load_ss(from))),
                _ => Self::load_part(from, Self::part(0, count)),
            }
        }
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, part: __mmask16) {
        avx!(_mm512_mask_storeu_ps(to, part, self.0));
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        // SAFETY: the caller's promise; these registers come with the halves.
        unsafe {
            let (low, high) = (
                F32x8(_mm512_castps512_ps256(self.0)),
                F32x8(_mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(self.0)))),
            );
            match count {
                16 => self.store(to),
                8.. => {
                    low.store(to);
                    high.store_first(to.add(8), count - 8);
                }
                _ => low.store_first(to, count),
            }
        }
    }
    #[inline(always)]
    unsafe fn splat_four(from: *const f32) -> [Self; 4] {
        avx! {
            let four = opaque(_mm512_broadcast_f32x4(_mm_loadu_ps(from)));
            [
                Self(_mm512_permute_ps::<0b_00_00_00_00>(four)),
                Self(_mm512_permute_ps::<0b_01_01_01_01>(four)),
                Self(_mm512_permute_ps::<0b_10_10_10_10>(four)),
                Self(_mm512_permute_ps::<0b_11_11_11_11>(four)),
            ]
        }
    }
    #[inline(always)]
    fn repeated(self, times: usize) -> [Self; MOST_TIMES] {
        avx! {
            let lanes = opaque(self.0);
            let first = match times {
                1 => return [self; MOST_TIMES],
                2 => _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7),
                4 => _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3),
                _ => _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1),
            };
            let mut registers = [self; MOST_TIMES];
            for i in 0..times {
                let by = _mm512_add_epi32(first, _mm512_set1_epi32((i * 16 / times) as i32));
                registers[i] = Self(_mm512_permutexvar_ps(by, lanes));
            }
            registers
        }
    }
    #[inline(always)]
    fn zip(self, other: Self) -> (Self, Self) {
        avx! {
            let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
            (Self(_mm512_permutex2var_ps(self.0, low, other.0)), Self(_mm512_permutex2var_ps(self.0, high, other.0)))
        }
    }
    #[inline(always)]
    fn shifted(self, next: Self, by: usize) -> Self {
        avx! {
            let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            let lanes = _mm512_add_epi32(lanes, _mm512_set1_epi32(by as i32));
            Self(_mm512_permutex2var_ps(self.0, lanes, next.0))
        }
    }
}

/// Eight `f64`.
#[derive(Clone, Copy)]
pub(super) struct F64x8(__m512d);

impl Lanes for F64x8 {
    type Element = f64;
    type Mask = __mmask8;
    const LEN: usize = 8;
    // SAFETY: as many numbers in a row.
    const ZERO: Self = Self(unsafe { core::mem::transmute::<[f64; 8], __m512d>([0.0; 8]) });
    // SAFETY: as many numbers in a row.
    const ONE: Self = Self(unsafe { core::mem::transmute::<[f64; 8], __m512d>([1.0; 8]) });

    #[inline(always)]
    fn splat(value: f64) -> Self {
        Self(avx!(_mm512_set1_pd(value)))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(avx!(_mm512_add_pd(self.0, other.0)))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(avx!(_mm512_sub_pd(self.0, other.0)))
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(avx!(_mm512_mul_pd(self.0, other.0)))
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(avx!(_mm512_div_pd(self.0, other.0)))
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        Self(avx!(_mm512_fmadd_pd(self.0, factor.0, addend.0)))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(avx!(_mm512_abs_pd(self.0)))
    }
    #[inline(always)]
    fn copy_sign(self, sign: Self) -> Self {
        avx! {
            let magnitude = _mm512_castpd_si512(self.0);
            let sign = _mm512_castpd_si512(sign.0);
            let bit = _mm512_set1_epi64(i64::MIN);
            let bits = _mm512_ternarylogic_epi64::<WHERE_THIRD_SECOND_ELSE_FIRST>(magnitude, sign, bit);
            Self(_mm512_castsi512_pd(bits))
        }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(avx!(_mm512_sqrt_pd(self.0)))
    }
    #[inline(always)]
    fn less(self, other: Self) -> __mmask8 {
        avx!(_mm512_cmp_pd_mask::<_CMP_LT_OQ>(self.0, other.0))
    }
    #[inline(always)]
    fn is_nan(self) -> __mmask8 {
        avx!(_mm512_cmp_pd_mask::<_CMP_UNORD_Q>(self.0, self.0))
    }
    #[inline(always)]
    fn select(mask: __mmask8, yes: Self, no: Self) -> Self {
        Self(avx!(_mm512_mask_blend_pd(mask, no.0, yes.0)))
    }
    #[inline(always)]
    fn neg(self) -> Self {
        Self(avx!(_mm512_sub_pd(_mm512_set1_pd(-0.0), self.0)))
    }
    #[inline(always)]
    fn at_least(self, bound: Self) -> Self {
        Self(avx!(_mm512_max_pd(bound.0, self.0)))
    }
    #[inline(always)]
    fn at_most(self, bound: Self) -> Self {
        Self(avx!(_mm512_min_pd(bound.0, self.0)))
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        Self(avx!(_mm512_scalef_pd(_mm512_set1_pd(1.0), self.0)))
    }
    #[inline(always)]
    fn scale_by_power_of_two(self, n: Self) -> Self {
        Self(avx!(_mm512_scalef_pd(self.0, n.0)))
    }
    #[inline(always)]
    fn mantissa_and_exponent(self) -> (Self, Self) {
        avx! {
            // The unit's mantissa lies in [1, 2): from √2 on, halve it.
            let mantissa = _mm512_getmant_pd::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC>(self.0);
            let exponent = _mm512_getexp_pd(self.0);
            let boundary = _mm512_set1_pd(2.0 * core::f64::consts::FRAC_1_SQRT_2);
            let high = _mm512_cmp_pd_mask::<_CMP_GE_OQ>(mantissa, boundary);
            let halved = _mm512_mask_mul_pd(mantissa, high, mantissa, _mm512_set1_pd(0.5));
            (Self(halved), Self(_mm512_mask_add_pd(exponent, high, exponent, _mm512_set1_pd(1.0))))
        }
    }
}

impl Register for F64x8 {
    type Part = __mmask8;
    const ROWS: usize = 3;
    const COLUMNS: usize = 8;
    const ALIGN: bool = true;

    #[inline(always)]
    fn prefetch(at: *const f64) {
        avx!(_mm_prefetch::<_MM_HINT_T0>(at.cast()));
    }
    #[inline(always)]
    unsafe fn enter<K: Kernel<f64>>(kernel: K) {
        // SAFETY: the caller's promise.
        unsafe { enter::<Self, K>(kernel) }
    }
    #[inline(always)]
    fn part(from: usize, to: usize) -> __mmask8 {
        ((1u32 << to) - (1u32 << from)) as __mmask8
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        Self(avx!(_mm512_loadu_pd(from)))
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        avx!(_mm512_storeu_pd(to, self.0));
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f64, part: __mmask8) -> Self {
        Self(avx!(_mm512_maskz_loadu_pd(part, from)))
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f64, count: usize) -> Self {
        avx! {
            match count {
                8 => Self::load(from),
                4 => Self(_mm512_zextpd256_pd512(_mm256_loadu_pd(from))),
                2 => Self(_mm512_zextpd128_pd512(_mm_loadu_pd(from))),
                1 => Self(_mm512_zextpd128_pd512(_mm_load_sd(from))),
                _ => Self::load_part(from, Self::part(0, count)),
            }
        }
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f64, part: __mmask8) {
        avx!(_mm512_mask_storeu_pd(to, part, self.0));
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f64, count: usize) {
        // SAFETY: the caller's promise; these registers come with the halves.
        unsafe {
            let (low, high) = (F64x4(_mm512_castpd512_pd256(self.0)), F64x4(_mm512_extractf64x4_pd::<1>(self.0)));
            match count {
                8 => self.store(to),
                4.. => {
                    low.store(to);
                    high.store_first(to.add(4), count - 4);
                }
                _ => low.store_first(to, count),
            }
        }
    }
    #[inline(always)]
    fn zip(self, other: Self) -> (Self, Self) {
        avx! {
            let low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
            let high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
            (Self(_mm512_permutex2var_pd(self.0, low, other.0)), Self(_mm512_permutex2var_pd(self.0, high, other.0)))
        }
    }
    #[inline(always)]
    fn shifted(self, next: Self, by: usize) -> Self {
        avx! {
            let lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
            let lanes = _mm512_add_epi64(lanes, _mm512_set1_epi64(by as i64));
            Self(_mm512_permutex2var_pd(self.0, lanes, next.0))
        }
    }
}
