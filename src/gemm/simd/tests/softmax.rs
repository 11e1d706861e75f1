//! The softmax on every register, against `f64`.

use super::*;
use crate::elementary::Precision;
use crate::gemm::wide::Softmax;
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
            let mut p = [nothing; K];
            let mut softmax = Softmax { z: &z, p: &mut p, found: (nothing, nothing) };
            T::enter(isa, &mut softmax);
            let (largest, log_sum) = softmax.found;
            assert_eq!(largest.to_f64(), offset, "{isa:?}: the largest of {z:?}");
            let error = (log_sum.to_f64() - sum.ln()).abs();
            // The relative error of the sum becomes an absolute one.
            let bound = unit * (4.0 + K as f64 + 4.0 * sum.ln());
            assert!(error <= bound, "{isa:?}: the logarithm of the sum is {log_sum:?}, not {:e}", sum.ln());
            for (p, exact) in p.iter().zip(exact) {
                let exact = exact / sum;
                assert!((p.to_f64() - exact).abs() <= unit * (8.0 + K as f64) * exact, "{isa:?}: {p:?}, not {exact:e}");
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
fn softmax_f32() {
    all_sizes::<f32>();
}

#[test]
fn softmax_f64() {
    all_sizes::<f64>();
}

/// Wherever it stands, also where the register is not full, NaN becomes all probabilities.
#[test]
fn not_a_number_is_in_all() {
    for place in 0..21 {
        let mut z = [-3.0_f32; 21];
        z[place] = f32::NAN;
        for isa in Isa::available() {
            let mut softmax = Softmax { z: &z, p: &mut [0.0; 21], found: (0.0, 0.0) };
            f32::enter(isa, &mut softmax);
            assert!(softmax.found.1.is_nan() && softmax.p.iter().all(|p| p.is_nan()), "{isa:?}: {place}");
        }
    }
}
