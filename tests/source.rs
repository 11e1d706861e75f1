//! Weights as Rust source: it compiles without `std` and without this crate, and every bit is kept.

use chainrule::weights::{self, Stored};
use chainrule::{Dense, Identity, Matrix, Parameters, Random, Residual, Tanh, Tensor, Vector, Zeroed, network};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

network! {
    struct Net<T = f32>: 2 => 1 {
        hidden: Dense<2, 3, Tanh, T>,
        skip: Residual<(Dense<3, 1, Tanh, T>, Dense<1, 3, Identity, T>)>,
        output: Dense<3, 1, Identity, T>,
    }
}

const NAMES: [&str; 8] = [
    "HIDDEN_WEIGHTS",
    "HIDDEN_BIAS",
    "SKIP_0_WEIGHTS",
    "SKIP_0_BIAS",
    "SKIP_1_WEIGHTS",
    "SKIP_1_BIAS",
    "OUTPUT_WEIGHTS",
    "OUTPUT_BIAS",
];

fn source<T: Stored>(net: &Net<T>) -> String {
    let mut source = String::new();
    weights::write_source(net, &mut source).unwrap();
    source
}

/// What rustc makes of `source`.
fn compile(source: &str, name: &str, kind: &str) -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (input, output) = (folder.join(format!("{name}.rs")), folder.join(name));
    fs::write(&input, source).unwrap();
    let mut rustc = Command::new(env::var("RUSTC").unwrap_or("rustc".into()));
    rustc.args(["--edition", "2024", "--crate-type", kind, "-D", "warnings", "-o"]).arg(&output).arg(&input);
    let result = rustc.output().unwrap();
    assert!(result.status.success(), "{}", String::from_utf8_lossy(&result.stderr));
    output
}

/// The bits that a program made of the source finds are those of the network: special values, NaN and its payload, and
/// a thousand patterns of bits.
#[test]
fn the_compiler_reads_every_bit() {
    fn check<T: Stored>(from_bits: fn(u64) -> T, to_bits: fn(T) -> u64, special: &[u64], name: &str) {
        let mut net = Net::<T>::ZEROED;
        let mut random = Random::new(1, 0);
        let (mut text, mut main, mut expected) = (String::new(), String::new(), String::new());
        let mut special = special.iter();
        for round in 0..40 {
            for i in 0..Net::<T>::SLICES {
                for x in net.slice_mut(i) {
                    let draw = u64::from(random.word()) << 32 | u64::from(random.word());
                    *x = from_bits(special.next().copied().unwrap_or(draw));
                    writeln!(expected, "{:x}", to_bits(*x)).unwrap();
                }
                let name = NAMES[i];
                writeln!(main, "for x in m{round}::{name}.as_flattened() {{ println!(\"{{:x}}\", x.to_bits()); }}")
                    .unwrap();
            }
            writeln!(text, "pub mod m{round} {{\n{}}}", source(&net)).unwrap();
        }
        compile(&format!("#![no_std]\n{text}"), &format!("lib{name}"), "lib");
        let program = compile(&format!("{text}fn main() {{\n{main}}}"), name, "bin");
        let found = String::from_utf8(Command::new(program).output().unwrap().stdout).unwrap();
        assert!(expected.lines().count() > 800 && found == expected);
    }
    let special =
        [0.0, -0.0, 1e-45, -1e-45, f32::MIN_POSITIVE, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 0.1];
    let special = special.map(|x: f32| u64::from(x.to_bits())).into_iter().chain([0x7fa0_1234, 0xffc0_0001]);
    check(|bits| f32::from_bits(bits as u32), |x| x.to_bits().into(), &special.collect::<Vec<_>>(), "source_f32");
    let special = [0.0, -0.0, 5e-324, f64::MIN_POSITIVE, f64::MAX, f64::INFINITY, f64::NAN, 0.1];
    let special = special.map(f64::to_bits).into_iter().chain([0x7ff4_0000_0000_1234, 0xfff8_0000_0000_0001]);
    check(f64::from_bits, f64::to_bits, &special.collect::<Vec<_>>(), "source_f64");
}

#[path = "golden/model.rs"]
mod model;

/// In no program's start-up code: the linker places it in flash.
static NET: Net = Net {
    hidden: Dense::from_parts(Matrix::from_columns(model::HIDDEN_WEIGHTS), Vector::from_columns(model::HIDDEN_BIAS)),
    skip: Residual((
        Dense::from_parts(Matrix::from_columns(model::SKIP_0_WEIGHTS), Vector::from_columns(model::SKIP_0_BIAS)),
        Dense::from_parts(Matrix::from_columns(model::SKIP_1_WEIGHTS), Vector::from_columns(model::SKIP_1_BIAS)),
    )),
    output: Dense::from_parts(Matrix::from_columns(model::OUTPUT_WEIGHTS), Vector::from_columns(model::OUTPUT_BIAS)),
};

/// The source committed in `golden/` is a network in a `static`; `UPDATE=1` writes it anew.
#[test]
fn a_network_in_a_static() {
    let net = Net::new(1);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/model.rs");
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, source(&net)).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), source(&net));
    assert!(NET == net);
}
