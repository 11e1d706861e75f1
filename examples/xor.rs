//! A first network: learns the exclusive or of two bits.
//!
//! ```text
//! cargo run --release --example xor
//! ```

use chainrule::{Adam, BinaryCrossEntropy, Dense, Identity, Scalar, Tanh, Trainer, Zeroed, network};
use std::error::Error;

// A network is a struct of layers, in the order in which they run. The sizes are types: layers that do not fit
// do not compile.
network! {
    /// Two numbers in, one out.
    struct Xor<T = f32>: 2 => 1 {
        hidden: Dense<2, 4, Tanh, T>,
        output: Dense<4, 1, Identity, T>,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let inputs = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let targets = [[0.0], [1.0], [1.0], [0.0]];

    // A trainer holds the network and all that it takes to train it, here in batches of four samples. It begins as
    // zeros; `init` draws the weights. The same seed gives the same weights on every machine.
    let mut trainer = Trainer::<Xor, Adam, 4>::ZEROED;
    trainer.init(7);

    let adam = Adam::new(0.05)?;
    for epoch in 0..=200 {
        let loss = trainer.epoch(&adam, &BinaryCrossEntropy, &inputs, &targets)?;
        if epoch % 50 == 0 {
            println!("epoch {epoch:3}: loss {loss:.4}");
        }
    }

    // The loss works on logits, so the network's output is one: the sigmoid makes it a probability.
    println!();
    trainer.predict(&inputs, |sample, [logit]| {
        let [a, b] = inputs[sample];
        println!("{a} xor {b} = {:.3}", logit.sigmoid());
    });
    Ok(())
}
