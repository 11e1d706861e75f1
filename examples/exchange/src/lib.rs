//! The network of these examples, and NumPy's files.

use chainrule::{Dense, Identity, Layer, LayerNorm, Prelu, Relu, Residual, Scalar, Tanh, Vector, Zeroed, network};
use npyz::{NpyFile, WriterBuilder};
use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

network! {
    /// `Controller` of pytorch.py, field by field.
    pub struct Controller<T = f32>: 8 => 4 {
        /// `nn.Linear(8, 32)`, and tanh.
        pub entry: Dense<8, 32, Tanh, T>,
        /// `nn.LayerNorm(32)`.
        pub norm: LayerNorm<32, T>,
        /// Two of `nn.Linear`, ReLU between them, and x added.
        pub skip: Residual<(Dense<32, 16, Relu, T>, Dense<16, 32, Identity, T>)>,
        /// `nn.PReLU(32)`.
        pub slopes: Prelu<32, T>,
        /// `nn.Linear(32, 4)`.
        pub output: Dense<32, 4, Identity, T>,
    }
}

/// What went wrong, in words.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The rows of an array of `f32` with `N` columns.
///
/// # Errors
///
/// When the file cannot be read or holds another array.
pub fn read_npy<const N: usize>(path: &Path) -> Result<Vec<[f32; N]>> {
    let read = || -> Result<_> {
        let file = NpyFile::new(File::open(path)?)?;
        if !matches!(file.shape(), [_, columns] if *columns == N as u64) || file.order() != npyz::Order::C {
            return Err(format!("expected rows of {N} numbers, found {:?}, {:?}", file.shape(), file.order()).into());
        }
        Ok(file.into_vec::<f32>()?.as_chunks().0.to_vec())
    };
    read().map_err(|error| format!("{}: {error}", path.display()).into())
}

/// Writes `rows` as an array of `f32` with `N` columns.
///
/// # Errors
///
/// When the file cannot be written.
pub fn write_npy<const N: usize>(path: &Path, rows: &[[f32; N]]) -> Result<()> {
    let file = BufWriter::new(File::create(path)?);
    let shape = [rows.len() as u64, N as u64];
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(file).begin_nd()?;
    writer.extend(rows.as_flattened())?;
    Ok(writer.finish()?)
}

/// The network's outputs, in single precision.
pub fn predict<T: Scalar>(network: &Controller<T>, inputs: &[[f32; 8]]) -> Vec<[f32; 4]>
where
    Controller<T>: Layer<Vector<8, T>, Output = Vector<4, T>>,
{
    let mut scratch = Zeroed::ZEROED;
    let mut output = |input: &[f32; 8]| {
        let x = Vector::from(input.map(|x| T::from_f64(x.into())));
        network.predict(&x, &mut scratch).as_array().map(|y| y.to_f64() as f32)
    };
    inputs.iter().map(&mut output).collect()
}

/// The largest difference between two lists of as many outputs; NaN and a missing output are infinitely far off.
#[must_use]
pub fn worst_difference(outputs: &[[f32; 4]], expected: &[[f32; 4]]) -> f32 {
    if outputs.len() != expected.len() {
        return f32::INFINITY;
    }
    let pairs = outputs.as_flattened().iter().zip(expected.as_flattened());
    pairs.map(|(y, e)| (y - e).abs()).fold(0.0, |worst, d| if d <= worst { worst } else { d.max(worst) })
}
