use chainrule::{Dropout, Layer, Pass, Vector, Zeroed};

fn main() {
    let dropout = Dropout::<2, 2>::new();
    let mut cache = Zeroed::ZEROED;
    dropout.forward(&Vector::from([1.0; 4]), &mut cache, &mut Pass::train(0, 0));
}
