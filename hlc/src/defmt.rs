//! Feature `defmt`: the values as `Display` writes them, put together on the host. The errors derive theirs.

use defmt::{Format, Formatter, write};

use crate::{NodeId, Packed, Snapshot, Stamp, StampBytes, layout::Layout};

/// Sixteen digits, as in the text form.
impl<L: Layout> Format for Packed<L> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{=u64:016x}", self.to_bits());
    }
}

/// Sixteen digits, as in the text form.
impl Format for NodeId {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{=u64:016x}", self.as_u64());
    }
}

/// The timestamp and the node, joined as in the text form.
impl<N: Format, L: Layout> Format for Stamp<N, L> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{}-{}", self.timestamp(), self.node());
    }
}

/// The bytes in hexadecimal; they need not be a stamp.
impl<L: Layout> Format for StampBytes<L> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "StampBytes({=u128:032x})", u128::from_be_bytes(self.to_bytes()));
    }
}

impl<L: Layout> Format for Snapshot<L> {
    fn format(&self, f: Formatter<'_>) {
        write!(
            f,
            "Snapshot {{ last: {}, lead: {}, max_lead: {}, refusals: {=u64} skew, {=u64} lead, {=u64} exhausted, \
             source: {=u64} errors, {=u64} steps, carries: {=u64} }}",
            self.last,
            self.lead,
            self.max_lead,
            self.skew_refusals,
            self.lead_refusals,
            self.exhausted_refusals,
            self.source_errors,
            self.source_steps,
            self.carries
        );
    }
}
