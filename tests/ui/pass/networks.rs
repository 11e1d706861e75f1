//! Beside first_layer, middle_layer, last_layer, ends, residual, pair, activation and scalar: the same, and it fits.

use chainrule::{
    Activation, Dense, Identity, Layer, Parameters, Residual, Scalar, Tanh, Value, Vector, Zeroed, network,
};

network! {
    pub struct Digits<T = f32>: 64 => 10 {
        first: Dense<64, 32, Tanh, T>,
        second: Dense<32, 16, Step, T>,
        block: Residual<Dense<16, 16, Tanh, T>>,
        output: Dense<16, 10, Identity, T>,
    }
}

pub struct Step;

impl<T: Scalar> Activation<T> for Step {
    type At = Value;
    fn value(z: T) -> T {
        z.if_positive(T::ONE, T::ZERO)
    }
    fn derivative(_: T) -> T {
        T::ZERO
    }
}

type Pair = (Dense<2, 8, Tanh>, Dense<8, 1, Identity>);

fn main() {
    let digits = Digits::<f64>::new(1);
    let mut scratch = Zeroed::ZEROED;
    digits.predict(&Vector::filled(1.0), &mut scratch);
    let pair = Pair::new(1);
    let mut scratch = Zeroed::ZEROED;
    pair.predict(&Vector::from([0.0, 1.0]), &mut scratch);
}
