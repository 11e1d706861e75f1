use chainrule::{Dense, Identity, Tanh, network};

network! {
    pub struct Digits<T = f32>: 64 => 10 {
        first: Dense<64, 32, Tanh, T>,
        second: Dense<33, 16, Tanh, T>,
        output: Dense<16, 10, Identity, T>,
    }
}

fn main() {}
