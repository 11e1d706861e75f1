//! A register of equal elements: the one vocabulary in which kernels and elementary functions are written.
//!
//! A body written over [`Lanes`] runs on a plain `f32` or `f64` (one lane, no fused operations, the same bits on
//! every machine) and on vector registers, where the unit may fuse `a·b + c`.

/// A register of `LEN` floating-point numbers.
///
/// `mul_add` is the only operation whose rounding differs between registers: scalars round the product first.
pub(crate) trait Lanes: Copy {
    /// One number: `f32` or `f64`.
    type Element: Copy;
    /// One truth value a lane.
    type Mask: Copy;
    /// How many numbers the register holds.
    const LEN: usize;

    /// Every lane holds `value`.
    fn splat(value: Self::Element) -> Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    /// `self · factor + addend`; one rounding where the register's unit fuses, two in scalars.
    fn mul_add(self, factor: Self, addend: Self) -> Self;
    fn abs(self) -> Self;
    /// The magnitude of `self` with the sign bit of `sign`.
    fn copy_sign(self, sign: Self) -> Self;
    /// Correctly rounded.
    fn sqrt(self) -> Self;
    /// `self < other`, false for NaN.
    fn less(self, other: Self) -> Self::Mask;
    /// `self != self`: true for NaN alone.
    fn is_nan(self) -> Self::Mask;
    /// `mask ? yes : no`, lane by lane.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
}
