use chainrule::{Dense, Identity, Tanh, network};

network! {
    pub struct Digits<T = f32>: 64 => 9 {
        hidden: Dense<64, 32, Tanh, T>,
        output: Dense<32, 10, Identity, T>,
    }
}

fn main() {}
