use chainrule::{Dense, Identity, network};

pub struct Step;

network! {
    pub struct Digits<T = f32>: 64 => 10 {
        hidden: Dense<64, 32, Step, T>,
        output: Dense<32, 10, Identity, T>,
    }
}

fn main() {}
