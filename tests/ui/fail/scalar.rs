use chainrule::{Dense, Identity, Tanh, Zeroed, network};

network! {
    pub struct Digits<T = f32>: 64 => 10 {
        hidden: Dense<64, 32, Tanh, T>,
        output: Dense<32, 10, Identity, T>,
    }
}

fn main() {
    let digits = Digits::<i32>::ZEROED;
    drop(digits);
}
