//! Weights through streams and in files: the outcomes of slices, whatever the stream does; and a save that is cut off, or
//! finds no room, leaves the old file.
#![cfg(feature = "files")]

mod common;

use chainrule::weights::{self, Checkpoints, StreamError, WeightsError};
use chainrule::*;
use common::bits;
use std::fs;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

type Net = (Dense<2, 3, Tanh>, Dense<3, 1>);
type Run = Trainer<Net, Adam, 2>;
const LENGTH: usize = weights::length::<Net>();

fn adam() -> Adam {
    Adam::new(0.01).unwrap()
}

fn trained(seed: u64) -> Box<Run> {
    let mut trainer = Run::boxed();
    trainer.init(seed);
    trainer.epoch(&adam(), &MeanSquaredError, &[[0.0, 1.0], [1.0, 2.0], [0.5, 0.0]], &[[1.0], [0.0], [2.0]]).unwrap();
    trainer
}

fn checkpoint(seed: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    trained(seed).write_checkpoint_to(&adam(), &mut bytes).unwrap();
    assert_eq!(bytes.len(), Run::CHECKPOINT_LENGTH);
    bytes
}

fn network(seed: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    weights::write_to(&Net::new(seed), &mut bytes).unwrap();
    assert_eq!(bytes.len(), LENGTH);
    bytes
}

// ---------------------------------------------------------------- streams

/// Hands out so many bytes at a time, is interrupted before each, and fails after `end` of them.
struct Trickle<'a> {
    bytes: &'a [u8],
    step: usize,
    end: usize,
    interrupt: bool,
}

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupt = !self.interrupt;
        if self.interrupt {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.end == 0 {
            return Err(io::Error::other("the cable"));
        }
        let count = self.step.min(self.end);
        let count = (&self.bytes[..count.min(self.bytes.len())]).read(buffer)?;
        (self.bytes, self.end) = (&self.bytes[count..], self.end - count);
        Ok(count)
    }
}

/// From a stream as from a slice: the same outcome, the same error, and nothing changed by it.
#[track_caller]
fn as_slice(bytes: &[u8], step: usize) {
    let source = || Trickle { bytes, step, end: usize::MAX, interrupt: false };
    let (mut one, mut other) = (Net::new(9), Net::new(9));
    let expected = weights::read(&mut one, bytes);
    match weights::read_from(&mut other, source()) {
        Err(StreamError::Weights(error)) => assert_eq!(Err(error), expected),
        result => assert!(result.is_ok() && expected.is_ok(), "{result:?} for {expected:?}"),
    }
    assert_eq!(bits(&one), bits(&other));
    let (mut one, mut other) = (trained(9), trained(9));
    let expected = one.read_checkpoint(&adam(), bytes);
    match other.read_checkpoint_from(&adam(), source()) {
        Err(StreamError::Weights(error)) => assert_eq!(Err(error), expected),
        result => assert!(result.is_ok() && expected.is_ok(), "{result:?} for {expected:?}"),
    }
    assert_eq!((bits(&one.network), bits(one.state())), (bits(&other.network), bits(other.state())));
    assert_eq!((one.seed(), one.steps(), one.epochs()), (other.seed(), other.steps(), other.epochs()));
}

#[test]
fn streams_are_as_slices() {
    for file in [network(1), checkpoint(1)] {
        for step in [1, 3, 64, 1000] {
            as_slice(&file, step);
        }
        for length in 0..file.len() {
            as_slice(&file[..length], 64);
        }
        as_slice(&[&file[..], &[0]].concat(), 64);
        for bit in 0..8 * file.len() {
            let mut file = file.clone();
            file[bit / 8] ^= 1 << (bit % 8);
            as_slice(&file, 64);
        }
        // Behind a right checksum: numbers that are not finite, and padding that is not zero.
        for (at, bytes) in [(file.len() - 1, &[1][..]), (file.len() - 64, &[0, 0, 0x80, 0x7f])] {
            let mut file = file.clone();
            file[at..at + bytes.len()].copy_from_slice(bytes);
            let body = crc32fast::hash(&file[64..]);
            file[56..60].copy_from_slice(&body.to_le_bytes());
            let header = crc32fast::hash(&file[..60]);
            file[60..64].copy_from_slice(&header.to_le_bytes());
            as_slice(&file, 64);
        }
    }
}

#[test]
fn a_stream_that_fails() {
    for file in [network(1), checkpoint(1)] {
        for end in 0..file.len() {
            let source = || Trickle { bytes: &file, step: 7, end, interrupt: false };
            let mut net = Net::new(9);
            let error = weights::read_from(&mut net, source()).unwrap_err();
            assert!(matches!(error, StreamError::Io(_)) && error.to_string() == "the cable", "{end}: {error}");
            assert_eq!(net, Net::new(9));
            let mut trainer = trained(9);
            assert!(trainer.read_checkpoint_from(&adam(), source()).is_err());
            assert_eq!(bits(&trainer.network), bits(&trained(9).network));
        }
    }
    // Writing: what is not finite never begins, a full medium is told.
    let mut bad = Net::new(1);
    bad.1.bias[0] = f32::NAN;
    let mut bytes = Vec::new();
    assert!(matches!(weights::write_to(&bad, &mut bytes), Err(StreamError::Weights(WeightsError::NotFinite { .. }))));
    assert!(bytes.is_empty());
    let mut place = [0; LENGTH];
    for room in 0..LENGTH {
        let error = weights::write_to(&Net::new(1), &mut place[..room]).unwrap_err();
        assert!(matches!(&error, StreamError::Io(error) if error.kind() == io::ErrorKind::WriteZero), "{error}");
    }
    weights::write_to(&Net::new(1), &mut place[..]).unwrap();
}

/// More than one filling of the buffer, with a last one that is not full.
#[test]
fn a_network_of_many_chunks() {
    type Wide = Dense<700, 300, Tanh, f64>;
    let mut network = Wide::boxed();
    network.init(&mut Random::new(3, 0));
    let mut bytes = Vec::new();
    weights::write_to(&*network, &mut bytes).unwrap();
    assert!(*weights::read_boxed::<Wide>(&bytes[..]).unwrap() == *network);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let error = weights::read_boxed::<Wide>(&bytes[..]).unwrap_err();
    assert!(matches!(error, StreamError::Weights(WeightsError::Checksum { .. })), "{error}");
}

// ---------------------------------------------------------------- files

/// A folder of this test alone, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn saved_and_loaded() {
    let folder = folder("saved_and_loaded");
    let path = folder.join("model.crn");
    weights::save(&Net::new(1), &path).unwrap();
    assert_eq!(*weights::load::<Net>(&path).unwrap(), Net::new(1));
    // Over the file that is still open as the source: its reader sees the old one to the end.
    let mut source = fs::File::open(&path).unwrap();
    trained(2).save(&adam(), &path).unwrap();
    let mut old = Vec::new();
    source.read_to_end(&mut old).unwrap();
    assert!(old == network(1));
    let mut trainer = Run::boxed();
    trainer.load(&adam(), &path).unwrap();
    assert!(fs::read(&path).unwrap() == checkpoint(2) && trainer.network == trained(2).network);
    assert_eq!(*weights::load::<Net>(&path).unwrap(), trainer.network);
    assert_eq!(files(&folder), 1);
}

/// Run by `cut_off_at_every_byte` in a process of its own.
#[test]
#[ignore = "saves where another test wants it"]
fn child_saves() {
    if let Err(error) = trained(2).save(&adam(), std::env::var_os("SAVE_TO").unwrap()) {
        println!("refused: {error}");
    }
}

/// Saves over `path` in a process whose files may hold `bytes` bytes; the kernel kills it when it writes more, or, when
/// told so, refuses. Returns whether it ended by itself, and what it said.
#[cfg(target_os = "linux")]
fn save_within(bytes: usize, path: &Path, killed: bool) -> (bool, String) {
    let signal = if killed { "-" } else { "''" };
    let script = format!(r#"trap {signal} XFSZ; exec prlimit --core=0 --fsize={bytes} "$0" "$@""#);
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "child_saves", "--nocapture"])
        .env("SAVE_TO", path)
        .env("LLVM_PROFILE_FILE", "/dev/null")
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
#[cfg(target_os = "linux")]
fn cut_off_at_every_byte() {
    let folder = folder("cut_off_at_every_byte");
    let path = folder.join("model.crn");
    trained(1).save(&adam(), &path).unwrap();
    let (old, new) = (checkpoint(1), checkpoint(2));
    for bytes in 0..new.len() {
        let (ended, _) = save_within(bytes, &path, true);
        assert!(!ended, "it should have been cut off at byte {bytes}");
        assert!(fs::read(&path).unwrap() == old, "cut off at byte {bytes}");
    }
    let (ended, said) = save_within(new.len(), &path, true);
    assert!(ended && !said.contains("refused"), "{said}");
    assert!(fs::read(&path).unwrap() == new);
}

#[test]
#[cfg(target_os = "linux")]
fn no_room() {
    let folder = folder("no_room");
    let path = folder.join("model.crn");
    trained(1).save(&adam(), &path).unwrap();
    for bytes in (0..Run::CHECKPOINT_LENGTH).step_by(16) {
        let (ended, said) = save_within(bytes, &path, false);
        assert!(ended && said.contains("refused: ") && said.contains("model.crn: File too large"), "{said}");
        assert!(fs::read(&path).unwrap() == checkpoint(1), "{bytes} bytes");
        assert_eq!(files(&folder), 1, "nothing is left behind");
    }
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert!(weights::write_to(&Net::new(1), full).unwrap_err().to_string().contains("No space left"));
}

#[test]
fn no_such_place() {
    let folder = folder("no_such_place");
    let missing = folder.join("missing/model.crn");
    let directory = folder.join("directory");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("kept"), "kept").unwrap();
    for path in [&missing, &directory] {
        let error = weights::save(&Net::new(1), path).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{}: ", path.display())), "{error}");
        let error = weights::load::<Net>(path).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{}: ", path.display())), "{error}");
        assert!(trained(1).save(&adam(), path).is_err() && trained(1).load(&adam(), path).is_err());
    }
    assert_eq!((files(&folder), fs::read_to_string(directory.join("kept")).unwrap()), (1, "kept".into()));
    // A file system that takes no files, from nobody.
    #[cfg(target_os = "linux")]
    assert!(weights::save(&Net::new(1), "/proc/model.crn").is_err());
}

#[test]
fn the_best_and_the_last() {
    let folder = folder("the_best_and_the_last");
    let mut checkpoints = Checkpoints::new(folder.join("model.crn"));
    assert_eq!(checkpoints.best(), folder.join("model.best.crn"));
    assert_eq!(Checkpoints::new("model").best(), Path::new("model.best"));
    let mut trainer = Run::boxed();
    trainer.init(3);
    let (inputs, targets) = ([[0.0, 1.0], [1.0, 2.0], [0.5, 0.0]], [[1.0], [0.0], [2.0]]);
    let mut best = None;
    let mut losses = [3.0, f64::NAN, 1.0, 2.0].into_iter();
    let fit = |trainer: &mut Run, checkpoints: &mut Checkpoints, best: &mut Option<Net>, loss: f64| {
        trainer
            .fit(&adam(), &MeanSquaredError, &inputs, &targets, 1, |trainer, _| {
                if checkpoints.save(trainer, &adam(), loss).unwrap() {
                    *best = Some(trainer.network.clone());
                }
                ControlFlow::Continue(())
            })
            .unwrap();
    };
    losses.by_ref().for_each(|loss| fit(&mut trainer, &mut checkpoints, &mut best, loss));
    let third = best.clone().unwrap();
    assert_eq!(*weights::load::<Net>(checkpoints.best()).unwrap(), third);
    assert_eq!(*weights::load::<Net>(checkpoints.last()).unwrap(), trainer.network);

    // Another process: the lowest loss is known.
    let mut checkpoints = Checkpoints::new(folder.join("model.crn"));
    let mut resumed = Run::boxed();
    checkpoints.resume(&mut resumed, &adam()).unwrap();
    assert_eq!((resumed.epochs(), resumed.seed()), (4, 3));
    fit(&mut resumed, &mut checkpoints, &mut best, 1.5);
    assert_eq!(*weights::load::<Net>(checkpoints.best()).unwrap(), third);
    fit(&mut resumed, &mut checkpoints, &mut best, 0.5);
    assert_eq!(*weights::load::<Net>(checkpoints.best()).unwrap(), resumed.network);
}

/// What is written is told to the user as any other error.
#[test]
fn what_is_not_finite_is_not_saved() {
    let folder = folder("what_is_not_finite_is_not_saved");
    let path = folder.join("model.crn");
    trained(1).save(&adam(), &path).unwrap();
    let mut bad = trained(2);
    bad.network.0.weights[(1, 1)] = f32::INFINITY;
    let error = bad.save(&adam(), &path).unwrap_err().to_string();
    assert!(error.ends_with("`0.weights`, element 4: expected a finite number, found one that is not"), "{error}");
    assert!(fs::read(&path).unwrap() == checkpoint(1) && files(&folder) == 1);
    // Whatever is in the place of a file.
    for bytes in [&b""[..], b"text", &[0xff; 500]] {
        fs::File::create(&path).unwrap().write_all(bytes).unwrap();
        let error = weights::load::<Net>(&path).unwrap_err().to_string();
        assert!(error.contains("model.crn: expected ") && error.contains("found "), "{error}");
    }
}
