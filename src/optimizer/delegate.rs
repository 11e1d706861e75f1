//! What a rule that wraps another does not say for itself, the rule inside does.

/// Hands the named methods of `Optimizer` on to the field `optimizer: O`, and its state with them.
macro_rules! delegate {
    ($($method:ident)+) => {
        type State<G: $crate::Tensor> = O::State<G>;
        $(delegate!(@$method);)+
    };
    (@validate) => {
        fn validate(&self) -> Result<(), $crate::HyperparameterError> {
            self.optimizer.validate()
        }
    };
    (@learning_rate) => {
        fn learning_rate(&self) -> f64 {
            self.optimizer.learning_rate()
        }

        fn with_learning_rate(self, learning_rate: f64) -> Self {
            Self { optimizer: self.optimizer.with_learning_rate(learning_rate), ..self }
        }
    };
    (@prepare) => {
        fn prepare<G: $crate::Tensor>(&self, g: &mut G) {
            self.optimizer.prepare(g);
        }
    };
    (@reach) => {
        fn reach<P: $crate::Tensor>(
            &self,
            step: u64,
            i: usize,
            w: &P,
            g: &P::Gradient,
            state: &O::State<P::Gradient>,
        ) -> P::Scalar {
            self.optimizer.reach(step, i, w, g, state)
        }
    };
    (@update) => {
        fn update<P: $crate::Tensor>(
            &self,
            step: u64,
            i: usize,
            w: &mut P,
            g: &P::Gradient,
            state: &mut O::State<P::Gradient>,
        ) {
            self.optimizer.update(step, i, w, g, state);
        }
    };
}
