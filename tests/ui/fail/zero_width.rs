use chainrule::{Dense, Identity, Parameters};

fn main() {
    let layer = Dense::<4, 0, Identity>::new(1);
    drop(layer);
}
