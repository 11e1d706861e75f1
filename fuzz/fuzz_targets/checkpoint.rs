//! Checkpoints into a trainer: what is read is written to the same bytes, what is refused changes nothing, and a
//! stream is judged as a slice is.
#![no_main]

use chainrule::Zeroed;
use chainrule_fuzz::{Run, bits, rule};
use libfuzzer_sys::fuzz_target;

fn written(trainer: &Run) -> Vec<u8> {
    let mut bytes = vec![0; Run::CHECKPOINT_LENGTH];
    trainer.write_checkpoint(&rule(), &mut bytes).expect("a trainer that is finite");
    bytes
}

fuzz_target!(|data: &[u8]| {
    chainrule_fuzz::with_and_without_checksums(data, |bytes| {
        let mut trainer = Run::boxed();
        trainer.init(9);
        let before = (written(&trainer), bits(trainer.state()));
        let verdict = trainer.read_checkpoint(&rule(), bytes);
        let mut streamed = Run::boxed();
        streamed.init(9);
        assert_eq!(streamed.read_checkpoint_from(&rule(), bytes).is_ok(), verdict.is_ok());
        assert_eq!((written(&streamed), bits(streamed.state())), (written(&trainer), bits(trainer.state())));
        match verdict {
            // All but the lowest loss, which belongs to whoever keeps the best.
            Ok(()) => {
                let again = written(&trainer);
                assert!(again[..56] == bytes[..56] && again[64..176] == bytes[64..176]);
                assert!(again[184..316] == bytes[184..316] && again[320..] == bytes[320..]);
            }
            Err(error) => {
                assert!(error.to_string().contains("expected"));
                assert_eq!((written(&trainer), bits(trainer.state())), before);
            }
        }
    });
});
