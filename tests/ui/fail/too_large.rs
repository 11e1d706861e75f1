use chainrule::{Matrix, Zeroed};

fn main() {
    let matrix = Matrix::<{ usize::MAX / 2 }, 16>::boxed();
    drop(matrix);
}
