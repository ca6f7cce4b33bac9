//! Feature `defmt`: events and vectors as `Debug` writes them, put together on the host. The errors derive theirs.

use defmt::{Format, Formatter, write};

use crate::{Actor, Dot, DotRange, Refused, Stamp, Storage, VersionVector};

/// `actor:counter`.
impl<A: Format + Copy> Format for Dot<A> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{}:{=u64}", self.actor(), self.counter());
    }
}

/// `actor:first..=last`.
impl<A: Format + Copy> Format for DotRange<A> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{}:{=u64}..={=u64}", self.actor(), self.first(), self.last());
    }
}

/// The last event of each actor.
impl<A: Actor + Format, S: Storage> Format for VersionVector<A, S> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{{");
        for (nth, dot) in self.iter().enumerate() {
            if nth > 0 {
                write!(f, ", ");
            }
            write!(f, "{}", dot);
        }
        write!(f, "}}");
    }
}

/// The event, and what it knows.
impl<A: Actor + Format, S: Storage> Format for Stamp<A, S> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{} in {}", self.dot(), self.vector());
    }
}

/// Why, without the message.
impl<A: Format + Copy, M> Format for Refused<A, M> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{}", self.reason());
    }
}
