//! `StampLayer`: a stamp for each span.

use core::fmt;

use hlc::NodeId;
use tracing_core::{
    Subscriber,
    span::{Attributes, Id},
};
use tracing_subscriber::{
    layer::{Context, Layer},
    registry::LookupSpan,
};

use crate::{SharedClock, SpanStamp, ticking};

/// Puts the stamp of its making into the extensions of each span, as a [`SpanStamp`].
///
/// The making of a span is a local event of the clock. A span whose clock gave no stamp has none; what is logged in it
/// says so by itself, where a [`StampTimer`](crate::StampTimer) stamps the lines.
///
/// Extensions are not shown in lines. For that, make the stamp a field:
/// `info_span!("order", stamp = %TIMER.prefix())`.
///
/// # Examples
///
/// ```
/// use hlc::{AtomicClock, NodeId, source::SystemSource};
/// use hlc_tracing::{SpanStamp, StampLayer};
/// use tracing_subscriber::layer::SubscriberExt;
///
/// static CLOCK: AtomicClock<SystemSource> = AtomicClock::new(SystemSource::new());
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let stamps = StampLayer::new(&CLOCK, NodeId::new(42)?);
/// tracing::subscriber::with_default(tracing_subscriber::registry().with(stamps), || {
///     let before = CLOCK.last();
///     let _order = tracing::info_span!("order").entered();
///     let begun = SpanStamp::current().map(|span| span.stamp().timestamp());
///     assert!(begun > before);
/// });
/// # Ok(())
/// # }
/// ```
pub struct StampLayer<C> {
    clock: C,
    node: NodeId,
}

impl<C> StampLayer<C> {
    /// Makes a layer of the clock of `node`.
    #[must_use]
    pub const fn new(clock: C, node: NodeId) -> Self {
        Self { clock, node }
    }
}

impl<C, S> Layer<S> for StampLayer<C>
where
    C: SharedClock + 'static,
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        // Before the extensions are locked: a source may be anybody's code.
        let stamp = ticking::tick(&self.clock, self.node);
        if let (Ok(stamp), Some(span)) = (stamp, context.span(id)) {
            span.extensions_mut().replace(SpanStamp::new(stamp));
        }
    }
}

impl<C> fmt::Debug for StampLayer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StampLayer").field("node", &self.node).finish_non_exhaustive()
    }
}
