//! `Received`: what a layer knows of a message that has come in.

use hlc::Stamp;

/// The receipt of a message, in its extensions: of a request behind a [`ServerLayer`](crate::ServerLayer), of an answer
/// whose stamp a [`ClientLayer`](crate::ClientLayer) has observed.
///
/// A handler takes it for the stamp of what it does: it is above everything that the sender knew of when it sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Received {
    at: Stamp,
    sent: Option<Stamp>,
}

impl Received {
    pub(crate) const fn new(at: Stamp, sent: Option<Stamp>) -> Self {
        Self { at, sent }
    }

    /// Returns the stamp of the receipt, of this layer's clock and node.
    #[must_use]
    pub const fn at(&self) -> Stamp {
        self.at
    }

    /// Returns the sender's stamp, where the message carried one that was accepted: always below [`at`](Self::at).
    #[must_use]
    pub const fn sent(&self) -> Option<Stamp> {
        self.sent
    }
}
