use chainrule::{Dense, Identity, Sgd, Trainer};

fn main() {
    let _: Option<Trainer<Dense<64, 10, Identity, i32>, Sgd, 8>> = None;
}
