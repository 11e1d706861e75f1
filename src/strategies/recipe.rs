use crate::{Random, Real, Tensor, Zeroed};
use std::boxed::Box;
use std::vec::Vec;

/// Which elements of a tensor are not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// None.
    Nothing,
    /// One element of one block.
    Element {
        /// The number of the block.
        block: usize,
        /// The number of the element, column by column.
        element: usize,
    },
    /// One block.
    Block(
        /// Its number.
        usize,
    ),
    /// All of them.
    All,
}

/// What the elements that are not zero are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elements {
    /// Integers from −2 to 2, whose sums and products are exact.
    Integers,
    /// Uniform in ±1/√columns, so that a sum over the columns stays of order one.
    Uniform,
    /// Numbers at the edges of arithmetic, all finite: zeros, subnormals, the least normal, one and its neighbours.
    Edges,
}

/// How to build a tensor, be it of millions of elements: what a failing test prints, and what a regression test keeps.
///
/// ```
/// use chainrule::strategies::{Elements, Recipe, Support};
/// use chainrule::{Dense, Tanh};
/// type Net = Dense<3, 2, Tanh>;
/// let recipe = Recipe { support: Support::Block(1), elements: Elements::Integers, exponent: 0, seed: 4 };
/// let net = recipe.build::<Net>();
/// assert_eq!(net.weights, chainrule::Matrix::filled(0.0)); // block 0
/// assert_eq!(net.bias, recipe.build::<Net>().bias); // block 1, the same every time
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Which elements are not zero.
    pub support: Support,
    /// What these are …
    pub elements: Elements,
    /// … times 2 to this power.
    pub exponent: i32,
    /// The seed of their draws.
    pub seed: u64,
}

/// ±0, subnormals of f32 and f64, the least normals, around one, and large enough to overflow when multiplied in f32.
pub(super) const EDGES: [f64; 16] = [
    0.0,
    -0.0,
    5e-324,
    -1e-310,
    1.401_298_464_324_817e-45,
    -1e-40,
    1.175_494_350_822_287_5e-38,
    -1e-8,
    0.5,
    -1.0,
    1.0,
    1.000_000_119_209_289_6,
    -2.0,
    0.999_999_940_395_355_2,
    88.722_84,
    -1e4,
];

impl Recipe {
    /// The tensor, on the heap and never on the stack.
    #[must_use]
    pub fn build<X: Tensor>(&self) -> Box<X> {
        let mut tensor = X::boxed();
        self.fill::<X>(&mut tensor);
        tensor
    }

    /// Overwrites a tensor with the one of this recipe.
    pub fn fill<X: Tensor>(&self, tensor: &mut X) {
        let mut random = Random::new(self.seed, 0);
        let power = 2.0_f64.powi(self.exponent);
        for i in 0..X::SLICES {
            let columns = X::block(i).columns.max(1) as f64;
            for (e, x) in tensor.slice_mut(i).iter_mut().enumerate() {
                // Drawn for every element, so that a smaller support keeps the values of the larger one.
                let draw = random.double_word();
                let uniform = (draw >> 11) as f64 / (1_u64 << 53) as f64;
                let inside = match self.support {
                    Support::Nothing => false,
                    Support::Element { block, element } => (block, element) == (i, e),
                    Support::Block(block) => block == i,
                    Support::All => true,
                };
                let value = match self.elements {
                    Elements::Integers => (draw % 5) as f64 - 2.0,
                    Elements::Uniform => (2.0 * uniform - 1.0) / columns.sqrt(),
                    Elements::Edges => EDGES[(draw % EDGES.len() as u64) as usize],
                };
                *x = if inside { Real::from_f64(value * power) } else { X::Scalar::ZEROED };
            }
        }
    }

    /// Simpler recipes, in the order in which a person would try them: nothing at all, one block, one element; then a
    /// scale of one, small integers, a small seed. Each is simpler in one respect, so that shrinking ends.
    pub(super) fn simpler<X: Tensor>(&self) -> Vec<Self> {
        let mut simpler = Vec::new();
        let supports = match self.support {
            Support::All => core::iter::once(Support::Nothing)
                .chain((0..X::SLICES).filter(|_| X::SLICES > 1).map(Support::Block))
                .chain(elements::<X>(0).filter(|_| X::SLICES == 1))
                .collect(),
            Support::Block(block) => core::iter::once(Support::Nothing).chain(elements::<X>(block)).collect(),
            Support::Element { .. } => Vec::from([Support::Nothing]),
            Support::Nothing => Vec::new(),
        };
        simpler.extend(supports.into_iter().map(|support| Self { support, ..*self }));
        if self.exponent != 0 {
            simpler.push(Self { exponent: 0, ..*self });
            if self.exponent / 2 != 0 {
                simpler.push(Self { exponent: self.exponent / 2, ..*self });
            }
        }
        match self.elements {
            Elements::Edges => {
                simpler.push(Self { elements: Elements::Integers, ..*self });
                simpler.push(Self { elements: Elements::Uniform, ..*self });
            }
            Elements::Uniform => simpler.push(Self { elements: Elements::Integers, ..*self }),
            Elements::Integers => {}
        }
        simpler.extend((0..self.seed.min(4)).map(|seed| Self { seed, ..*self }));
        simpler
    }
}

/// The first, the middle and the last element of a block.
fn elements<X: Tensor>(block: usize) -> impl Iterator<Item = Support> {
    let shape = X::block(block);
    let len = shape.rows * shape.columns;
    let mut numbers = Vec::from([0, len / 2, len.saturating_sub(1)]);
    numbers.dedup();
    numbers.into_iter().filter(move |_| len > 1).map(move |element| Support::Element { block, element })
}
