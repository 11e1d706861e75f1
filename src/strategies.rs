//! Strategies for property tests with [`proptest`](mod@proptest): numbers at the edges, labels, matrices, batches, and
//! random weights for a type of network. (feature `proptest`)
//!
//! Tensors are built on the heap from a [`Recipe`] of four small values, whatever their size, and shrink by it: to one
//! block that is not zero, to one element, to a scale of one, to small integers. A failing test prints the recipe.
//!
//! # A layer of your own, tested
//!
//! [`gradient_property!`](crate::gradient_property) turns a type of layer into a property test of its gradients, over
//! random weights, inputs and masks. Here is a layer with an error in its backward:
//!
//! ```
//! use chainrule::gradcheck::{Settings, check};
//! use chainrule::*;
//!
//! parameters! {
//!     /// Y = gain ⊙ X, the gain broadcast over the batch.
//!     pub struct Gain<const N: usize, T = f32> {
//!         /// One factor a component.
//!         pub gain: Vector<N, T> = Role::Scale,
//!     }
//! }
//!
//! impl<const N: usize, T: Scalar> Parameters for Gain<N, T> {
//!     fn init(&mut self, _: &mut Random) {
//!         self.gain.fill(T::ONE);
//!     }
//! }
//!
//! impl<const N: usize, const B: usize, T: Scalar> Layer<Matrix<N, B, T>> for Gain<N, T> {
//!     type Output = Matrix<N, B, T>;
//!     type Cache = Matrix<N, B, T>;
//!     type Scratch = Matrix<N, B, T>;
//!     const OPERATIONS: usize = N * B;
//!
//!     fn predict<'a>(&'a self, x: &'a Matrix<N, B, T>, y: &'a mut Matrix<N, B, T>) -> &'a Matrix<N, B, T> {
//!         self.forward(x, y, &mut Pass::evaluate());
//!         y
//!     }
//!
//!     fn forward(&self, x: &Matrix<N, B, T>, y: &mut Matrix<N, B, T>, _: &mut Pass) {
//!         y.copy_from(x);
//!         for column in y.columns_mut() {
//!             for (y, gain) in column.iter_mut().zip(self.gain.as_slice()) {
//!                 *y *= *gain;
//!             }
//!         }
//!     }
//!
//!     fn output(y: &Matrix<N, B, T>) -> &Matrix<N, B, T> {
//!         y
//!     }
//!
//!     fn backward(
//!         &self,
//!         x: &Matrix<N, B, T>,
//!         _: &mut Matrix<N, B, T>,
//!         d_output: &mut Matrix<N, B, T>,
//!         gradient: Option<&mut Self>,
//!         d_input: Option<&mut Matrix<N, B, T>>,
//!     ) {
//!         if let Some(gradient) = gradient {
//!             for (x, d) in x.columns().iter().zip(d_output.columns()) {
//!                 for i in 0..N {
//!                     gradient.gain[i] -= d[i] * x[i]; // must be +=
//!                 }
//!             }
//!         }
//!         if let Some(d_input) = d_input {
//!             for (d_x, d_y) in d_input.columns_mut().iter_mut().zip(d_output.columns()) {
//!                 for i in 0..N {
//!                     d_x[i] = self.gain[i] * d_y[i];
//!                 }
//!             }
//!         }
//!     }
//! }
//!
//! // In your tests, one line each:
//! //     assert_gradients!(Gain<4>, inputs = 4, batch = 3);
//! //     gradient_property!(gain_is_differentiated_rightly: Gain<4>, inputs = 4, batch = 3);
//!
//! let report = check::<Gain<4, f64>, Matrix<4, 3, f64>>(&Settings::default());
//! assert!(!report.passed() && report.points_at("gain"));
//! // It reads:
//! //
//! //     wrong gradient: 12 of 60 comparisons failed for
//! //       Gain<4, f64>
//! //     the worst:
//! //       at         gain[3] (Scale, 4 values)
//! //       compared   backward against dual numbers through forward
//! //       analytic   -1.353200438393030e0
//! //       numeric    +1.353200438393030e0
//! //       error      2.706e0
//! //       tolerance  1.353e-12, with S = 1.353e0
//! //       because    two orders of the same sum differ by at most n·2⁻⁵³·S, S the sum of the absolute terms
//! //       hint       equal but for the sign
//! //     seed 1; 0 of 32 differences skipped at kinks
//! //
//! // The input's gradient is right, so nothing is said of it.
//! let text = report.to_string();
//! assert!(text.contains("gain[3] (Scale, 4 values)") && text.contains("equal but for the sign"));
//! ```

mod architectures;
mod recipe;

pub use recipe::{Elements, Recipe, Support};

use crate::gradcheck::{Cotangent, Gradients, Report, Settings, Subject};
use crate::{Class, Matrix, Scalar, Tensor, Vector, Zeroed};
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use proptest::prelude::*;
use proptest::strategy::{NewTree, ValueTree};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::boxed::Box;
use std::vec::Vec;

#[doc(hidden)]
pub use proptest;

/// Finite numbers of moderate size, small integers, and the edges of arithmetic: zeros, subnormals, the neighbours of
/// one. Shrinks towards zero.
///
/// ```
/// use chainrule::strategies::scalar;
/// use proptest::prelude::*;
/// proptest!(|(x in scalar::<f32>())| prop_assert!(x.is_finite()));
/// ```
pub fn scalar<T: Scalar>() -> impl Strategy<Value = T> + Clone {
    prop_oneof![
        4 => -4.0..4.0_f64,
        2 => (-16_i32..=16).prop_map(f64::from),
        2 => prop::sample::select(&recipe::EDGES[..]),
    ]
    .prop_map(T::from_f64)
}

/// [`scalar`], and what a robust function must survive: infinities, NaN, the largest numbers, numbers at which e^x
/// overflows or vanishes.
pub fn any_scalar<T: Scalar>() -> impl Strategy<Value = T> + Clone {
    let hard = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        3.402_823_466_385_288_6e38,
        -3.402_823_466_385_288_6e38,
        1.8447e19,
        88.722_84,
        -103.972_08,
        709.782_712_893_384,
        -745.133_219_101_941_1,
    ];
    prop_oneof![3 => scalar::<f64>(), 1 => prop::sample::select(hard.to_vec())].prop_map(T::from_f64)
}

/// Any label of `K` classes; shrinks towards the first.
///
/// ```
/// use chainrule::strategies::class;
/// use proptest::prelude::*;
/// proptest!(|(label in class::<3>())| prop_assert!(label.index() < 3));
/// ```
pub fn class<const K: usize>() -> impl Strategy<Value = Class<K>> + Clone {
    (0..K).prop_map(|index| {
        let Ok(class) = Class::new(index) else { unreachable!("the range ends at K") };
        class
    })
}

/// A target distribution over `K` classes: not negative, with sum 1, often certain of one class.
pub fn distribution<const K: usize, T: Scalar>() -> impl Strategy<Value = [T; K]> {
    let spread = prop::collection::vec(0.0..1.0_f64, K).prop_map(|draws| {
        let sum: f64 = draws.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        core::array::from_fn(|k| T::from_f64(if sum > 1e-3 { draws[k] / sum } else { 1.0 / K as f64 }))
    });
    prop_oneof![3 => spread, 1 => class::<K>().prop_map(Class::one_hot)]
}

/// A tensor that a [`Recipe`] built, on the heap. `Debug` prints the recipe, and the tensor if it is small.
pub struct Built<X> {
    /// How it was built.
    pub recipe: Recipe,
    /// The tensor.
    pub tensor: Box<X>,
}

impl<X> Deref for Built<X> {
    type Target = X;
    fn deref(&self) -> &X {
        &self.tensor
    }
}

impl<X> DerefMut for Built<X> {
    fn deref_mut(&mut self) -> &mut X {
        &mut self.tensor
    }
}

impl<X: Tensor> fmt::Debug for Built<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.recipe)?;
        if X::LEN <= 32 {
            for i in 0..X::SLICES {
                write!(f, "; {}: {:?}", X::block(i).name, self.tensor.slice(i))?;
            }
        }
        Ok(())
    }
}

/// Strategy for a [`Tensor`]: a vector, a matrix, a batch, all parameters of a network.
///
/// Drawn are scales from 2^−20 to 2^`largest_exponent`, all elements, one block or one element that is not zero, and
/// integers.
pub struct TensorStrategy<X> {
    /// Scales reach up to 2 to this power.
    pub largest_exponent: i32,
    /// Whether some tensors are made of numbers at the edges of arithmetic.
    pub edges: bool,
    tensor: PhantomData<fn() -> X>,
}

impl<X> Clone for TensorStrategy<X> {
    fn clone(&self) -> Self {
        Self { tensor: PhantomData, ..*self }
    }
}

impl<X> fmt::Debug for TensorStrategy<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TensorStrategy")
            .field("largest_exponent", &self.largest_exponent)
            .field("edges", &self.edges)
            .finish()
    }
}

impl<X> TensorStrategy<X> {
    /// Scales up to 2 to this power; 0 unless told otherwise.
    #[must_use]
    pub fn up_to(self, largest_exponent: i32) -> Self {
        Self { largest_exponent, ..self }
    }

    /// Also tensors of numbers at the edges of arithmetic.
    #[must_use]
    pub fn with_edges(self) -> Self {
        Self { edges: true, ..self }
    }
}

/// Random elements for a tensor: weights for a type of network, or a batch.
///
/// ```
/// use chainrule::strategies::tensor;
/// use chainrule::{Dense, Tanh, Tensor};
/// use proptest::prelude::*;
///
/// type Net = (Dense<784, 512, Tanh>, Dense<512, 10>); // 1.6 MB, never on the stack
/// let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3) };
/// proptest!(config, |(net in tensor::<Net>())| prop_assert!(net.all_finite()));
/// ```
#[must_use]
pub fn tensor<X: Tensor>() -> TensorStrategy<X> {
    TensorStrategy { largest_exponent: 0, edges: false, tensor: PhantomData }
}

/// A random matrix, or a batch of `C` samples.
#[must_use]
pub fn matrix<const R: usize, const C: usize, T: Scalar>() -> TensorStrategy<Matrix<R, C, T>> {
    tensor()
}

/// A random vector.
#[must_use]
pub fn vector<const N: usize, T: Scalar>() -> TensorStrategy<Vector<N, T>> {
    tensor()
}

impl<X: Tensor> Strategy for TensorStrategy<X> {
    type Tree = TensorTree<X>;
    type Value = Built<X>;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let blocks = 0..X::SLICES.max(1);
        let support = prop_oneof![
            8 => Just(Support::All),
            1 => blocks.prop_map(Support::Block),
            1 => Just(Support::Nothing),
        ];
        let edges = u32::from(self.edges);
        let elements = prop_oneof![
            6 => Just(Elements::Uniform),
            2 => Just(Elements::Integers),
            2 * edges => Just(Elements::Edges),
        ];
        let exponent = prop_oneof![3 => Just(0), 1 => -20..=self.largest_exponent];
        let drawn = (support, elements, exponent, any::<u64>()).new_tree(runner)?.current();
        let (support, elements, exponent, seed) = drawn;
        // Integers stay integers.
        let exponent = if elements == Elements::Uniform { exponent } else { 0 };
        let recipe = Recipe { support, elements, exponent, seed };
        Ok(TensorTree { failing: recipe, current: recipe, simpler: Vec::new(), tensor: PhantomData })
    }
}

/// How a tensor shrinks: by its recipe, one respect at a time, the simplest first.
pub struct TensorTree<X> {
    failing: Recipe,
    current: Recipe,
    /// What has not been tried yet, the next one last.
    simpler: Vec<Recipe>,
    tensor: PhantomData<fn() -> X>,
}

impl<X: Tensor> TensorTree<X> {
    fn next(&mut self) -> bool {
        match self.simpler.pop() {
            Some(recipe) => {
                self.current = recipe;
                true
            }
            None => {
                self.current = self.failing;
                false
            }
        }
    }
}

impl<X: Tensor> ValueTree for TensorTree<X> {
    type Value = Built<X>;

    fn current(&self) -> Built<X> {
        Built { recipe: self.current, tensor: self.current.build() }
    }

    /// The current one fails: what is simpler than it?
    fn simplify(&mut self) -> bool {
        self.failing = self.current;
        self.simpler = self.current.simpler::<X>();
        self.simpler.reverse();
        self.next()
    }

    /// The current one passes: what else is simpler than the one that failed?
    fn complicate(&mut self) -> bool {
        self.next()
    }
}

/// The gradients of a layer at the weights and the input of two recipes. Dual numbers judge everywhere, differences
/// where the recipes are tame enough for them.
///
/// [`gradient_property!`](crate::gradient_property) runs it over random recipes.
pub fn check_recipe<L: Subject<X>, X: Tensor<Scalar = f64>>(layer: &Recipe, input: &Recipe, seed: u64) -> Report {
    let mut work = Gradients::<L, X>::boxed();
    layer.fill(&mut work.layer);
    input.fill(&mut work.input);
    let tame = |recipe: &Recipe| recipe.elements == Elements::Uniform && recipe.exponent <= 0;
    let limit = if tame(layer) && tame(input) { Settings::DEFAULT.five_point_absolute } else { f64::INFINITY };
    let settings = Settings {
        seed,
        operations: 500_000,
        three_point_absolute: limit,
        five_point_absolute: limit,
        // Zeros and integers stand on kinks.
        skipped_share: 1.0,
        refuse_zero: false,
        ..Settings::DEFAULT
    };
    work.run(&settings, &Cotangent::new(seed))
}

/// Runs a property of gradients: the step shared by the macros.
#[doc(hidden)]
#[track_caller]
#[allow(clippy::panic, reason = "this is how a test fails")]
pub fn assert_gradient_property<L: Subject<X>, X: Tensor<Scalar = f64>>(cases: u32) {
    // `PROPTEST_CASES` raises the number for a longer run.
    let default = Config::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { cases };
    let config = Config { cases, failure_persistence: None, ..default };
    let strategy = (tensor::<L>().up_to(2), tensor::<X>().up_to(2), any::<u64>());
    let outcome = TestRunner::new(config).run(&strategy, |(layer, input, seed)| {
        let report = check_recipe::<L, X>(&layer.recipe, &input.recipe, seed);
        if report.passed() { Ok(()) } else { Err(TestCaseError::fail(std::format!("{report}"))) }
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// Defines a test: the gradients of a layer or network are right at random weights and inputs of all kinds.
///
/// `gradient_property!(name: Layer, inputs = IN, batch = B)`, and `, cases = n` for another number than 64. The
/// environment variable `PROPTEST_CASES` overrides both. The layer's own scalar does not matter.
///
/// ```
/// use chainrule::{Dense, Tanh, gradient_property};
/// gradient_property!(a_dense_layer_is_differentiated_rightly: Dense<4, 3, Tanh>, inputs = 4, batch = 2);
/// ```
///
/// A failure prints the smallest recipes that it found, and the report.
///
/// ```should_panic
/// use chainrule::{Activation, Dense, Matrix, Scalar, Value};
///
/// struct Wrong;
/// impl Activation for Wrong {
///     type At = Value;
///     fn value<T: Real>(z: T) -> T {
///         z.tanh()
///     }
///     fn derivative<T: Real>(a: T) -> T {
///         T::ONE + a * a // must be a difference
///     }
/// }
/// // What the test of the macro runs:
/// chainrule::strategies::assert_gradient_property::<Dense<4, 3, Wrong, f64>, Matrix<4, 2, f64>>(64);
/// ```
#[macro_export]
macro_rules! gradient_property {
    ($name:ident: $Layer:ty, inputs = $IN:tt, batch = $B:tt $(,)?) => {
        $crate::gradient_property!($name: $Layer, inputs = $IN, batch = $B, cases = 64);
    };
    ($name:ident: $Layer:ty, inputs = $IN:tt, batch = $B:tt, cases = $cases:expr $(,)?) => {
        #[test]
        fn $name() {
            $crate::strategies::assert_gradient_property::<
                <$Layer as $crate::Tensor>::With<f64>,
                $crate::Matrix<$IN, $B, f64>,
            >($cases);
        }
    };
}
