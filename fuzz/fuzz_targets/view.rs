//! Bytes seen as a network, at every alignment: what is seen is what is read.
#![no_main]

use chainrule::weights::{self, Aligned, WeightsError};
use chainrule::{Tensor, Zeroed};
use chainrule_fuzz::{Net, bits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    chainrule_fuzz::with_and_without_checksums(data, |bytes| {
        let mut place = Aligned([0; 4096]);
        let offset = bytes.last().map_or(0, |byte| usize::from(*byte) % 64);
        let Some(seen) = place.0.get_mut(offset..offset + bytes.len()) else { return };
        seen.copy_from_slice(bytes);
        let mut network = Net::<f32>::ZEROED;
        let read = weights::read(&mut network, seen);
        match weights::view::<Net>(seen) {
            Ok(view) => {
                assert_eq!(read, Ok(()));
                assert_eq!(bits(view), bits(&network));
                assert!(view.all_finite());
            }
            Err(WeightsError::Alignment { .. }) => assert!(read.is_ok() && offset % align_of::<Net>() != 0),
            Err(error) => assert_eq!(read, Err(error)),
        }
    });
});
