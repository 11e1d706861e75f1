//! Registers of 256 bits: AVX2 and FMA.

use super::{Kernel, MOST_TIMES, Register};
use crate::elementary::Precision;
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

/// The same register, of which the compiler no longer knows where it came from: it would turn permutations of a register
/// just loaded into as many loads, and loads are what a product with one vector has most of.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn opaque(mut register: __m256) -> __m256 {
    // SAFETY: no instruction at all.
    unsafe {
        core::arch::asm!("/* {} */", inout(ymm_reg) register, options(pure, nomem, nostack, preserves_flags));
    }
    register
}

#[target_feature(enable = "avx2,fma")]
fn enter<V: Register, K: Kernel<V::Element>>(kernel: K) {
    kernel.run::<V>();
}

/// Eight `f32`.
#[derive(Clone, Copy)]
pub(super) struct F32x8(pub(super) __m256);

impl Lanes for F32x8 {
    type Element = f32;
    type Mask = __m256;
    const LEN: usize = 8;
    // SAFETY: as many numbers in a row.
    const ZERO: Self = Self(unsafe { core::mem::transmute::<[f32; 8], __m256>([0.0; 8]) });
    // SAFETY: as many numbers in a row.
    const ONE: Self = Self(unsafe { core::mem::transmute::<[f32; 8], __m256>([1.0; 8]) });

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self(avx!(_mm256_set1_ps(value)))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(avx!(_mm256_add_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(avx!(_mm256_sub_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(avx!(_mm256_mul_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(avx!(_mm256_div_ps(self.0, other.0)))
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        Self(avx!(_mm256_fmadd_ps(self.0, factor.0, addend.0)))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(avx!(_mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0)))
    }
    #[inline(always)]
    fn copy_sign(self, sign: Self) -> Self {
        avx! {
            let bit = _mm256_set1_ps(-0.0);
            Self(_mm256_or_ps(_mm256_andnot_ps(bit, self.0), _mm256_and_ps(bit, sign.0)))
        }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(avx!(_mm256_sqrt_ps(self.0)))
    }
    #[inline(always)]
    fn less(self, other: Self) -> __m256 {
        avx!(_mm256_cmp_ps::<_CMP_LT_OQ>(self.0, other.0))
    }
    #[inline(always)]
    fn is_nan(self) -> __m256 {
        avx!(_mm256_cmp_ps::<_CMP_UNORD_Q>(self.0, self.0))
    }
    #[inline(always)]
    fn select(mask: __m256, yes: Self, no: Self) -> Self {
        Self(avx!(_mm256_blendv_ps(no.0, yes.0, mask)))
    }
    #[inline(always)]
    fn neg(self) -> Self {
        Self(avx!(_mm256_xor_ps(_mm256_set1_ps(-0.0), self.0)))
    }
    #[inline(always)]
    fn at_least(self, bound: Self) -> Self {
        Self(avx!(_mm256_max_ps(bound.0, self.0)))
    }
    #[inline(always)]
    fn at_most(self, bound: Self) -> Self {
        Self(avx!(_mm256_min_ps(bound.0, self.0)))
    }

    // The integer steps are those of the plain lanes, where they are explained.

    #[inline(always)]
    fn power_of_two(self) -> Self {
        avx! {
            let biased = _mm256_add_ps(self.0, _mm256_set1_ps(f32::ROUNDER + 127.0));
            Self(_mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_castps_si256(biased))))
        }
    }
    #[inline(always)]
    fn scale_by_power_of_two(self, n: Self) -> Self {
        avx! {
            let biased = _mm256_add_ps(n.0, _mm256_set1_ps(f32::ROUNDER + 2.0 * 127.0));
            let exponents = _mm256_castps_si256(biased);
            let first = _mm256_srli_epi32::<1>(exponents);
            let second = _mm256_sub_epi32(exponents, first);
            let product = _mm256_mul_ps(self.0, _mm256_castsi256_ps(_mm256_slli_epi32::<23>(first)));
            Self(_mm256_mul_ps(product, _mm256_castsi256_ps(_mm256_slli_epi32::<23>(second))))
        }
    }
    #[inline(always)]
    fn mantissa_and_exponent(self) -> (Self, Self) {
        avx! {
            const ROOT_OF_HALF: i32 = core::f32::consts::FRAC_1_SQRT_2.to_bits() as i32;
            const UNIT_SPACED: f32 = (1_u64 << 23) as f32;
            let subnormal = _mm256_cmp_ps::<_CMP_LT_OQ>(self.0, _mm256_set1_ps(f32::MIN_POSITIVE));
            let lifted = _mm256_mul_ps(self.0, _mm256_set1_ps(2.0 * UNIT_SPACED));
            let normal = _mm256_castps_si256(_mm256_blendv_ps(self.0, lifted, subnormal));
            let moved = _mm256_add_epi32(normal, _mm256_set1_epi32(1.0_f32.to_bits() as i32 - ROOT_OF_HALF));
            let fraction = _mm256_and_si256(moved, _mm256_set1_epi32((1 << 23) - 1));
            let mantissa = _mm256_castsi256_ps(_mm256_add_epi32(fraction, _mm256_set1_epi32(ROOT_OF_HALF)));
            let unit_spaced = _mm256_set1_epi32(UNIT_SPACED.to_bits() as i32);
            let biased = _mm256_or_si256(_mm256_srli_epi32::<23>(moved), unit_spaced);
            let exponent = _mm256_sub_ps(_mm256_castsi256_ps(biased), _mm256_set1_ps(UNIT_SPACED + 127.0));
            let lifted_by = _mm256_and_ps(subnormal, _mm256_set1_ps(23.0 + 1.0));
            (Self(mantissa), Self(_mm256_sub_ps(exponent, lifted_by)))
        }
    }
}

impl Register for F32x8 {
    type Part = __m256i;
    const ROWS: usize = 2;
    const COLUMNS: usize = 6;
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
    fn part(from: usize, to: usize) -> __m256i {
        avx! {
            let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            let before = _mm256_cmpgt_epi32(_mm256_set1_epi32(to as i32), lanes);
            _mm256_andnot_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(from as i32), lanes), before)
        }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self(avx!(_mm256_loadu_ps(from)))
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        avx!(_mm256_storeu_ps(to, self.0));
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f32, part: __m256i) -> Self {
        Self(avx!(_mm256_maskload_ps(from, part)))
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        avx! {
            match count {
                8 => Self::load(from),
                4 => Self(_mm256_zextps128_ps256(_mm_loadu_ps(from))),
                1 => Self(_mm256_zextps128_ps256(_mm_load_ss(from))),
                _ => Self::load_part(from, Self::part(0, count)),
            }
        }
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, part: __m256i) {
        avx!(_mm256_maskstore_ps(to, part, self.0));
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        avx! {
            if count == 8 {
                return self.store(to);
            }
            let (mut rest, mut to) = (_mm256_castps256_ps128(self.0), to);
            if count & 4 != 0 {
                _mm_storeu_ps(to, rest);
                (rest, to) = (_mm256_extractf128_ps::<1>(self.0), to.add(4));
            }
            if count & 2 != 0 {
                _mm_storel_pd(to.cast(), _mm_castps_pd(rest));
                (rest, to) = (_mm_movehl_ps(rest, rest), to.add(2));
            }
            if count & 1 != 0 {
                _mm_store_ss(to, rest);
            }
        }
    }
    #[inline(always)]
    unsafe fn splat_four(from: *const f32) -> [Self; 4] {
        avx! {
            let four = opaque(_mm256_broadcast_ps(&_mm_loadu_ps(from)));
            [
                Self(_mm256_permute_ps::<0b_00_00_00_00>(four)),
                Self(_mm256_permute_ps::<0b_01_01_01_01>(four)),
                Self(_mm256_permute_ps::<0b_10_10_10_10>(four)),
                Self(_mm256_permute_ps::<0b_11_11_11_11>(four)),
            ]
        }
    }
    #[inline(always)]
    fn repeated(self, times: usize) -> [Self; MOST_TIMES] {
        avx! {
            let lanes = opaque(self.0);
            let first = match times {
                1 => return [self; MOST_TIMES],
                2 => _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3),
                4 => _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1),
                _ => _mm256_setzero_si256(),
            };
            let mut registers = [self; MOST_TIMES];
            for i in 0..times {
                let by = _mm256_add_epi32(first, _mm256_set1_epi32((i * 8 / times) as i32));
                registers[i] = Self(_mm256_permutevar8x32_ps(lanes, by));
            }
            registers
        }
    }
    #[inline(always)]
    fn zip(self, other: Self) -> (Self, Self) {
        avx! {
            // Within either half of the registers, which change places then.
            let even = _mm256_unpacklo_ps(self.0, other.0);
            let odd = _mm256_unpackhi_ps(self.0, other.0);
            (Self(_mm256_permute2f128_ps::<0x20>(even, odd)), Self(_mm256_permute2f128_ps::<0x31>(even, odd)))
        }
    }
    #[inline(always)]
    fn shifted(self, next: Self, by: usize) -> Self {
        avx! {
            let lanes = _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(by as i32));
            let (mine, others) = (_mm256_permutevar8x32_ps(self.0, lanes), _mm256_permutevar8x32_ps(next.0, lanes));
            let beyond = _mm256_cmpgt_epi32(lanes, _mm256_set1_epi32(7));
            Self(_mm256_blendv_ps(mine, others, _mm256_castsi256_ps(beyond)))
        }
    }
}

/// Four `f64`.
#[derive(Clone, Copy)]
pub(super) struct F64x4(pub(super) __m256d);

impl Lanes for F64x4 {
    type Element = f64;
    type Mask = __m256d;
    const LEN: usize = 4;
    // SAFETY: as many numbers in a row.
    const ZERO: Self = Self(unsafe { core::mem::transmute::<[f64; 4], __m256d>([0.0; 4]) });
    // SAFETY: as many numbers in a row.
    const ONE: Self = Self(unsafe { core::mem::transmute::<[f64; 4], __m256d>([1.0; 4]) });

    #[inline(always)]
    fn splat(value: f64) -> Self {
        Self(avx!(_mm256_set1_pd(value)))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(avx!(_mm256_add_pd(self.0, other.0)))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(avx!(_mm256_sub_pd(self.0, other.0)))
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(avx!(_mm256_mul_pd(self.0, other.0)))
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(avx!(_mm256_div_pd(self.0, other.0)))
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        Self(avx!(_mm256_fmadd_pd(self.0, factor.0, addend.0)))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(avx!(_mm256_andnot_pd(_mm256_set1_pd(-0.0), self.0)))
    }
    #[inline(always)]
    fn copy_sign(self, sign: Self) -> Self {
        avx! {
            let bit = _mm256_set1_pd(-0.0);
            Self(_mm256_or_pd(_mm256_andnot_pd(bit, self.0), _mm256_and_pd(bit, sign.0)))
        }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(avx!(_mm256_sqrt_pd(self.0)))
    }
    #[inline(always)]
    fn less(self, other: Self) -> __m256d {
        avx!(_mm256_cmp_pd::<_CMP_LT_OQ>(self.0, other.0))
    }
    #[inline(always)]
    fn is_nan(self) -> __m256d {
        avx!(_mm256_cmp_pd::<_CMP_UNORD_Q>(self.0, self.0))
    }
    #[inline(always)]
    fn select(mask: __m256d, yes: Self, no: Self) -> Self {
        Self(avx!(_mm256_blendv_pd(no.0, yes.0, mask)))
    }
    #[inline(always)]
    fn neg(self) -> Self {
        Self(avx!(_mm256_xor_pd(_mm256_set1_pd(-0.0), self.0)))
    }
    #[inline(always)]
    fn at_least(self, bound: Self) -> Self {
        Self(avx!(_mm256_max_pd(bound.0, self.0)))
    }
    #[inline(always)]
    fn at_most(self, bound: Self) -> Self {
        Self(avx!(_mm256_min_pd(bound.0, self.0)))
    }

    // The integer steps are those of the plain lanes, where they are explained.

    #[inline(always)]
    fn power_of_two(self) -> Self {
        avx! {
            let biased = _mm256_add_pd(self.0, _mm256_set1_pd(f64::ROUNDER + 1023.0));
            Self(_mm256_castsi256_pd(_mm256_slli_epi64::<52>(_mm256_castpd_si256(biased))))
        }
    }
    #[inline(always)]
    fn scale_by_power_of_two(self, n: Self) -> Self {
        avx! {
            let biased = _mm256_add_pd(n.0, _mm256_set1_pd(f64::ROUNDER + 2.0 * 1023.0));
            let exponents = _mm256_castpd_si256(biased);
            let first = _mm256_srli_epi64::<1>(exponents);
            let second = _mm256_sub_epi64(exponents, first);
            let product = _mm256_mul_pd(self.0, _mm256_castsi256_pd(_mm256_slli_epi64::<52>(first)));
            Self(_mm256_mul_pd(product, _mm256_castsi256_pd(_mm256_slli_epi64::<52>(second))))
        }
    }
    #[inline(always)]
    fn mantissa_and_exponent(self) -> (Self, Self) {
        avx! {
            const ROOT_OF_HALF: i64 = core::f64::consts::FRAC_1_SQRT_2.to_bits() as i64;
            const UNIT_SPACED: f64 = (1_u64 << 52) as f64;
            let subnormal = _mm256_cmp_pd::<_CMP_LT_OQ>(self.0, _mm256_set1_pd(f64::MIN_POSITIVE));
            let lifted = _mm256_mul_pd(self.0, _mm256_set1_pd(2.0 * UNIT_SPACED));
            let normal = _mm256_castpd_si256(_mm256_blendv_pd(self.0, lifted, subnormal));
            let moved = _mm256_add_epi64(normal, _mm256_set1_epi64x(1.0_f64.to_bits() as i64 - ROOT_OF_HALF));
            let fraction = _mm256_and_si256(moved, _mm256_set1_epi64x((1 << 52) - 1));
            let mantissa = _mm256_castsi256_pd(_mm256_add_epi64(fraction, _mm256_set1_epi64x(ROOT_OF_HALF)));
            let unit_spaced = _mm256_set1_epi64x(UNIT_SPACED.to_bits() as i64);
            let biased = _mm256_or_si256(_mm256_srli_epi64::<52>(moved), unit_spaced);
            let exponent = _mm256_sub_pd(_mm256_castsi256_pd(biased), _mm256_set1_pd(UNIT_SPACED + 1023.0));
            let lifted_by = _mm256_and_pd(subnormal, _mm256_set1_pd(52.0 + 1.0));
            (Self(mantissa), Self(_mm256_sub_pd(exponent, lifted_by)))
        }
    }
}

impl Register for F64x4 {
    type Part = __m256i;
    const ROWS: usize = 2;
    const COLUMNS: usize = 4;
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
    fn part(from: usize, to: usize) -> __m256i {
        avx! {
            let lanes = _mm256_setr_epi64x(0, 1, 2, 3);
            let before = _mm256_cmpgt_epi64(_mm256_set1_epi64x(to as i64), lanes);
            _mm256_andnot_si256(_mm256_cmpgt_epi64(_mm256_set1_epi64x(from as i64), lanes), before)
        }
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        Self(avx!(_mm256_loadu_pd(from)))
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        avx!(_mm256_storeu_pd(to, self.0));
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f64, part: __m256i) -> Self {
        Self(avx!(_mm256_maskload_pd(from, part)))
    }
    #[inline(always)]
    unsafe fn load_first(from: *const f64, count: usize) -> Self {
        avx! {
            match count {
                4 => Self::load(from),
                2 => Self(_mm256_zextpd128_pd256(_mm_loadu_pd(from))),
                1 => Self(_mm256_zextpd128_pd256(_mm_load_sd(from))),
                _ => Self::load_part(from, Self::part(0, count)),
            }
        }
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f64, part: __m256i) {
        avx!(_mm256_maskstore_pd(to, part, self.0));
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f64, count: usize) {
        avx! {
            if count == 4 {
                return self.store(to);
            }
            let (mut rest, mut to) = (_mm256_castpd256_pd128(self.0), to);
            if count & 2 != 0 {
                _mm_storeu_pd(to, rest);
                (rest, to) = (_mm256_extractf128_pd::<1>(self.0), to.add(2));
            }
            if count & 1 != 0 {
                _mm_store_sd(to, rest);
            }
        }
    }
    #[inline(always)]
    fn zip(self, other: Self) -> (Self, Self) {
        avx! {
            // Within either half of the registers, which change places then.
            let even = _mm256_unpacklo_pd(self.0, other.0);
            let odd = _mm256_unpackhi_pd(self.0, other.0);
            (Self(_mm256_permute2f128_pd::<0x20>(even, odd)), Self(_mm256_permute2f128_pd::<0x31>(even, odd)))
        }
    }
    #[inline(always)]
    fn shifted(self, next: Self, by: usize) -> Self {
        // Halves of numbers, since those can be permuted by a register.
        avx! {
            let (low, high) = (F32x8(_mm256_castpd_ps(self.0)), F32x8(_mm256_castpd_ps(next.0)));
            Self(_mm256_castps_pd(low.shifted(high, 2 * by).0))
        }
    }
}
