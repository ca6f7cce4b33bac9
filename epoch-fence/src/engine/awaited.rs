//! `AsyncEngine`: a store that is awaited; and the bridges to callers and stores that block.

use alloc::sync::Arc;
use core::error::Error;
use core::fmt;

use tokio::runtime::Handle;

use super::{Engine, Failure, Swapped};
use crate::ResourceId;
use crate::protocol::{Swap, View};

/// A store of records, as a caller that awaits sees it. What it must keep is what an [`Engine`] must keep.
///
/// # Cancel safety
///
/// A future may be dropped at any of its await points. A dropped load did nothing. A dropped swap is one of which
/// nobody knows whether it landed, or will land yet, as after [`Failure::Indeterminate`].
pub trait AsyncEngine: Send + Sync {
    /// What goes wrong in this store.
    type Error: Error + Send + Sync + 'static;

    /// Reads the record of a resource, and the issuer's time, as [`Engine::load`].
    ///
    /// # Errors
    ///
    /// Whatever the store says. Nothing changed.
    fn load(&self, resource: &ResourceId) -> impl Future<Output = Result<View, Self::Error>> + Send;

    /// Lets the write land, or not, as [`Engine::swap`].
    ///
    /// # Errors
    ///
    /// - [`Failure::Definite`]: the write did not land and never will.
    /// - [`Failure::Indeterminate`]: nobody knows.
    fn swap(
        &self,
        resource: &ResourceId,
        swap: &Swap,
    ) -> impl Future<Output = Result<Swapped, Failure<Self::Error>>> + Send;
}

impl<E: AsyncEngine + ?Sized> AsyncEngine for &E {
    type Error = E::Error;

    fn load(&self, resource: &ResourceId) -> impl Future<Output = Result<View, E::Error>> + Send {
        (**self).load(resource)
    }

    fn swap(
        &self,
        resource: &ResourceId,
        swap: &Swap,
    ) -> impl Future<Output = Result<Swapped, Failure<E::Error>>> + Send {
        (**self).swap(resource, swap)
    }
}

impl<E: AsyncEngine + ?Sized> AsyncEngine for Arc<E> {
    type Error = E::Error;

    fn load(&self, resource: &ResourceId) -> impl Future<Output = Result<View, E::Error>> + Send {
        (**self).load(resource)
    }

    fn swap(
        &self,
        resource: &ResourceId,
        swap: &Swap,
    ) -> impl Future<Output = Result<Swapped, Failure<E::Error>>> + Send {
        (**self).swap(resource, swap)
    }
}

/// A store that is awaited, for callers that block: an [`Issuer`](crate::Issuer), or the
/// conformance suite.
///
/// # Panics
///
/// Its calls must not come from within an asynchronous task: the runtime does not let those block.
#[derive(Clone)]
pub struct Blocking<E> {
    engine: E,
    runtime: Handle,
}

impl<E: AsyncEngine> Blocking<E> {
    /// Takes a store, and the runtime that its connections live on. The runtime must have threads of its own.
    #[must_use]
    pub const fn new(engine: E, runtime: Handle) -> Self {
        Self { engine, runtime }
    }

    /// Returns the store.
    #[must_use]
    pub const fn engine(&self) -> &E {
        &self.engine
    }
}

impl<E: AsyncEngine> Engine for Blocking<E> {
    type Error = E::Error;

    fn load(&self, resource: &ResourceId) -> Result<View, E::Error> {
        self.runtime.block_on(self.engine.load(resource))
    }

    fn swap(&self, resource: &ResourceId, swap: &Swap) -> Result<Swapped, Failure<E::Error>> {
        self.runtime.block_on(self.engine.swap(resource, swap))
    }
}

impl<E: fmt::Debug> fmt::Debug for Blocking<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Blocking").field(&self.engine).finish()
    }
}
