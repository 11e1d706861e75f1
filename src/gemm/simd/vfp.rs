//! The products on a Cortex-M with a floating-point unit, and on every other ARM that has `vmla`: 1.2 instructions a
//! multiply-accumulate, where the compiler takes 2.5.
//!
//! `vmla` rounds the product and then the sum, so the bits are those of [`portable`]; `vldm` fetches several weights with
//! one instruction. Sixteen sums stay in s0 to s15, weights pass through s16 to s23, four inputs lie in s24 to s27.

use crate::gemm::portable;
use core::arch::asm;

/// Z = W·X + b·1ᵀ.
#[inline]
pub(crate) fn forward<const OUT: usize, const IN: usize, const B: usize>(
    w: &[[f32; OUT]; IN],
    x: &[[f32; IN]; B],
    b: &[f32; OUT],
    z: &mut [[f32; OUT]; B],
) {
    for (x, z) in x.iter().zip(z) {
        add_columns(w, x, b, z);
    }
}

/// D = Wᵀ·Δ.
#[inline]
pub(crate) fn backward<const OUT: usize, const IN: usize, const B: usize>(
    w: &[[f32; OUT]; IN],
    delta: &[[f32; OUT]; B],
    d: &mut [[f32; IN]; B],
) {
    if OUT % 8 != 0 {
        return portable::backward(w, delta, d);
    }
    for (delta, d) in delta.iter().zip(d) {
        for (w, d) in w.iter().zip(d) {
            *d = dot(w, delta);
        }
    }
}

/// `sums = start + Σ columns[k]·factors[k]`, in the order of k.
#[inline(always)]
fn add_columns<const R: usize, const K: usize>(
    columns: &[[f32; R]; K],
    factors: &[f32; K],
    start: &[f32; R],
    sums: &mut [f32; R],
) {
    let (mut weights, mut start) = (columns.as_flattened().as_ptr(), start.as_ptr());
    let (sixteens, rest) = sums.as_chunks_mut::<16>();
    let (eights, rest) = rest.as_chunks_mut::<8>();
    let (fours, ones) = rest.as_chunks_mut::<4>();
    // SAFETY: of the rows from `weights` and `start` on, as many as the name says are in `start` and in all `K` columns,
    // which lie `R` apart.
    unsafe {
        for sums in sixteens {
            add_sixteen::<R>(weights, factors, start, sums);
            (weights, start) = (weights.wrapping_add(16), start.wrapping_add(16));
        }
        for sums in eights {
            add_eight::<R>(weights, factors, start, sums);
            (weights, start) = (weights.wrapping_add(8), start.wrapping_add(8));
        }
        for sums in fours {
            add_four::<R>(weights, factors, start, sums);
            (weights, start) = (weights.wrapping_add(4), start.wrapping_add(4));
        }
        for sum in ones.as_chunks_mut().0 {
            add_one::<R>(weights, factors, start, sum);
            (weights, start) = (weights.wrapping_add(1), start.wrapping_add(1));
        }
    }
}

/// Σ a·b for a multiple of eight products, in the order of the portable kernel.
#[inline(always)]
fn dot<const N: usize>(a: &[f32; N], b: &[f32; N]) -> f32 {
    static ZEROS: [f32; 8] = [0.0; 8];
    let sum;
    // SAFETY: eight numbers of both arrays a round, and the eight of `ZEROS`; nothing is written but registers.
    unsafe {
        asm!(
            "vldmia {zeros}, {{s0-s7}}",
            "2:",
            "vldmia {a}!, {{s8-s15}}",
            "vldmia {b}!, {{s16-s23}}",
            "vmla.f32 s0, s8, s16",
            "vmla.f32 s1, s9, s17",
            "vmla.f32 s2, s10, s18",
            "vmla.f32 s3, s11, s19",
            "vmla.f32 s4, s12, s20",
            "vmla.f32 s5, s13, s21",
            "vmla.f32 s6, s14, s22",
            "vmla.f32 s7, s15, s23",
            "subs {rounds}, {rounds}, #1",
            "bne 2b",
            "vadd.f32 s0, s0, s4",
            "vadd.f32 s1, s1, s5",
            "vadd.f32 s2, s2, s6",
            "vadd.f32 s3, s3, s7",
            "vadd.f32 s0, s0, s2",
            "vadd.f32 s1, s1, s3",
            "vadd.f32 s0, s0, s1",
            "vmov {sum}, s0",
            zeros = in(reg) &ZEROS,
            a = inout(reg) a.as_ptr() => _,
            b = inout(reg) b.as_ptr() => _,
            rounds = inout(reg) N / 8 => _,
            sum = out(reg) sum,
            out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _, out("s7") _,
            out("s8") _, out("s9") _, out("s10") _, out("s11") _, out("s12") _, out("s13") _, out("s14") _,
            out("s15") _, out("s16") _, out("s17") _, out("s18") _, out("s19") _, out("s20") _, out("s21") _,
            out("s22") _, out("s23") _,
            options(nostack, readonly),
        );
    }
    f32::from_bits(sum)
}

/// Eight rows of a column from `{weights}`, times the register, onto s0 to s7 or s8 to s15.
macro_rules! eight {
    ($factor:literal) => {
        eight!(["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"], $factor)
    };
    ([$a:literal, $b:literal, $c:literal, $d:literal, $e:literal, $f:literal, $g:literal, $h:literal], $factor:literal) => {
        concat!(
            "vldmia {weights}!, {{s16-s23}}\n",
            concat!("vmla.f32 ", $a, ", s16, ", $factor, "\n"),
            concat!("vmla.f32 ", $b, ", s17, ", $factor, "\n"),
            concat!("vmla.f32 ", $c, ", s18, ", $factor, "\n"),
            concat!("vmla.f32 ", $d, ", s19, ", $factor, "\n"),
            concat!("vmla.f32 ", $e, ", s20, ", $factor, "\n"),
            concat!("vmla.f32 ", $f, ", s21, ", $factor, "\n"),
            concat!("vmla.f32 ", $g, ", s22, ", $factor, "\n"),
            concat!("vmla.f32 ", $h, ", s23, ", $factor, "\n"),
        )
    };
}

macro_rules! sixteen {
    ($factor:literal) => {
        concat!(eight!($factor), eight!(["s8", "s9", "s10", "s11", "s12", "s13", "s14", "s15"], $factor))
    };
}

macro_rules! four {
    ($factor:literal) => {
        concat!(
            "vldmia {weights}!, {{s16-s19}}\n",
            concat!("vmla.f32 s0, s16, ", $factor, "\n"),
            concat!("vmla.f32 s1, s17, ", $factor, "\n"),
            concat!("vmla.f32 s2, s18, ", $factor, "\n"),
            concat!("vmla.f32 s3, s19, ", $factor, "\n"),
        )
    };
}

macro_rules! one {
    ($factor:literal) => {
        concat!("vldmia {weights}!, {{s16}}\n", "vmla.f32 s0, s16, ", $factor, "\n")
    };
}

/// A function that adds columns to `$rows` sums, which lie in `$sums`; `$column` adds one. Four columns a round, the rest
/// of them one by one.
macro_rules! add {
    ($name:ident, $rows:literal, $sums:literal, $column:ident) => {
        /// # Safety
        ///
        /// So many rows can be read from `start` on, from `weights` on, and from every `R` weights on as often as there
        /// are factors.
        #[inline(always)]
        unsafe fn $name<const R: usize>(
            weights: *const f32,
            factors: &[f32],
            start: *const f32,
            sums: &mut [f32; $rows],
        ) {
            // SAFETY: the caller's promise; besides only the factors are read, and the sums written.
            unsafe {
                asm!(
                    concat!("vldmia {start}, {{", $sums, "}}"),
                    "cmp {fours}, #0",
                    "beq 3f",
                    "2:",
                    "vldmia {factors}!, {{s24-s27}}",
                    $column!("s24"),
                    "add {weights}, {weights}, {skip}",
                    $column!("s25"),
                    "add {weights}, {weights}, {skip}",
                    $column!("s26"),
                    "add {weights}, {weights}, {skip}",
                    $column!("s27"),
                    "add {weights}, {weights}, {skip}",
                    "subs {fours}, {fours}, #1",
                    "bne 2b",
                    "3:",
                    "cmp {ones}, #0",
                    "beq 5f",
                    "4:",
                    "vldmia {factors}!, {{s24}}",
                    $column!("s24"),
                    "add {weights}, {weights}, {skip}",
                    "subs {ones}, {ones}, #1",
                    "bne 4b",
                    "5:",
                    concat!("vstmia {sums}, {{", $sums, "}}"),
                    start = in(reg) start,
                    sums = in(reg) sums.as_mut_ptr(),
                    weights = inout(reg) weights => _,
                    factors = inout(reg) factors.as_ptr() => _,
                    skip = in(reg) (R - $rows) * size_of::<f32>(),
                    fours = inout(reg) factors.len() / 4 => _,
                    ones = inout(reg) factors.len() % 4 => _,
                    out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _,
                    out("s7") _, out("s8") _, out("s9") _, out("s10") _, out("s11") _, out("s12") _, out("s13") _,
                    out("s14") _, out("s15") _, out("s16") _, out("s17") _, out("s18") _, out("s19") _, out("s20") _,
                    out("s21") _, out("s22") _, out("s23") _, out("s24") _, out("s25") _, out("s26") _, out("s27") _,
                    options(nostack),
                );
            }
        }
    };
}
add!(add_sixteen, 16, "s0-s15", sixteen);
add!(add_eight, 8, "s0-s7", eight);
add!(add_four, 4, "s0-s3", four);
add!(add_one, 1, "s0", one);
