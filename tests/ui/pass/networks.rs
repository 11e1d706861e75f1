//! Beside first_layer, middle_layer, last_layer, ends, residual, pair, activation and scalar: the same, and it fits.

use chainrule::{Activation, Dense, Identity, Layer, Parameters, Real, Residual, Tanh, Value, Vector, Zeroed, network};

network! {
    pub struct Digits<T = f32>: 64 => 10 {
        first: Dense<64, 32, Tanh, T>,
        second: Dense<32, 16, Step, T>,
        block: Residual<Dense<16, 16, Tanh, T>>,
        output: Dense<16, 10, Identity, T>,
    }
}

network! {
    pub struct Deep<const W: usize, A: Activation = Tanh, T = f32>: 2 => 1 {
        hidden: Dense<2, W, A, T>,
        output: Dense<W, 1, Identity, T>,
    }
}

pub struct Step;

impl Activation for Step {
    type At = Value;
    fn value<T: Real>(z: T) -> T {
        z.if_positive(T::ONE, T::ZERO)
    }
    fn derivative<T: Real>(_: T) -> T {
        T::ZERO
    }
}

type Pair = (Dense<2, 8, Tanh>, Dense<8, 1, Identity>);

fn main() {
    let digits = Digits::<f64>::new(1);
    let mut scratch = Zeroed::ZEROED;
    digits.predict(&Vector::filled(1.0), &mut scratch);
    let deep = Deep::<5, Step>::new(1);
    let mut scratch = Zeroed::ZEROED;
    deep.predict(&Vector::from([0.0, 1.0]), &mut scratch);
    let pair = Pair::new(1);
    let mut scratch = Zeroed::ZEROED;
    pair.predict(&Vector::from([0.0, 1.0]), &mut scratch);
}
