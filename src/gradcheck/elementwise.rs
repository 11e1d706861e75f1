use super::differences::compare_differences;
use super::{Finding, Oracle, Place, Proof, Report, Settings, Target, Traced};
use crate::{Activation, Loss, Mode, Point, Real, Vector, Zeroed};

/// Where [`check_activation`] looks: zero with either sign, subnormals, both sides of kinks at 0, ±1, ±3 and ±6, where
/// sigmoid and tanh round to 1, and where e^z overflows and vanishes in `f32` and `f64`.
pub const GRID: [f64; 88] = {
    let positive = [
        0.0, 5e-324, 1e-310, 2.3e-308, 1e-154, 1e-30, 1e-12, 1e-8, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.25, 0.3, 0.5, 0.7,
        0.999, 1.0, 1.001, 1.3, 1.7, 2.0, 2.5, 2.999, 3.0, 3.001, 4.0, 5.0, 5.999, 6.0, 6.001, 8.0, 12.0, 16.6356,
        20.0, 36.7369, 40.0, 89.0, 104.0, 548.0, 710.0, 746.0, 1e4,
    ];
    let mut grid = [0.0; 88];
    let mut i = 0;
    while i < positive.len() {
        grid[2 * i] = positive[i];
        grid[2 * i + 1] = -positive[i];
        i += 1;
    }
    grid
};

/// Checks an activation's derivative over [`GRID`], against dual numbers and differences.
///
/// ```
/// use chainrule::gradcheck::check_activation;
/// use chainrule::{Activation, Input, Real, Value};
///
/// /// σ(z) = z·sigmoid(z), with a derivative evaluated at the wrong place.
/// struct Swish;
/// impl Activation for Swish {
///     type At = Value; // must be Input
///     fn value<T: Real>(z: T) -> T {
///         z * z.sigmoid()
///     }
///     fn derivative<T: Real>(z: T) -> T {
///         let s = z.sigmoid();
///         s + z * s * (T::ONE - s)
///     }
/// }
/// let report = check_activation::<Swish>();
/// assert!(!report.passed());
/// ```
pub fn check_activation<A: Activation>() -> Report {
    check_activation_at::<A>(&GRID, &Settings::DEFAULT)
}

/// [`check_activation`] at points of your own: for one that is defined on a part of the line.
///
/// Differences that cross a kink are skipped, however many there are: dual numbers see each point.
pub fn check_activation_at<A: Activation>(points: &[f64], settings: &Settings) -> Report {
    let mut report = Report::new(core::any::type_name::<A>(), settings.seed);
    let mut largest = 0.0_f64;
    for z in points {
        let argument = Vector::from([*z]);
        let output = Vector::from([A::value(*z)]);
        let mut kept = <A::At as Point>::Kept::<Vector<1, f64>>::ZEROED;
        A::At::keep(&argument, &mut kept);
        let at = A::At::at(&output, &kept)[0];
        let analytic = A::derivative(at);
        largest = Real::maximum(largest, analytic.abs());

        let proof = <A as Activation>::value(Proof::variable(Traced::new(*z)));
        let place = Place::Argument(*z);
        report.observe(same_sum(settings, Oracle::Dual, place, analytic, proof.derivative));
        report.observe(same_sum(settings, Oracle::Forward, place, output[0], proof.value));
        compare_differences(&mut report, settings, (Mode::Train, place, analytic), *z, proof, |z| {
            <A as Activation>::value(Proof::constant(Traced::new(z))).value
        });
    }
    refuse_zero(&mut report, settings, largest);
    report
}

/// Checks a loss's gradient with respect to the output of one sample, and that `gradient` returns what `value` does.
///
/// Differences across a branch are skipped, however many there are, as in [`check_activation_at`].
///
/// ```
/// use chainrule::gradcheck::{Settings, check_loss};
/// use chainrule::MeanSquaredError;
/// let report = check_loss(&MeanSquaredError, &[0.5, -1.0, 2.0], &[0.0, 1.0, 2.5], &Settings::default());
/// assert!(report.passed(), "{report}");
/// ```
pub fn check_loss<F, T, const K: usize>(loss: &F, output: &[f64; K], target: &T, settings: &Settings) -> Report
where
    T: Target,
    F: Loss<[f64; K], T> + Loss<[Proof; K], T::Image>,
{
    let mut report = Report::new(core::any::type_name::<F>(), settings.seed);
    let image = target.image();
    // NaN shows what was not overwritten.
    let mut gradient = [f64::NAN; K];
    let value = loss.gradient(output, target, &mut gradient);
    let mut y = output.map(Proof::from_f64);
    let expected: Proof = loss.value(&y, &image);
    report.observe(same_sum(settings, Oracle::Forward, Place::Whole, loss.value(output, target), expected.value));
    report.observe(same_sum(settings, Oracle::LossValue, Place::Whole, value, expected.value));
    let mut largest = 0.0_f64;
    for (row, analytic) in gradient.into_iter().enumerate() {
        largest = Real::maximum(largest, analytic.abs());
        y[row] = Proof::variable(Traced::new(output[row]));
        let at = loss.value(&y, &image);
        let place = Place::Output { row, sample: 0 };
        report.observe(same_sum(settings, Oracle::Dual, place, analytic, at.derivative));
        compare_differences(&mut report, settings, (Mode::Train, place, analytic), output[row], at, |z| {
            y[row] = Proof::constant(Traced::new(z));
            loss.value(&y, &image).value
        });
        y[row] = Proof::from_f64(output[row]);
    }
    refuse_zero(&mut report, settings, largest);
    report
}

fn same_sum(settings: &Settings, oracle: Oracle, place: Place, analytic: f64, expected: Traced) -> Finding {
    let Traced { value: numeric, magnitude, .. } = expected;
    let error = (analytic - numeric).abs();
    let tolerance = settings.dual_tolerance * magnitude + f64::MIN_POSITIVE;
    Finding { oracle, mode: Mode::Train, place, analytic, numeric, error, tolerance, magnitude }
}

fn refuse_zero(report: &mut Report, settings: &Settings, largest: f64) {
    if settings.refuse_zero {
        report.observe(Finding {
            oracle: Oracle::NotZero,
            mode: Mode::Train,
            place: Place::Whole,
            analytic: largest,
            numeric: 0.0,
            error: if largest == 0.0 { 1.0 } else { 0.0 },
            tolerance: 0.0,
            magnitude: 0.0,
        });
    }
}
