use chainrule::{Dense, Identity, Residual, Tanh, network};

network! {
    pub struct Net<T = f32>: 3 => 1 {
        block: Residual<Dense<3, 4, Tanh, T>>,
        output: Dense<3, 1, Identity, T>,
    }
}

fn main() {}
