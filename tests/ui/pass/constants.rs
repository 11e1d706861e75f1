//! Beside product, zero_width, dropout, slope and too_large: the same, within the limits.

use chainrule::{Activation, Dense, Dropout, Identity, Layer, LeakyRelu, Matrix, Parameters, Pass, Vector, Zeroed};

fn main() {
    let (w, x, mut y) = (Matrix::<2, 3>::ZEROED, Vector::<3>::ZEROED, Vector::<2>::ZEROED);
    y.set_product(&w, &x);
    drop(Dense::<4, 1, Identity>::new(1));
    let dropout = Dropout::<1, 2>::new();
    let mut cache = Zeroed::ZEROED;
    dropout.forward(&Vector::from([1.0; 4]), &mut cache, &mut Pass::train(0, 0));
    let _: f32 = LeakyRelu::<1, 2>::value(-1.0);
    drop(Matrix::<1024, 1024>::boxed());
}
