//! The softmax on every register, against `f64`; of many samples to the bits of each alone.

use super::*;
use crate::elementary::Precision;
use crate::gemm::wide::Softmax;
use crate::{Real, Scalar};

/// As many samples as the widest register has lanes, and a few more.
const SAMPLES: usize = 2 * MOST_LANES + 5;

/// In every sample K numbers whose largest stands at another place, far above zero or far below; and not one sample more.
fn check<T: Number + Scalar + Float + Precision, const K: usize>(offset: f64) {
    let unit = if size_of::<T>() == 4 { f64::from(f32::EPSILON) } else { f64::EPSILON } / 2.0;
    let z: [[T; K]; SAMPLES] = core::array::from_fn(|s| {
        core::array::from_fn(|k| {
            let below = if k == s % K { 0.0 } else { 0.25 * (1 + (7 * k + s) % 40) as f64 };
            Real::from_f64(offset + s as f64 - below)
        })
    });
    let nothing = <T as Real>::from_f64(-1.5);
    for isa in Isa::available() {
        for samples in [0, 1, 2, 3, 7, 8, 9, MOST_LANES, SAMPLES] {
            let (mut p, mut largest, mut log_sums) = ([[nothing; K]; SAMPLES], [nothing; SAMPLES], [nothing; SAMPLES]);
            let kernel = Softmax { z: &z[..samples], p: &mut p, largest: &mut largest, log_sums: &mut log_sums };
            T::enter(isa, kernel);
            for s in samples..SAMPLES {
                assert!(p[s].iter().chain([&largest[s], &log_sums[s]]).all(|x| x.is_same_as(nothing)), "{isa:?} {s}");
            }
            for s in 0..samples {
                let (mut alone, mut of_one, mut log_sum) = ([[nothing; K]], [nothing], [nothing]);
                let kernel = Softmax { z: &z[s..=s], p: &mut alone, largest: &mut of_one, log_sums: &mut log_sum };
                T::enter(isa, kernel);
                let together = p[s].iter().chain([&largest[s], &log_sums[s]]);
                let alone = alone[0].iter().chain([&of_one[0], &log_sum[0]]);
                assert!(together.zip(alone).all(|(x, y)| x.is_same_as(*y)), "{isa:?}: {s} of {samples}");
                let exact = z[s].map(|x| f64::exp(x.to_f64() - offset - s as f64));
                let sum: f64 = exact.iter().sum();
                assert_eq!(largest[s].to_f64(), offset + s as f64, "{isa:?}: the largest of {:?}", z[s]);
                let error = (log_sums[s].to_f64() - sum.ln()).abs();
                // The relative error of the sum becomes an absolute one.
                let bound = unit * (4.0 + K as f64 + 4.0 * sum.ln());
                assert!(error <= bound, "{isa:?}: the logarithm of the sum is {:?}, not {:e}", log_sums[s], sum.ln());
                for (p, exact) in p[s].iter().zip(exact) {
                    let exact = exact / sum;
                    let error = (p.to_f64() - exact).abs();
                    assert!(error <= unit * (8.0 + K as f64) * exact, "{isa:?}: {p:?}, not {exact:e}");
                }
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

/// Wherever it stands, also where the register is not full, NaN becomes all probabilities of its sample, and of no other.
#[test]
fn not_a_number_is_in_all() {
    for place in 0..21 {
        let mut z = [[-3.0_f32; 21]; 3];
        z[1][place] = f32::NAN;
        for isa in Isa::available() {
            let (mut p, mut largest, mut log_sums) = ([[0.0; 21]; 3], [0.0; 3], [0.0; 3]);
            f32::enter(isa, Softmax { z: &z, p: &mut p, largest: &mut largest, log_sums: &mut log_sums });
            for s in 0..3 {
                assert_eq!(log_sums[s].is_nan(), s == 1, "{isa:?}: {place}");
                assert!(p[s].iter().all(|p| p.is_nan() == (s == 1)), "{isa:?}: {place}");
            }
        }
    }
}
