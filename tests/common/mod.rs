//! What the tests share: a generator of their own, comparisons that NaN fails, and the naive reference.
#![allow(dead_code, reason = "each file of tests uses its own part")]
#![allow(missing_docs)]

pub mod reference;

use chainrule::{Part, Real, Scalar, Tensor};
use proptest::test_runner::{Config, FileFailurePersistence};

/// 256 cases unless `PROPTEST_CASES` says otherwise; what fails is kept beside the file of the test.
pub fn cases(file: &'static str) -> Config {
    let failure_persistence = Some(Box::new(FileFailurePersistence::WithSource("regressions")) as _);
    Config { source_file: Some(file), failure_persistence, ..Config::default() }
}

/// Numbers from a seed, by splitmix64: shares no code with the crate's generator.
pub struct Draws(pub u64);

impl Draws {
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In [−1, 1), a multiple of 2⁻²⁰, so that it is exact in `f32` too.
    pub fn symmetric(&mut self) -> f64 {
        (self.word() >> 43) as f64 / (1_u64 << 20) as f64 - 1.0
    }

    /// In −n..=n.
    pub fn integer(&mut self, n: i64) -> i64 {
        (self.word() % (2 * n as u64 + 1)) as i64 - n
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.word() % n as u64) as usize
    }

    pub fn array<const N: usize, T: Scalar>(&mut self, scale: f64) -> [T; N] {
        core::array::from_fn(|_| T::from_f64(scale * self.symmetric()))
    }

    /// All scalars of a tensor: mostly in ±`scale`, now and then zero or an integer.
    pub fn fill<P: Tensor>(&mut self, tensor: &mut P, scale: f64) {
        for i in 0..P::SLICES {
            for x in tensor.slice_mut(i) {
                *x = P::Scalar::from_f64(match self.below(16) {
                    0 => 0.0,
                    1 => self.integer(2) as f64,
                    _ => scale * self.symmetric(),
                });
            }
        }
    }
}

/// Collects comparisons and reports the worst one. NaN, and a tolerance that is NaN, fail.
#[derive(Default)]
pub struct Comparison {
    worst: f64,
    report: String,
    pub count: usize,
}

impl Comparison {
    pub fn observe(&mut self, place: impl FnOnce() -> String, found: f64, expected: f64, tolerance: f64) {
        self.count += 1;
        let error = (found - expected).abs();
        if error <= tolerance {
            return;
        }
        let ratio = if error / tolerance >= 0.0 { error / tolerance } else { f64::INFINITY };
        if self.report.is_empty() || ratio > self.worst {
            self.worst = ratio;
            self.report = format!(
                "{}: found {found:e}, expected {expected:e}, apart by {error:e}, tolerance {tolerance:e}",
                place()
            );
        }
    }

    /// Panics with the worst comparison, if any failed, or if nothing was compared.
    #[track_caller]
    pub fn finish(self) {
        assert!(self.count > 0, "nothing was compared");
        assert!(self.report.is_empty(), "{}", self.report);
    }
}

/// One comparison. NaN fails.
#[track_caller]
pub fn assert_close(place: &str, found: f64, expected: f64, tolerance: f64) {
    let mut comparison = Comparison::default();
    comparison.observe(|| place.to_owned(), found, expected, tolerance);
    comparison.finish();
}

/// All scalars of a tensor, in the order of its slices.
pub fn scalars<P: Tensor>(tensor: &P) -> Vec<P::Scalar> {
    (0..P::SLICES).flat_map(|i| tensor.slice(i).iter().copied()).collect()
}

/// All scalars of a tensor as bits of `f64`, so that NaN equals itself and −0 differs from +0.
pub fn bits<P: Tensor>(tensor: &P) -> Vec<u64> {
    scalars(tensor).into_iter().map(|x| x.to_f64().to_bits()).collect()
}

/// Where scalar `index` of a tensor is: by the user's field names, row and column.
pub fn place<P: Tensor>(mut index: usize) -> String {
    for i in 0..P::SLICES {
        let block = P::block(i);
        let len = block.rows * block.columns;
        if index < len {
            return format!("{} ({}, {})", block.name, index % block.rows, index / block.rows);
        }
        index -= len;
    }
    format!("scalar {index} beyond the end")
}

/// An optimiser that moves nothing and remembers the gradient: what a trainer hands to its optimiser, seen as it is.
#[derive(Clone)]
pub struct Capture;

impl chainrule::Optimizer for Capture {
    const NAME: chainrule::RuleName = chainrule::RuleName::new("Capture");
    type Step = ();
    type State<G: Tensor> = G;

    fn validate(&self) -> Result<(), chainrule::HyperparameterError> {
        Ok(())
    }

    fn hyperparameters(&self, _: &mut dyn FnMut(&'static str, f64)) {}

    fn learning_rate(&self) -> f64 {
        0.0
    }

    fn with_learning_rate(self, _: f64) -> Self {
        self
    }

    fn begin(&self, _: u64) {}

    fn reach<P: Tensor>(&self, (): (), _: usize, _: &P, _: P::Scalar, _: &P::Gradient) -> P::Scalar {
        <P::Scalar as chainrule::Zeroed>::ZEROED
    }

    fn update<P: Tensor>(&self, (): (), part: Part, _: &mut P, gradient: &[P::Scalar], state: &mut P::Gradient) {
        part.of_mut(state).copy_from_slice(gradient);
    }
}

/// What every scalar is, with all that it carries, to the bit: Rust writes a float so that no two share their text, NaN apart.
pub fn texts<P: Tensor>(tensor: &P) -> Vec<String> {
    (0..P::SLICES).flat_map(|i| tensor.slice(i)).map(|w| format!("{w:?}")).collect()
}

/// FNV-1a of the little-endian bytes of words.
pub fn fnv1a(words: impl IntoIterator<Item = u32>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in words.into_iter().flat_map(u32::to_le_bytes) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash
}
