//! Activations on vector registers: the user's own lines, sixteen numbers at a time.

#![allow(unsafe_code, reason = "registers load from pointers")]

use super::simd::{Epilogue, Kernel, MOST_LANES, Register, reduce_all};
use crate::elementary::{self, Precision};
use crate::lanes::Lanes;
use crate::{Activation, Real};
use core::marker::PhantomData;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};
use num_traits::{ConstOne, ConstZero, One, Zero};

/// A register as one [`Real`].
#[derive(Clone, Copy)]
pub(crate) struct Wide<V>(pub(crate) V);

/// The epilogue that applies an activation.
pub(crate) struct Activate<A>(PhantomData<fn() -> A>);

impl<A> Activate<A> {
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<A> Clone for Activate<A> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Activate<A> {}

impl<T: Precision, A: Activation> Epilogue<T> for Activate<A> {
    #[inline(always)]
    fn apply<V: Lanes<Element = T>>(self, values: V) -> V {
        A::value(Wide(values)).0
    }
}

/// The kernel d ← d ⊙ σ′, σ′ evaluated at `at`.
pub(crate) struct ScaleByDerivative<'a, A, T> {
    d: &'a mut [T],
    at: &'a [T],
    activation: PhantomData<fn() -> A>,
}

impl<'a, A, T> ScaleByDerivative<'a, A, T> {
    #[inline(always)]
    pub(crate) const fn new(d: &'a mut [T], at: &'a [T]) -> Self {
        Self { d, at, activation: PhantomData }
    }
}

impl<T: Precision, A: Activation> Kernel<T> for ScaleByDerivative<'_, A, T> {
    #[inline(always)]
    fn run<V: Register<Element = T>>(self) {
        let len = self.d.len().min(self.at.len());
        let full = len / V::LEN * V::LEN;
        let (d, at, rest) = (self.d.as_mut_ptr(), self.at.as_ptr(), len - full);
        // SAFETY: whole registers up to `full`, then as many elements as are left, of both slices.
        unsafe {
            for i in (0..full).step_by(V::LEN) {
                let slope = A::derivative(Wide(V::load(at.add(i)))).0;
                V::load(d.add(i)).mul(slope).store(d.add(i));
            }
            if full < len {
                let part = V::part(0, rest);
                let slope = A::derivative(Wide(V::load_part(at.add(full), part))).0;
                V::load_part(d.add(full), part).mul(slope).store_first(d.add(full), rest);
            }
        }
    }
}

/// The kernel of the softmax: for every sample p_k ← e^(z_k − m) / Σ with Σ = Σ e^(z_i − m), m ← max z, and
/// `log_sums` ← ln Σ.
pub(crate) struct Softmax<'a, T, const K: usize> {
    pub z: &'a [[T; K]],
    pub p: &'a mut [[T; K]],
    pub largest: &'a mut [T],
    pub log_sums: &'a mut [T],
}

impl<T: Precision, const K: usize> Kernel<T> for Softmax<'_, T, K> {
    #[inline(always)]
    fn run<V: Register<Element = T>>(self) {
        const { assert!(K > 0) };
        let Self { z, p, largest, log_sums } = self;
        let samples = z.len().min(p.len()).min(largest.len()).min(log_sums.len());
        for i in (0..samples).step_by(V::LEN) {
            let count = V::LEN.min(samples - i);
            let (z, p) = (z.as_ptr().wrapping_add(i).cast(), p.as_mut_ptr().wrapping_add(i).cast());
            let (largest, log_sums) = (largest.as_mut_ptr().wrapping_add(i), log_sums.as_mut_ptr().wrapping_add(i));
            // SAFETY: `count` samples, each of `K` numbers, and as many largest ones and logarithms.
            unsafe {
                if count == 1 {
                    softmax::<V, K>(z, p, largest, log_sums, 1, 1);
                } else {
                    softmax::<V, K>(z, p, largest, log_sums, count, V::LEN);
                }
            }
        }
    }
}

/// [`Softmax`] of `count` samples, at most `room`, a power of two: what is found of each lies in one register, a lane a
/// sample, so that their divisions and logarithms are one.
///
/// # Safety
///
/// The pointers are those of `count` samples; 1 ≤ `count` ≤ `room` ≤ `LEN`.
#[inline(always)]
unsafe fn softmax<V: Register<Element: Precision>, const K: usize>(
    z: *const V::Element,
    p: *mut V::Element,
    largest: *mut V::Element,
    log_sums: *mut V::Element,
    count: usize,
    room: usize,
) {
    let (full, rest) = (K / V::LEN * V::LEN, K % V::LEN);
    let part = V::part(0, rest);
    let mut numbers = [V::Element::from_f64(0.0); MOST_LANES];
    for (i, number) in numbers.iter_mut().enumerate() {
        *number = V::Element::from_f64(i as f64);
    }
    let (mut lanes, mut lasts) = ([V::ZERO; MOST_LANES], [V::ZERO; MOST_LANES]);
    let mut scales = [V::Element::from_f64(0.0); MOST_LANES];
    // SAFETY: whole registers up to `full`, then as many elements as are left; `numbers` and `scales` hold a register.
    unsafe {
        let inside = V::load(numbers.as_ptr()).less(V::splat(V::Element::from_f64(rest as f64)));
        for s in 0..count {
            let z = z.add(s * K);
            // Lanes beyond the last element repeat an element in the maximum, and are nothing in the sum.
            lanes[s] = V::splat(*z);
            if rest > 0 {
                lanes[s] = V::select(inside, V::load_part(z.add(full), part), lanes[s]);
            }
            for i in (0..full).step_by(V::LEN) {
                lanes[s] = lanes[s].at_least(V::load(z.add(i)));
            }
        }
        reduce_all(&mut lanes, room, V::at_least).store_first(largest, count);
        for s in 0..count {
            let (z, p, largest) = (z.add(s * K), p.add(s * K), V::splat(*largest.add(s)));
            lanes[s] = V::ZERO;
            for i in (0..full).step_by(V::LEN) {
                let e = elementary::exp(V::load(z.add(i)).sub(largest));
                e.store(p.add(i));
                lanes[s] = lanes[s].add(e);
            }
            if rest > 0 {
                lasts[s] = elementary::exp(V::load_part(z.add(full), part).sub(largest));
                lanes[s] = lanes[s].add(V::select(inside, lasts[s], V::ZERO));
            }
        }
        let sums = reduce_all(&mut lanes, room, V::add);
        elementary::ln(sums).store_first(log_sums, count);
        V::ONE.div(sums).store(scales.as_mut_ptr());
        for s in 0..count {
            let (p, scale) = (p.add(s * K), V::splat(scales[s]));
            for i in (0..full).step_by(V::LEN) {
                V::load(p.add(i)).mul(scale).store(p.add(i));
            }
            if rest > 0 {
                lasts[s].mul(scale).store_first(p.add(full), rest);
            }
        }
    }
}

macro_rules! operators {
    ($($Trait:ident $method:ident $AssignTrait:ident $assign:ident),*) => { $(
        impl<V: Lanes> $Trait for Wide<V> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(Lanes::$method(self.0, other.0))
            }
        }
        impl<V: Lanes> $AssignTrait for Wide<V> {
            #[inline(always)]
            fn $assign(&mut self, other: Self) {
                *self = $Trait::$method(*self, other);
            }
        }
    )* };
}
operators!(Add add AddAssign add_assign, Sub sub SubAssign sub_assign, Mul mul MulAssign mul_assign,
    Div div DivAssign div_assign);

impl<V: Lanes> Neg for Wide<V> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(self.0.neg())
    }
}

impl<V: Lanes> Zero for Wide<V> {
    #[inline(always)]
    fn zero() -> Self {
        Self(V::ZERO)
    }
    /// Required by the trait, of no use for a register: no lane is asked.
    #[inline(always)]
    fn is_zero(&self) -> bool {
        false
    }
}

impl<V: Lanes> One for Wide<V> {
    #[inline(always)]
    fn one() -> Self {
        Self(V::ONE)
    }
}

impl<V: Lanes> ConstZero for Wide<V> {
    const ZERO: Self = Self(V::ZERO);
}

impl<V: Lanes> ConstOne for Wide<V> {
    const ONE: Self = Self(V::ONE);
}

impl<V: Lanes<Element: Precision>> Real for Wide<V> {
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        Self(V::splat(V::Element::from_f64(value)))
    }
    #[inline(always)]
    fn maximum(self, other: Self) -> Self {
        // `at_least` keeps a NaN of its first argument alone.
        Self(V::select(other.0.is_nan(), other.0, self.0.at_least(other.0)))
    }
    #[inline(always)]
    fn if_positive(self, yes: Self, no: Self) -> Self {
        Self(V::select(V::ZERO.less(self.0), yes.0, no.0))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.abs())
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(self.0.sqrt())
    }
    #[inline(always)]
    fn exp(self) -> Self {
        Self(elementary::exp(self.0))
    }
    #[inline(always)]
    fn exp_m1(self) -> Self {
        Self(elementary::exp_m1(self.0))
    }
    #[inline(always)]
    fn ln(self) -> Self {
        Self(elementary::ln(self.0))
    }
    #[inline(always)]
    fn ln_1p(self) -> Self {
        Self(elementary::ln_1p(self.0))
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        Self(elementary::tanh(self.0))
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        Self(elementary::sigmoid(self.0))
    }
    #[inline(always)]
    fn softplus(self) -> Self {
        Self(elementary::softplus(self.0))
    }
    #[inline(always)]
    fn erf(self) -> Self {
        Self(elementary::erf(self.0))
    }
}
