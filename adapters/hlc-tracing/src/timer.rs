//! `StampTimer`: what `tracing_subscriber::fmt` asks for the time.

use core::fmt;

use hlc::NodeId;
use tracing_subscriber::fmt::{format::Writer, time::FormatTime};

use crate::{
    Prefix, SharedClock,
    sync::{AtomicU64, Ordering},
    ticking,
};

/// The timer for the formatter of `tracing-subscriber`: each line begins with a stamp.
///
/// A line is a local event of the clock: it ticks. So it sorts after every line of this clock before it, after every
/// message that the clock observed before it, and before every message that is stamped after it.
///
/// It never fails, neither blocks nor logs, and is one load more than a tick. A clock that gives no stamp shows in the
/// line: see [`Prefix`].
///
/// # Examples
///
/// ```
/// use hlc::{AtomicClock, NodeId, source::SystemSource};
/// use hlc_tracing::StampTimer;
///
/// // The clock that stamps and observes the messages of this process.
/// static CLOCK: AtomicClock<SystemSource> = AtomicClock::new(SystemSource::new());
///
/// # fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// let timer = StampTimer::new(&CLOCK, NodeId::new(42)?).with_human_time();
/// tracing_subscriber::fmt().with_timer(timer).with_ansi(false).try_init()?;
///
/// tracing::info!("ready"); // 018bcfe568000007-000000000000002a 2023-11-14T22:13:20.000Z+7  INFO ...: ready
/// # Ok(())
/// # }
/// ```
pub struct StampTimer<C> {
    clock: C,
    node: NodeId,
    is_human: bool,
    unstamped: AtomicU64,
}

impl<C> StampTimer<C> {
    /// Makes a timer of the clock of `node`.
    #[must_use]
    pub const fn new(clock: C, node: NodeId) -> Self {
        Self { clock, node, is_human: false, unstamped: AtomicU64::new(0) }
    }

    /// Writes, behind each stamp, date and time as people read them.
    #[must_use]
    pub const fn with_human_time(mut self) -> Self {
        self.is_human = true;
        self
    }

    /// Returns how many lines have had no stamp. Alert when it rises.
    ///
    /// # Memory ordering
    ///
    /// Promises the number alone.
    #[must_use]
    pub fn unstamped(&self) -> u64 {
        // ORDERING: Relaxed. A statistic; nothing is published. Nothing weaker exists.
        self.unstamped.load(Ordering::Relaxed)
    }
}

impl<C: SharedClock> StampTimer<C> {
    /// Ticks, and returns what a line begins with: also as a field, `stamp = %TIMER.prefix()`.
    pub fn prefix(&self) -> Prefix<C::Layout> {
        match ticking::tick(&self.clock, self.node) {
            Ok(stamp) => Prefix::stamped(stamp, self.is_human),
            Err(why) => {
                // ORDERING: Relaxed. Nothing is published. What the order of these lines rests on is that of two events
                // of which one could have caused the other, the later one gets the greater count: that is the order of
                // one word, in which each step is one atomic step. Nothing weaker exists.
                let before = self.unstamped.fetch_add(1, Ordering::Relaxed);
                // Read after the step, so that a place does not fall behind its count's.
                Prefix::unstamped(self.clock.last(), self.node, before.wrapping_add(1), why)
            }
        }
    }
}

impl<C: SharedClock> FormatTime for StampTimer<C> {
    /// Writes the [`prefix`](Self::prefix).
    ///
    /// A failure of the clock is no error here: of the formats, one would write `<unknown time>` in its place, and another
    /// would drop the line.
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{}", self.prefix())
    }
}

impl<C> fmt::Debug for StampTimer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StampTimer")
            .field("node", &self.node)
            .field("unstamped", &self.unstamped())
            .finish_non_exhaustive()
    }
}
