use crate::Fingerprint;
use core::fmt;

/// The name of a rule, with those of the rules inside it: what tells optimisers apart in a checkpoint.
///
/// ```
/// use chainrule::{Adam, ClipNorm, CosineDecay, Optimizer, Scheduled};
/// type Rule = ClipNorm<Scheduled<Adam, CosineDecay>>;
/// assert_eq!(Rule::NAME.to_string(), "ClipNorm<Scheduled<Adam, CosineDecay>>");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RuleName {
    /// Of the whole name, however long it is.
    pub(crate) fingerprint: Fingerprint,
    /// Filled up with zeros.
    pub(crate) text: [u8; Self::BYTES],
}

impl RuleName {
    /// A longer name is told from others all the same, and shown up to here.
    pub const BYTES: usize = 92;

    /// A rule without others in it.
    #[must_use]
    pub const fn new(name: &str) -> Self {
        Self { fingerprint: Fingerprint::named(name), text: [0; Self::BYTES] }.push(name.as_bytes())
    }

    /// The rule around others: `ClipNorm<Adam>`.
    #[must_use]
    pub const fn of(mut self, parts: &[Self]) -> Self {
        let (mut before, mut rest): (&[u8], _) = (b"<", parts);
        while let [part, others @ ..] = rest {
            self = self.push(before).push(&part.text);
            self.fingerprint = self.fingerprint.with(part.fingerprint);
            (before, rest) = (b", ", others);
        }
        self.push(b">")
    }

    /// The name followed by text, up to its first zero.
    const fn push(mut self, text: &[u8]) -> Self {
        let (mut free, mut rest) = (0, text);
        while free < Self::BYTES && self.text[free] != 0 {
            free += 1;
        }
        while let [byte, others @ ..] = rest {
            if free == Self::BYTES || *byte == 0 {
                break;
            }
            self.text[free] = *byte;
            (free, rest) = (free + 1, others);
        }
        self
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A name from a file may hold anything.
        let text = self.text.split(|byte| *byte == 0).next().unwrap_or(&[]);
        write!(f, "{}", text.escape_ascii())
    }
}

impl fmt::Debug for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
