//! Feature `defmt`: an identity as its digits, put together on the host. The errors derive theirs.

use defmt::{Format, Formatter, write};

use crate::Identity;

/// Thirty-two digits.
impl Format for Identity {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{=u128:032x}", u128::from_be_bytes(self.to_bytes()));
    }
}
