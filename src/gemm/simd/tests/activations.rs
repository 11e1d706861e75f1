//! Every activation on every register, against the same lines on plain numbers in `f64`.

use super::*;
use crate::activation::{Activation, VisitActivation, visit_activations};
use crate::elementary::Precision;
use crate::gemm::wide::{Activate, ScaleByDerivative};
use crate::{Dual, Real, Scalar};

/// The gate, in units of roundoff of the result: the worst error of an elementary function, 2.6 ulp, enters a formula at
/// most thrice, and each of its roundings adds one. Beside it stands what two roundings of z itself would do: in the
/// tail of GELU, e^(−z²/2), they count z² times.
const ROUNDINGS: f64 = 16.0;

/// Both sides of every seam: zero, the ends of the linear parts, where functions level off, and the tails.
fn points() -> impl Iterator<Item = f64> {
    let line = (-4_000..=4_000).map(|i| f64::from(i) * 3.125e-3);
    let growing = (0..200).flat_map(|i| [1.1_f64.powi(i - 100), -(1.1_f64.powi(i - 100))]);
    line.chain(growing).chain([0.0, -0.0, 1e4, -1e4])
}

struct OnRegisters;

impl VisitActivation for OnRegisters {
    fn visit<A: Activation>(&mut self, name: &'static str) {
        check::<A, f32>(name);
        check::<A, f64>(name);
    }
}

fn check<A: Activation, T: Number + Scalar + Float + Precision>(name: &str) {
    let z: Vec<T> = points().map(<T as Real>::from_f64).collect();
    let unit = if size_of::<T>() == 4 { f64::from(f32::EPSILON) } else { f64::EPSILON } / 2.0;
    for isa in Isa::available() {
        let mut value = z.clone();
        T::enter(isa, Map(&mut value, Activate::<A>::new()));
        let mut slope = vec![<T as Real>::from_f64(1.0); z.len()];
        T::enter(isa, ScaleByDerivative::<A, T>::new(&mut slope, &z));
        for i in 0..z.len() {
            let at = z[i].to_f64();
            let (exact_value, exact_slope) = (A::value(Dual::variable(at)), A::derivative(Dual::variable(at)));
            // A derivative is made of numbers near 1, which may cancel, and of such numbers times z, until all is flat.
            for (what, found, exact, size) in [
                ("value", value[i].to_f64(), exact_value, exact_value.value.abs()),
                ("derivative", slope[i].to_f64(), exact_slope, exact_slope.value.abs().max(at.abs().clamp(1.0, 8.0))),
            ] {
                let bound = unit * (ROUNDINGS * size + 2.0 * (at * exact.derivative).abs());
                let exact = exact.value;
                let error = (found - exact).abs();
                assert!(error <= bound + 1e-38, "{isa:?}: {what} of {name} at {at:e} is {found:e}, not {exact:e}");
            }
        }
    }
}

#[test]
fn activations_on_every_register() {
    visit_activations(&mut OnRegisters);
}
