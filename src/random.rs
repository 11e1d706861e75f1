//! [`Random`]: the same draws on every machine, now and after an update of rand.

use core::convert::Infallible;
use rand::rand_core::{SeedableRng, TryRng};
use rand::rngs::Xoshiro128PlusPlus;

/// A stream of random numbers, given by a seed and the number of the stream.
///
/// Weights, shuffles and dropout masks each draw from the stream of their step or epoch, so the whole random state of
/// a training run is two integers. The generator is xoshiro128++ (Blackman and Vigna, 2019), seeded through
/// splitmix64; all draws are made from fixed-width words by the mappings below, so that a seed means the same numbers
/// on 32 and 64 bits.
///
/// It is also a generator of [`rand`], for draws of your own.
///
/// ```
/// use chainrule::Random;
/// let mut random = Random::new(7, 0);
/// let draws = [random.uniform(), random.uniform()];
/// assert_eq!(draws.map(|u| (u * 1000.0) as u32), [317, 15]);
/// ```
#[derive(Clone, Debug)]
pub struct Random {
    generator: Xoshiro128PlusPlus,
}

impl Random {
    /// Streams from here on belong to one purpose each: no two draw the same numbers for the same seed.
    pub(crate) const INITIALIZATION: u64 = 1 << 62;
    /// Dropout masks: plus the step.
    pub(crate) const MASKS: u64 = 2 << 62;
    /// The order of samples: plus the epoch.
    pub(crate) const ORDER: u64 = 3 << 62;

    /// Stream number `stream` of `seed`. Distinct streams of a seed are independent for all practical purposes.
    #[must_use]
    #[inline]
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut state = seed ^ mix(stream.wrapping_add(GOLDEN));
        let mut bytes = [0; 16];
        for half in bytes.as_chunks_mut::<8>().0 {
            state = state.wrapping_add(GOLDEN);
            *half = mix(state).to_le_bytes();
        }
        Self { generator: Xoshiro128PlusPlus::from_seed(bytes) }
    }

    /// Thirty-two random bits.
    pub fn word(&mut self) -> u32 {
        let Ok(word) = self.generator.try_next_u32();
        word
    }

    /// Sixty-four random bits: two words, the first one low.
    pub fn double_word(&mut self) -> u64 {
        let low = u64::from(self.word());
        low | u64::from(self.word()) << 32
    }

    /// Uniform in [0, 1), a multiple of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        unit(self.double_word() >> 11)
    }

    /// Standard normal, by the transform of Box and Muller (1958): √(−2 ln u₁) cos(2π u₂). (eq:normal-draws)
    pub fn normal(&mut self) -> f64 {
        // One more than in `uniform`: u₁ lies in (0, 1], and the logarithm is finite.
        let u = unit((self.double_word() >> 11) + 1);
        let radius = crate::Real::sqrt(-2.0 * crate::Real::ln(u));
        radius * crate::elementary::sin_cos_of_turn(self.uniform()).1
    }
}

impl TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.word())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.double_word())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(4) {
            for (byte, random) in chunk.iter_mut().zip(self.word().to_le_bytes()) {
                *byte = random;
            }
        }
        Ok(())
    }
}

/// w·2⁻⁵³ for w up to 2⁵³, exactly.
fn unit(w: u64) -> f64 {
    w as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// 2⁶⁴ divided by the golden ratio: the increment of splitmix64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of splitmix64 (Steele, Lea and Flood, 2014).
pub(crate) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
