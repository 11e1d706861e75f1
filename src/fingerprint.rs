//! [`Fingerprint`]: what tells one architecture from another, computed by the compiler.

use crate::Role;
use core::fmt;
use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

/// CRC-32 as in zip and PNG, bit by bit: no table in the program, and the compiler can run it.
pub(crate) const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// A number that tells one structure from another: of a network, the names, shapes, roles and order of its parameters
/// and the kinds of its layers. A constant of the type; [the format of weights files](crate::weights) compares it.
///
/// Fingerprints are built from parts, each step one CRC-32 over what was there and what comes:
///
/// ```
/// use chainrule::{Fingerprint, Tensor, Vector};
/// assert_eq!(<Vector<3> as Tensor>::FINGERPRINT, Fingerprint::EMPTY.number(3).number(1)); // rows, columns
/// assert_eq!(Fingerprint::named("123456789").to_string(), "cbf43926"); // the test value of CRC-32
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub(crate) u32);

impl Fingerprint {
    /// Of what has nothing to tell: a layer without parameters.
    pub const EMPTY: Self = Self(0);

    /// Of a name.
    #[must_use]
    pub const fn named(name: &str) -> Self {
        Self(CRC.checksum(name.as_bytes()))
    }

    /// Followed by a number: a size, or a hyper-parameter that is a type.
    #[must_use]
    pub const fn number(self, number: u64) -> Self {
        let ([a, b, c, d], [e, f, g, h, i, j, k, l]) = (self.0.to_le_bytes(), number.to_le_bytes());
        Self(CRC.checksum(&[a, b, c, d, e, f, g, h, i, j, k, l]))
    }

    /// Followed by a part. An [`EMPTY`](Fingerprint::EMPTY) one leaves no trace.
    #[must_use]
    pub const fn with(self, part: Self) -> Self {
        if part.0 == 0 {
            return self;
        }
        let ([a, b, c, d], [e, f, g, h]) = (self.0.to_le_bytes(), part.0.to_le_bytes());
        Self(CRC.checksum(&[a, b, c, d, e, f, g, h]))
    }

    /// Followed by a named part. An [`EMPTY`](Fingerprint::EMPTY) one leaves no trace.
    #[must_use]
    pub const fn field(self, name: &str, part: Self) -> Self {
        if part.0 == 0 { self } else { self.with(Self::named(name)).with(part) }
    }

    /// Followed by a role.
    #[must_use]
    pub const fn with_role(self, role: Role) -> Self {
        self.with(Self::named(match role {
            Role::Weight => "weight",
            Role::Bias => "bias",
            Role::Scale => "scale",
            Role::Other => "other",
        }))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
