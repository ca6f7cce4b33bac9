//! What a layer does where there is a choice.

/// What becomes of a message whose stamp is no stamp, or too far ahead. It is counted by its cause either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StampPolicy {
    /// The message goes no further. A server answers without calling its handler; a client's call is an error, although
    /// the request has been carried out.
    Refuse,
    /// The message goes on as if it carried no stamp, with the [`Refused`](crate::Refused) in its extensions. **Causal**
    /// is lost for this message; the clock is unmoved.
    Ignore,
}

/// What becomes of a message that has not gone anywhere yet, where the layer's own clock cannot stamp it.
///
/// It governs the two ends where nothing has happened yet: a request that a server receives, and one that a client is
/// about to send. What has been done is never thrown away because of the clock: a response leaves a server unstamped,
/// and an answer reaches a client's caller unobserved, both counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClockPolicy {
    /// The message goes no further: 503 from a server, [`ClientError::NotSent`](crate::ClientError::NotSent) from a
    /// client. Whoever sent it may try elsewhere.
    Refuse,
    /// The message goes on without a stamp. A handler then finds no [`Received`](crate::Received) in the extensions.
    PassUnstamped,
}

/// What a layer was told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policies {
    pub(crate) stamp: StampPolicy,
    pub(crate) clock: ClockPolicy,
}
