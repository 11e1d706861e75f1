//! Intervals and running errors are rigorous: nothing escapes them, and a rounding that is not outward is caught.

use chainrule::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use std::cmp::Ordering;

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -4.0..4.0_f64,
        1 => (-3000_i32..3000, -40_i32..40).prop_map(|(m, e)| f64::from(m) * 2.0_f64.powi(e)),
        1 => prop_oneof![Just(0.0), Just(-0.0), Just(1.0), Just(f64::MIN_POSITIVE), Just(1e-300), Just(0.1)],
    ]
}

/// An exact number: `rounded` plus something of the sign of `rest`, smaller than the step to the next number.
struct Exact {
    rounded: f64,
    rest: f64,
}

impl Exact {
    /// Knuth's two-sum: a + b = rounded + rest, exactly.
    fn sum(a: f64, b: f64) -> Self {
        let rounded = a + b;
        let added = rounded - a;
        Self { rounded, rest: (a - (rounded - added)) + (b - added) }
    }

    /// The fused product leaves the remainder.
    fn product(a: f64, b: f64) -> Self {
        let rounded = a * b;
        Self { rounded, rest: a.mul_add(b, -rounded) }
    }

    /// a = q·b + r, exactly; the quotient lies beyond q in the direction of r/b.
    fn quotient(a: f64, b: f64) -> Self {
        let rounded = a / b;
        Self { rounded, rest: (-rounded).mul_add(b, a) * b.signum() }
    }

    fn lies_in<const OUTWARD: bool>(&self, interval: Interval<OUTWARD>) -> bool {
        let above = interval.lower < self.rounded || (interval.lower == self.rounded && self.rest >= 0.0);
        let below = interval.upper > self.rounded || (interval.upper == self.rounded && self.rest <= 0.0);
        above && below
    }
}

/// Exact results of numbers from two boxes lie in the results of the boxes.
fn operations_contain<const OUTWARD: bool>(a: f64, b: f64, width: f64) -> Result<(), TestCaseError> {
    let around = |x: f64| Interval::<OUTWARD> { lower: x - width, upper: x + width };
    let (x, y) = (around(a), around(b));
    prop_assert!(Exact::sum(a, b).lies_in(x + y), "{a:e} + {b:e} escapes {:?}", x + y);
    prop_assert!(Exact::sum(a, -b).lies_in(x - y), "{a:e} - {b:e} escapes {:?}", x - y);
    // Below, remainders themselves would be rounded.
    let normal = |z: f64| z == 0.0 || (z.abs() > 1e-250 && z.abs() < 1e250);
    if normal(a * b) && normal(a) && normal(b) {
        prop_assert!(Exact::product(a, b).lies_in(x * y), "{a:e} · {b:e} escapes {:?}", x * y);
    }
    if b != 0.0 && normal(a / b) && normal(a) && normal(b) {
        prop_assert!(Exact::quotient(a, b).lies_in(x / y), "{a:e} / {b:e} escapes {:?}", x / y);
    }
    Ok(())
}

fn runner() -> TestRunner {
    TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(1024) })
}

#[test]
fn operations_never_escape() {
    let strategy = (number(), number(), prop_oneof![Just(0.0), 0.0..0.5]);
    runner().run(&strategy, |(a, b, width)| operations_contain::<true>(a, b, width)).unwrap();
}

#[test]
fn rounding_to_nearest_is_caught() {
    let strategy = (number(), number());
    let outcome = runner().run(&strategy, |(a, b)| operations_contain::<false>(a, b, 0.0));
    assert!(matches!(outcome, Err(TestError::Fail(..))), "the property does not see an unsound rounding");
}

proptest! {
    #[test]
    fn functions_never_escape(a in number(), b in number(), t in 0.0..=1.0_f64) {
        let x = Interval::new(a.min(b), a.max(b));
        let inside = (a + t * (b - a)).clamp(x.lower, x.upper);
        let pairs = [
            (x.exp(), inside.exp()),
            (x.exp_m1(), inside.exp_m1()),
            (x.tanh(), Real::tanh(inside)),
            (x.sigmoid(), Real::sigmoid(inside)),
            (x.softplus(), Real::softplus(inside)),
            (x.abs().ln(), inside.abs().ln()),
            (x.abs().ln_1p(), inside.abs().ln_1p()),
            (x.abs().sqrt(), inside.abs().sqrt()),
            (Real::abs(x), inside.abs()),
            (x.maximum(Interval::point(0.5)), inside.max(0.5)),
            (x.minimum(Interval::point(0.5)), inside.min(0.5)),
            (x.if_positive(Interval::point(2.0), Interval::point(-3.0)), if inside > 0.0 { 2.0 } else { -3.0 }),
            (Tanh::value(x), Real::tanh(inside)),
            (Relu::value(x), inside.max(0.0)),
        ];
        for (i, (interval, y)) in pairs.into_iter().enumerate() {
            prop_assert!(interval.contains(y), "function {i} at {inside:e}: {y:e} escapes {interval:?}");
        }
    }
}

#[test]
fn nan_is_swallowed_by_no_interval() {
    let (nan, a, zero) = (Interval::point(f64::NAN), Interval::new(-1.0, 2.0), Interval::point(0.0));
    let sums = [nan + a, a + nan, nan + zero, zero + nan, nan - a, a - nan];
    let products = [nan * a, a * nan, nan * zero, zero * nan, nan / a, a / nan, Interval::point(1.0) / nan];
    let choices = [nan.maximum(a), a.maximum(nan), nan.minimum(a), nan.hull(a), a.hull(nan), nan.if_positive(a, a)];
    let functions = [nan.abs(), nan.exp(), nan.ln(), nan.sqrt(), nan.exp_m1(), nan.ln_1p(), nan.tanh(), nan.sigmoid()];
    let results = [&sums[..], &products, &choices, &functions, &[nan.softplus(), -nan]].concat();
    for (k, x) in results.into_iter().enumerate() {
        assert!(x.lower.is_nan() && x.upper.is_nan() && !x.contains(0.0), "result {k} is {x}");
    }
}

#[test]
fn intervals_are_compared_as_a_whole() {
    let (low, high) = (Interval::new(-1.0, 2.0), Interval::new(2.5, 3.0));
    let overlapping = Interval::new(0.0, 4.0);
    let orders = [high, low, overlapping].map(|other| low.partial_cmp(&other));
    assert_eq!(orders, [Some(Ordering::Less), Some(Ordering::Equal), None]);
    assert_eq!(high.partial_cmp(&low), Some(Ordering::Greater));
    assert_eq!(low.hull(high), Interval::new(-1.0, 3.0));
    assert_eq!(low.width(), 3.0_f64.next_up());
    assert!(low.is_finite() && !Interval::new(0.0, f64::INFINITY).is_finite());
}

#[test]
fn intervals_at_the_edges() {
    let line = Interval::new(f64::NEG_INFINITY, f64::INFINITY);
    assert_eq!(Interval::new(1.0, 2.0) / Interval::new(-1.0, 1.0), line);
    assert_eq!(Interval::point(0.0) * line, Interval::new(0.0, 0.0));
    assert!((Interval::point(f64::MAX) + Interval::point(f64::MAX)).contains(f64::INFINITY));
    assert!(!Interval::point(f64::NAN).contains(0.0));
    assert!(Interval::point(f64::NAN).maximum(Interval::point(1.0)).lower.is_nan());
    assert!(Relu::value(Interval::point(f64::NAN)).upper.is_nan());
    assert_eq!(Relu::value(Interval::new(-2.0, 3.0)), Interval::new(0.0, 3.0));
    assert_eq!(Relu::derivative(Interval::new(0.0, 3.0)), Interval::new(0.0, 1.0));
    assert!(Interval::new(800.0, 900.0).exp().contains(f64::INFINITY));
    assert_eq!(Interval::new(0.0, 1.0).partial_cmp(&Interval::new(0.5, 2.0)), None);
    assert!(Interval::new(0.0, 1.0) < Interval::new(1.5, 2.0));
}

network! {
    struct Net<T = f32>: 4 => 2 {
        first: Dense<4, 9, Tanh, T>,
        second: Dense<9, 7, Relu, T>,
        third: Dense<7, 5, Softplus, T>,
        last: Dense<5, 2, Sigmoid, T>,
    }
}

fn convert<A: Tensor, B: Tensor>(source: &A) -> B {
    let mut image = B::ZEROED;
    for i in 0..A::SLICES {
        for (x, y) in image.slice_mut(i).iter_mut().zip(source.slice(i)) {
            *x = B::Scalar::from_f64(y.to_f64());
        }
    }
    image
}

fn output<T: Scalar>(net: &Net<T>, x: &Vector<4, T>) -> Vector<2, T> {
    let mut scratch = Zeroed::ZEROED;
    net.predict(x, &mut scratch).clone()
}

proptest! {
    #[test]
    fn samples_never_escape_a_network(
        seed in any::<u64>(),
        center in prop::array::uniform4(-2.0..2.0_f64),
        radius in prop_oneof![Just(0.0), 0.0..1.0_f64],
        t in prop::array::uniform4(-1.0..=1.0_f64),
    ) {
        let net = Net::<f64>::new(seed);
        let range = output(
            &convert::<_, Net<Interval>>(&net),
            &Vector::from(center.map(|x| Interval::new(x - radius, x + radius))),
        );
        let sample: [f64; 4] =
            std::array::from_fn(|k| (center[k] + t[k] * radius).clamp(center[k] - radius, center[k] + radius));
        // The same operations in the same order, on plain numbers: rounded, they stay inside as well.
        let y = output(&convert::<_, Net<Strict<f64>>>(&net), &Vector::from(sample.map(Strict)));
        for j in 0..2 {
            prop_assert!(range[j].contains(y[j].0), "{} escapes {:?}", y[j].0, range[j]);
        }
    }
}

/// One affine neuron at a point box. The exact sum is an integer over 2⁶⁰, known in i128; it must lie inside.
fn exact_sums_lie_inside<const OUTWARD: bool>(w: &[i32], x: &[i32]) -> Result<(), TestCaseError> {
    let scale = 2.0_f64.powi(-30);
    // Each factor has 31 bits and each product 62: their sums are rounded in f64, never in i128.
    let exact: i128 = w.iter().zip(x).map(|(w, x)| i128::from(*w) * i128::from(*x)).sum();
    let mut sum = Interval::<OUTWARD>::from_f64(0.0);
    for (w, x) in w.iter().zip(x) {
        sum += Interval::from(f64::from(*w) * scale) * Interval::from(f64::from(*x) * scale);
    }
    // A bound times 2⁶⁰, rounded to an integer away from the interval's inside at most by 1: it only helps to be inside.
    let power = 2.0_f64.powi(60);
    let (lower, upper) = ((sum.lower * power).floor() as i128, (sum.upper * power).ceil() as i128);
    prop_assert!(lower <= exact && exact <= upper, "{exact} escapes [{lower}, {upper}]");
    Ok(())
}

#[test]
fn exact_sums_never_escape_and_an_unsound_interval_is_caught() {
    let strategy = prop::collection::vec((any::<i32>(), any::<i32>()), 2..40)
        .prop_map(|pairs| pairs.into_iter().unzip::<i32, i32, Vec<_>, Vec<_>>());
    runner().run(&strategy, |(w, x)| exact_sums_lie_inside::<true>(&w, &x)).unwrap();
    let outcome = runner().run(&strategy, |(w, x)| exact_sums_lie_inside::<false>(&w, &x));
    assert!(matches!(outcome, Err(TestError::Fail(..))), "the property does not see an unsound rounding");
}

proptest! {
    #[test]
    fn running_errors_cover_operations(a in number(), b in number()) {
        let (a, b) = (a as f32, b as f32);
        let (x, y) = (RunningError::new(a), RunningError::new(b));
        let (a, b) = (f64::from(a), f64::from(b));
        // Sums and products of f32 are exact in f64, or nearly.
        prop_assert!((x + y).covers(a + b));
        prop_assert!((x * y).covers(a * b));
        if b != 0.0 && (a / b).abs() < 1e30 {
            prop_assert!((x / y).covers(a / b), "{:?} is not {}", x / y, a / b);
        }
        for (i, (value, exact)) in [
            (x.exp(), a.exp()),
            (x.exp_m1(), a.exp_m1()),
            (x.tanh(), a.tanh()),
            (x.sigmoid(), Real::sigmoid(a)),
            (x.softplus(), Real::softplus(a)),
            (x.abs().sqrt(), a.abs().sqrt()),
            (x.abs().ln_1p(), a.abs().ln_1p()),
        ].into_iter().enumerate() {
            prop_assert!(
                value.covers(exact) || f64::from(value.value) == exact || exact.abs() > 3e38,
                "function {i} at {a:e}: {value:?} is not {exact:e}"
            );
        }
    }

    /// An argument that is off by its bound: the results differ by no more than theirs.
    #[test]
    fn running_errors_propagate(a in -3.0..3.0_f64, b in 0.2..3.0_f64, off in -1.0..=1.0_f64, e in 1e-12..1e-2_f64) {
        let (x, y) = (RunningError::with_bound(a, e), RunningError::with_bound(b, e));
        let (c, d) = (a + 0.999 * off * e, b - 0.999 * off * e);
        for (i, (value, other)) in [
            (x + y, c + d),
            (x - y, c - d),
            (x * y, c * d),
            (x / y, c / d),
            (x.exp(), c.exp()),
            (y.ln(), d.ln()),
            (y.sqrt(), d.sqrt()),
            (x.exp_m1(), c.exp_m1()),
            (y.ln_1p(), d.ln_1p()),
            (x.tanh(), c.tanh()),
            (x.sigmoid(), Real::sigmoid(c)),
            (x.softplus(), Real::softplus(c)),
            (x.maximum(y), c.max(d)),
            (x.abs(), c.abs()),
            (x.if_positive(y, -y), if c > 0.0 { d } else { -d }),
        ].into_iter().enumerate() {
            prop_assert!(value.covers(other), "function {i}: {value:?} does not cover {other:e}");
        }
    }

    /// f32 gradients lie within twice the running-error bound of the f64 ones, and the bound says something.
    // proves eq:weight-gradient
    // proves eq:bias-gradient
    // proves eq:input-gradient
    #[test]
    fn f32_gradients_lie_within_twice_the_running_error(seed in any::<u64>(), x in prop::array::uniform4(-1.0..1.0_f32)) {
        let net = Net::<f32>::new(seed);
        let (g32, d32) = gradients::<f32>(&net, x);
        let (g64, d64) = gradients::<f64>(&net, x);
        let (bound, d_bound) = gradients::<RunningError<f32>>(&net, x);
        for (e, ((a, b), bound)) in g32.iter().zip(&g64).zip(&bound).chain(d32.iter().zip(&d64).zip(&d_bound)).enumerate() {
            // A branch that may go either way has no useful bound, but a valid one.
            prop_assert!((f64::from(*a) - b).abs() <= 2.0 * bound.bound, "element {e}: {a} against {b}, {bound:?}");
            prop_assert!(bound.covers(*b), "element {e}: {bound:?} does not cover {b}");
        }
        let useful = bound.iter().filter(|b| b.bound <= 1e-4).count();
        prop_assert!(2 * useful > bound.len());
    }
}

/// All parameter gradients in a row, and the input's, of Σ y.
fn gradients<T: Scalar>(net: &Net<f32>, x: [f32; 4]) -> (Vec<T>, Vec<T>) {
    let net: Net<T> = convert(net);
    let x = Vector::from(x.map(|x| T::from_f64(x.into())));
    let mut cache = Zeroed::ZEROED;
    net.forward(&x, &mut cache, &mut Pass::evaluate());
    let mut gradient = <Net<T> as Tensor>::Gradient::ZEROED;
    let mut d_input = Vector::<4, T>::ZEROED;
    net.backward(&x, &mut cache, &mut Vector::filled(T::ONE), Some(&mut gradient), Some(&mut d_input));
    let all = (0..<Net<T> as Tensor>::SLICES).flat_map(|i| gradient.slice(i).to_vec()).collect();
    (all, d_input.as_slice().to_vec())
}
