//! Labels, orders and metrics.

use chainrule::{Accuracy, Class, ClassError, Confusion, LengthError, Metric, Moments, Rmse, Scale, Shuffle};

#[test]
fn classes_are_in_range_or_an_error() {
    assert_eq!(Class::<3>::new(2).map(Class::index), Ok(2));
    assert_eq!(Class::<3>::new(3), Err(ClassError { classes: 3, found: 3 }));
    assert_eq!(Class::<3>::new(usize::MAX).unwrap_err().found, usize::MAX as i128);
    assert_eq!(Class::<3>::try_from(-1_i8).unwrap_err().found, -1);
    assert_eq!(Class::<3>::try_from(i64::MIN).unwrap_err().found, i128::from(i64::MIN));
    assert_eq!(Class::<3>::try_from(u64::MAX).unwrap_err().found, i128::from(u64::MAX));
    assert_eq!(Class::<3>::try_from(2_u8).map(Class::index), Ok(2));
}

#[test]
fn argmax_is_the_first_of_the_largest_and_no_class_with_nan() {
    let index = |outputs: [f64; 3]| Class::argmax(&outputs).map(Class::index);
    assert_eq!(index([1.0, 2.0, 2.0]), Some(1));
    assert_eq!(index([-3.0, -2.0, -1.0]), Some(2));
    assert_eq!(index([0.0, -0.0, 0.0]), Some(0));
    assert_eq!(index([f64::NEG_INFINITY, 0.0, f64::INFINITY]), Some(2));
    for place in 0..3 {
        let mut outputs = [1.0, 2.0, 3.0];
        outputs[place] = f64::NAN;
        assert_eq!(index(outputs), None, "NaN at {place}");
    }
}

#[test]
fn a_label_as_a_distribution_is_one_at_its_class() {
    assert_eq!(Class::<3>::new(1).unwrap().one_hot::<f64>(), [0.0, 1.0, 0.0]);
}

#[test]
fn a_shuffle_holds_every_index_once() {
    for len in 0..=300 {
        for epoch in 0..3 {
            let shuffle = Shuffle::new(len, 7, epoch);
            assert_eq!((shuffle.len(), shuffle.is_empty()), (len, len == 0));
            let mut seen = vec![false; len];
            for i in 0..len {
                let index = shuffle.index(i);
                assert!(index < len, "length {len}, epoch {epoch}: position {i} holds {index}");
                assert!(!seen[index], "length {len}, epoch {epoch}: {index} appears twice");
                seen[index] = true;
            }
            assert_eq!(shuffle.index(len), len);
        }
    }
}

#[test]
fn a_shuffle_depends_on_seed_and_epoch_alone() {
    let order = |seed, epoch| {
        let shuffle = Shuffle::new(100, seed, epoch);
        (0..100).map(|i| shuffle.index(i)).collect::<Vec<_>>()
    };
    assert_eq!(order(1, 2), order(1, 2));
    assert_ne!(order(1, 2), order(1, 3));
    assert_ne!(order(1, 2), order(2, 2));
    assert_ne!(order(1, 2), (0..100).collect::<Vec<_>>());
}

/// The statistic Σ (found − expected)² / expected of counts that should be equal.
fn chi_square(counts: &[u32]) -> f64 {
    let expected = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
    counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum()
}

/// Asserts that a χ² statistic is within five standard deviations of its mean; the draws are fixed, so that this
/// cannot fail by chance.
fn assert_even(counts: &[u32], constraints: usize, what: &str) {
    let freedom = (counts.len() - constraints) as f64;
    let (found, limit) = (chi_square(counts), freedom + 5.0 * (2.0 * freedom).sqrt());
    assert!(found <= limit, "{what}: χ² = {found}, expected {freedom} and at most {limit}");
}

#[test]
fn every_index_is_as_likely_at_every_position() {
    for len in [2, 3, 5, 8, 13, 32, 33, 100] {
        let mut counts = vec![0; len * len];
        for epoch in 0..200 * len as u64 {
            let shuffle = Shuffle::new(len, 3, epoch);
            for i in 0..len {
                counts[i * len + shuffle.index(i)] += 1;
            }
        }
        // Rows and columns have fixed sums: (len − 1)² degrees of freedom.
        assert_even(&counts, 2 * len - 1, &format!("length {len}"));
    }
}

#[test]
fn every_order_of_three_is_as_likely() {
    let mut counts = [0; 9];
    for epoch in 0..12_000 {
        let shuffle = Shuffle::new(3, 5, epoch);
        counts[shuffle.index(0) * 3 + shuffle.index(1)] += 1;
    }
    let orders: Vec<u32> = counts.into_iter().filter(|count| *count > 0).collect();
    assert_eq!(orders.len(), 6);
    assert_even(&orders, 1, "orders");
}

#[test]
fn neighbours_do_not_stay_together() {
    for len in [3, 5, 8, 16, 17, 31, 32, 64, 100] {
        let mut counts = vec![0; len - 1];
        for epoch in 0..3_000 {
            let shuffle = Shuffle::new(len, 9, epoch);
            for i in 1..len {
                let distance = (shuffle.index(i) + len - shuffle.index(i - 1)) % len;
                counts[distance - 1] += 1;
            }
        }
        assert_even(&counts, 1, &format!("distances of neighbours around a circle of {len}"));
    }
}

fn moments<const N: usize>(samples: &[[f64; N]]) -> ([f64; N], [f64; N]) {
    let mut moments = Moments::default();
    samples.iter().for_each(|sample| moments.observe(sample));
    (moments.mean(), moments.deviation())
}

#[test]
fn one_sample_is_enough_and_none_is_an_error() {
    assert_eq!(moments(&[[3.0, -1.0]]), ([3.0, -1.0], [0.0, 0.0]));
    let scale = Scale::fit(&[[3.0_f32, -1.0]]).unwrap();
    assert_eq!((scale.center.as_array(), scale.factor.as_array()), (&[3.0, -1.0], &[1.0, 1.0]));
    assert_eq!(Scale::<2>::fit(&[]).unwrap_err(), LengthError { expected: 1, found: 0 });
}

#[test]
fn deviations_beyond_the_range_of_squares_are_exact() {
    for size in [1e-200, 1.0, 1e200] {
        assert_eq!(moments(&[[-size], [size]]), ([0.0], [size]));
        // The unit grows from sample to sample.
        let (mean, deviation) = moments(&[[0.0], [size / 1024.0], [-size], [size], [-size / 1024.0]]);
        let exact = f64::sqrt((2.0 + 2.0 / f64::from(1 << 20)) / 5.0);
        assert!(
            mean[0].abs() <= 1e-15 * size && (deviation[0] / size - exact).abs() <= 1e-15,
            "{mean:?}, {deviation:?}"
        );
    }
}

#[test]
fn a_nan_in_the_data_stays_one() {
    let (mean, deviation) = moments(&[[1.0, 1.0], [f64::NAN, 2.0]]);
    assert!(mean[0].is_nan() && deviation[0].is_nan());
    assert_eq!((mean[1], deviation[1]), (1.5, 0.5));
    let (mean, deviation) = moments(&[[1.0], [f64::INFINITY]]);
    assert!(!mean[0].is_finite() && !deviation[0].is_finite());
}

fn class(index: usize) -> Class<3> {
    Class::new(index).unwrap()
}

#[test]
fn accuracy_counts_what_is_right_and_nan_is_wrong() {
    let mut accuracy = Accuracy::default();
    assert!(accuracy.value().is_nan(), "the accuracy of no samples is NaN");
    accuracy.observe(&[0.0, 1.0, 0.5], &class(1));
    accuracy.observe(&[0.0, 1.0, 0.5], &class(2));
    accuracy.observe(&[f64::NAN, 0.0, 0.0], &class(0));
    accuracy.observe(&[0.0, f64::NAN, 5.0], &class(2));
    assert_eq!(accuracy, Accuracy { right: 1, total: 4 });
    assert_eq!(accuracy.value(), 0.25);
}

#[test]
fn confusion_has_a_row_for_each_class_and_a_column_for_each_prediction() {
    let mut confusion = Confusion::<3>::default();
    for (actual, predicted, times) in [(0, 0, 2), (0, 2, 1), (1, 1, 12), (2, 0, 3)] {
        for _ in 0..times {
            confusion.observe(&class(predicted).one_hot::<f64>(), &class(actual));
        }
    }
    assert_eq!(confusion.count(0, 2), 1);
    assert_eq!(confusion.count(2, 0), 3);
    assert_eq!(confusion.count(1, 1), 12);
    assert_eq!(confusion.count(3, 0), 0);
    let table = "\
actual \\ predicted    0    1    2
                 0    2    ·    1
                 1    ·   12    ·
                 2    3    ·    ·";
    assert_eq!(confusion.to_string(), table);

    confusion.observe(&[0.0, f64::NAN, 0.0], &class(1));
    assert_eq!(confusion.unpredicted, 1);
    assert_eq!(confusion.to_string(), format!("{table}\n1 samples had a NaN among their outputs"));
}

#[test]
fn metrics_can_be_paired() {
    let mut pair = (Accuracy::default(), Confusion::<3>::default());
    pair.observe(&[0.0, 1.0, 0.0], &class(1));
    assert_eq!((pair.0.right, pair.1.count(1, 1)), (1, 1));
}

#[test]
fn rmse_is_over_all_outputs_and_hands_nan_on() {
    let mut rmse = Rmse::default();
    assert!(rmse.value().is_nan(), "the error of no samples is NaN");
    rmse.observe(&[1.0, 2.0], &[1.0, 4.0]);
    rmse.observe(&[0.0, 0.0], &[0.0, 2.0]);
    assert_eq!(rmse.value(), 2.0_f64.sqrt());
    rmse.observe(&[f64::NAN, 0.0], &[0.0, 0.0]);
    assert!(rmse.value().is_nan());
}
