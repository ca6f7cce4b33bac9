//! A store for holders on many hosts: a PostgreSQL.

mod engine;
mod error;
mod fate;
mod ground;
mod options;
mod row;
mod sessions;
mod statements;

pub use engine::Postgres;
pub use error::PostgresError;
pub use ground::{Timeline, UnsafeSetting};
pub use options::{OnPromotion, PostgresOptions};
pub use sessions::{Session, Sessions, SharedClient};

/// The schema that [`Postgres`] needs: tables, a sequence, and what an operator calls. It says at its head which rights a
/// holder needs, and which an operator. It may be run again.
pub const ISSUER_SQL: &str = include_str!("../../../sql/issuer.sql");
