//! Weights into a network: what is read is written to the same bytes, what is refused changes nothing, and a stream is
//! judged as a slice is.
#![no_main]

use chainrule::{Parameters, Zeroed, weights};
use chainrule_fuzz::{Net, bits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    chainrule_fuzz::with_and_without_checksums(data, |bytes| {
        let mut network = Net::<f32>::new(9);
        let verdict = weights::read(&mut network, bytes);
        let mut streamed = Net::<f32>::new(9);
        assert_eq!(weights::read_from(&mut streamed, bytes).is_ok(), verdict.is_ok());
        assert_eq!(bits(&streamed), bits(&network));
        match verdict {
            Ok(()) => {
                // From a checkpoint comes the network alone.
                let mut written = vec![0; weights::length::<Net>()];
                weights::write(&network, &mut written).expect("what was read can be written");
                let mut again = Net::<f32>::ZEROED;
                weights::read(&mut again, &written).expect("what was written can be read");
                assert_eq!(bits(&again), bits(&network));
                assert!(bytes[12] == 2 || bytes == written);
            }
            Err(error) => {
                assert!(error.to_string().contains("expected"));
                assert_eq!(bits(&network), bits(&Net::<f32>::new(9)));
            }
        }
    });
});
