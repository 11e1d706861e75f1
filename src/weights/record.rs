use super::header::{check_seal, put, put_architecture, seal, take, take_architecture};
use super::{Architecture, Stored, WeightsError, padded};
use crate::{Fingerprint, Optimizer, RuleName, Tensor};

/// What a checkpoint tells of its optimiser: 256 bytes between header and payload.
#[derive(Clone, Copy)]
pub(super) struct Record {
    pub rule: RuleName,
    pub state: Architecture,
    /// Of all losses so far; infinite before the first.
    pub lowest_loss: f64,
    /// In the order of [`Optimizer::hyperparameters`], then zeros.
    hyperparameters: [f64; Self::HYPERPARAMETERS],
}

impl Record {
    pub const BYTES: usize = 256;

    /// There is room for so many.
    pub const HYPERPARAMETERS: usize = 16;

    pub fn of<O: Optimizer, S: Tensor>(optimizer: &O, lowest_loss: f64) -> Result<Self, WeightsError> {
        let (mut hyperparameters, mut count) = ([0.0; Self::HYPERPARAMETERS], 0);
        optimizer.hyperparameters(&mut |_, value| {
            if let Some(place) = hyperparameters.get_mut(count) {
                *place = value;
            }
            count += 1;
        });
        if count > Self::HYPERPARAMETERS {
            return Err(WeightsError::Hyperparameters { found: count });
        }
        Ok(Self { rule: O::NAME, state: state_of::<S>(), lowest_loss, hyperparameters })
    }

    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let rest = &mut bytes.as_mut_slice();
        put(rest, &self.rule.fingerprint.0.to_le_bytes());
        put(rest, &self.rule.text);
        put_architecture(rest, &self.state);
        put(rest, &self.lowest_loss.to_le_bytes());
        for value in self.hyperparameters {
            put(rest, &value.to_le_bytes());
        }
        seal(&mut bytes);
        bytes
    }

    pub fn parse(bytes: &[u8; Self::BYTES]) -> Result<Self, WeightsError> {
        check_seal(bytes)?;
        let rest = &mut bytes.as_slice();
        let fingerprint = Fingerprint(u32::from_le_bytes(take(rest)));
        let rule = RuleName { fingerprint, text: take(rest) };
        let state = take_architecture(rest);
        let lowest_loss = f64::from_le_bytes(take(rest));
        let hyperparameters = [0.0; Self::HYPERPARAMETERS].map(|_: f64| f64::from_le_bytes(take(rest)));
        if take::<4>(rest) != [0; 4] || lowest_loss.is_nan() {
            return Err(WeightsError::Reserved);
        }
        Ok(Self { rule, state, lowest_loss, hyperparameters })
    }

    /// Whether the checkpoint is one of this rule, with this state.
    pub fn check<O: Optimizer, S: Tensor>(&self, optimizer: &O) -> Result<(), WeightsError> {
        if self.rule != O::NAME {
            return Err(WeightsError::Rule { expected: const { &O::NAME }, found: self.rule });
        }
        if self.state != state_of::<S>() {
            return Err(WeightsError::State { expected: state_of::<S>(), found: self.state });
        }
        let (mut values, mut result) = (self.hyperparameters.iter(), Ok(()));
        optimizer.hyperparameters(&mut |name, expected| {
            let found = *values.next().unwrap_or(&f64::NAN);
            if result.is_ok() && found.to_bits() != expected.to_bits() {
                result = Err(WeightsError::Hyperparameter { name, expected, found });
            }
        });
        result?;
        if values.any(|value| value.to_bits() != 0) { Err(WeightsError::Reserved) } else { Ok(()) }
    }

    /// The bytes of the state, for a comparison: saturating where a file asks for more than there can be.
    pub fn state_bytes<T: Stored>(&self) -> u64 {
        let bytes = self.state.scalars.saturating_mul(T::BYTES as u64);
        bytes.checked_next_multiple_of(padded::<T>(1) as u64).unwrap_or(u64::MAX)
    }
}

fn state_of<S: Tensor>() -> Architecture {
    Architecture { scalars: S::LEN as u64, blocks: S::SLICES as u32, fingerprint: S::FINGERPRINT }
}
