use super::{
    Gradients, Objective, Oracle, Place, Proof, Report, Settings, Subject, Traced, away_from_zero, fill, stream,
};
use crate::gradcheck::Finding;
use crate::{Layer, Mode, Pass, Random, Real, Tensor};
use core::ops::Range;

/// One block of variables: a slice of the parameters, or of the input.
#[derive(Clone, Copy)]
enum Slot {
    Parameter(usize),
    Input(usize),
}

/// A check under way, in one mode.
pub(super) struct Check<'a, L: Subject<X>, X: Tensor<Scalar = f64>, O> {
    pub work: &'a mut Gradients<L, X>,
    pub settings: &'a Settings,
    pub objective: &'a O,
    pub mode: Mode,
}

/// The derivative of a function of one variable, from the function alone.
struct Difference {
    value: f64,
    /// A kink lies between the points.
    kink: bool,
}

/// A sum whose rounding errors are summed as well (Knuth's two-sum), so that its length does not matter.
#[derive(Default)]
struct Sum {
    value: f64,
    lost: f64,
}

impl Sum {
    fn add(&mut self, x: f64) {
        let sum = self.value + x;
        let added = sum - self.value;
        self.lost += (self.value - (sum - added)) + (x - added);
        self.value = sum;
    }

    fn total(&self) -> f64 {
        self.value + self.lost
    }
}

/// Central differences of `f` around `x`, with the differences of the points as represented for divisors:
///
/// - three points: (f(x+h) − f(x−h)) / 2h
/// - five points: (4·D(h) − D(2h)) / 3, D the former
fn difference(x: f64, h: f64, five: bool, trace: u64, mut f: impl FnMut(f64) -> Traced) -> Difference {
    let mut kink = false;
    let mut central = |h: f64| {
        let (above, below) = (x + h, x - h);
        let (f_above, f_below) = (f(above), f(below));
        kink |= f_above.trace != trace || f_below.trace != trace;
        (f_above.value - f_below.value) / (above - below)
    };
    let narrow = central(h);
    let value = if five { (4.0 * narrow - central(2.0 * h)) / 3.0 } else { narrow };
    Difference { value, kink }
}

/// Compares `analytic` with differences of `f` at `x`, where `at` is the dual number's value and derivative there.
/// Tries smaller steps where the first one is off or sees a kink.
pub(super) fn compare_differences(
    report: &mut Report,
    settings: &Settings,
    (mode, place, analytic): (Mode, Place, f64),
    x: f64,
    at: Proof,
    mut f: impl FnMut(f64) -> Traced,
) {
    let reach = x.abs().max(1.0);
    let magnitude = at.derivative.magnitude + at.value.magnitude / reach;
    // The step shrinks as far as rounding errors of S/h leave room below 10⁻⁹·S.
    let kinds = [
        (Oracle::ThreePoint, settings.three_point_absolute, settings.three_point_step, 0.5),
        (Oracle::FivePoint, settings.five_point_absolute, settings.five_point_step, 0.125),
    ];
    for (oracle, absolute, first, factor) in kinds {
        if absolute == f64::INFINITY {
            continue; // switched off
        }
        report.differences += 1;
        let mut step = first * reach;
        let mut best: Option<Finding> = None;
        for _ in 0..3 {
            let five = oracle == Oracle::FivePoint;
            let numeric = difference(x, step, five, at.value.trace, &mut f);
            step *= factor;
            if numeric.kink {
                continue;
            }
            let numeric = numeric.value;
            let relative = if five { 0.0 } else { settings.three_point_relative };
            let tolerance = relative * analytic.abs().max(numeric.abs()) + absolute * magnitude + f64::MIN_POSITIVE;
            let error = (analytic - numeric).abs();
            let finding = Finding { oracle, mode, place, analytic, numeric, error, tolerance, magnitude };
            if best.is_none_or(|best| finding.ratio() < best.ratio()) {
                best = Some(finding);
            }
            if finding.passed() {
                break;
            }
        }
        match best {
            Some(best) => {
                report.observe(best);
            }
            None => report.skipped += 1,
        }
    }
}

/// Fails if more of the differences were skipped than may be.
fn compare_skipped(report: &mut Report, mode: Mode, share: f64) {
    if report.skipped == 0 {
        return;
    }
    let skipped = report.skipped as f64 / report.differences as f64;
    report.observe(Finding {
        oracle: Oracle::Skipped,
        mode,
        place: Place::Whole,
        analytic: skipped,
        numeric: 0.0,
        error: skipped,
        tolerance: share,
        magnitude: 0.0,
    });
}

impl<L, X, O> Check<'_, L, X, O>
where
    X: Tensor<Scalar = f64>,
    L: Subject<X>,
    O: Objective<L::Output, <L::Image as Layer<X::With<Proof>>>::Output>,
{
    pub fn run(&mut self, report: &mut Report) {
        self.load_image();
        self.compare_predictions(report);
        self.backward(report);
        let slots = || (0..L::SLICES).map(Slot::Parameter).chain((0..X::SLICES).map(Slot::Input));
        for slot in slots() {
            self.compare_slot(slot, report);
        }
        compare_skipped(report, self.mode, self.settings.skipped_share);
        if self.settings.refuse_zero {
            if <L::Gradient as Tensor>::LEN > 0 {
                let largest = self.work.gradient.max_abs();
                self.refuse_zero(report, largest, Place::Whole);
            }
            let largest = self.work.d_input.max_abs();
            self.refuse_zero(report, largest, Place::Input { row: 0, sample: 0 });
        }
    }

    fn refuse_zero(&self, report: &mut Report, largest: f64, place: Place) {
        let error = if largest == 0.0 { 1.0 } else { 0.0 };
        report.observe(self.finding(Oracle::NotZero, place, largest, 0.0, 0.0, 0.0).with_error(error));
    }

    fn finding(
        &self,
        oracle: Oracle,
        place: Place,
        analytic: f64,
        numeric: f64,
        tolerance: f64,
        magnitude: f64,
    ) -> Finding {
        let error = (analytic - numeric).abs();
        Finding { oracle, mode: self.mode, place, analytic, numeric, error, tolerance, magnitude }
    }

    /// A finding whose tolerance is that for two orders of the same sum.
    fn same_sum(&self, oracle: Oracle, place: Place, analytic: f64, numeric: f64, magnitude: f64) -> Finding {
        let tolerance = self.settings.dual_tolerance * magnitude + f64::MIN_POSITIVE;
        self.finding(oracle, place, analytic, numeric, tolerance, magnitude)
    }

    fn pass(&self) -> Pass {
        match self.mode {
            Mode::Train => Pass::train(self.settings.seed, 1),
            Mode::Evaluate => Pass::evaluate(),
        }
    }

    /// Copies parameters and input to the image, as constants.
    fn load_image(&mut self) {
        for i in 0..L::SLICES {
            load(self.work.image.slice_mut(i), self.work.layer.slice(i));
        }
        for i in 0..X::SLICES {
            load(self.work.image_input.slice_mut(i), self.work.input.slice(i));
        }
    }

    /// The objective of the image as it stands.
    fn evaluate(&mut self) -> Proof {
        let mut pass = self.pass();
        let work = &mut *self.work;
        work.image.forward(&work.image_input, &mut work.image_cache, &mut pass);
        self.objective.value(L::Image::output(&work.image_cache))
    }

    /// `forward` against the image, in this mode; `predict` against `forward`, in evaluation mode.
    pub fn compare_predictions(&mut self, report: &mut Report) {
        self.load_image();
        let mode = self.mode;
        self.evaluate();
        let mut pass = self.pass();
        self.work.layer.forward(&self.work.input, &mut self.work.cache, &mut pass);
        self.compare_outputs(report, Oracle::Forward);
        self.mode = Mode::Evaluate;
        self.evaluate();
        self.compare_outputs(report, Oracle::Predict);
        self.mode = mode;
    }

    fn compare_outputs(&mut self, report: &mut Report, oracle: Oracle) {
        let work = &mut *self.work;
        let output = match oracle {
            Oracle::Predict => work.layer.predict(&work.input, &mut work.scratch),
            _ => L::output(&work.cache),
        };
        // Only the worst element is reported: outputs are many.
        let expected = L::Image::output(&work.image_cache);
        let mut worst: Option<Finding> = None;
        for i in 0..L::Output::SLICES {
            let rows = L::Output::block(i).rows.max(1);
            for (e, (y, proof)) in output.slice(i).iter().zip(expected.slice(i)).enumerate() {
                let place = Place::Output { row: e % rows, sample: e / rows };
                let magnitude = proof.value.magnitude;
                let tolerance = self.settings.dual_tolerance * magnitude + f64::MIN_POSITIVE;
                let (analytic, numeric, mode) = (*y, proof.value.value, self.mode);
                let error = (analytic - numeric).abs();
                let finding = Finding { oracle, mode, place, analytic, numeric, error, tolerance, magnitude };
                if worst.is_none_or(|worst| finding.ratio() > worst.ratio()) {
                    worst = Some(finding);
                }
            }
        }
        if let Some(worst) = worst {
            report.observe(worst);
        }
    }

    /// Runs `backward` in all its forms: both results; each alone; and once more into the same gradient.
    fn backward(&mut self, report: &mut Report) {
        let mut pass = self.pass();
        let objective = self.objective;
        let Gradients { layer, input, gradient, gradient_again, d_input, d_input_again, d_output, cache, .. } =
            &mut *self.work;
        layer.forward(input, cache, &mut pass);
        gradient.set_zero();
        gradient_again.set_zero();
        // NaN shows what was not overwritten.
        fill(d_input, || f64::NAN);
        fill(d_input_again, || f64::NAN);

        objective.gradient(L::output(cache), d_output);
        layer.backward(input, cache, d_output, Some(gradient), Some(d_input));
        objective.gradient(L::output(cache), d_output);
        layer.backward(input, cache, d_output, Some(gradient_again), None);
        objective.gradient(L::output(cache), d_output);
        layer.backward(input, cache, d_output, None, Some(d_input_again));

        for i in 0..L::SLICES {
            self.compare_bits(Slot::Parameter(i), report);
        }
        for i in 0..X::SLICES {
            self.compare_bits(Slot::Input(i), report);
        }

        let Gradients { layer, input, gradient_again, d_output, cache, .. } = &mut *self.work;
        objective.gradient(L::output(cache), d_output);
        layer.backward(input, cache, d_output, Some(gradient_again), None);
    }

    /// The gradient, and the one of other calls.
    fn analytic(&self, slot: Slot) -> (&[f64], &[f64]) {
        match slot {
            Slot::Parameter(i) => (self.work.gradient.slice(i), self.work.gradient_again.slice(i)),
            Slot::Input(i) => (self.work.d_input.slice(i), self.work.d_input_again.slice(i)),
        }
    }

    fn compare_bits(&self, slot: Slot, report: &mut Report) {
        let (both, alone) = self.analytic(slot);
        let differs = |e: &usize| both[*e].to_bits() != alone[*e].to_bits();
        let elements = 0..both.len().min(alone.len());
        if elements.is_empty() {
            return;
        }
        let e = elements.clone().find(differs);
        let at = e.unwrap_or(0);
        let finding = self.finding(Oracle::HalfBackward, place::<L, X>(slot, at), alone[at], both[at], 0.0, 0.0);
        report.observe(finding.with_error(if e.is_some() { 1.0 } else { 0.0 }));
    }

    fn variables(&mut self, slot: Slot) -> &mut [Proof] {
        match slot {
            Slot::Parameter(i) => self.work.image.slice_mut(i),
            Slot::Input(i) => self.work.image_input.slice_mut(i),
        }
    }

    fn compare_slot(&mut self, slot: Slot, report: &mut Report) {
        let len = self.variables(slot).len();
        let found = self.analytic(slot).0.len();
        if len == 0 || (found == 0 && matches!(slot, Slot::Parameter(_))) {
            return; // frozen, or nothing there
        }
        if found != len {
            // The gradient of a block has its shape: `Tensor::Gradient` is wrong.
            report.observe(self.finding(Oracle::Dual, place::<L, X>(slot, 0), f64::NAN, len as f64, 0.0, 0.0));
            return;
        }
        let limit = self.elements();
        if len <= limit {
            for e in 0..len {
                self.compare_element(slot, e, report);
            }
            return;
        }
        // Spread over the block, one drawn from each stretch, its two ends among them.
        let mut random = Random::new(self.settings.seed, stream::ELEMENTS);
        for k in 0..limit {
            let (start, end) = (k * len / limit, (k + 1) * len / limit);
            let drawn = start + (random.uniform() * (end - start) as f64) as usize;
            let e = if k == 0 {
                0
            } else if k + 1 == limit {
                len - 1
            } else {
                drawn
            };
            self.compare_element(slot, e, report);
        }
        self.compare_direction(slot, 0..len, report);
    }

    /// How many elements of a block are compared one by one.
    fn elements(&self) -> usize {
        // One pass for the dual number, two and four for the differences; a parameter costs two operations at least.
        let pass = L::OPERATIONS.max(2 * L::LEN) + X::LEN;
        let passes = self.settings.operations / (8 * pass.max(1));
        (passes / (L::SLICES + X::SLICES)).max(8)
    }

    fn compare_element(&mut self, slot: Slot, e: usize, report: &mut Report) {
        let (gradient, again) = self.analytic(slot);
        let (analytic, twice) = (gradient[e], again[e]);
        let place = place::<L, X>(slot, e);
        let x = self.variables(slot)[e].value.value;
        self.variables(slot)[e].derivative = Traced::new(1.0);
        let at = self.evaluate();
        self.variables(slot)[e] = Proof::from_f64(x);

        let magnitude = at.derivative.magnitude;
        report.observe(self.same_sum(Oracle::Dual, place, analytic, at.derivative.value, magnitude));
        if matches!(slot, Slot::Parameter(_)) {
            report.observe(self.same_sum(
                Oracle::SecondBackward,
                place,
                twice,
                2.0 * analytic,
                2.0 * magnitude + 2.0 * analytic.abs(),
            ));
        }
        let (settings, mode) = (self.settings, self.mode);
        compare_differences(report, settings, (mode, place, analytic), x, at, |x| {
            self.variables(slot)[e].value = Traced::new(x);
            self.evaluate().value
        });
        self.variables(slot)[e] = Proof::from_f64(x);
    }

    /// Σ g_e·v_e over all elements against the derivative along v. Where they differ, bisection leads to an element
    /// whose own derivative does.
    fn compare_direction(&mut self, slot: Slot, all: Range<usize>, report: &mut Report) {
        let finding = self.along_direction(slot, all.clone());
        if report.observe(finding) {
            return;
        }
        let mut range = all;
        while range.len() > 1 {
            let middle = range.start + range.len() / 2;
            let (left, right) = (range.start..middle, middle..range.end);
            let left_is_worse =
                self.along_direction(slot, left.clone()).ratio() >= self.along_direction(slot, right.clone()).ratio();
            range = if left_is_worse { left } else { right };
        }
        self.compare_element(slot, range.start, report);
    }

    fn along_direction(&mut self, slot: Slot, range: Range<usize>) -> Finding {
        let mut random = Random::new(self.settings.seed, stream::DIRECTION);
        let mut sum = Sum::default();
        for e in 0..range.end {
            // Drawn for every element, so that a part of the direction is a part of the same one.
            let v = away_from_zero(&mut random);
            if range.contains(&e) {
                self.variables(slot)[e].derivative = Traced::new(v);
                sum.add(self.analytic(slot).0[e] * v);
            }
        }
        let at = self.evaluate().derivative;
        for x in self.variables(slot) {
            x.derivative = Traced::new(0.0);
        }
        let place = place::<L, X>(slot, range.start);
        self.same_sum(Oracle::DualDirection, place, sum.total(), at.value, at.magnitude)
    }
}

impl Finding {
    fn with_error(self, error: f64) -> Self {
        Self { error, ..self }
    }
}

fn load(image: &mut [Proof], values: &[f64]) {
    for (image, value) in image.iter_mut().zip(values) {
        *image = Proof::from_f64(*value);
    }
}

/// Row and column of element `e` of a block that is stored column by column.
fn place<L: Tensor, X: Tensor>(slot: Slot, e: usize) -> Place {
    match slot {
        Slot::Parameter(i) => {
            let block = L::block(i);
            let rows = block.rows.max(1);
            Place::Parameter { block, row: e % rows, column: e / rows }
        }
        Slot::Input(i) => {
            let rows = X::block(i).rows.max(1);
            Place::Input { row: e % rows, sample: e / rows }
        }
    }
}
