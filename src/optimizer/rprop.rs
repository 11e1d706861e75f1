use super::{Optimizer, RuleName, check_learning_rate, descend};
use crate::error::{HyperparameterError, check};
use crate::scalar::sign;
use crate::threads::elementwise;
use crate::{Part, Real, Tensor};

/// Resilient back-propagation, iRPROP⁻ (Riedmiller and Braun, 1993; Igel and Hüsken, 2000): every weight has a step Δ of
/// its own, which grows by `grow` while the sign of its gradient stays and shrinks by `shrink` when it changes:
/// w ← w − sign(g)·Δ. When the sign has changed the weight rests for one step. (eq:rprop) Remembers g and Δ.
///
/// For *full batches* on small data, where it converges fast and there is nothing to tune: the size of the gradient
/// does not matter at all. On mini-batches the signs are noise. Call [`accumulate`](crate::Trainer::accumulate) with
/// all samples, or let the batch be the data.
///
/// ```
/// use chainrule::{Optimizer, Rprop, Vector};
/// let (mut w, mut state) = (Vector::from([1.0]), (Vector::from([0.0]), Vector::from([0.0])));
/// let rule = Rprop::new(0.25)?;
/// rule.step(1, &mut w, &Vector::from([1e-24]), &mut state).unwrap();
/// assert_eq!(w[0], 0.75);
/// rule.step(2, &mut w, &Vector::from([1e20]), &mut state).unwrap();
/// assert_eq!(w[0], 0.75 - 0.25 * 1.2);
/// # Ok::<(), chainrule::HyperparameterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rprop {
    /// Δ of the first step, 0 or above; the only use of a learning rate here.
    pub learning_rate: f64,
    /// η⁻ in (0, 1); 0.5 unless set.
    pub shrink: f64,
    /// η⁺ above 1; 1.2 unless set.
    pub grow: f64,
    /// Δ is at least this, above 0; 10⁻⁶ unless set.
    pub least: f64,
    /// Δ is at most this, not below `least`; 50 unless set.
    pub most: f64,
}

impl Rprop {
    /// Rprop whose first step has this length, η⁻ = 0.5, η⁺ = 1.2, Δ in [10⁻⁶, 50].
    ///
    /// # Errors
    ///
    /// When the length is negative, infinite or NaN.
    pub fn new(learning_rate: f64) -> Result<Self, HyperparameterError> {
        let rule = Self { learning_rate, shrink: 0.5, grow: 1.2, least: 1e-6, most: 50.0 };
        rule.validate()?;
        Ok(rule)
    }
}

impl Optimizer for Rprop {
    const NAME: RuleName = RuleName::new("Rprop");
    const TAKES_PARTS: bool = true;

    type Step = ();

    type State<G: Tensor> = (G, G);

    fn validate(&self) -> Result<(), HyperparameterError> {
        check_learning_rate(self.learning_rate)?;
        check("shrink", self.shrink, self.shrink > 0.0 && self.shrink < 1.0, "a number in (0, 1)")?;
        check("grow", self.grow, self.grow > 1.0 && self.grow.is_finite(), "a finite number above 1")?;
        check("least", self.least, self.least > 0.0 && self.least.is_finite(), "a finite number above 0")?;
        let in_range = self.most >= self.least && self.most.is_finite();
        check("most", self.most, in_range, "a finite number, at least `least`")
    }

    fn hyperparameters(&self, each: &mut dyn FnMut(&'static str, f64)) {
        each("learning_rate", self.learning_rate);
        each("shrink", self.shrink);
        each("grow", self.grow);
        each("least", self.least);
        each("most", self.most);
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn with_learning_rate(self, learning_rate: f64) -> Self {
        Self { learning_rate, ..self }
    }

    fn begin(&self, _: u64) {}

    fn reach<P: Tensor>(&self, (): (), _: usize, _: &P, _: P::Scalar, _: &(P::Gradient, P::Gradient)) -> P::Scalar {
        P::Scalar::from_f64(self.most) + P::Scalar::from_f64(self.learning_rate)
    }

    fn update<P: Tensor>(
        &self,
        (): (),
        part: Part,
        w: &mut P,
        g: &[P::Scalar],
        (previous, steps): &mut (P::Gradient, P::Gradient),
    ) {
        let scalar = P::Scalar::from_f64;
        let one = scalar(1.0);
        let (first, shrink, grow) = (scalar(self.learning_rate), scalar(self.shrink), scalar(self.grow));
        let (least, most) = (scalar(self.least), scalar(self.most));
        elementwise(
            [part.of_mut(w), part.of_mut(previous), part.of_mut(steps)],
            [g],
            #[inline(always)]
            |[w, previous, steps], [g]| {
                for (((w, g), before), delta) in w.iter_mut().zip(g).zip(previous).zip(steps) {
                    // Signs are multiplied, since the product of two small gradients would vanish.
                    let agreement = sign(*g) * sign(*before);
                    let factor = agreement.if_positive(grow, (-agreement).if_positive(shrink, one));
                    // A step of 0 has not begun; the first one is not clamped.
                    let scaled = (*delta * factor).maximum(least).minimum(most);
                    *delta = delta.if_positive(scaled, first);
                    // A zero is remembered without its sign, which depends on how the gradient was made.
                    *before = (-agreement).if_positive(scalar(0.0), *g + scalar(0.0));
                    descend(w, sign(*before) * *delta);
                }
            },
        );
    }
}
