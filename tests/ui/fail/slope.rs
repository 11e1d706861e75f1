use chainrule::{Activation, LeakyRelu};

fn main() {
    let _: f32 = LeakyRelu::<3, 2>::value(-1.0);
}
