//! Issuer and lease for callers that await, on tokio: thin drivers of the same machines as the blocking ones.

mod attempt;
mod issuer;
mod kept;
mod lease;

pub use attempt::Attempt;
pub use issuer::AsyncIssuer;
pub use kept::{KeptLease, Loss};
pub use lease::{AsyncLease, NotParted};
