//! `Permit`: the right to act on a resource, until it is dropped.

use core::fmt;

use super::Gate;
use super::word::Word;
use crate::Epoch;

/// The right to act on a gate's resource under one epoch, until it is dropped.
///
/// While it is alive, no newer epoch is admitted. So it must live exactly as long as the effect: bind it to a
/// name (`let _permit = ...`, never `let _ = ...`), and keep it across the `.await` of the effect. What
/// outlives it (a remote call, a spawned task, queued I/O) is not covered, and must carry
/// [`epoch`](Self::epoch) to something that checks it.
///
/// A permit that is leaked, or whose holder hangs, keeps newer epochs out for ever.
///
/// # Examples
///
/// An asynchronous effect. The permit is in the future, so it lives across the await; and a future that is
/// cancelled drops it together with the effect that it was for.
///
/// ```
/// use epoch_fence::{Epoch, FencingToken, Gate, Rejected};
/// # use epoch_fence::{GrantId, RealmId, ResourceId};
/// # use core::{future::{Future, pending}, pin::pin, task::{Context, Waker}};
///
/// async fn write(gate: &Gate, token: &FencingToken, effect: impl Future) -> Result<(), Rejected> {
///     let _permit = gate.enter(token)?;
///     effect.await; // an effect that stops when its future is dropped
///     Ok(())
/// }
/// # let Some((realm, grant)) = RealmId::from_random_bits(1).zip(GrantId::from_random_bits(1)) else { return };
/// # let resource = ResourceId::of("docs", "permit");
/// # let gate = Gate::new(realm, resource, Epoch::FIRST);
/// # let token = |epoch| FencingToken::new(realm, resource, epoch, grant);
/// # let Some(second) = Epoch::FIRST.checked_next() else { return };
/// # let (old, newer) = (token(Epoch::FIRST), token(second));
///
/// {
///     let mut slow = pin!(write(&gate, &old, pending::<()>()));
///     assert!(slow.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
///     assert!(matches!(gate.enter(&newer), Err(Rejected::Draining { in_flight: 1 })));
/// } // cancelled: the effect and its permit are gone together
/// assert!(gate.enter(&newer).is_ok());
/// ```
#[must_use = "the permit is given back at once unless it is bound to a name"]
pub struct Permit<'g> {
    gate: &'g Gate,
    /// The gate's word just after this permit was made: its generation, and a guess at what it still is.
    word: Word,
    epoch: Epoch,
}

impl<'g> Permit<'g> {
    pub(super) const fn new(gate: &'g Gate, word: Word, epoch: Epoch) -> Self {
        Self { gate, word, epoch }
    }

    /// Returns the epoch under which the holder acts: what an effect that outlives the permit must carry.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.gate.release(self.word);
    }
}
