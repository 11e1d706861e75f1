//! [`Predict`]: a choice at run time among networks of different shapes.

use crate::layer::{Batch, Layer, Network, Sample};
use crate::{LengthError, Tensor, Zeroed};

/// What predicts, whatever its shape: the object-safe side of a network, so that a program can choose among several at
/// run time, without the heap. Sizes are checked at run time here, as a choice at run time must.
///
/// ```
/// use chainrule::{Dense, Parameters, Predict, Predictor, Tanh};
///
/// let small = Dense::<2, 1, Tanh>::new(1);
/// let large = (Dense::<2, 8, Tanh>::new(1), Dense::<8, 1>::new(2));
/// let (mut small, mut large) = (Predictor::new(&small), Predictor::new(&large));
///
/// let precise = true;
/// let chosen: &mut dyn Predict<f32> = if precise { &mut large } else { &mut small };
/// let mut y = [0.0];
/// chosen.predict_into(&[0.5, -0.5], &mut y)?;
/// assert!(y[0].is_finite());
///
/// let error = chosen.predict_into(&[0.5], &mut y).unwrap_err();
/// assert_eq!(error.to_string(), "expected 2 elements, found 1");
/// # Ok::<(), chainrule::LengthError>(())
/// ```
pub trait Predict<T> {
    /// How many numbers one sample has.
    fn inputs(&self) -> usize;

    /// How many numbers one output has.
    fn outputs(&self) -> usize;

    /// Overwrites `output` with the prediction for one sample.
    ///
    /// # Errors
    ///
    /// [`LengthError`] when `input` or `output`, in this order, has another length; nothing has changed then.
    fn predict_into(&mut self, input: &[T], output: &mut [T]) -> Result<(), LengthError>;
}

/// A network with the buffers that it needs for one prediction.
pub struct Predictor<'n, N: Network + Layer<Batch<N::InputSample, 1>>> {
    network: &'n N,
    input: Batch<N::InputSample, 1>,
    scratch: N::Scratch,
}

impl<'n, N: Network + Layer<Batch<N::InputSample, 1>>> Predictor<'n, N> {
    /// The network, to be predicted with. The buffers are part of the value: as many numbers as all layers yield.
    pub const fn new(network: &'n N) -> Self {
        Self { network, input: Zeroed::ZEROED, scratch: Zeroed::ZEROED }
    }
}

impl<N> Predict<N::Scalar> for Predictor<'_, N>
where
    N: Network + Layer<Batch<N::InputSample, 1>, Output = Batch<N::OutputSample, 1>>,
{
    fn inputs(&self) -> usize {
        Batch::<N::InputSample, 1>::LEN
    }

    fn outputs(&self) -> usize {
        Batch::<N::OutputSample, 1>::LEN
    }

    fn predict_into(&mut self, input: &[N::Scalar], output: &mut [N::Scalar]) -> Result<(), LengthError> {
        for (expected, found) in [(self.inputs(), input.len()), (self.outputs(), output.len())] {
            if expected != found {
                return Err(LengthError { expected, found });
            }
        }
        let [column] = <N::InputSample as Sample>::samples_mut::<1>(&mut self.input);
        copy(column.as_mut(), input);
        let y = self.network.predict(&self.input, &mut self.scratch);
        let [column] = <N::OutputSample as Sample>::samples::<1>(y);
        copy(output, column.as_ref());
        Ok(())
    }
}

/// Both have the same length.
fn copy<T: Copy>(to: &mut [T], from: &[T]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}
