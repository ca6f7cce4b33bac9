//! Why a message went no further, or went without a stamp.

use core::{error::Error, fmt};

use hlc::{ObserveError, TickError};
use http::StatusCode;

use crate::header::{HeaderError, HeadersFull};

/// Why the stamp of a message that came in was not observed. The clock did not move because of it.
///
/// It lies in the extensions of whatever goes on: of the response that refuses, or of the message that a policy let
/// pass all the same, so that a log can name who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The header is there and is not one well-formed stamp.
    Header(HeaderError),
    /// The stamp is further ahead than the clock's limits let through: `Skew`, or one of the clock's own limits, `Lead`
    /// or `Exhausted`, that this stamp alone would break.
    TooFarAhead(ObserveError),
    /// The layer's own clock gave no stamp; the sender has done nothing wrong.
    Clock(ClockError),
}

impl Refused {
    /// Returns the status of the response that refuses: 400 where the sender's stamp is at fault, 503 where the clock is.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Header(_) | Self::TooFarAhead(_) => StatusCode::BAD_REQUEST,
            Self::Clock(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(error) => error.fmt(f),
            Self::TooFarAhead(error) => error.fmt(f),
            Self::Clock(error) => error.fmt(f),
        }
    }
}

/// Why the layer's own clock gave a message that came in no stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClockError {
    /// The message carried no stamp, or none that was observed, and the tick of its receipt failed.
    Tick(TickError),
    /// The sender's stamp could not be observed, for a cause of the clock's own: its source, or a durable clock's bound.
    Observe(ObserveError),
}

impl fmt::Display for ClockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tick(error) => error.fmt(f),
            Self::Observe(error) => error.fmt(f),
        }
    }
}

/// Why a message that goes out has no stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unstamped {
    /// The clock gave none.
    Tick(TickError),
    /// The message has no room for one more header.
    HeadersFull(HeadersFull),
}

impl fmt::Display for Unstamped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tick(error) => error.fmt(f),
            Self::HeadersFull(error) => error.fmt(f),
        }
    }
}

/// Why a call through a [`ClientLayer`](crate::ClientLayer) gave no answer. The variants differ in what has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError<E> {
    /// Nothing was sent: the request could not be stamped, and [`ClockPolicy::Refuse`](crate::ClockPolicy::Refuse) is set.
    NotSent(Unstamped),
    /// The answer came and is dropped: its stamp was refused, and [`StampPolicy::Refuse`](crate::StampPolicy::Refuse) is
    /// set. What was asked for has been done, or not, as the answer said.
    Answer(Refused),
    /// The service below failed.
    Service(E),
}

impl<E: fmt::Display> fmt::Display for ClientError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(error) => write!(f, "request not sent: {error}"),
            Self::Answer(error) => write!(f, "answer refused: {error}"),
            Self::Service(error) => error.fmt(f),
        }
    }
}

impl From<TickError> for ClockError {
    fn from(cause: TickError) -> Self {
        Self::Tick(cause)
    }
}

impl From<ObserveError> for ClockError {
    fn from(cause: ObserveError) -> Self {
        Self::Observe(cause)
    }
}

impl From<HeaderError> for Refused {
    fn from(cause: HeaderError) -> Self {
        Self::Header(cause)
    }
}

impl From<ClockError> for Refused {
    fn from(cause: ClockError) -> Self {
        Self::Clock(cause)
    }
}

impl From<TickError> for Unstamped {
    fn from(cause: TickError) -> Self {
        Self::Tick(cause)
    }
}

impl From<HeadersFull> for Unstamped {
    fn from(cause: HeadersFull) -> Self {
        Self::HeadersFull(cause)
    }
}

impl Error for Refused {}
impl Error for ClockError {}
impl Error for Unstamped {}

impl<E: Error + 'static> Error for ClientError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // Its words are this error's own words.
            Self::Service(error) => error.source(),
            Self::NotSent(_) | Self::Answer(_) => None,
        }
    }
}
