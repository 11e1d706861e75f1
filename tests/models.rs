//! The examples `digits` and `classify` as a user runs them: saved, resumed and loaded in other processes, and an error in
//! words for every file that is not a model.
#![cfg(feature = "files")]

use chainrule::weights;
use chainrule::{Dense, Identity, Parameters, Tanh, network};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// The folder of the two programs, built as these tests are.
static PROGRAMS: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap();
    let profile = match folder.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        profile => profile,
    };
    let build = ["build", "--quiet", "--profile", profile, "--example", "digits", "--example", "classify"];
    let into = folder.parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    assert!(cargo.args(build).arg("--target-dir").arg(into).status().unwrap().success());
    folder.join("examples")
});

fn program(name: &str) -> Command {
    Command::new(PROGRAMS.join(name))
}

/// A folder of this test alone, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("models").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn digits(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = program("digits");
    command.current_dir(folder).args(["--epochs", "12"]).args(arguments);
    command
}

#[track_caller]
fn succeeds(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// Fails with one line that begins with `error: `; returns the rest of it.
#[track_caller]
fn fails(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let message = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{message}");
    assert!(stdout.is_empty(), "{}", String::from_utf8_lossy(&stdout));
    let message = message.strip_prefix("error: ").unwrap().trim_end();
    assert!(!message.contains('\n'), "{message}");
    message.to_owned()
}

/// How many epochs a checkpoint has, if there is one yet.
fn epochs(path: &Path) -> u64 {
    fs::read(path).map_or(0, |bytes| u64::from_le_bytes(bytes[40..48].try_into().unwrap()))
}

#[test]
fn a_run_that_is_killed_and_resumed_has_the_bytes_of_one_that_was_not() {
    let (whole, killed) = (folder("whole"), folder("killed"));
    let said = succeeds(&mut digits(&whole, &["--seed", "5", "--save", "model.crn"]));
    assert!(said.contains("model.crn") && said.contains("model.best.crn"), "{said}");

    let model = killed.join("model.crn");
    let mut child = digits(&killed, &["--seed", "5", "--save", "model.crn"]).spawn().unwrap();
    let start = Instant::now();
    while epochs(&model) < 2 {
        assert!(start.elapsed() < Duration::from_secs(120), "no checkpoint after two minutes");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!((2..12).contains(&epochs(&model)), "it was to be killed in the middle");
    let resumed = succeeds(&mut digits(&killed, &["--resume", "model.crn"]));

    assert_eq!(epochs(&model), 12);
    for file in ["model.crn", "model.best.crn"] {
        assert!(fs::read(whole.join(file)).unwrap() == fs::read(killed.join(file)).unwrap(), "{file}");
    }
    let accuracy = |said: &str| said.lines().find(|line| line.starts_with("test accuracy")).map(str::to_owned);
    assert_eq!(accuracy(&resumed), accuracy(&said));
    // Once more: there is nothing to do, and the result is told all the same.
    let again = succeeds(&mut digits(&killed, &["--resume", "model.crn"]));
    assert!(again.contains("has 12 epochs") && accuracy(&again) == accuracy(&said), "{again}");

    for file in ["model.crn", "model.best.crn"] {
        let said = succeeds(program("classify").arg(whole.join(file)));
        assert!(said.contains("digit 0 is a ") && said.contains("all 1797 digits"), "{said}");
        let share = said.rsplit_once(" % read right").unwrap().0.rsplit_once(' ').unwrap().1;
        assert!(share.parse::<f64>().unwrap() > 90.0, "{said}");
    }
    let said = fails(program("classify").arg(&model).args(["--digit", "1797"]));
    assert_eq!(said, "--digit: expected a number below 1797, found 1797");
    // Another learning rate is another run.
    let said = fails(&mut digits(&killed, &["--resume", "model.crn", "--learning-rate", "0.02"]));
    assert_eq!(said, "model.crn: learning_rate: expected 0.02, found 0.01");
    // The weights alone are not enough to go on from.
    let said = fails(&mut digits(&killed, &["--resume", "model.best.crn"]));
    assert_eq!(said, "model.best.crn: expected a checkpoint, found a network");
}

network! {
    /// Like the digits, with other shapes.
    struct Other<T = f32>: 64 => 10 {
        hidden: Dense<64, 31, Tanh, T>,
        output: Dense<31, 10, Identity, T>,
    }
}
network! {
    /// The network of the examples.
    struct Digits<T = f32>: 64 => 10 {
        hidden: Dense<64, 32, Tanh, T>,
        output: Dense<32, 10, Identity, T>,
    }
}

#[test]
fn every_wrong_file_is_an_error_in_words() {
    let folder = folder("wrong");
    let model = folder.join("model.crn");
    weights::save(&Digits::<f32>::new(1), &model).unwrap();
    succeeds(program("classify").arg(&model));
    let bytes = fs::read(&model).unwrap();
    let flipped = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 4;
        bytes
    };
    let mut other = Vec::new();
    weights::write_to(&Other::<f32>::new(1), &mut other).unwrap();
    let mut wide = Vec::new();
    weights::write_to(&Digits::<f64>::new(1), &mut wide).unwrap();
    let cases: [(&str, Vec<u8>, &str); 10] = [
        ("empty", vec![], "expected 9728 bytes, found 0"),
        ("truncated", bytes[..5000].to_vec(), "expected 9728 bytes, found 5000"),
        ("longer", [&bytes[..], &[0]].concat(), "expected 9728 bytes, found 9729"),
        ("picture", [b"\x89PNG\r\n\x1a\n".as_slice(), &bytes].concat(), "not a weights file"),
        ("erased", vec![0xff; bytes.len()], "erased memory?"),
        ("damaged header", flipped(20), "it was changed or damaged"),
        ("damaged", flipped(5000), "the weights were changed or damaged"),
        ("other network", other, "the weights of another network"),
        ("other scalar", wide, "expected weights in f32, found f64"),
        ("newer", flipped(10), "expected version 1 of the format, found 5"),
    ];
    for (name, bytes, expected) in cases {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        let said = fails(program("classify").arg(&path));
        assert!(said.starts_with(&format!("{}: expected ", path.display())) && said.contains(expected), "{said}");
        let said = fails(&mut digits(&folder, &["--resume", name]));
        assert!(said.starts_with(&format!("{name}: expected ")), "{said}");
    }
    for (name, expected) in [("missing.crn", "No such file"), (".", "Is a directory")] {
        assert!(fails(program("classify").current_dir(&folder).arg(name)).contains(expected));
        assert!(fails(&mut digits(&folder, &["--resume", name])).contains(expected));
    }
    // A place where nothing can be saved is told before anything is trained.
    for place in ["missing/model.crn", "."] {
        let said = fails(&mut digits(&folder, &["--save", place]));
        assert!(said.starts_with(&format!("{place}: ")), "{said}");
    }
}
