//! What PyTorch trained gives PyTorch's outputs here, and what goes out comes back.

use chainrule::weights::safetensors;
use chainrule::{Parameters, Zeroed};
use chainrule_exchange::{Controller, predict, read_npy, worst_difference, write_npy};
use std::fs;
use std::path::{Path, PathBuf};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pytorch").join(name)
}

#[test]
fn a_module_of_pytorch_gives_its_outputs() {
    let inputs = read_npy(&file("theirs.inputs.npy")).unwrap();
    let expected = read_npy(&file("theirs.outputs.npy")).unwrap();
    assert_eq!(inputs.len(), 1000);
    for name in ["theirs.safetensors", "theirs.double.safetensors"] {
        let bytes = fs::read(file(name)).unwrap();
        let (mut single, mut double) = (Controller::<f32>::ZEROED, Controller::<f64>::ZEROED);
        safetensors::read(&mut single, &bytes).unwrap();
        safetensors::read(&mut double, &bytes).unwrap();
        for outputs in [predict(&single, &inputs), predict(&double, &inputs)] {
            let worst = worst_difference(&outputs, &expected);
            assert!(worst <= 1e-6, "{name}: {worst:e}");
        }
    }
}

/// PyTorch's file, read and written here, holds the same tensors bit for bit.
#[test]
fn a_file_of_pytorch_goes_back_unchanged() {
    let theirs = fs::read(file("theirs.safetensors")).unwrap();
    let mut network = <Controller>::new(1);
    safetensors::read(&mut network, &theirs).unwrap();
    assert_eq!(safetensors::write(&network).unwrap(), theirs);
}

#[test]
fn arrays_of_numpy() {
    let path = std::env::temp_dir().join(format!("chainrule-{}.npy", std::process::id()));
    let rows = [[1.0, -0.0, f32::MAX], [f32::MIN_POSITIVE / 2.0, 0.1, -3.0]];
    write_npy(&path, &rows).unwrap();
    let read = read_npy::<3>(&path).unwrap();
    assert_eq!(
        read.as_flattened().iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
        rows.as_flattened().iter().map(|x| x.to_bits()).collect::<Vec<_>>()
    );
    let error = read_npy::<2>(&path).unwrap_err().to_string();
    assert!(error.ends_with("expected rows of 2 numbers, found [2, 3], C"), "{error}");
    fs::remove_file(path).unwrap();
}
