//! The networks that are measured.

use chainrule::{Activation, Dense, Identity, Relu, Tanh, network};

network! {
    pub struct Tiny<T = f32>: 2 => 1 { a: Dense<2, 4, Tanh, T>, b: Dense<4, 1, Identity, T> }
}
network! {
    pub struct Filter<T = f32>: 4 => 1 {
        a: Dense<4, 16, Tanh, T>, b: Dense<16, 16, Tanh, T>, c: Dense<16, 1, Identity, T>,
    }
}
network! {
    pub struct Policy<A: Activation = Tanh, T = f32>: 8 => 4 {
        a: Dense<8, 64, A, T>, b: Dense<64, 64, A, T>, c: Dense<64, 4, Identity, T>,
    }
}
network! {
    pub struct Game<T = f32>: 6 => 4 { a: Dense<6, 64, Relu, T>, b: Dense<64, 8, Relu, T>, c: Dense<8, 4, Identity, T> }
}
network! {
    pub struct Digits<T = f32>: 64 => 10 { a: Dense<64, 32, Tanh, T>, b: Dense<32, 10, Identity, T> }
}
network! {
    pub struct Fashion<T = f32>: 784 => 10 { a: Dense<784, 128, Relu, T>, b: Dense<128, 10, Identity, T> }
}
network! {
    pub struct Deep<T = f32>: 784 => 10 {
        a: Dense<784, 512, Relu, T>, b: Dense<512, 512, Relu, T>, c: Dense<512, 10, Identity, T>,
    }
}
network! {
    pub struct Wide<T = f32>: 1024 => 1024 {
        a: Dense<1024, 1024, Relu, T>, b: Dense<1024, 1024, Relu, T>,
        c: Dense<1024, 1024, Relu, T>, d: Dense<1024, 1024, Identity, T>,
    }
}
