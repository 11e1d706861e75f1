//! The exponentials of a softmax on every register, against `f64`.

use super::*;
use crate::elementary::Precision;
use crate::gemm::wide::Exponentials;
use crate::{Real, Scalar};

/// K numbers whose largest stands at `place`, far above zero or far below.
fn check<T: Number + Scalar + Float + Precision, const K: usize>(offset: f64) {
    let unit = if size_of::<T>() == 4 { f64::from(f32::EPSILON) } else { f64::EPSILON } / 2.0;
    for place in 0..K {
        let z: [T; K] = core::array::from_fn(|k| {
            Real::from_f64(offset - if k == place { 0.0 } else { 0.25 * (1 + (7 * k + place) % 40) as f64 })
        });
        let exact = z.map(|x| f64::exp(x.to_f64() - offset));
        let sum: f64 = exact.iter().sum();
        for isa in Isa::available() {
            let nothing = <T as Real>::from_f64(-1.0);
            let mut e = [nothing; K];
            let mut exponentials = Exponentials { z: &z, e: &mut e, sums: (nothing, nothing) };
            T::enter(isa, &mut exponentials);
            let (largest, total) = exponentials.sums;
            assert_eq!(largest.to_f64(), offset, "{isa:?}: the largest of {z:?}");
            let error = (total.to_f64() - sum).abs();
            assert!(error <= unit * (4.0 + K as f64) * sum, "{isa:?}: the sum of {e:?} is {total:?}, not {sum:e}");
            for (e, exact) in e.iter().zip(exact) {
                assert!((e.to_f64() - exact).abs() <= unit * 4.0 * exact, "{isa:?}: {e:?}, not {exact:e}");
            }
        }
    }
}

fn all_sizes<T: Number + Scalar + Float + Precision>() {
    // Whole numbers, so that no difference is rounded.
    for offset in [0.0, 1000.0, -1000.0] {
        check::<T, 1>(offset);
        check::<T, 2>(offset);
        check::<T, 3>(offset);
        check::<T, 7>(offset);
        check::<T, 8>(offset);
        check::<T, 9>(offset);
        check::<T, 10>(offset);
        check::<T, 15>(offset);
        check::<T, 16>(offset);
        check::<T, 17>(offset);
        check::<T, 33>(offset);
    }
}

#[test]
fn exponentials_f32() {
    all_sizes::<f32>();
}

#[test]
fn exponentials_f64() {
    all_sizes::<f64>();
}

/// Wherever it stands, also where the register is not full, NaN becomes the sum.
#[test]
fn not_a_number_is_in_the_sum() {
    for place in 0..21 {
        let mut z = [-3.0_f32; 21];
        z[place] = f32::NAN;
        for isa in Isa::available() {
            let mut exponentials = Exponentials { z: &z, e: &mut [0.0; 21], sums: (0.0, 0.0) };
            f32::enter(isa, &mut exponentials);
            assert!(exponentials.sums.1.is_nan() && exponentials.e[place].is_nan(), "{isa:?}: {place}");
        }
    }
}
