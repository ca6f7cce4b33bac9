//! `Machine`: a call as a dialogue with a store, without any I/O of its own.

use super::{BootTime, Swap, View};

/// What a machine wants of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a driver must do every one")]
pub enum Request<'m> {
    /// The record, and the issuer's time.
    Load,
    /// A write, where [`Swap::lands_on`] allows it.
    Swap(&'m Swap),
}

/// What a driver got for a request.
///
/// A time-out, a cut connection, a reply that cannot be read: all of these are [`Unknown`](Self::Unknown) for a
/// swap. Only a store that says so itself, or a request that never left, is [`Failed`](Self::Failed).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a driver must be able to tell every one")]
pub enum Answer {
    /// The load was answered.
    Loaded(View),
    /// The swap landed; this is what it left.
    Landed(View),
    /// The swap did not land, and this request never will.
    Conflict,
    /// The request did nothing and never will.
    Failed,
    /// Nobody knows what the request did, or will do yet.
    Unknown,
}

/// What a machine makes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Progress<M, O> {
    /// It goes on: ask for its next request.
    Ask(M),
    /// It is done.
    Done(O),
}

impl<M, O> Progress<M, O> {
    /// Turns what comes out into something else.
    pub fn map<P>(self, done: impl FnOnce(O) -> P) -> Progress<M, P> {
        match self {
            Self::Ask(machine) => Progress::Ask(machine),
            Self::Done(outcome) => Progress::Done(done(outcome)),
        }
    }
}

/// A call as a dialogue: it says what to ask the store, and is told the answer, until it is done.
///
/// A driver reads the holder's clock, sends [`request`](Self::request), and hands that reading in with the answer
/// to this very request, never with the answer to an earlier one. It may wait for the answer in any way: block,
/// await, poll. Every machine ends after a bounded number of answers.
///
/// # Examples
///
/// A driver for a store that is awaited:
///
/// ```
/// use epoch_fence::protocol::{Answer, BootTime, Machine, Progress, Request, Swap, View};
///
/// trait Store {
///     async fn load(&self) -> Answer;
///     async fn swap(&self, swap: &Swap) -> Answer;
/// }
///
/// async fn drive<M: Machine>(store: &impl Store, clock: impl Fn() -> BootTime, mut machine: M) -> M::Outcome {
///     loop {
///         let sent = clock();
///         let answer = match machine.request() {
///             Request::Load => store.load().await,
///             Request::Swap(swap) => store.swap(swap).await,
///         };
///         match machine.answer(sent, answer) {
///             Progress::Ask(next) => machine = next,
///             Progress::Done(outcome) => return outcome,
///         }
///     }
/// }
/// ```
///
/// A future that is dropped while a swap is under way leaves an attempt that nobody knows the end of:
/// [`Acquire::pending`](super::Acquire::pending) is what to keep before the swap is awaited.
pub trait Machine: Sized {
    /// What comes out in the end.
    type Outcome;

    /// Returns what to ask the store now.
    fn request(&self) -> Request<'_>;

    /// Takes the answer to the last request, which was sent at `sent`.
    fn answer(self, sent: BootTime, answer: Answer) -> Progress<Self, Self::Outcome>;
}

/// How often a machine begins again because others wrote first. Each time somebody else got on, so this bounds
/// one caller and not the system.
pub(super) const ROUNDS: u8 = 8;
