//! Weights files: what is written is read, and whatever is wrong is refused with the network as it was.

use chainrule::weights::{self, Aligned, Architecture, Number, WeightsError};
use chainrule::{Dense, Dropout, Identity, Parameters, Relu, Residual, Strict, Tanh, Tensor, Zeroed, network};

network! {
    struct Net<T = f32>: 3 => 2 {
        hidden: Dense<3, 4, Tanh, T>,
        skip: Residual<Dense<4, 4, Tanh, T>>,
        off: Dropout<1, 4, T>,
        output: Dense<4, 2, Identity, T>,
    }
}
const LENGTH: usize = weights::length::<Net>();
type File = Aligned<[u8; LENGTH]>;

fn file() -> File {
    let mut file = Aligned([0xaa; LENGTH]);
    weights::write(&Net::<f32>::new(5), &mut file.0).unwrap();
    file
}

/// Neither `read` nor `view` takes the bytes, and `read` changes nothing.
#[track_caller]
fn refused(bytes: &[u8]) -> WeightsError {
    let before = Net::<f32>::new(9);
    let mut network = before.clone();
    let error = weights::read(&mut network, bytes).unwrap_err();
    for i in 0..Net::<f32>::SLICES {
        let bits = |net: &Net| net.slice(i).iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&network), bits(&before), "the network has changed");
    }
    assert_eq!(weights::view::<Net>(bytes).unwrap_err(), error);
    let message = error.to_string();
    assert!(message.contains("expected") && message.contains("found"), "{message}");
    error
}

/// The header's checksum, made right again: what lies behind it must be refused for its own sake.
fn resealed(mut file: File) -> File {
    let payload = crc32fast::hash(&file.0[64..]);
    file.0[56..60].copy_from_slice(&payload.to_le_bytes());
    let header = crc32fast::hash(&file.0[..60]);
    file.0[60..64].copy_from_slice(&header.to_le_bytes());
    file
}

#[test]
fn written_read_viewed_and_written_again() {
    let file = file();
    let mut network = Net::<f32>::ZEROED;
    weights::read(&mut network, &file.0).unwrap();
    assert_eq!(network, Net::new(5));
    let view = weights::view::<Net>(&file.0).unwrap();
    assert!(*view == network && std::ptr::eq(std::ptr::from_ref(view).cast(), &file.0[64]));
    let mut again = [0; LENGTH];
    weights::write(view, &mut again).unwrap();
    assert_eq!(again, file.0);
    // `Strict` is stored as the number inside.
    assert_eq!(weights::view::<Net<Strict<f32>>>(&file.0).unwrap().hidden.bias[0].0, network.hidden.bias[0]);
    assert_eq!(Architecture::in_file(&file.0), Ok(Architecture::of::<Net>()));
}

#[test]
fn every_proper_prefix_and_one_byte_more() {
    let file = file();
    for length in 0..LENGTH {
        let error = WeightsError::Length { expected: LENGTH as u64, found: length as u64 };
        assert_eq!(refused(&file.0[..length]), error);
    }
    let longer = [&file.0[..], &[0]].concat();
    assert!(matches!(refused(&longer), WeightsError::Length { .. }));
}

#[test]
fn every_flipped_bit() {
    for bit in 0..8 * LENGTH {
        let mut file = file();
        file.0[bit / 8] ^= 1 << (bit % 8);
        refused(&file.0);
    }
}

#[test]
fn erased_zeroed_and_foreign_memory() {
    assert!(refused(&[0xff; LENGTH]).to_string().ends_with("erased memory?"));
    assert!(refused(&[0; LENGTH]).to_string().ends_with("memory never written?"));
    assert_eq!(refused(&[b'x'; LENGTH]), WeightsError::Magic { found: *b"xxxxxxxx" });
}

#[test]
fn headers_of_other_files() {
    let changed = |at: usize, bytes: &[u8]| {
        let mut file = file();
        file.0[at..at + bytes.len()].copy_from_slice(bytes);
        refused(&resealed(file).0)
    };
    assert_eq!(changed(8, &[1, 2]), WeightsError::ByteOrder { found: [1, 2] });
    assert_eq!(changed(10, &[2, 0]), WeightsError::Version { found: 2 });
    assert_eq!(changed(12, &[9]), WeightsError::Reserved);
    assert!(matches!(changed(12, &[2]), WeightsError::Length { .. }), "too short for a checkpoint");
    assert_eq!(changed(13, &[2]), WeightsError::Number { expected: Number::F32, found: Number::F64 });
    assert_eq!(changed(13, &[7]), WeightsError::Reserved);
    assert_eq!(changed(14, &[1]), WeightsError::Reserved);
    assert_eq!(changed(40, &[1]), WeightsError::Reserved);
    for field in [16, 24, 28] {
        assert!(matches!(changed(field, &[0xff; 4]), WeightsError::Architecture { .. }));
    }
    assert!(matches!(changed(16, &[0xff; 8]), WeightsError::Architecture { .. }), "a length of 2^64 - 1");
}

#[test]
fn values_that_are_not_finite_and_padding() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -f32::NAN] {
        let mut file = file();
        file.0[64 + 4 * 13..][..4].copy_from_slice(&value.to_le_bytes());
        let error = refused(&resealed(file).0);
        assert!(error.to_string().starts_with("`hidden.bias`, element 1:"), "{error}");
        let mut network = Net::<f32>::new(1);
        network.output.bias[1] = value;
        let mut bytes = [7; LENGTH];
        assert!(matches!(weights::write(&network, &mut bytes), Err(WeightsError::NotFinite { element: 1, .. })));
        assert_eq!(bytes, [7; LENGTH], "nothing was written");
    }
    let mut file = file();
    file.0[LENGTH - 1] = 1;
    assert_eq!(refused(&resealed(file).0), WeightsError::Reserved);
}

#[test]
fn another_architecture_with_equal_counts() {
    type Tall = (Dense<16, 4, Tanh>, Dense<4, 16, Tanh>);
    fn differ<A: Parameters, B: Parameters>() {
        assert_ne!(Architecture::of::<A>(), Architecture::of::<B>());
    }
    differ::<Tall, (Dense<16, 4, Relu>, Dense<4, 16, Tanh>)>();
    differ::<Residual<Dense<4, 4>>, Dense<4, 4>>();
    network! { struct Renamed<T = f32>: 3 => 2 { entry: Dense<3, 2, Identity, T> } }
    network! { struct Named<T = f32>: 3 => 2 { hidden: Dense<3, 2, Identity, T> } }
    differ::<Renamed, Named>();
    let mut bytes = [0; weights::length::<Renamed>()];
    weights::write(&Renamed::<f32>::new(1), &mut bytes).unwrap();
    let error = weights::read(&mut Named::<f32>::new(1), &bytes).unwrap_err();
    let (expected, found) = (Architecture::of::<Named>(), Architecture::of::<Renamed>());
    assert_eq!(error, WeightsError::Architecture { expected, found });
}

/// Misaligned bytes are read, and not viewed.
#[test]
fn misaligned() {
    let mut bytes = Aligned([0; LENGTH + 64]);
    for offset in 0..64 {
        let place = &mut bytes.0[offset..offset + LENGTH];
        weights::write(&Net::<f32>::new(2), place).unwrap();
        weights::read(&mut Net::<f32>::new(1), place).unwrap();
        let aligned = offset % align_of::<Net>() == 0;
        match weights::view::<Net>(place) {
            Ok(network) => assert!(aligned && *network == Net::new(2), "offset {offset}"),
            Err(error) => assert!(!aligned && matches!(error, WeightsError::Alignment { .. }), "{offset}: {error}"),
        }
    }
}
