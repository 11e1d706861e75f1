//! Second derivatives from hand-written first ones: dual numbers through the *backward* code.
//!
//! Give the parameters p the direction v, run forward and backward on dual numbers, and the derivative part of the
//! gradient is H·v, the Hessian times v, exact to rounding and at three times the price of a gradient. Without ever
//! forming H one learns from it how curved the loss is: here, its largest eigenvalue, which says how large a learning
//! rate may be.
//!
//! `cargo run --example hessian_vector`

use chainrule::{
    Dense, Dual, Layer, Loss, Matrix, MeanSquaredError, Parameters, Pass, Random, Real, Scalar, Sigmoid, Tanh, Tensor,
    Zeroed, network,
};

network! {
    /// Exclusive or.
    pub struct Xor<T = f32>: 2 => 1 {
        /// Four neurons.
        pub hidden: Dense<2, 4, Tanh, T>,
        /// One answer.
        pub output: Dense<4, 1, Sigmoid, T>,
    }
}

const INPUTS: [[f64; 2]; 4] = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
const TARGETS: [f64; 4] = [0.0, 1.0, 1.0, 0.0];

/// The gradient of the mean loss, all parameters in a row, in any scalar.
fn gradient<T: Scalar>(net: &Xor<T>) -> Vec<T> {
    let x = Matrix::from_columns(INPUTS.map(|sample| sample.map(T::from_f64)));
    let mut cache = Zeroed::ZEROED;
    net.forward(&x, &mut cache, &mut Pass::evaluate());
    let mut d_output = Matrix::<1, 4, T>::ZEROED;
    let outputs = <Xor<T> as Layer<Matrix<2, 4, T>>>::output(&cache).columns();
    for ((y, t), d) in outputs.iter().zip(TARGETS).zip(d_output.columns_mut()) {
        MeanSquaredError.gradient(y, &[T::from_f64(t)], d);
        for d in d {
            *d *= T::from_f64(0.25); // the mean over four samples
        }
    }
    let mut gradient = <Xor<T> as Tensor>::Gradient::ZEROED;
    net.backward(&x, &mut cache, &mut d_output, Some(&mut gradient), None);
    (0..<Xor<T> as Tensor>::SLICES).flat_map(|i| gradient.slice(i).to_vec()).collect()
}

/// H·v at the parameters of `net`.
fn hessian_vector(net: &Xor<f64>, v: &[f64]) -> Vec<f64> {
    let mut moving = Xor::<Dual<f64>>::ZEROED;
    let mut speeds = v.iter();
    for i in 0..Xor::<f64>::SLICES {
        for (p, (value, speed)) in moving.slice_mut(i).iter_mut().zip(net.slice(i).iter().zip(&mut speeds)) {
            *p = Dual::new(*value, *speed);
        }
    }
    gradient(&moving).iter().map(|g| g.derivative).collect()
}

/// The gradient at p + step·v.
fn gradient_beside(net: &Xor<f64>, v: &[f64], step: f64) -> Vec<f64> {
    let mut moved = net.clone();
    let mut v = v.iter();
    for i in 0..Xor::<f64>::SLICES {
        for (p, v) in moved.slice_mut(i).iter_mut().zip(&mut v) {
            *p += step * v;
        }
    }
    gradient(&moved)
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn main() {
    let net = Xor::<f64>::new(5);
    let mut random = Random::new(5, 0);
    let mut v: Vec<f64> = (0..Xor::<f64>::LEN).map(|_| random.normal()).collect();

    // Against differences of gradients: (g(p + h·v) − g(p − h·v)) / 2h.
    let exact = hessian_vector(&net, &v);
    let h = 1e-5;
    let (above, below) = (gradient_beside(&net, &v, h), gradient_beside(&net, &v, -h));
    let mut worst = 0.0_f64;
    for ((exact, above), below) in exact.iter().zip(above).zip(below) {
        let numeric = (above - below) / (2.0 * h);
        assert!((exact - numeric).abs() <= 1e-8 * norm(&v), "{exact} against {numeric}");
        worst = Real::maximum(worst, (exact - numeric).abs());
    }
    println!("H·v agrees with differences of gradients to {worst:.1e}");

    // H is symmetric: ⟨H·v, w⟩ = ⟨v, H·w⟩.
    let w: Vec<f64> = (0..v.len()).map(|_| random.normal()).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (left, right) = (dot(&exact, &w), dot(&v, &hessian_vector(&net, &w)));
    assert!((left - right).abs() <= 1e-12 * norm(&v) * norm(&w));
    println!("H is symmetric: {left:+.12} and {right:+.12}");

    // Power iteration: v ← H·v / |H·v| tends to the direction of largest curvature.
    let mut curvature = 0.0;
    for _ in 0..200 {
        let next = hessian_vector(&net, &v);
        curvature = norm(&next) / norm(&v);
        let length = norm(&next);
        v = next.iter().map(|x| x / length).collect();
    }
    println!("largest curvature {curvature:.4}: gradient descent is stable below a rate of {:.4}", 2.0 / curvature);
    assert!(curvature > 0.0);
}
