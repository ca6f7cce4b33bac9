//! `Fenced`: a value that only changes under a current token.

use core::fmt;
use core::ops::{Deref, DerefMut};

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{Gate, Permit, Rejected};
use crate::FencingToken;

/// A value behind a [`Gate`] of its own: whoever changes it has shown a current token, and no newer holder has
/// been admitted until the change is over.
///
/// The gate decides between epochs, and a reader-writer lock between callers of one epoch. Reading needs no
/// token, since a reader can do no harm; but what it reads may be old when it acts on it.
///
/// # Memory ordering
///
/// That of the lock: whoever reads or writes sees all earlier changes.
///
/// # Examples
///
/// ```
/// use epoch_fence::{Epoch, Fenced, FencingToken, Gate, Rejected};
/// # use epoch_fence::{GrantId, RealmId, ResourceId};
/// # let Some((realm, grant)) = RealmId::from_random_bits(1).zip(GrantId::from_random_bits(1)) else { return Ok(()) };
/// # let Some(second) = Epoch::FIRST.checked_next() else { return Ok(()) };
/// # let resource = ResourceId::of("docs", "fenced");
/// # let old = FencingToken::new(realm, resource, Epoch::FIRST, grant);
/// # let newer = FencingToken::new(realm, resource, second, grant);
///
/// let balance = Fenced::new(Gate::new(realm, resource, Epoch::FIRST), 100);
/// *balance.write(&old)? -= 30;
/// *balance.write(&newer)? += 5;
/// assert!(matches!(balance.write(&old), Err(Rejected::Stale { .. })));
/// assert_eq!(*balance.read(), 75);
/// # Ok::<(), Rejected>(())
/// ```
#[derive(Debug)]
pub struct Fenced<T> {
    gate: Gate,
    value: RwLock<T>,
}

impl<T> Fenced<T> {
    /// Puts a value behind a gate.
    #[must_use]
    pub const fn new(gate: Gate, value: T) -> Self {
        Self { gate, value: RwLock::new(value) }
    }

    /// Returns the gate: to seal it, to adopt a realm, to read its numbers.
    #[must_use]
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Reads the value, once nobody writes it.
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.value.read()
    }

    /// Enters the gate, and then waits until nobody of the same epoch reads or writes.
    ///
    /// A thread that holds a guard of this value must not ask for another: it would wait for itself.
    ///
    /// # Errors
    ///
    /// Those of [`Gate::enter`]. The value was not changed.
    pub fn write(&self, token: &FencingToken) -> Result<FencedGuard<'_, T>, Rejected> {
        // In this order: while the lock is waited for, the permit keeps newer epochs out.
        let permit = self.gate.enter(token)?;
        Ok(FencedGuard { value: self.value.write(), permit })
    }

    /// Takes the value out again.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

/// The right to change a [`Fenced`] value, until it is dropped.
#[must_use = "the value is given back at once unless the guard is bound to a name"]
pub struct FencedGuard<'f, T> {
    // The order of the fields is the order of their ends: the lock is free before a newer epoch is admitted, which
    // then does not wait for it.
    value: RwLockWriteGuard<'f, T>,
    permit: Permit<'f>,
}

impl<'f, T> FencedGuard<'f, T> {
    /// Returns the permit: whose epoch an effect elsewhere must carry.
    pub const fn permit(&self) -> &Permit<'f> {
        &self.permit
    }
}

impl<T> Deref for FencedGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for FencedGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for FencedGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FencedGuard").field("value", &*self.value).field("permit", &self.permit).finish()
    }
}
