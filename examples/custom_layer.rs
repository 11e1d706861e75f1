//! An activation and a layer of one's own: used in a network, their gradients checked, and trained.
//!
//! ```text
//! cargo run --release --example custom_layer
//! ```

use chainrule::{
    Activation, Adam, Dense, Identity, Input, Layer, MeanSquaredError, Parameters, Pass, Random, Real, Rmse, Role,
    Scalar, Tensor, Trainer, Vector, Zeroed, assert_gradients, network, parameters,
};
use std::error::Error;

/// The bell curve: σ(z) = exp(−z²), σ′(z) = −2z·exp(−z²).
struct Bell;

impl Activation for Bell {
    type At = Input; // the derivative is computed from z; with `Value` it would be from σ(z)

    fn value<T: Real>(z: T) -> T {
        (-(z * z)).exp()
    }

    fn derivative<T: Real>(z: T) -> T {
        -(z + z) * (-(z * z)).exp()
    }
}

parameters! {
    /// Swish, whose steepness β is learned (Ramachandran, Zoph and Le, 2017).
    ///
    /// y = x·s with s = sigmoid(βx), so ∂y/∂x = s + βx·s(1 − s) and ∂y/∂β = x²·s(1 − s).
    struct Swish<T = f32> {
        beta: Vector<1, T> = Role::Scale,
    }
}

impl<T: Scalar> Parameters for Swish<T> {
    fn init(&mut self, _: &mut Random) {
        self.beta.fill(T::ONE);
    }
}

// An elementwise layer accepts batches of every shape. One that does not is a `Layer<Matrix<IN, B, T>>`.
impl<T: Scalar, X: Tensor<Scalar = T>> Layer<X> for Swish<T> {
    type Output = X;
    type Cache = X; // holds the output; `backward` gets the input anyway
    type Scratch = X;
    const OPERATIONS: usize = 3 * X::LEN;

    fn predict<'a>(&'a self, x: &'a X, y: &'a mut X) -> &'a X {
        self.forward(x, y, &mut Pass::evaluate());
        y
    }

    fn forward(&self, x: &X, y: &mut X, _: &mut Pass) {
        y.zip(x, |_, x| x * (self.beta[0] * x).sigmoid());
    }

    fn output(y: &X) -> &X {
        y
    }

    fn backward(&self, x: &X, _: &mut X, d: &mut X, gradient: Option<&mut Self>, d_input: Option<&mut X>) {
        let (beta, mut d_beta) = (self.beta[0], T::ZERO);
        d.zip(x, |d_y, x| {
            let s = (beta * x).sigmoid();
            d_beta += d_y * x * x * s * (T::ONE - s);
            d_y * (s + beta * x * s * (T::ONE - s))
        });
        if let Some(gradient) = gradient {
            gradient.beta[0] += d_beta; // added, never overwritten
        }
        if let Some(d_input) = d_input {
            d_input.copy_from(d);
        }
    }
}

network! {
    /// A curve: one number in, one out.
    struct Curve<T = f32>: 1 => 1 {
        bells: Dense<1, 12, Bell, T>,
        mixture: Dense<12, 12, Identity, T>,
        swish: Swish<T>,
        output: Dense<12, 1, Identity, T>,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // Each a test in one line: against dual numbers and differences, parameters and inputs, element by element.
    assert_gradients!(activation Bell);
    assert_gradients!(Swish, inputs = 5, batch = 3);
    assert_gradients!(Curve, inputs = 1, batch = 3);
    println!("all gradients agree with dual numbers and with differences\n");

    // To learn: a wave that dies away.
    let inputs: Vec<[f32; 1]> = (0..256).map(|i| [i as f32 / 32.0 - 4.0]).collect();
    let targets: Vec<[f32; 1]> = inputs.iter().map(|[x]| [(3.0 * x).sin() * (-x * x / 4.0).exp()]).collect();

    let mut trainer = Trainer::<Curve, Adam, 16>::ZEROED;
    trainer.init(1);
    let adam = Adam::new(0.01)?;
    for epoch in 0..=400 {
        trainer.epoch(&adam, &MeanSquaredError, &inputs, &targets)?;
        if epoch % 100 == 0 {
            let mut rmse = Rmse::default();
            trainer.evaluate(&MeanSquaredError, &inputs, &targets, &mut rmse)?;
            println!("epoch {epoch:3}: root mean squared error {:.4}", rmse.value());
        }
    }
    println!("steepness learned: {:.3}", trainer.network.swish.beta[0]);
    Ok(())
}
