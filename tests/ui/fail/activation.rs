use chainrule::{Dense, Parameters};

struct Step;

fn main() {
    let layer = Dense::<2, 3, Step>::new(1);
    drop(layer);
}
