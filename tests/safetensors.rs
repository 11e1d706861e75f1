//! safetensors: names, layout, both widths of numbers, renaming; all differences in one message; hostile files.
#![cfg(feature = "safetensors")]

#[path = "common/counting.rs"]
mod counting;

use ::safetensors::{Dtype, SafeTensors};
use chainrule::weights::safetensors::{self, Difference, SafetensorsError};
use chainrule::{
    Dense, Dropout, Frozen, Identity, LayerNorm, Parameters, Prelu, Random, Relu, Residual, Role, Scale, Strict, Tanh,
    Tensor, Vector, Zeroed, network, parameters,
};
use counting::counts;

network! {
    /// Three numbers to four, by way of a network in a network.
    struct Inner<T = f32>: 3 => 4 {
        entry: Frozen<Dense<3, 4, Tanh, T>>,
        norm: LayerNorm<4, T>,
    }
}

network! {
    /// Every layer that has parameters, and one that has none.
    struct Net<T = f32>: 3 => 1 {
        scale: Scale<3, T>,
        body: Inner<T>,
        slopes: Prelu<4, T>,
        skip: Residual<Dense<4, 4, Tanh, T>>,
        block: Residual<(Dense<4, 2, Relu, T>, Dense<2, 4, Identity, T>)>,
        off: Dropout<1, 4, T>,
        narrow: Dense<4, 1, Tanh, T>,
        output: Dense<1, 1, Identity, T>,
    }
}

const NAMES: [(&str, &[usize]); 18] = [
    ("block.0.bias", &[2]),
    ("block.0.weight", &[2, 4]),
    ("block.1.bias", &[4]),
    ("block.1.weight", &[4, 2]),
    ("body.entry.bias", &[4]),
    ("body.entry.weight", &[4, 3]),
    ("body.norm.bias", &[4]),
    ("body.norm.weight", &[4]),
    ("narrow.bias", &[1]),
    ("narrow.weight", &[1, 4]),
    ("output.bias", &[1]),
    ("output.weight", &[1, 1]),
    ("scale.center", &[3]),
    ("scale.factor", &[3]),
    ("scale.offset", &[3]),
    ("skip.bias", &[4]),
    ("skip.weight", &[4, 4]),
    ("slopes.weight", &[4]),
];

/// Other numbers in every place.
fn net<T: chainrule::Scalar>(seed: u64) -> Net<T> {
    let mut net = Net::<T>::ZEROED;
    let mut random = Random::new(seed, 0);
    for i in 0..Net::<T>::SLICES {
        net.slice_mut(i).fill_with(|| T::from_f64(random.normal()));
    }
    net
}

fn bits(net: &Net) -> Vec<u32> {
    (0..Net::<f32>::SLICES).flat_map(|i| net.slice(i).iter().map(|x| x.to_bits())).collect()
}

/// A file from a header in JSON and so many bytes behind it.
fn file(header: &str, data: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; data]].concat()
}

/// `read` does not take the bytes, changes nothing, and allocates little.
#[track_caller]
fn refused(bytes: &[u8]) -> SafetensorsError {
    let before = net(9);
    let mut network = before.clone();
    let (counts, result) = counts(|| safetensors::read(&mut network, bytes));
    let error = result.unwrap_err();
    assert_eq!(bits(&network), bits(&before), "the network has changed");
    let limit = 16 * 1024 + 16 * bytes.len() as isize;
    assert!(counts.peak <= limit, "{} bytes allocated for a file of {}", counts.peak, bytes.len());
    let message = error.to_string();
    assert!(message.contains("expected") && message.contains("found"), "{message}");
    error
}

fn differences(error: SafetensorsError) -> Vec<(String, Difference)> {
    match error {
        SafetensorsError::Tensors(errors) => errors.into_iter().map(|e| (e.name, e.difference)).collect(),
        other => panic!("{other}"),
    }
}

#[test]
fn names_and_shapes_are_those_of_pytorch() {
    let file = safetensors::write(&net::<f32>(1)).unwrap();
    let tensors = SafeTensors::deserialize(&file).unwrap();
    let mut names = tensors.names();
    names.sort_unstable();
    assert_eq!(names, NAMES.map(|(name, _)| name));
    for (name, shape) in NAMES {
        let tensor = tensors.tensor(name).unwrap();
        assert_eq!((tensor.shape(), tensor.dtype()), (shape, Dtype::F32), "{name}");
    }
}

/// Element (j, k) of weights that are [OUT, IN] is the one that weighs input k on neuron j.
#[test]
fn layout_is_that_of_pytorch() {
    let mut layer = Dense::<3, 2, Identity>::ZEROED;
    for j in 0..2 {
        for k in 0..3 {
            layer.weights[(j, k)] = (10 * j + k) as f32;
        }
    }
    let file = safetensors::write(&layer).unwrap();
    let expected: Vec<u8> = [0.0, 1.0, 2.0, 10.0, 11.0, 12.0_f32].iter().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(SafeTensors::deserialize(&file).unwrap().tensor("weight").unwrap().data(), expected);
    let mut read = Dense::<3, 2, Identity>::new(1);
    safetensors::read(&mut read, &file).unwrap();
    assert_eq!(read, layer);
}

#[test]
fn written_read_and_written_again() {
    fn check<T: chainrule::weights::Stored>() {
        let original = net::<T>(1);
        let file = safetensors::write(&original).unwrap();
        let mut network = net::<T>(2);
        safetensors::read(&mut network, &file).unwrap();
        assert!(network == original);
        assert_eq!(safetensors::write(&network).unwrap(), file);
    }
    check::<f32>();
    check::<f64>();
    check::<Strict<f32>>();
    check::<Strict<f64>>();
}

/// To `f64` exactly, −0 and subnormal numbers too; to `f32` as `as` rounds.
#[test]
fn both_widths_into_both_scalars() {
    let mut narrow = net::<f32>(1);
    narrow.slopes.slope = Vector::from([-0.0, f32::MAX, 1e-45, -f32::MIN_POSITIVE]);
    let mut wide = Net::<f64>::ZEROED;
    safetensors::read(&mut wide, &safetensors::write(&narrow).unwrap()).unwrap();
    let mut exact = Net::<f64>::ZEROED;
    exact.convert_from(&narrow);
    assert!(wide == exact && wide.slopes.slope[0].is_sign_negative());

    let wide = net::<f64>(3);
    let mut narrow = Net::<f32>::ZEROED;
    safetensors::read(&mut narrow, &safetensors::write(&wide).unwrap()).unwrap();
    for i in 0..Net::<f32>::SLICES {
        let rounded: Vec<f32> = wide.slice(i).iter().map(|x| *x as f32).collect();
        assert_eq!(narrow.slice(i), rounded);
    }

    // What `f32` cannot hold.
    let mut wide = net::<f64>(3);
    wide.skip.0.weights[(1, 2)] = 1e39;
    let found = differences(refused(&safetensors::write(&wide).unwrap()));
    assert_eq!(found, [("skip.weight".into(), Difference::NotFinite { element: 4 + 2 })]);
}

#[test]
fn foreign_names() {
    let original = net::<f32>(1);
    let file = safetensors::write_renamed(&original, |name| format!("module.{name}")).unwrap();
    assert_eq!(differences(refused(&file)).len(), 2 * NAMES.len());
    let strip = |name: &str| name.strip_prefix("module.").map(String::from);
    let mut network = Net::ZEROED;
    safetensors::read_renamed(&mut network, &file, strip).unwrap();
    assert!(network == original);

    // What renaming leaves out is missing; what it makes equal is double.
    let before = network.clone();
    let without = |name: &str| strip(name).filter(|name| name != "skip.bias");
    let found = differences(safetensors::read_renamed(&mut network, &file, without).unwrap_err());
    let missing = Difference::Missing { dtype: "F32".into(), shape: [4].into() };
    assert_eq!(found, [("skip.bias".into(), missing)]);
    let double = |name: &str| strip(name).map(|name| name.replace("narrow.bias", "output.bias"));
    let found = differences(safetensors::read_renamed(&mut network, &file, double).unwrap_err());
    assert_eq!(found[0], ("output.bias".into(), Difference::Duplicate));
    let found = differences(safetensors::write_renamed(&network, |_| "same".into()).unwrap_err());
    assert_eq!(found.len(), NAMES.len() - 1);
    assert!(network == before);
}

/// Every difference at once, each with what was expected and what was found.
#[test]
fn all_differences_in_one_message() {
    let (a, b, c, d) = ([0; 24], [0; 4], [0; 16], [f32::NAN; 2]);
    let d: Vec<u8> = d.iter().flat_map(|x| x.to_le_bytes()).collect();
    let header = r#"{"__metadata__":{"format":"pt"},
        "hidden.weight":{"dtype":"F32","shape":[3,2],"data_offsets":[0,24]},
        "hidden.bias":{"dtype":"BF16","shape":[2],"data_offsets":[24,28]},
        "extra\n":{"dtype":"I64","shape":[1,2],"data_offsets":[28,44]},
        "output.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[44,52]}}"#;
    let mut bytes = file(header, 0);
    bytes.extend([&a[..], &b, &c, &d].concat());
    network! {
        struct Small<T = f32>: 3 => 1 {
            hidden: Dense<3, 2, Tanh, T>,
            output: Dense<2, 1, Identity, T>,
        }
    }
    let mut network = Small::<f32>::new(1);
    let error = safetensors::read(&mut network, &bytes).unwrap_err();
    assert!(network == Small::new(1));
    assert_eq!(
        error.to_string(),
        "expected the tensors of the network, found 5 differences:
  `hidden.weight`: expected the shape [2, 3], found [3, 2]: transposed?
  `hidden.bias`: expected F32 or F64, found BF16: convert it before it is saved, in PyTorch by `tensor.float()`
  `output.weight`: element 0: expected a finite number of the network's scalar, found none
  `output.bias`: expected F32 [1], found no such tensor
  `extra\\n`: expected no such tensor, found I64 [1, 2]"
    );
}

#[test]
fn nothing_that_is_not_finite_is_written() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut network = net(1);
        network.narrow.weights[(0, 3)] = value;
        let found = differences(safetensors::write(&network).unwrap_err());
        assert_eq!(found, [("narrow.weight".into(), Difference::NotFinite { element: 3 })]);
    }
}

parameters! {
    /// A layer whose fields have one name in PyTorch's words.
    struct Twice<const N: usize, T = f32> {
        weights: Vector<N, T> = Role::Weight,
        gain: Vector<N, T> = Role::Scale,
    }
}

impl<const N: usize, T: chainrule::Scalar> Parameters for Twice<N, T> {
    fn init(&mut self, _: &mut Random) {}
}

#[test]
fn two_blocks_of_one_name_are_not_written() {
    let found = differences(safetensors::write(&Twice::<2>::new(1)).unwrap_err());
    assert_eq!(found, [("weight".into(), Difference::Duplicate)]);
}

#[test]
fn every_proper_prefix_and_one_byte_more() {
    let file = safetensors::write(&net::<f32>(1)).unwrap();
    for length in 0..file.len() {
        match refused(&file[..length]) {
            SafetensorsError::Length { expected, found } => assert!(found == length as u64 && expected > found),
            other => panic!("{length}: {other}"),
        }
    }
    let error = SafetensorsError::Length { expected: file.len() as u64, found: file.len() as u64 + 1 };
    assert_eq!(refused(&[&file[..], &[0]].concat()), error);
}

/// In the length and the header every flipped bit is found. The numbers have no checksum in this format: a flipped bit is
/// another number there, in one place.
#[test]
fn every_flipped_bit() {
    let original = net(1);
    let file = safetensors::write(&original).unwrap();
    let header = 8 + usize::from(u16::from_le_bytes([file[0], file[1]]));
    for bit in 0..8 * header {
        let mut file = file.clone();
        file[bit / 8] ^= 1 << (bit % 8);
        refused(&file);
    }
    for bit in 8 * header..8 * file.len() {
        let mut file = file.clone();
        file[bit / 8] ^= 1 << (bit % 8);
        let mut network = Net::ZEROED;
        match safetensors::read(&mut network, &file) {
            Ok(()) => {
                let differ = |(a, b): &(u32, u32)| a != b;
                assert_eq!(bits(&network).into_iter().zip(bits(&original)).filter(differ).count(), 1);
            }
            Err(error) => {
                let found = differences(error);
                assert!(matches!(found[..], [(_, Difference::NotFinite { .. })]), "{found:?}");
            }
        }
    }
}

#[test]
fn lengths_of_headers_that_lie() {
    for length in [u64::MAX, u64::MAX - 8, 1 << 63, 1 << 32, 100_000_001, 3] {
        let mut bytes = file("{}", 0);
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        let error = SafetensorsError::Length { expected: length.saturating_add(8), found: 10 };
        assert_eq!(refused(&bytes), error);
    }
}

/// Places that overlap, leave gaps, run backwards, overflow, or do not suit shape and type.
#[test]
fn offsets_shapes_and_types_that_lie() {
    let tensor = |shape: &str, offsets: &str| {
        file(&format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#), 16)
    };
    let max = u64::MAX;
    for (shape, offsets) in [
        ("[3]", "[0,16]"),
        ("[5]", "[0,16]"),
        ("[4,0]", "[0,16]"),
        ("[]", "[0,16]"),
        ("[3]", "[4,16]"),
        ("[4]", "[16,0]"),
        ("[4]", &format!("[{max},15]")),
        ("[4]", &format!("[0,{max}]")),
        (&format!("[{max}]"), "[0,16]"),
        (&format!("[{max},{max},{max},{max}]"), "[0,16]"),
        ("[4294967296,4294967296]", "[0,0]"),
        ("[4611686018427387905]", "[0,4]"),
    ] {
        let found = differences(refused(&tensor(shape, offsets)));
        assert!(matches!(&found[..], [(_, Difference::Offsets { .. })]), "{shape} {offsets}: {found:?}");
    }
    // The offset of the end of a file that long; the sum with what lies before it overflows.
    let bytes = format!(r#"{{"a":{{"dtype":"U8","shape":[{max}],"data_offsets":[0,{max}]}}}}"#);
    assert_eq!(refused(&file(&bytes, 0)), SafetensorsError::Length { expected: max, found: 8 + bytes.len() as u64 });

    for (a, b) in [("[0,8]", "[0,8]"), ("[0,8]", "[4,12]"), ("[0,8]", "[12,20]"), ("[8,16]", "[16,24]")] {
        let header = format!(
            r#"{{"a":{{"dtype":"F32","shape":[2],"data_offsets":{a}}},"b":{{"dtype":"F32","shape":[2],"data_offsets":{b}}}}}"#
        );
        let found = differences(refused(&file(&header, 24)));
        assert!(matches!(&found[..], [(_, Difference::Offsets { .. })]), "{a} {b}: {found:?}");
    }
}

#[test]
fn headers_that_are_none() {
    let deep = |name: &str| format!("{{\"{name}\":{}", "[".repeat(1_000_000));
    let tensor = r#"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
    for header in [
        "",
        "[]",
        "null",
        "7",
        "{",
        "{}x",
        "\u{0}",
        r#"{"a":1}"#,
        r#"{"a":{}}"#,
        r#"{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}"#,
        r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
        r#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#,
        r#"{"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}}"#,
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#,
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#,
        r#"{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
        &format!(r#"{{"\ud800":{tensor}}}"#),
        &deep("a"),
        &deep("__metadata__"),
    ] {
        let error = refused(&file(header, 4));
        assert!(matches!(error, SafetensorsError::Header(_)), "{}: {error}", &header[..header.len().min(80)]);
    }
    let mut not_utf8 = file(&format!(r#"{{"a":{tensor}}}"#), 4);
    not_utf8[10] = 0xff;
    assert!(matches!(refused(&not_utf8), SafetensorsError::Header(_)));
}

/// Of two tensors of one name neither is taken, be they in one place or in two.
#[test]
fn duplicate_names() {
    let tensor = |at: usize| format!(r#""output.bias":{{"dtype":"F32","shape":[1],"data_offsets":[{at},{}]}}"#, at + 4);
    let found = differences(refused(&file(&format!("{{{},{}}}", tensor(0), tensor(4)), 8)));
    assert_eq!(found[0], ("output.bias".into(), Difference::Duplicate));
    let found = differences(refused(&file(&format!("{{{},{}}}", tensor(0), tensor(0)), 4)));
    assert!(matches!(&found[..], [(_, Difference::Offsets { .. })]), "{found:?}");
}

/// A megabyte of header is worth a few megabytes, not more.
#[test]
fn many_tensors_and_long_shapes() {
    let many: Vec<String> =
        (0..20_000).map(|i| format!(r#""{i}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#)).collect();
    assert_eq!(differences(refused(&file(&format!("{{{}}}", many.join(",")), 0))).len(), 20_000 + NAMES.len());
    let long = vec!["1"; 500_000].join(",");
    let header = format!(r#"{{"a":{{"dtype":"F32","shape":[{long}],"data_offsets":[0,4]}}}}"#);
    assert_eq!(differences(refused(&file(&header, 4))).len(), 1 + NAMES.len());
}
