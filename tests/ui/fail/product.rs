use chainrule::{Matrix, Vector, Zeroed};

fn main() {
    let w = Matrix::<2, 3>::ZEROED;
    let x = Vector::<4>::ZEROED;
    let mut y = Vector::<2>::ZEROED;
    y.set_product(&w, &x);
}
