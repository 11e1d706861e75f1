//! safetensors into a network: what is read is written and read to the same numbers, what is refused changes nothing.
#![no_main]

use chainrule::weights::safetensors;
use chainrule::{Parameters, Zeroed};
use chainrule_fuzz::{Net, bits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    read(data);
    // With a length that suits, so that the header is reached: it ends with the first `}}` but for spaces.
    if let Some((length, rest)) = data.split_first_chunk::<8>() {
        if let Some(end) = rest.windows(2).position(|pair| pair == b"}}") {
            let spaces = rest[end + 2..].iter().take_while(|byte| **byte == b' ').count();
            let sealed = [&((end + 2 + spaces) as u64).to_le_bytes()[..], rest].concat();
            if *length != sealed[..8] {
                read(&sealed);
            }
        }
    }
});

fn read(bytes: &[u8]) {
    let mut network = Net::<f32>::new(9);
    let before = bits(&network);
    match safetensors::read(&mut network, bytes) {
        Ok(()) => {
            let written = safetensors::write(&network).expect("what was read can be written");
            let mut again = Net::<f32>::ZEROED;
            safetensors::read(&mut again, &written).expect("what was written can be read");
            assert_eq!(bits(&again), bits(&network));
            assert_eq!(safetensors::write(&again).expect("once more"), written);
        }
        Err(error) => {
            let message = error.to_string();
            assert!(message.contains("expected") && message.contains("found"));
            assert_eq!(bits(&network), before);
        }
    }
}
