use super::{
    LARGEST, LARGEST_RATIO, Optimizer, RuleName, check_epsilon, check_learning_rate, check_share, descend, power,
    settled, settled_with,
};
use crate::error::HyperparameterError;
use crate::threads::elementwise;
use crate::{Part, Real, Tensor};

/// Adam (Kingma and Ba, 2015): m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g² (eq:adam-moments),
/// w ← w − η·m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ) (eq:adam-step). Remembers m and v.
///
/// Elements of the gradient so large that their square would overflow (beyond 10¹⁸ in `f32`) are clamped there: the
/// step, which depends on the sign alone by then, stays right, and the moments stay finite. β₁·m below the smallest
/// normal `f32`, 1.18·10⁻³⁸, is taken as 0, and β₂·v as soon as β₁·|m| + β₂·v is.
///
/// ```
/// use chainrule::{Adam, Optimizer, Vector};
/// let (mut w, mut state) = (Vector::from([1.0_f64]), (Vector::from([0.0]), Vector::from([0.0])));
/// Adam::new(0.1)?.step(1, &mut w, &Vector::from([4.0]), &mut state).unwrap();
/// assert!((w[0] - 0.9).abs() <= 1e-9); // the first step has length η
/// # Ok::<(), chainrule::HyperparameterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// η ≥ 0.
    pub learning_rate: f64,
    /// β₁ in [0, 1); 0.9 unless set.
    pub beta1: f64,
    /// β₂ in [0, 1); 0.999 unless set.
    pub beta2: f64,
    /// ε, at least the smallest normal `f32`, 1.18·10⁻³⁸; 10⁻⁸ unless set.
    pub epsilon: f64,
}

impl Adam {
    /// Adam with learning rate η, β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸.
    ///
    /// # Errors
    ///
    /// When the learning rate is negative, infinite or NaN.
    pub fn new(learning_rate: f64) -> Result<Self, HyperparameterError> {
        let adam = Self { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
        adam.validate()?;
        Ok(adam)
    }
}

impl Optimizer for Adam {
    const NAME: RuleName = RuleName::new("Adam");
    const TAKES_PARTS: bool = true;

    type Step = Corrected;

    type State<G: Tensor> = (G, G);

    fn validate(&self) -> Result<(), HyperparameterError> {
        check_learning_rate(self.learning_rate)?;
        check_share("beta1", self.beta1)?;
        check_share("beta2", self.beta2)?;
        check_epsilon(self.epsilon)
    }

    fn hyperparameters(&self, each: &mut dyn FnMut(&'static str, f64)) {
        each("learning_rate", self.learning_rate);
        each("beta1", self.beta1);
        each("beta2", self.beta2);
        each("epsilon", self.epsilon);
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn with_learning_rate(self, learning_rate: f64) -> Self {
        Self { learning_rate, ..self }
    }

    /// m̂ / (√v̂ + ε) = (m / c₁) / (√v / √c₂ + ε): both corrections are one factor a step, not a division an element.
    fn begin(&self, step: u64) -> Corrected {
        let rate = self.learning_rate / (1.0 - power(self.beta1, step));
        Corrected { rate, root: 1.0 / Real::sqrt(1.0 - power(self.beta2, step)) }
    }

    fn reach<P: Tensor>(
        &self,
        corrected: Corrected,
        _: usize,
        _: &P,
        _: P::Scalar,
        _: &(P::Gradient, P::Gradient),
    ) -> P::Scalar {
        // With β₁² < β₂ the ratio |m| / √v is bounded (Cauchy–Schwarz): by 8 for the usual βs, and by 10²⁰ even where
        // v underflows; else only ε bounds it.
        let ratio = if self.beta1 * self.beta1 < self.beta2 { LARGEST_RATIO } else { LARGEST / self.epsilon };
        P::Scalar::from_f64(corrected.rate) * P::Scalar::from_f64(ratio)
    }

    fn update<P: Tensor>(
        &self,
        corrected: Corrected,
        part: Part,
        w: &mut P,
        g: &[P::Scalar],
        (first, second): &mut (P::Gradient, P::Gradient),
    ) {
        let scalar = P::Scalar::from_f64;
        let (beta1, rest1) = (scalar(self.beta1), scalar(1.0 - self.beta1));
        let (beta2, rest2) = (scalar(self.beta2), scalar(1.0 - self.beta2));
        let (rate, root) = (scalar(corrected.rate), scalar(corrected.root));
        let epsilon = scalar(self.epsilon);
        let (lowest, highest) = (scalar(-LARGEST), scalar(LARGEST));
        elementwise(
            [part.of_mut(w), part.of_mut(first), part.of_mut(second)],
            [g],
            #[inline(always)]
            |[w, m, v], [g]| {
                for (((w, g), m), v) in w.iter_mut().zip(g).zip(m).zip(v) {
                    let g = g.maximum(lowest).minimum(highest);
                    let (mean, square) = (beta1 * *m, beta2 * *v);
                    *m = settled(mean) + rest1 * g;
                    // |m| / √v stays bounded where v forgets no gradient that m remembers.
                    *v = settled_with(square, mean.abs() + square) + rest2 * (g * g);
                    descend(w, rate * *m / (v.sqrt() * root + epsilon));
                }
            },
        );
    }
}

/// The factors of a step of [`Adam`].
#[derive(Clone, Copy, Debug)]
pub struct Corrected {
    /// η / c₁ = η / (1 − β₁ᵗ).
    rate: f64,
    /// 1 / √c₂ = 1 / √(1 − β₂ᵗ).
    root: f64,
}
