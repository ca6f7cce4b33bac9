//! An etcd as a store.

mod error;
mod keys;
mod look;
mod options;
mod past;
mod seen;
mod store;
mod wire;

pub use error::{Cause, Damage, EtcdError, Reply};
pub use options::{EtcdOptions, EtcdUrlError};
pub use store::Etcd;
