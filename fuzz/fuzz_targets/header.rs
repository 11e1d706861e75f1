//! The architecture in any file: found or refused.
#![no_main]

use chainrule::weights::Architecture;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    chainrule_fuzz::with_and_without_checksums(data, |bytes| {
        if let Err(error) = Architecture::in_file(bytes) {
            assert!(error.to_string().contains("expected"));
        }
    });
});
