use crate::{Block, Mode};
use core::fmt;

/// What a gradient was compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Oracle {
    /// The derivative that dual numbers carry through the forward code, one element at a time.
    Dual,
    /// The same along one random direction through all elements of a block: an error in any of them shows.
    DualDirection,
    /// Central differences with three points.
    ThreePoint,
    /// Central differences with five points.
    FivePoint,
    /// The forward code on a [`Traced`](super::Traced) scalar, whose products are the portable ones.
    Forward,
    /// `predict` against `forward` in evaluation mode.
    Predict,
    /// A second `backward` into the same gradient, which must have added as much again.
    SecondBackward,
    /// `backward` without the other half of its work, which must leave the same bits.
    HalfBackward,
    /// Gradients that are all zero prove nothing.
    NotZero,
    /// The share of differences that had to be skipped because of kinks.
    Skipped,
    /// A loss's `value` against what its `gradient` returns.
    LossValue,
}

/// Where in a layer, its input or its output a number stands.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Place {
    /// A parameter.
    Parameter {
        /// The block, with the user's field names.
        block: Block,
        /// Row in the block.
        row: usize,
        /// Column in the block.
        column: usize,
    },
    /// An element of the input, whose gradient is `d_input`.
    Input {
        /// Which component of the sample.
        row: usize,
        /// Which sample of the batch.
        sample: usize,
    },
    /// An element of the output.
    Output {
        /// Which component of the sample.
        row: usize,
        /// Which sample of the batch.
        sample: usize,
    },
    /// The argument of an activation.
    Argument(
        /// z.
        f64,
    ),
    /// All of it.
    Whole,
}

/// One comparison: the two numbers, how far they are apart, and how far they may be.
#[derive(Clone, Copy, Debug)]
pub struct Finding {
    /// What was compared.
    pub oracle: Oracle,
    /// In which mode the pass ran.
    pub mode: Mode,
    /// Where.
    pub place: Place,
    /// What the code under test says.
    pub analytic: f64,
    /// What the oracle says.
    pub numeric: f64,
    /// |analytic − numeric|; NaN if either is.
    pub error: f64,
    /// How large the error may be.
    pub tolerance: f64,
    /// S: the sum of the absolute values of the terms, from which the tolerance follows.
    pub magnitude: f64,
}

impl Finding {
    /// Whether the error lies within the tolerance; NaN never does.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.error <= self.tolerance
    }

    /// Error over tolerance, at most 1 where it passed; infinite for NaN.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        if self.error == 0.0 && self.tolerance >= 0.0 {
            return 0.0;
        }
        let ratio = self.error / self.tolerance;
        if ratio.is_nan() { f64::INFINITY } else { ratio }
    }
}

/// The outcome of a check: what was compared, what was not, and the worst of it.
///
/// `Display` is what the macros print.
#[derive(Clone, Copy, Debug)]
#[must_use = "a report that nobody reads proves nothing: `assert!(report.passed(), \"{report}\")`"]
pub struct Report {
    /// The type under test.
    pub subject: &'static str,
    /// How many numbers were compared.
    pub compared: usize,
    /// How many of the comparisons failed.
    pub failed: usize,
    /// How many elements were compared with differences, or would have been.
    pub differences: usize,
    /// How many of those were not, because a kink lay between their points.
    pub skipped: usize,
    /// The comparison with the largest error over tolerance; a failure, if there is any.
    pub worst: Option<Finding>,
    /// The seed of all draws.
    pub seed: u64,
}

impl Report {
    pub(super) fn new(subject: &'static str, seed: u64) -> Self {
        Self { subject, compared: 0, failed: 0, differences: 0, skipped: 0, worst: None, seed }
    }

    /// Whether anything was compared and everything agreed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.compared > 0 && self.failed == 0
    }

    /// The largest error over tolerance; infinite for NaN, 0 if nothing was compared.
    #[must_use]
    pub fn worst_ratio(&self) -> f64 {
        self.worst.as_ref().map_or(0.0, Finding::ratio)
    }

    /// Whether the worst finding is a failure at a parameter of the field `name`, written `hidden.weights`.
    ///
    /// `"d_input"` asks for the gradient with respect to the input.
    #[must_use]
    pub fn points_at(&self, name: &str) -> bool {
        self.worst.is_some_and(|worst| {
            !worst.passed()
                && match worst.place {
                    Place::Parameter { block, .. } => {
                        let mut rest = Some(name);
                        for part in block.name.parts() {
                            rest = rest.and_then(|name| {
                                let name = name.strip_prefix(part)?;
                                Some(name.strip_prefix('.').unwrap_or(name))
                            });
                        }
                        rest == Some("")
                    }
                    Place::Input { .. } => name == "d_input",
                    _ => false,
                }
        })
    }

    /// Takes one comparison into account; returns whether it passed.
    pub(super) fn observe(&mut self, finding: Finding) -> bool {
        self.compared += 1;
        let passed = finding.passed();
        self.failed += usize::from(!passed);
        let key = |finding: &Finding| (!finding.passed(), finding.ratio());
        if self.worst.is_none_or(|worst| key(&finding) > key(&worst)) {
            self.worst = Some(finding);
        }
        passed
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter { block, row, column } if block.columns == 1 => {
                write!(f, "{}[{row}] ({:?}, {} values)", block.name, block.role, block.rows)?;
                debug_assert_eq!(*column, 0);
                Ok(())
            }
            Self::Parameter { block, row, column } => {
                write!(f, "{}[({row}, {column})] ({:?}, {}×{})", block.name, block.role, block.rows, block.columns)
            }
            Self::Input { row, sample } => write!(f, "d_input, component {row} of sample {sample}"),
            Self::Output { row, sample } => write!(f, "the output, component {row} of sample {sample}"),
            Self::Argument(z) => write!(f, "z = {z:e}"),
            Self::Whole => f.write_str("all of it"),
        }
    }
}

impl Oracle {
    const fn description(self) -> &'static str {
        match self {
            Self::Dual => "backward against dual numbers through forward",
            Self::DualDirection => "backward against dual numbers through forward, along a random direction",
            Self::ThreePoint => "backward against central differences, three points",
            Self::FivePoint => "backward against central differences, five points",
            Self::Forward => "forward in f64 against forward with portable products",
            Self::Predict => "predict against forward in evaluation mode",
            Self::SecondBackward => "a second backward into the same gradient, against twice the first",
            Self::HalfBackward => "backward with the other result not asked for, against backward with both",
            Self::NotZero => "the largest gradient against zero",
            Self::Skipped => "the share of differences with a kink between their points, against its limit",
            Self::LossValue => "the loss that gradient returns against value",
        }
    }

    /// Why the tolerance is what it is, and what a failure of this kind often means.
    const fn reason(self) -> &'static str {
        match self {
            Self::Dual | Self::DualDirection | Self::Forward | Self::Predict | Self::LossValue => {
                "two orders of the same sum differ by at most n·2⁻⁵³·S, S the sum of the absolute terms"
            }
            Self::SecondBackward => "backward adds to the gradient; it must neither overwrite it nor count it again",
            Self::ThreePoint => {
                "a difference is off by h²/6 of the third derivative, and by rounding errors of S over h"
            }
            Self::FivePoint => {
                "a difference is off by h⁴/30 of the fifth derivative, and by rounding errors of S over h"
            }
            Self::HalfBackward => "what nobody asked for must not change the rest by a single bit",
            Self::NotZero => "a gradient that is zero everywhere passes many tests and proves nothing",
            Self::Skipped => "differences across a kink say nothing; too few were left",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  at         {}", self.place)?;
        writeln!(f, "  compared   {}", self.oracle.description())?;
        if self.mode == Mode::Evaluate {
            writeln!(f, "  mode       evaluation")?;
        }
        writeln!(f, "  analytic   {:+.15e}", self.analytic)?;
        writeln!(f, "  numeric    {:+.15e}", self.numeric)?;
        writeln!(f, "  error      {:.3e}", self.error)?;
        writeln!(f, "  tolerance  {:.3e}, with S = {:.3e}", self.tolerance, self.magnitude)?;
        write!(f, "  because    {}", self.oracle.reason())?;
        if !self.passed() {
            let hint = if self.analytic.is_nan() && matches!(self.place, Place::Input { .. }) {
                "d_input starts as NaN: every element must be overwritten"
            } else if self.analytic.is_nan() {
                "the code under test yields NaN, which never passes"
            } else if self.analytic != 0.0 && (self.analytic + self.numeric).abs() <= 1e-6 * self.analytic.abs() {
                "equal but for the sign"
            } else if self.analytic == 0.0 && !matches!(self.oracle, Oracle::NotZero) {
                "the code under test yields zero"
            } else {
                return Ok(());
            };
            write!(f, "\n  hint       {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, compared, failed, differences, skipped, seed, .. } = self;
        match self.worst {
            Some(worst) if self.failed > 0 => {
                writeln!(f, "wrong gradient: {failed} of {compared} comparisons failed for")?;
                writeln!(f, "  {subject}")?;
                writeln!(f, "the worst:")?;
                writeln!(f, "{worst}")?;
            }
            Some(worst) => {
                writeln!(f, "right gradient: {compared} comparisons passed for")?;
                writeln!(f, "  {subject}")?;
                writeln!(f, "the largest error over tolerance, {:.3}:", worst.ratio())?;
                writeln!(f, "{worst}")?;
            }
            None => writeln!(f, "nothing was compared for {subject}")?,
        }
        write!(f, "seed {seed}; {skipped} of {differences} differences skipped at kinks")
    }
}
