//! What the firmwares share: data in flash, training, saved weights, and the report.

#![no_std]

pub mod digits;
pub mod report;
pub mod same_bits;
pub mod stack;

use chainrule::weights::{self, Aligned, Plain, Stored, WeightsError};
use chainrule::{Parameters, Tensor};

/// Saves the weights in a page of flash, refuses the page once a bit of it is wrong, and returns the network as it
/// stands in the page: from here on the weights are read in place, without a copy in RAM.
///
/// # Errors
///
/// [`WeightsError`], when the page is not accepted; [`WeightsError::Checksum`] also when a wrong one was.
pub fn save<'a, N, const BYTES: usize>(network: &N, page: &'a mut Aligned<[u8; BYTES]>) -> Result<&'a N, WeightsError>
where
    N: Parameters + Plain + Tensor<Scalar: Stored>,
{
    weights::write(network, &mut page.0)?;
    flip_a_bit(&mut page.0);
    if weights::view::<N>(&page.0).is_ok() {
        return Err(WeightsError::Checksum { expected: 0, found: 0 });
    }
    flip_a_bit(&mut page.0);
    weights::view(&page.0)
}

/// The last bit of the first weight: the number stays finite, only the checksum can tell.
fn flip_a_bit(page: &mut [u8]) {
    if let Some(byte) = page.get_mut(64) {
        *byte ^= 1;
    }
}
