//! What stands between data and a trainer: labels and the order of samples.

use crate::error::ClassError;
use crate::random::mix;
use crate::{Random, Scalar};

/// One of `K` classes, 0 to `K − 1`: a label that cannot be out of range. Checked once, where data comes in.
///
/// ```
/// use chainrule::Class;
/// let seven = Class::<10>::new(7)?;
/// assert_eq!(seven.index(), 7);
/// assert_eq!(Class::<10>::try_from(-1_i32).unwrap_err().to_string(), "expected a class in 0..10, found -1");
/// # Ok::<(), chainrule::ClassError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class<const K: usize>(u32);

impl<const K: usize> Class<K> {
    /// Class number `index`.
    ///
    /// # Errors
    ///
    /// [`ClassError`] when there is no such class.
    pub const fn new(index: usize) -> Result<Self, ClassError> {
        const { assert!(K > 0 && K as u128 <= u32::MAX as u128, "there must be 1 to 4294967295 classes") };
        if index < K { Ok(Self(index as u32)) } else { Err(ClassError { classes: K, found: index as i128 }) }
    }

    /// The number of the class, below `K`.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The class of the largest of `K` outputs, the first one of equals; `None` if any is NaN.
    ///
    /// ```
    /// use chainrule::Class;
    /// assert_eq!(Class::argmax(&[0.1, 0.7, 0.2]), Class::new(1).ok());
    /// assert_eq!(Class::argmax(&[0.1, f32::NAN, 0.2]), None);
    /// ```
    pub fn argmax<T: Scalar>(outputs: &[T; K]) -> Option<Self> {
        let (mut best, mut index) = (*outputs.first()?, 0);
        for (i, x) in (0..).zip(outputs) {
            // NaN is not even equal to itself.
            x.partial_cmp(x)?;
            if *x > best {
                (best, index) = (*x, i);
            }
        }
        Some(Self(index))
    }

    /// The target distribution of a label: 1 for the class, 0 elsewhere.
    pub fn one_hot<T: Scalar>(self) -> [T; K] {
        let mut target = [T::ZERO; K];
        if let Some(t) = target.get_mut(self.index()) {
            *t = T::ONE;
        }
        target
    }
}

macro_rules! class_from {
    ($($integer:ty),*) => { $(
        impl<const K: usize> TryFrom<$integer> for Class<K> {
            type Error = ClassError;
            #[allow(clippy::cast_lossless, clippy::cast_possible_wrap)]
            fn try_from(index: $integer) -> Result<Self, ClassError> {
                let error = ClassError { classes: K, found: index as i128 };
                usize::try_from(index).ok().and_then(|index| Self::new(index).ok()).ok_or(error)
            }
        }
    )* };
}
class_from!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

/// A random order of 0, 1, …, n − 1 that takes no memory: position i holds [`index(i)`](Shuffle::index).
///
/// A Feistel network over the smallest power of two that is not below n permutes that range; what falls outside
/// 0..n walks on until it is inside (Black and Rogaway, 2002). So every index appears exactly once.
///
/// ```
/// let shuffle = chainrule::Shuffle::new(5, 7, 0);
/// let mut order: Vec<usize> = (0..5).map(|i| shuffle.index(i)).collect();
/// order.sort();
/// assert_eq!(order, [0, 1, 2, 3, 4]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Shuffle {
    len: u64,
    /// Bits of the low and of the high part.
    low: u32,
    high: u32,
    keys: [u64; Self::ROUNDS],
}

impl Shuffle {
    /// Below a dozen rounds the few bits of short orders are not mixed evenly: neighbours tend to stay together.
    const ROUNDS: usize = 12;

    /// The order of `len` samples in epoch `epoch` of a run with `seed`.
    #[must_use]
    pub fn new(len: usize, seed: u64, epoch: u64) -> Self {
        let mut random = Random::new(seed, Random::ORDER.wrapping_add(epoch));
        let len = len as u64;
        let bits = len.max(2).next_power_of_two().trailing_zeros();
        Self { len, low: bits - bits / 2, high: bits / 2, keys: core::array::from_fn(|_| random.double_word()) }
    }

    /// How many indices there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The index at position `i`; `i` itself from `len` on.
    #[must_use]
    pub fn index(&self, i: usize) -> usize {
        let mut x = i as u64;
        if x >= self.len {
            return i;
        }
        loop {
            x = self.permute(x);
            if x < self.len {
                return x as usize;
            }
        }
    }

    /// A permutation of 0..2^(low + high).
    fn permute(&self, x: u64) -> u64 {
        let (low_mask, high_mask) = ((1 << self.low) - 1, (1 << self.high) - 1);
        let (mut low, mut high) = (x & low_mask, x >> self.low);
        for (round, key) in self.keys.iter().enumerate() {
            // Each half is changed by a function of the other alone, which can be undone.
            if round % 2 == 0 {
                low ^= mix(high ^ key) & low_mask;
            } else {
                high ^= mix(low ^ key) & high_mask;
            }
        }
        high << self.low | low
    }
}
