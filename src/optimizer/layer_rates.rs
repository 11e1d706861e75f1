use super::{Optimizer, RuleName};
use crate::Block;

/// Any rule with a learning rate for each block of parameters: η·f(block), where f knows the block's name and role.
/// (eq:layer-rate)
///
/// Use it to train a new head fast on a body that may move only a little. A factor of 0 leaves a block as it is, bit
/// for bit; a factor that is negative or NaN is reported as an overflow of its block, and nothing moves.
///
/// ```
/// use chainrule::{network, Block, Dense, Identity, LayerRates, Optimizer, Sgd, Tanh, Zeroed};
/// network! {
///     pub struct Net<T = f32>: 1 => 1 {
///         body: Dense<1, 1, Tanh, T>,
///         head: Dense<1, 1, Identity, T>,
///     }
/// }
///
/// fn slow_body(block: &Block) -> f64 {
///     if block.name.parts().next() == Some("body") { 0.25 } else { 1.0 }
/// }
///
/// let rule = LayerRates { optimizer: Sgd::new(1.0)?, factor: slow_body };
/// let (mut net, mut gradient) = (<Net>::ZEROED, Zeroed::ZEROED);
/// chainrule::Tensor::slice_mut(&mut gradient, 1)[0] = 1.0; // body.bias
/// chainrule::Tensor::slice_mut(&mut gradient, 3)[0] = 1.0; // head.bias
/// rule.step(1, &mut net, &gradient, &mut Zeroed::ZEROED).unwrap();
/// assert_eq!((net.body.bias[0], net.head.bias[0]), (-0.25, -1.0));
/// # Ok::<(), chainrule::HyperparameterError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LayerRates<O, F = fn(&Block) -> f64> {
    /// The rule.
    pub optimizer: O,
    /// f: what the learning rate is multiplied by in a block; 0 or above.
    pub factor: F,
}

impl<O: Optimizer, F: Fn(&Block) -> f64 + Clone> LayerRates<O, F> {
    /// The factor of a block, in whatever step.
    fn rate(&self, _: u64, block: &Block) -> f64 {
        (self.factor)(block)
    }
}

impl<O: Optimizer, F: Fn(&Block) -> f64 + Clone> Optimizer for LayerRates<O, F> {
    const NAME: RuleName = RuleName::new("LayerRates").of(&[O::NAME]);
    const TAKES_PARTS: bool = O::TAKES_PARTS;

    delegate!(validate learning_rate prepare rate);

    fn hyperparameters(&self, each: &mut dyn FnMut(&'static str, f64)) {
        self.optimizer.hyperparameters(each);
    }
}
