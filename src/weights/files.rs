//! Weights in files: a file is the old one or the new one, whatever happens while it is saved.

use super::stream::StreamError;
use super::{Stored, read_boxed, write_to};
use crate::layer::{Batch, Layer, Network};
use crate::{Optimizer, Parameters, Trainer};
use atomic_write_file::AtomicWriteFile;
use std::boxed::Box;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Why a file was not loaded or saved. A file that was there before is there still.
#[derive(Debug)]
pub struct FileError {
    /// Which file.
    pub path: PathBuf,
    /// What happened.
    pub error: StreamError,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.error)
    }
}

impl core::error::Error for FileError {}

/// Saves the weights of `network`. The bytes go into a temporary file beside the old one, are on the medium before they
/// take its name, and the name is on the medium when this returns: a power cut leaves the old file or the new one.
///
/// # Errors
///
/// [`FileError`], when a weight is NaN or infinite, or the file cannot be written; the old one is as before.
pub fn save<N: Parameters<Scalar: Stored>>(network: &N, path: impl AsRef<Path>) -> Result<(), FileError> {
    replace(path.as_ref(), |file| write_to(network, file))
}

/// Loads the network in a weights file, or a checkpoint, onto the heap.
///
/// # Errors
///
/// [`FileError`], when the file cannot be read or is not of this network.
pub fn load<N: Parameters<Scalar: Stored>>(path: impl AsRef<Path>) -> Result<Box<N>, FileError> {
    open(path.as_ref(), |file| read_boxed(file))
}

impl<N, O, const B: usize> Trainer<N, O, B>
where
    N: Network<Scalar: Stored> + Layer<Batch<N::InputSample, B>, Output = Batch<N::OutputSample, B>>,
    O: Optimizer + 'static,
{
    /// Saves a checkpoint, as [`weights::save`](crate::weights::save) does a network.
    ///
    /// # Errors
    ///
    /// [`FileError`]; the old file is as before.
    pub fn save(&self, optimizer: &O, path: impl AsRef<Path>) -> Result<(), FileError> {
        replace(path.as_ref(), |file| self.write_checkpoint_to(optimizer, file))
    }

    /// Takes the place of the trainer that saved the checkpoint, once all of it is verified.
    ///
    /// # Errors
    ///
    /// [`FileError`], when the file cannot be read or is no checkpoint of this network and this optimiser; the trainer
    /// is byte for byte as before.
    pub fn load(&mut self, optimizer: &O, path: impl AsRef<Path>) -> Result<(), FileError> {
        open(path.as_ref(), |file| self.read_checkpoint_from(optimizer, file))
    }
}

/// Keeps the last and the best of a training run: a checkpoint to resume from, and beside it, as `model.best.crn`, the
/// weights with the lowest loss so far.
///
/// ```no_run
/// use chainrule::weights::Checkpoints;
/// use chainrule::{Adam, Dense, MeanSquaredError, Trainer, Zeroed};
/// use std::ops::ControlFlow;
///
/// let (adam, inputs, targets) = (Adam::new(0.1)?, [[0.0], [1.0]], [[1.0], [3.0]]);
/// let mut trainer = Trainer::<Dense<1, 1>, Adam, 2>::boxed();
/// let mut checkpoints = Checkpoints::new("model.crn");
/// trainer.init(1); // or: checkpoints.resume(&mut trainer, &adam)?;
/// let mut saved = Ok(false);
/// trainer.fit(&adam, &MeanSquaredError, &inputs, &targets, 100, |trainer, loss| {
///     saved = checkpoints.save(trainer, &adam, loss.into());
///     if saved.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
/// })?;
/// saved?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Checkpoints {
    last: PathBuf,
    best: PathBuf,
    lowest_loss: f64,
}

impl Checkpoints {
    /// The last checkpoint goes to `path`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let last = path.into();
        let mut best = last.with_extension("best");
        if let Some(extension) = last.extension() {
            best.as_mut_os_string().push(".");
            best.as_mut_os_string().push(extension);
        }
        Self { last, best, lowest_loss: f64::INFINITY }
    }

    /// Where the last checkpoint is.
    #[must_use]
    pub fn last(&self) -> &Path {
        &self.last
    }

    /// Where the best weights are.
    #[must_use]
    pub fn best(&self) -> &Path {
        &self.best
    }

    /// Saves a checkpoint; before it the weights, if `loss` is the lowest so far, and then returns true. A NaN is never
    /// the lowest.
    ///
    /// # Errors
    ///
    /// [`FileError`]; the old file is as before.
    pub fn save<N, O, const B: usize>(
        &mut self,
        trainer: &Trainer<N, O, B>,
        optimizer: &O,
        loss: f64,
    ) -> Result<bool, FileError>
    where
        N: Network<Scalar: Stored> + Layer<Batch<N::InputSample, B>, Output = Batch<N::OutputSample, B>>,
        O: Optimizer + 'static,
    {
        let improved = loss < self.lowest_loss;
        if improved {
            save(&trainer.network, &self.best)?;
            self.lowest_loss = loss;
        }
        replace(&self.last, |file| trainer.write_run(optimizer, self.lowest_loss, file))?;
        Ok(improved)
    }

    /// Loads the last checkpoint; the lowest loss so far comes with it.
    ///
    /// # Errors
    ///
    /// As [`Trainer::load`]; trainer and lowest loss are as before.
    pub fn resume<N, O, const B: usize>(
        &mut self,
        trainer: &mut Trainer<N, O, B>,
        optimizer: &O,
    ) -> Result<(), FileError>
    where
        N: Network<Scalar: Stored> + Layer<Batch<N::InputSample, B>, Output = Batch<N::OutputSample, B>>,
        O: Optimizer + 'static,
    {
        self.lowest_loss = open(&self.last, |file| trainer.read_run(optimizer, file))?;
        Ok(())
    }
}

fn open<R>(path: &Path, read: impl FnOnce(File) -> Result<R, StreamError>) -> Result<R, FileError> {
    let file = File::open(path).map_err(StreamError::from);
    file.and_then(read).map_err(|error| FileError { path: path.into(), error })
}

fn replace(path: &Path, write: impl FnOnce(&mut AtomicWriteFile) -> Result<(), StreamError>) -> Result<(), FileError> {
    let attempt = || {
        // Found out only when it is renamed, a temporary file would stay behind.
        if path.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
        }
        let mut file = AtomicWriteFile::open(path)?;
        write(&mut file)?;
        Ok(file.commit()?)
    };
    attempt().map_err(|error| FileError { path: path.into(), error })
}
