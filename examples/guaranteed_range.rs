//! A guaranteed range of a network's outputs, for every input in a box.
//!
//! The same forward code runs on intervals that are rounded outward: what it prints is not sampled but proved. A
//! controller whose actuator must stay within bounds can be checked so, input region by input region.
//!
//! `cargo run --example guaranteed_range`

use chainrule::{
    Dense, Identity, Interval, Layer, Parameters, Random, Scalar, Strict, Tanh, Tensor, Vector, Zeroed, network,
};

network! {
    /// Angle, angular velocity and target to a command.
    pub struct Controller<T = f32>: 3 => 1 {
        /// Sees the situation.
        pub hidden: Dense<3, 8, Tanh, T>,
        /// The command.
        pub output: Dense<8, 1, Identity, T>,
    }
}

/// The command for one input.
fn command<T: Scalar>(controller: &Controller<T>, input: [T; 3]) -> T {
    let mut scratch = Zeroed::ZEROED;
    controller.predict(&Vector::from(input), &mut scratch)[0]
}

/// The range over a box: the hull of the ranges over its parts, since smaller boxes are bounded more tightly.
fn range(controller: &Controller<Interval>, input: [Interval; 3], parts: usize) -> Interval {
    let part = |x: Interval, i: usize| {
        // The ends of neighbours coincide, so that nothing is left out.
        let at = |i: usize| if i == parts { x.upper } else { x.lower + (x.upper - x.lower) * i as f64 / parts as f64 };
        Interval::new(at(i), at(i + 1))
    };
    let mut hull: Option<Interval> = None;
    for i in 0..parts.pow(3) {
        let box_ = [part(input[0], i % parts), part(input[1], i / parts % parts), part(input[2], i / parts / parts)];
        let y = command(controller, box_);
        hull = Some(hull.map_or(y, |hull| hull.hull(y)));
    }
    hull.unwrap_or(Interval::new(f64::NEG_INFINITY, f64::INFINITY))
}

fn main() {
    // Trained elsewhere; here, drawn.
    let controller = Controller::<f64>::new(3);
    let mut intervals = Controller::<Interval>::ZEROED;
    let mut strict = Controller::<Strict<f64>>::ZEROED;
    for i in 0..Controller::<f64>::SLICES {
        for (e, w) in controller.slice(i).iter().enumerate() {
            intervals.slice_mut(i)[e] = Interval::point(*w);
            strict.slice_mut(i)[e] = Strict(*w);
        }
    }

    let input = [Interval::new(-0.5, 0.5), Interval::new(-1.0, 1.0), Interval::point(0.25)];
    println!("inputs   {:.2} × {:.2} × {:.2}", input[0], input[1], input[2]);
    let mut ranges = Vec::new();
    for parts in [1, 4, 16] {
        let y = range(&intervals, input, parts);
        println!("outputs  {y:.4}, proved over {} boxes", parts.pow(3));
        ranges.push(y);
    }

    // Samples see less than the whole range, and never more.
    let mut random = Random::new(1, 0);
    let mut seen = Interval::new(f64::INFINITY, f64::NEG_INFINITY);
    for _ in 0..10_000 {
        let sample = input.map(|x| Strict((x.lower + random.uniform() * (x.upper - x.lower)).clamp(x.lower, x.upper)));
        let y = command(&strict, sample).0;
        assert!(ranges.iter().all(|range| range.contains(y)));
        seen = seen.hull(Interval::point(y));
    }
    println!("seen     {seen:.4}, in 10000 samples");
    assert!(ranges[2].width() <= ranges[0].width());
}
