//! What a rule that wraps another does not say for itself, the rule inside does.

/// Hands the named methods of `Optimizer` on to the field `optimizer: O`, and its state with them. `rate` hands `reach`
/// and `update` on with η times `self.rate(step, block)`; where that is no learning rate, it reaches NaN: nothing moves.
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
    (@begin) => {
        type Step = O::Step;

        fn begin(&self, step: u64) -> O::Step {
            self.optimizer.begin(step)
        }
    };
    (@rate) => {
        type Step = u64;

        fn begin(&self, step: u64) -> u64 {
            step
        }

        fn reach<P: $crate::Tensor>(
            &self,
            step: u64,
            i: usize,
            w: &P,
            largest: P::Scalar,
            state: &O::State<P::Gradient>,
        ) -> P::Scalar {
            let rule = $crate::optimizer::delegate::at_rate(&self.optimizer, self.rate(step, &P::block(i)));
            if rule.validate().is_err() {
                return $crate::Real::from_f64(f64::NAN);
            }
            rule.reach(rule.begin(step), i, w, largest, state)
        }

        fn update<P: $crate::Tensor>(
            &self,
            step: u64,
            part: $crate::Part,
            w: &mut P,
            g: &[P::Scalar],
            state: &mut O::State<P::Gradient>,
        ) {
            let rule = $crate::optimizer::delegate::at_rate(&self.optimizer, self.rate(step, &P::block(part.slice)));
            rule.update(rule.begin(step), part, w, g, state);
        }
    };
    (@reach) => {
        fn reach<P: $crate::Tensor>(
            &self,
            step: O::Step,
            i: usize,
            w: &P,
            largest: P::Scalar,
            state: &O::State<P::Gradient>,
        ) -> P::Scalar {
            self.optimizer.reach(step, i, w, largest, state)
        }
    };
    (@update) => {
        fn update<P: $crate::Tensor>(
            &self,
            step: O::Step,
            part: $crate::Part,
            w: &mut P,
            g: &[P::Scalar],
            state: &mut O::State<P::Gradient>,
        ) {
            self.optimizer.update(step, part, w, g, state);
        }
    };
}

/// The rule with its learning rate times `factor`.
pub(super) fn at_rate<O: super::Optimizer>(optimizer: &O, factor: f64) -> O {
    optimizer.clone().with_learning_rate(optimizer.learning_rate() * factor)
}
