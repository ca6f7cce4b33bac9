//! One tick at a time on each thread.
//!
//! A source of physical time may be the user's own closure, and may log. Its line would ask the clock for a stamp, which
//! would ask the source, which would log. So the inner one is refused.

use core::cell::Cell;

use hlc::{NodeId, Stamp, TickError};

use crate::{NoStamp, SharedClock};

std::thread_local! {
    /// Whether this thread is within [`tick`]. Of all clocks together, because two of them may log through each other.
    static TICKING: Cell<bool> = const { Cell::new(false) };
}

/// Ends the tick also where the source panics.
struct Ticking;

impl Ticking {
    fn begin() -> Option<Self> {
        (!TICKING.replace(true)).then_some(Self)
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        TICKING.set(false);
    }
}

/// Issues a stamp, unless this thread is issuing one.
pub(crate) fn tick<C: SharedClock>(clock: &C, node: NodeId) -> Result<Stamp<NodeId, C::Layout>, NoStamp> {
    let _ticking = Ticking::begin().ok_or(NoStamp::Nested)?;
    match clock.tick() {
        Ok(stamp) => Ok(stamp.at_node(node)),
        Err(error) => Err(reason(&error)),
    }
}

/// `TickError` may grow, and has one variant more where anybody has switched on a feature of `hlc`; so it is asked, and
/// not matched.
fn reason(error: &TickError) -> NoStamp {
    #[cfg(feature = "durable")]
    if matches!(error, TickError::Bound(_)) {
        return NoStamp::Bound;
    }
    if matches!(error, TickError::Source(_)) {
        NoStamp::Source
    } else if matches!(error, TickError::Lead(_)) {
        NoStamp::Lead
    } else if matches!(error, TickError::Exhausted(_)) {
        NoStamp::Exhausted
    } else {
        NoStamp::Other
    }
}
