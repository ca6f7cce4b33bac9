//! `SpanStamp`: when a span was made.

use hlc::{
    NodeId, Stamp,
    layout::{Layout, Unix48},
};
use tracing_core::{Dispatch, dispatcher, span::Id};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// The stamp at which a span was made: what a [`StampLayer`](crate::StampLayer) puts into its extensions.
///
/// A layer reads it there, `span.extensions().get::<SpanStamp>()`; other code asks for that of the
/// [current](Self::current) span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanStamp<L: Layout = Unix48>(Stamp<NodeId, L>);

impl<L: Layout> SpanStamp<L> {
    pub(crate) const fn new(stamp: Stamp<NodeId, L>) -> Self {
        Self(stamp)
    }

    /// Returns the stamp.
    #[must_use]
    pub const fn stamp(&self) -> Stamp<NodeId, L> {
        self.0
    }

    /// Returns the stamp of the span that this thread is in.
    ///
    /// `None` outside of all spans; where the span was made without a stamp, because no [`StampLayer`](crate::StampLayer)
    /// was there or the clock gave none; and where the subscriber is not over a
    /// [`Registry`]. Also within a layer, while it is told of something: that one has the span at hand.
    #[must_use]
    pub fn current() -> Option<Self> {
        dispatcher::get_default(|dispatch| Self::of(dispatch.current_span().id()?, dispatch))
    }

    /// Returns the stamp of a span, of which [`current`](Self::current) says when there is none.
    ///
    /// ```
    /// # let span = tracing::Span::none();
    /// let stamp = span.with_subscriber(|(id, dispatch)| hlc_tracing::SpanStamp::of(id, dispatch)).flatten();
    /// # let _: Option<hlc_tracing::SpanStamp> = stamp;
    /// ```
    #[must_use]
    pub fn of(id: &Id, dispatch: &Dispatch) -> Option<Self> {
        let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
        span.extensions().get().copied()
    }
}
