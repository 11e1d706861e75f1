//! Reads breadth.txt, and compares. Shared by the tests of breadth.
#![allow(dead_code, missing_docs, reason = "each test uses its part")]

/// The records of one kind and name: groups of numbers.
pub fn records(kind: &str, name: &str) -> Vec<Vec<Vec<f64>>> {
    let number = |word: &str| word.parse().unwrap_or_else(|_| panic!("{kind} {name}: `{word}` is no number"));
    include_str!("breadth.txt")
        .lines()
        .filter_map(|line| line.strip_prefix(kind)?.strip_prefix(' ')?.strip_prefix(name)?.strip_prefix(' '))
        .map(|groups| groups.split('|').map(|group| group.split_whitespace().map(number).collect()).collect())
        .collect()
}

/// The only record of this kind and name.
pub fn record(kind: &str, name: &str) -> Vec<Vec<f64>> {
    let [record] = records(kind, name).try_into().unwrap_or_else(|_| panic!("one record of {kind} {name}"));
    record
}

pub fn array<const N: usize>(numbers: &[f64]) -> [f64; N] {
    numbers.try_into().unwrap_or_else(|_| panic!("{} numbers, found {}", N, numbers.len()))
}

/// Within `tolerance`; NaN fails.
#[track_caller]
pub fn close(place: &str, found: f64, expected: f64, tolerance: f64) {
    let error = (found - expected).abs();
    assert!(error <= tolerance, "{place}: found {found:e}, expected {expected:e}, apart by {error:e} > {tolerance:e}");
}

/// Element by element, within 10⁻¹² of the larger of 1 and the magnitude.
#[track_caller]
pub fn all_close(place: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{place}");
    for (k, (f, e)) in found.iter().zip(expected).enumerate() {
        close(&format!("{place}[{k}]"), *f, *e, 1e-12 * e.abs().max(1.0));
    }
}

/// Numbers in [−1, 1) from a seed, by splitmix64.
pub struct Draws(pub u64);

impl Draws {
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z >> 43) as f64 / (1_u64 << 20) as f64 - 1.0
    }

    pub fn array<const N: usize>(&mut self, scale: f64) -> [f64; N] {
        core::array::from_fn(|_| scale * self.next())
    }
}
