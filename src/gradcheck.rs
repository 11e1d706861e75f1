//! A gradient checker, for the layers of this crate and for yours.
//!
//! A hand-written gradient can be wrong and still train, badly. Here it is held against two things that know no
//! backward code: dual numbers through the forward code, exact to rounding, and central differences. Both are taken
//! with respect to every block of parameters *and* the input. One line is a test:
//!
//! ```
//! use chainrule::{Dense, Tanh, assert_gradients};
//! assert_gradients!(Dense<4, 3, Tanh>, inputs = 4, batch = 2);
//! ```
//!
//! # What is compared, and how closely
//!
//! A layer is made scalar by L = Σ c_jb·y_jb with random signed c, none of them near zero; a network can be checked
//! with a loss as well. u = 2⁻⁵³ is the unit roundoff, and S the sum of the absolute values of all terms that make up a
//! number, which [`Traced`] carries along: where terms cancel, a tolerance relative to the result would be unfair, one
//! relative to S is not.
//!
//! | compared with | tolerance | because |
//! |---|---|---|
//! | dual numbers | 10⁻¹²·S | two orders of n terms differ by n·u·S; 10⁻¹² is n = 9000 |
//! | three points, h = 2⁻¹⁷·max(1, \|x\|) | 10⁻⁷·max(\|a\|, \|n\|) + 10⁻⁹·S | truncation h²/6·M₃ ≈ 10⁻¹¹·M₃, rounding u·S/h ≈ 10⁻¹¹·S |
//! | five points, h = 2⁻¹⁰·max(1, \|x\|) | 10⁻⁹·S | truncation h⁴/30·M₅ ≈ 3·10⁻¹⁴·M₅, rounding u·S/h ≈ 10⁻¹³·S |
//!
//! For differences, S is that of the derivative plus that of the loss over max(1, |x|). A difference that is off, or
//! that has a kink between its points, is tried again with two smaller steps: a right gradient agrees with one of
//! them, a wrong one with none. Divisors are the differences of the points as represented. Every tolerance
//! has the least normal number added, for sums so small that they round absolutely.
//!
//! **Kinks.** The fingerprint of all branches ([`Traced::trace`]) must be the same at all points of a difference and
//! at the middle. Otherwise that difference is skipped, the dual number is not; more than 5 % skipped is a failure.
//! At an exact kink a gradient is that of the branch which the forward code takes there.
//!
//! **NaN** fails every comparison. **Zero** everywhere is refused.
//!
//! **Random layers** run with the same pass every time, so that they draw the same. Where training and evaluation
//! yield different outputs, both are checked.
//!
//! **Also checked:** that `backward` adds to the gradient and overwrites `d_input`; that with `None` for either the
//! other is the same bit for bit; that `predict` agrees with `forward`; that `forward` in `f64` agrees with portable
//! products.
//!
//! **Large layers.** Work is bounded ([`Settings::operations`]). Of a block that has too many elements some are
//! compared one by one, spread over all of it, and all of them together along a random direction; where that fails,
//! bisection finds an element that is wrong.
//!
//! Nothing allocates but [`check`], which takes its workspace from the heap where there is one. A workspace of your
//! own, on the stack or in a static, is [`Gradients`].

mod differences;
mod elementwise;
mod objective;
mod report;
mod traced;

pub use elementwise::{GRID, check_activation, check_activation_at, check_loss};
pub use objective::{Cotangent, MeanLoss, Objective, Target};
pub use report::{Finding, Oracle, Place, Report};
pub use traced::Traced;

use crate::{Dual, Layer, Loss, Matrix, Mode, Pass, Random, Real, Tensor, Zeroed};

/// The scalar of the forward code that proves: a dual number that knows its branches and magnitudes.
pub type Proof = Dual<Traced>;

/// What is compared, how closely, and with which draws. The defaults are derived in the [module's page](self).
///
/// ```
/// use chainrule::{Dense, Relu, assert_gradients, gradcheck::Settings};
/// assert_gradients!(Dense<4, 3, Relu>, inputs = 4, batch = 2, settings = Settings { seed: 7, ..Settings::default() });
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The seed of weights, inputs, cotangent, and of the layer's own draws.
    pub seed: u64,
    /// About how many floating-point operations a check may take, counted on the plain number.
    pub operations: usize,
    /// Against dual numbers and other orders of the same sums: times S.
    pub dual_tolerance: f64,
    /// Against three-point differences: times the larger of the two values …
    pub three_point_relative: f64,
    /// … plus this times S. Infinite: three points are not looked at.
    pub three_point_absolute: f64,
    /// Against five-point differences: times S. Infinite: five points are not looked at.
    pub five_point_absolute: f64,
    /// The first step of three points, times max(1, |x|).
    pub three_point_step: f64,
    /// The first step of five points, times max(1, |x|).
    pub five_point_step: f64,
    /// Which share of the differences may be skipped because of kinks.
    pub skipped_share: f64,
    /// Whether gradients that are zero everywhere fail.
    pub refuse_zero: bool,
}

impl Settings {
    /// The defaults, for a `const`.
    pub const DEFAULT: Self = Self {
        seed: 1,
        operations: 10_000_000,
        dual_tolerance: 1e-12,
        three_point_relative: 1e-7,
        three_point_absolute: 1e-9,
        five_point_absolute: 1e-9,
        three_point_step: 1.0 / (1 << 17) as f64,
        five_point_step: 1.0 / (1 << 10) as f64,
        skipped_share: 0.05,
        refuse_zero: true,
    };
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A layer that can be checked for the input `X`: one of `f64` that is also a layer of [`Proof`].
///
/// Every layer that is generic over its scalar is; there is nothing to implement.
#[diagnostic::on_unimplemented(
    message = "the gradients of `{Self}` cannot be checked for the input `{X}`",
    note = "write `impl<T: Scalar, const B: usize> Layer<Matrix<IN, B, T>>`, for every scalar"
)]
pub trait Subject<X: Tensor<Scalar = f64>>: Layer<X, Scalar = f64, Output: Tensor<Scalar = f64>> {
    /// The same layer of the scalar that proves.
    type Image: Layer<X::With<Proof>, Scalar = Proof, Output: Tensor<Scalar = Proof>>;
}

impl<X: Tensor<Scalar = f64>, L> Subject<X> for L
where
    L: Layer<X, Scalar = f64, Output: Tensor<Scalar = f64>>,
    L::With<Proof>: Layer<X::With<Proof>, Scalar = Proof, Output: Tensor<Scalar = Proof>>,
{
    type Image = L::With<Proof>;
}

/// What [`Gradients`] keeps for the image of a layer.
type ImageCache<L, X> = <<L as Subject<X>>::Image as Layer<<X as Tensor>::With<Proof>>>::Cache;

/// A layer and an input, with all the memory that a check of its gradients needs.
///
/// It is [`Zeroed`]: [`boxed`](Zeroed::boxed) for large networks, by value for small ones.
///
/// ```
/// use chainrule::gradcheck::{Cotangent, Gradients, Settings};
/// use chainrule::{Dense, Matrix, Sigmoid, Zeroed};
///
/// let mut check = Gradients::<Dense<3, 2, Sigmoid, f64>, Matrix<3, 2, f64>>::ZEROED;
/// check.draw(5); // or write weights and inputs of your own
/// check.layer.bias[1] = 4.0;
/// let report = check.run(&Settings::default(), &Cotangent::new(5));
/// assert!(report.passed(), "{report}");
/// ```
pub struct Gradients<L: Subject<X>, X: Tensor<Scalar = f64>> {
    /// The layer, with the parameters at which its gradients are checked.
    pub layer: L,
    /// The input at which its gradients are checked.
    pub input: X,
    gradient: L::Gradient,
    gradient_again: L::Gradient,
    d_input: X,
    d_input_again: X,
    d_output: L::Output,
    cache: L::Cache,
    scratch: L::Scratch,
    image: L::Image,
    image_input: X::With<Proof>,
    image_cache: ImageCache<L, X>,
}

crate::__impl_zeroed!(
    [L: Subject<X>, X: Tensor<Scalar = f64>] Gradients<L, X>,
    Self {
        layer: L::ZEROED,
        input: X::ZEROED,
        gradient: <L::Gradient as Zeroed>::ZEROED,
        gradient_again: <L::Gradient as Zeroed>::ZEROED,
        d_input: X::ZEROED,
        d_input_again: X::ZEROED,
        d_output: <L::Output as Zeroed>::ZEROED,
        cache: <L::Cache as Zeroed>::ZEROED,
        scratch: <L::Scratch as Zeroed>::ZEROED,
        image: <L::Image as Zeroed>::ZEROED,
        image_input: <X::With<Proof> as Zeroed>::ZEROED,
        image_cache: <ImageCache<L, X> as Zeroed>::ZEROED,
    }
);

/// The streams of a seed that belong to the checker; all are far from those of steps and epochs.
mod stream {
    pub const JITTER: u64 = (1 << 61) + 1;
    pub const INPUT: u64 = (1 << 61) + 2;
    pub const COTANGENT: u64 = (1 << 61) + 3;
    pub const DIRECTION: u64 = (1 << 61) + 4;
    pub const ELEMENTS: u64 = (1 << 61) + 5;
    pub const TARGET: u64 = (1 << 61) + 6;
}

/// Uniform in [−1, 1).
fn symmetric(random: &mut Random) -> f64 {
    2.0 * random.uniform() - 1.0
}

/// Signed, its magnitude uniform in [½, 3⁄2).
fn away_from_zero(random: &mut Random) -> f64 {
    let sign = if random.word() & 1 == 0 { 1.0 } else { -1.0 };
    sign * (0.5 + random.uniform())
}

fn fill<X: Tensor>(tensor: &mut X, mut value: impl FnMut() -> X::Scalar) {
    for i in 0..X::SLICES {
        for x in tensor.slice_mut(i) {
            *x = value();
        }
    }
}

impl<L: Subject<X>, X: Tensor<Scalar = f64>> Gradients<L, X> {
    /// Draws weights and input from `seed`: the layer's own initial weights, each moved a little, so that no bias
    /// stands at zero; inputs uniform in [−1, 1).
    pub fn draw(&mut self, seed: u64) {
        self.layer.init(&mut Random::new(seed, Random::INITIALIZATION));
        let mut random = Random::new(seed, stream::JITTER);
        for i in 0..L::SLICES {
            // As for initial weights: a sum over the columns should stay of order one.
            let scale = 0.5 / Real::sqrt(L::block(i).columns.max(1) as f64);
            for x in self.layer.slice_mut(i) {
                *x += scale * symmetric(&mut random);
            }
        }
        let mut random = Random::new(seed, stream::INPUT);
        fill(&mut self.input, || symmetric(&mut random));
    }

    /// Compares the gradients of `objective` with respect to parameters and input.
    pub fn run<O>(&mut self, settings: &Settings, objective: &O) -> Report
    where
        O: Objective<L::Output, <L::Image as Layer<X::With<Proof>>>::Output>,
    {
        let mut report = Report::new(core::any::type_name::<L>(), settings.seed);
        differences::Check { work: self, settings, objective, mode: Mode::Train }.run(&mut report);

        // Evaluation is another function only where its output is another.
        self.layer.forward(&self.input, &mut self.cache, &mut Pass::train(settings.seed, 1));
        self.d_output.copy_from(L::output(&self.cache));
        self.layer.forward(&self.input, &mut self.cache, &mut Pass::evaluate());
        let output = L::output(&self.cache);
        let same = (0..L::Output::SLICES).all(|i| output.slice(i) == self.d_output.slice(i));
        let mut evaluation = differences::Check { work: self, settings, objective, mode: Mode::Evaluate };
        if same {
            evaluation.compare_predictions(&mut report);
        } else {
            evaluation.run(&mut report);
        }
        report
    }
}

/// How often weights are drawn anew when the true gradient vanishes, as it does in a network whose ReLUs are all dead.
const DRAWS: u64 = 8;

/// Checks a layer at weights and inputs that it draws from the seed. [`assert_gradients!`](crate::assert_gradients)
/// puts it into a test.
///
/// ```
/// use chainrule::gradcheck::{Settings, check};
/// use chainrule::{Dense, Matrix, Softplus};
/// let report = check::<Dense<3, 2, Softplus, f64>, Matrix<3, 4, f64>>(&Settings::default());
/// assert!(report.passed(), "{report}");
/// ```
pub fn check<L: Subject<X>, X: Tensor<Scalar = f64>>(settings: &Settings) -> Report {
    drawn::<L, X>(settings, |work, settings| work.run(settings, &Cotangent::new(settings.seed)))
}

/// Checks a network together with a loss, mean over the batch, at weights, inputs and targets that it draws.
///
/// ```
/// use chainrule::gradcheck::{Settings, check_with_loss};
/// use chainrule::{Class, Dense, Matrix, SoftmaxCrossEntropy};
/// let report = check_with_loss::<Dense<3, 5, chainrule::Tanh, f64>, Matrix<3, 2, f64>, Class<5>, _, 5, 2>(
///     &SoftmaxCrossEntropy,
///     &Settings::default(),
/// );
/// assert!(report.passed(), "{report}");
/// ```
pub fn check_with_loss<L, X, T, F, const K: usize, const B: usize>(loss: &F, settings: &Settings) -> Report
where
    X: Tensor<Scalar = f64>,
    L: Subject<X, Output = Matrix<K, B, f64>, Image: Layer<X::With<Proof>, Output = Matrix<K, B, Proof>>>,
    T: Target,
    F: Loss<[f64; K], T> + Loss<[Proof; K], T::Image>,
{
    drawn::<L, X>(settings, |work, settings| {
        let mut random = Random::new(settings.seed, stream::TARGET);
        let targets: [T; B] = core::array::from_fn(|_| T::draw(&mut random));
        work.run(settings, &MeanLoss { loss, targets: &targets })
    })
}

/// Draws until the gradient does not vanish, and runs `run` on a workspace from the heap, where there is one.
fn drawn<L: Subject<X>, X: Tensor<Scalar = f64>>(
    settings: &Settings,
    run: impl Fn(&mut Gradients<L, X>, &Settings) -> Report,
) -> Report {
    #[cfg(feature = "alloc")]
    let mut work = Gradients::<L, X>::boxed();
    #[cfg(not(feature = "alloc"))]
    let mut work = Gradients::<L, X>::ZEROED;
    let mut settings = *settings;
    for _ in 1..DRAWS {
        work.draw(settings.seed);
        let report = run(&mut work, &settings);
        let vanished = report.worst.is_some_and(|worst| worst.oracle == Oracle::NotZero);
        if !vanished {
            return report;
        }
        settings.seed = settings.seed.wrapping_add(1);
    }
    work.draw(settings.seed);
    run(&mut work, &settings)
}

/// Panics with the report unless it passed: the step shared by the macros.
#[doc(hidden)]
#[track_caller]
#[allow(clippy::panic, reason = "this is what an assertion does")]
pub fn assert_passed(report: &Report) {
    assert!(report.passed(), "{report}");
}

/// Panics with a readable report unless the gradients of a layer or network are right.
///
/// - `assert_gradients!(Layer, inputs = IN, batch = B)` checks a type of layer, at weights and inputs that it draws.
///   The layer's own scalar does not matter. `B` may be a `const` parameter of the function around it.
/// - `…, loss = SoftmaxCrossEntropy, target = Class<10>, outputs = 10` checks it with a loss as well.
/// - `…, settings = Settings { … }` at the end overrides the defaults.
/// - `assert_gradients!(activation Swish)` checks an [`Activation`](crate::Activation).
///
/// ```
/// use chainrule::{Class, Dense, Identity, SoftmaxCrossEntropy, Tanh, assert_gradients, network};
///
/// network! {
///     struct Digits<T = f32>: 8 => 3 {
///         hidden: Dense<8, 5, Tanh, T>,
///         output: Dense<5, 3, Identity, T>,
///     }
/// }
/// assert_gradients!(Digits, inputs = 8, batch = 2);
/// assert_gradients!(Digits, inputs = 8, batch = 2, loss = SoftmaxCrossEntropy, target = Class<3>, outputs = 3);
/// assert_gradients!(activation Tanh);
///
/// fn every_batch<const B: usize>() {
///     assert_gradients!(Digits, inputs = 8, batch = B);
/// }
/// every_batch::<1>();
/// every_batch::<3>();
/// ```
#[macro_export]
macro_rules! assert_gradients {
    (activation $A:ty $(,)?) => {
        $crate::gradcheck::assert_passed(&$crate::gradcheck::check_activation::<$A>())
    };
    ($Layer:ty, inputs = $IN:tt, batch = $B:tt $(,)?) => {
        $crate::assert_gradients!($Layer, inputs = $IN, batch = $B, settings = $crate::gradcheck::Settings::DEFAULT)
    };
    ($Layer:ty, inputs = $IN:tt, batch = $B:tt, settings = $settings:expr $(,)?) => {
        $crate::gradcheck::assert_passed(&$crate::gradcheck::check::<
            <$Layer as $crate::Tensor>::With<f64>,
            $crate::Matrix<$IN, $B, f64>,
        >(&$settings))
    };
    ($Layer:ty, inputs = $IN:tt, batch = $B:tt, loss = $loss:expr, target = $Target:ty, outputs = $OUT:tt $(,)?) => {
        $crate::assert_gradients!(
            $Layer,
            inputs = $IN,
            batch = $B,
            loss = $loss,
            target = $Target,
            outputs = $OUT,
            settings = $crate::gradcheck::Settings::DEFAULT
        )
    };
    (
        $Layer:ty, inputs = $IN:tt, batch = $B:tt, loss = $loss:expr, target = $Target:ty, outputs = $OUT:tt,
        settings = $settings:expr $(,)?
    ) => {
        $crate::gradcheck::assert_passed(&$crate::gradcheck::check_with_loss::<
            <$Layer as $crate::Tensor>::With<f64>,
            $crate::Matrix<$IN, $B, f64>,
            $Target,
            _,
            $OUT,
            $B,
        >(&$loss, &$settings))
    };
}
