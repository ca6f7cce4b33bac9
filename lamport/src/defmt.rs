//! Feature `defmt`: a time as `Display` writes it, put together on the host. The rest derives its own.

use defmt::{Format, Formatter, write};

use crate::Time;

/// Sixteen digits, as in the text form.
impl Format for Time {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{=u64:016x}", self.get());
    }
}
