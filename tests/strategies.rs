//! The strategies build and shrink as they say, on a small stack; the architectures' gradients are right.
#![cfg(feature = "proptest")]

use chainrule::gradcheck::{Settings, check};
use chainrule::strategies::{
    Built, Elements, Support, any_scalar, class, distribution, matrix, scalar, tensor, vector,
};
use chainrule::*;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

fn runner(cases: u32) -> TestRunner {
    // The same cases every time: how far a value shrinks depends on where it started.
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::with_cases(cases) }, random)
}

/// One test an architecture: all oracles, with three batch sizes.
macro_rules! architecture {
    ($name:ident, [$Net:ty], $inputs:tt, $outputs:tt) => {
        #[test]
        fn $name() {
            // Enough for every element of a small architecture, and for a part of a large one.
            let settings = Settings { operations: 1_000_000, ..Settings::DEFAULT };
            assert_gradients!($Net, inputs = $inputs, batch = 1, settings = settings);
            assert_gradients!($Net, inputs = $inputs, batch = 2, settings = settings);
            assert_gradients!($Net, inputs = $inputs, batch = 3, settings = settings);
            assert_gradients!(
                $Net, inputs = $inputs, batch = 2, loss = SoftmaxCrossEntropy, target = Class<$outputs>,
                outputs = $outputs, settings = Settings { refuse_zero: $outputs > 1, ..settings }
            );
            assert_gradients!(
                $Net, inputs = $inputs, batch = 2, loss = MeanSquaredError, target = [f64; $outputs],
                outputs = $outputs, settings = settings
            );
            assert_gradients!(
                $Net, inputs = $inputs, batch = 2, loss = BinaryCrossEntropy, target = [f64; $outputs],
                outputs = $outputs, settings = Settings { skipped_share: 0.1, ..settings }
            );
        }
    };
}
mod gradients {
    use super::*;
    for_each_architecture!(architecture);
}

/// The figures: how close the gradients of all architectures come to their tolerances.
#[test]
fn gradients_lie_well_within_their_tolerances() {
    // An infinite tolerance switches differences off, a large one leaves duals without influence.
    let all = Settings { operations: 300_000, ..Settings::DEFAULT };
    let (off, loose) = (f64::INFINITY, 1e3);
    let oracles = [
        ("dual numbers", Settings { three_point_absolute: off, five_point_absolute: off, ..all }),
        ("three points", Settings { dual_tolerance: loose, five_point_absolute: off, ..all }),
        ("five points", Settings { dual_tolerance: loose, three_point_absolute: off, ..all }),
    ];
    for (oracle, settings) in oracles {
        let (mut worst, mut text) = (0.0_f64, String::new());
        macro_rules! ratio {
            ($name:ident, [$Net:ty], $inputs:tt, $outputs:tt) => {
                let report = check::<<$Net as Tensor>::With<f64>, Matrix<$inputs, 2, f64>>(&settings);
                // A ratio is never NaN, it is infinite then.
                if report.worst_ratio() > worst {
                    (worst, text) = (report.worst_ratio(), format!("{}: {report}", stringify!($name)));
                }
            };
        }
        for_each_architecture!(ratio);
        println!("{oracle}: largest error over tolerance {worst:.5}");
        assert!(worst <= 0.1, "{oracle}, {text}");
    }
}

gradient_property!(dense_tanh: Dense<5, 4, Tanh>, inputs = 5, batch = 3);
gradient_property!(dense_relu: Dense<5, 4, Relu>, inputs = 5, batch = 2);
gradient_property!(deep: (Dense<3, 9, Softplus>, (Dense<9, 7, LeakyRelu>, Dense<7, 2, Sigmoid>)), inputs = 3, batch = 2);
gradient_property!(random: (Dense<3, 8, Tanh>, (Dropout<1, 3>, Dense<8, 2>)), inputs = 3, batch = 2, cases = 32);
gradient_property!(shortcut: Residual<Dense<7, 7, Relu>>, inputs = 7, batch = 1, cases = 32);

/// tanh with a derivative that is right in one half.
struct HalfRight;
impl Activation for HalfRight {
    type At = Value;
    fn value<T: Real>(z: T) -> T {
        z.tanh()
    }
    fn derivative<T: Real>(a: T) -> T {
        T::ONE - a * Real::abs(a).maximum(a + T::from_f64(0.25))
    }
}

#[test]
#[should_panic(expected = "wrong gradient")]
fn a_wrong_layer_fails_its_property() {
    strategies::assert_gradient_property::<Dense<3, 2, HalfRight, f64>, Matrix<3, 2, f64>>(64);
}

type Pair = (Dense<6, 5, Tanh>, Dense<5, 4>);

/// The smallest value that fails `passes`.
fn shrunk<X: Tensor>(strategy: strategies::TensorStrategy<X>, passes: impl Fn(&X) -> bool) -> Built<X> {
    let outcome = runner(256).run(&strategy, |x| {
        prop_assert!(passes(&x));
        Ok(())
    });
    match outcome {
        Err(TestError::Fail(_, smallest)) => smallest,
        other => panic!("expected a failure, found {other:?}"),
    }
}

#[test]
fn shrinking_ends_where_a_person_would() {
    // Fails for everything: nothing is left.
    let smallest = shrunk(tensor::<Pair>(), |_| false);
    assert_eq!((smallest.recipe.support, smallest.recipe.seed), (Support::Nothing, 0));
    assert_eq!(smallest.norm(), 0.0);

    // Fails where the second layer's weights are not all zero: one element of block 2, an integer.
    let smallest = shrunk(tensor::<Pair>().up_to(8), |net| net.1.weights.norm() == 0.0);
    assert!(matches!(smallest.recipe.support, Support::Element { block: 2, .. } | Support::Block(2)), "{smallest:?}");
    assert_eq!((smallest.recipe.elements, smallest.recipe.exponent), (Elements::Integers, 0));
    assert!(smallest.recipe.seed < 4);

    // Fails where anything is large: the scale stays as large as it must.
    let smallest = shrunk(tensor::<Pair>().up_to(8), |net| net.max_abs() <= 8.0);
    assert!(smallest.max_abs() > 8.0 && smallest.recipe.exponent > 0);
    assert!(matches!(smallest.recipe.support, Support::Element { .. } | Support::Block(_)), "{smallest:?}");
}

#[test]
fn every_step_of_shrinking_is_simpler_and_they_end() {
    let mut runner = runner(1);
    for _ in 0..100 {
        let mut tree = tensor::<Pair>().with_edges().up_to(8).new_tree(&mut runner).unwrap();
        let mut steps = 0;
        while tree.simplify() {
            steps += 1;
            assert!(steps < 100, "{:?}", tree.current());
        }
        assert_eq!(tree.current().recipe.support, Support::Nothing);
    }
}

#[test]
fn large_networks_need_no_stack() {
    fn in_two_mebibytes(test: impl FnOnce() + Send + 'static) {
        std::thread::Builder::new().stack_size(2 << 20).spawn(test).unwrap().join().unwrap();
    }
    fn build_and_shrink<X: Tensor>() {
        let mut runner = runner(1);
        let mut tree = tensor::<X>().new_tree(&mut runner).unwrap();
        assert!(tree.current().all_finite());
        let text = format!("{:?}", tree.current());
        assert!(text.len() < 1000);
        assert!(tree.simplify());
        assert!(tree.current().all_finite());
    }
    in_two_mebibytes(build_and_shrink::<Dense<256, 256, Tanh>>);
    in_two_mebibytes(build_and_shrink::<Dense<784, 512, Tanh>>);
    in_two_mebibytes(build_and_shrink::<Matrix<784, 512, f64>>);
    // The checker as well: its workspace is built where it stays.
    in_two_mebibytes(|| {
        let settings = Settings { operations: 1, ..Settings::DEFAULT };
        let report = check::<Dense<256, 256, Tanh, f64>, Matrix<256, 1, f64>>(&settings);
        assert!(report.passed(), "{report}");
    });
}

#[test]
fn the_checker_is_built_for_784_by_512_in_two_mebibytes() {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(|| {
        // Built and drawn there; a whole check passes on that stack too, but takes half a minute in a debug build.
        let mut work = gradcheck::Gradients::<Dense<784, 512, Tanh, f64>, Matrix<784, 1, f64>>::boxed();
        work.draw(1);
        assert!(work.layer.all_finite() && work.layer.norm() > 0.0);
    });
    thread.unwrap().join().unwrap();
}

proptest! {
    #[test]
    fn values_are_what_they_are_called(
        x in scalar::<f32>(),
        hard in any_scalar::<f64>(),
        label in class::<7>(),
        p in distribution::<5, f64>(),
        m in matrix::<3, 4, f32>().with_edges(),
        v in vector::<5, f64>(),
    ) {
        prop_assert!(x.is_finite());
        prop_assert!(hard.is_nan() || hard.abs() >= 0.0);
        prop_assert!(label.index() < 7);
        prop_assert!(Loss::<[f64; 5], [f64; 5]>::check(&SoftmaxCrossEntropy, &p).is_ok());
        prop_assert!(m.all_finite() && v.all_finite());
    }
}
