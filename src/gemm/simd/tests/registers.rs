//! Registers against plain numbers, operation by operation.

use super::*;

/// Every operation of [`Lanes`] that fuses nothing. `any` and `other` are any numbers, `small` is a positive one near 1,
/// `positive` one that is finite, and `whole` a whole number.
fn operations<V: Lanes>([any, other, small, positive, whole]: [V; 5]) -> [V; 16] {
    let (mantissa, exponent) = positive.mantissa_and_exponent();
    [
        any.add(other),
        any.sub(other),
        any.mul(other),
        any.div(other),
        any.neg(),
        any.abs(),
        any.copy_sign(other),
        any.sqrt(),
        any.at_least(other),
        any.at_most(other),
        V::select(any.less(other), V::ZERO, other),
        V::select(any.is_nan(), V::ONE, other),
        whole.power_of_two(),
        small.scale_by_power_of_two(whole.add(whole)),
        mantissa,
        exponent,
    ]
}

/// Does the [`operations`] on registers of five lists, and puts the results into as many lists.
struct Operations<'a, T>(&'a [Vec<T>; 5], &'a mut [Vec<T>; 16]);

impl<T: Float> Kernel<T> for Operations<'_, T> {
    #[inline(always)]
    fn run<V: Register<Element = T>>(self) {
        for i in (0..self.1[0].len()).step_by(V::LEN) {
            let mut arguments = [V::ZERO; 5];
            for (argument, list) in arguments.iter_mut().zip(self.0) {
                // SAFETY: the length of the lists is a multiple of `LEN`.
                *argument = unsafe { V::load(list[i..].as_ptr()) };
            }
            for (result, list) in operations(arguments).into_iter().zip(&mut *self.1) {
                // SAFETY: as above.
                unsafe { result.store(list[i..].as_mut_ptr()) };
            }
        }
    }
}

/// Registers compute what plain numbers compute, bit for bit.
fn registers_are_plain_numbers<T: Number + Lanes<Element = T>>(bits: fn(u64) -> T, reach: f64) {
    const LEN: usize = 1 << 12;
    let mut random = Random(3);
    let specials =
        [0.0, -0.0, 1.0, -1.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MIN_POSITIVE, 1e-40, -3e-310];
    let mut any = |i: usize| {
        if i.is_multiple_of(3) { T::of(specials[i / 3 % 10]) } else { bits(random.next() << 11 | random.next() >> 40) }
    };
    let finite = |x: T| if x.error(0.0).is_finite() && x.error(0.0) > 0.0 { Lanes::abs(x) } else { T::of(0.75) };
    let lists: [Vec<T>; 3] = core::array::from_fn(|list| (0..LEN).map(|i| any(i * [1, 7, 11][list])).collect());
    let small = (0..LEN).map(|i| T::of(0.5 + i as f64 / LEN as f64)).collect();
    let whole = (0..LEN).map(|i| T::of((i as f64 / LEN as f64 * (2.0 * reach - 1.0) - reach + 1.0).floor())).collect();
    let [a, b, c] = lists;
    let lists = [a, b, small, c.into_iter().map(finite).collect(), whole];
    for isa in Isa::available() {
        let mut results: [Vec<T>; 16] = core::array::from_fn(|_| vec![T::NAN; LEN]);
        T::enter(isa, Operations(&lists, &mut results));
        for i in 0..LEN {
            let arguments = core::array::from_fn(|list| lists[list][i]);
            for (j, (expected, list)) in operations::<T>(arguments).into_iter().zip(&results).enumerate() {
                let same = Number::is_nan(expected) && Number::is_nan(list[i]) || expected.is_same_as(list[i]);
                assert!(same, "{isa:?}, operation {j} of {arguments:?}: {:?} and not {expected:?}", list[i]);
            }
        }
    }
}

#[test]
fn registers_are_plain_numbers_f32() {
    registers_are_plain_numbers::<f32>(|bits| f32::from_bits((bits >> 32) as u32), 127.0);
}

#[test]
fn registers_are_plain_numbers_f64() {
    registers_are_plain_numbers::<f64>(f64::from_bits, 1023.0);
}

/// Loads and stores a register's first lanes, and repeats lanes.
struct Parts<'a, T>(&'a [T; MOST_LANES]);

impl<T: Number> Kernel<T> for Parts<'_, T> {
    #[inline(always)]
    fn run<V: Register<Element = T>>(self) {
        let numbers = self.0;
        for count in 0..=V::LEN {
            let (mut loaded, mut stored) = ([T::NAN; MOST_LANES], [T::NAN; MOST_LANES]);
            // SAFETY: the arrays hold the widest register.
            unsafe {
                V::load_first(numbers.as_ptr(), count).store(loaded.as_mut_ptr());
                V::load(numbers.as_ptr()).store_first(stored.as_mut_ptr(), count);
            }
            for i in 0..MOST_LANES {
                let lane = if i < count { numbers[i] } else { T::of(0.0) };
                assert!(
                    if i < V::LEN { loaded[i].is_same_as(lane) } else { loaded[i].is_nan() },
                    "{count}: {loaded:?}"
                );
                assert!(if i < count { stored[i].is_same_as(lane) } else { stored[i].is_nan() }, "{count}: {stored:?}");
            }
        }
        for times in [1, 2, 4, MOST_TIMES] {
            if 2 * times > V::LEN {
                continue;
            }
            // SAFETY: the array holds the widest register.
            let registers = unsafe { V::load(numbers.as_ptr()) }.repeated(times);
            for i in 0..times {
                let mut lanes = [T::NAN; MOST_LANES];
                // SAFETY: as above.
                unsafe { registers[i].store(lanes.as_mut_ptr()) };
                for l in 0..V::LEN {
                    assert!(lanes[l].is_same_as(numbers[(i * V::LEN + l) / times]), "{times} times, {i}: {lanes:?}");
                }
            }
        }
    }
}

fn parts_are_lanes<T: Number>() {
    let numbers = core::array::from_fn(|i| T::of(i as f64 + 1.0));
    for isa in Isa::available() {
        T::enter(isa, Parts(&numbers));
    }
}

#[test]
fn parts_are_lanes_f32() {
    parts_are_lanes::<f32>();
}

#[test]
fn parts_are_lanes_f64() {
    parts_are_lanes::<f64>();
}

/// Looks up the first register of numbers.
struct LookUp<'a, T>(&'a [T; MOST_LANES], &'a [T; 16]);

impl<T: Number> Kernel<T> for LookUp<'_, T> {
    #[inline(always)]
    fn run<V: Register<Element = T>>(self) {
        let mut found = [T::NAN; MOST_LANES];
        // SAFETY: the arrays hold the widest register.
        unsafe {
            let Some(entries) = V::load(self.0.as_ptr()).look_up(self.1) else { return };
            entries.store(found.as_mut_ptr());
        }
        // 0.75 lies in the last quarter but one of its octave; the first is that of 2, 8 and ½.
        for i in 0..V::LEN {
            assert!(found[i].is_same_as(self.1[(10 + i) % 16]), "{i}: {found:?}");
        }
    }
}

/// Every quarter of an octave, at its beginning and right before its end, has its entry.
#[test]
fn look_ups_find_the_quarter_of_the_octave() {
    let table = core::array::from_fn(|i| i as f32);
    let begins = core::array::from_fn(|i| ((6 + i) % 4 + 4) as f32 / 8.0 * 2.0_f32.powi((6 + i as i32) / 4 - 1));
    let ends =
        core::array::from_fn(|i| begins[i] * (1.0 + 1.0 / ((6 + i) % 4 + 4) as f32) * (1.0 - f32::EPSILON / 2.0));
    for isa in Isa::available() {
        f32::enter(isa, LookUp(&begins, &table));
        f32::enter(isa, LookUp(&ends, &table));
    }
}
