//! `PostgresOptions`: which leases, how long to wait, and what to put up with.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use core::time::Duration;

use super::PostgresError;

/// What to do about a server that was promoted since it was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnPromotion {
    /// Refuse it, until an operator [accepts](super::Postgres::accept) it.
    Refuse,
    /// Accept it at once, and go on [far above](crate::protocol::RECOVERY_STRIDE) every epoch that it has.
    ///
    /// For a cluster that is managed so that the old primary takes no more writes. Where it does, two servers grant in one
    /// realm: their epochs are apart by the stride, and the gate keeps out whoever has the lower one. The role needs the
    /// right to execute `epoch_fence.accept`.
    Jump,
}

/// How leases are kept in a PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct PostgresOptions {
    namespace: String,
    request_timeout: Duration,
    pub(super) promotion: OnPromotion,
    pub(super) fsync_off: bool,
    pub(super) full_page_writes_off: bool,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl PostgresOptions {
    /// The namespace of those who do not name one.
    pub const DEFAULT_NAMESPACE: &str = "default";

    /// The namespace `default`, 5 s for a request, promotions and unsafe settings refused.
    pub fn new() -> Self {
        Self {
            namespace: Self::DEFAULT_NAMESPACE.to_owned(),
            request_timeout: Duration::from_secs(5),
            promotion: OnPromotion::Refuse,
            fsync_off: false,
            full_page_writes_off: false,
        }
    }

    /// Uses another namespace of the same database, with a realm of its own: 1 to 200 bytes without control characters.
    pub fn namespace(self, namespace: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), ..self }
    }

    /// How long one request may take, with the connecting that it may need. It should be well below a third of the
    /// shortest time to live. At least 20 ms, and at most a day.
    pub fn request_timeout(self, timeout: Duration) -> Self {
        let limits = (Duration::from_millis(20), Duration::from_secs(86_400));
        Self { request_timeout: timeout.clamp(limits.0, limits.1), ..self }
    }

    /// What to do about a promotion.
    pub fn on_promotion(self, promotion: OnPromotion) -> Self {
        Self { promotion, ..self }
    }

    /// Allows `fsync = off`. A machine that crashes then takes leases back, and their epochs are granted again.
    pub fn allow_fsync_off(self) -> Self {
        Self { fsync_off: true, ..self }
    }

    /// Allows `full_page_writes = off`, where the file system tears no pages.
    pub fn allow_full_page_writes_off(self) -> Self {
        Self { full_page_writes_off: true, ..self }
    }

    /// Returns what a session has to run before it is used: limits below the [request
    /// timeout](Self::request_timeout), so that the server gives up first and says so, and the isolation.
    ///
    /// The sessions of this crate do so by themselves; a pool runs it on each new connection.
    #[must_use]
    pub fn session_setup(&self) -> String {
        let within = |part: u32| {
            let wait = self.request_timeout.checked_mul(part).and_then(|wait| wait.checked_div(8));
            // Zero would be no limit at all.
            wait.unwrap_or(Duration::from_secs(1)).as_millis().max(1)
        };
        format!(
            "SET lock_timeout = {}; SET statement_timeout = {}; \
             SET default_transaction_isolation = 'read committed'",
            within(6),
            within(7)
        )
    }

    pub(super) fn name(&self) -> &str {
        &self.namespace
    }

    pub(super) const fn timeout(&self) -> Duration {
        self.request_timeout
    }

    pub(super) fn checked(self) -> Result<Self, PostgresError> {
        let fits = (1..=200).contains(&self.namespace.len());
        if fits && !self.namespace.chars().any(char::is_control) {
            Ok(self)
        } else {
            Err(PostgresError::Namespace)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_gives_up_before_its_client_and_within_what_a_request_may_take() {
        let new = PostgresOptions::new();
        assert_eq!(PostgresOptions::default(), new);
        assert_eq!((new.name(), new.timeout()), ("default", Duration::from_secs(5)));
        let isolation = "SET default_transaction_isolation = 'read committed'";
        let rows = [
            (Duration::ZERO, 20, 15, 17),
            (Duration::from_millis(20), 20, 15, 17),
            (Duration::from_secs(8), 8_000, 6_000, 7_000),
            (Duration::from_secs(86_401), 86_400_000, 64_800_000, 75_600_000),
        ];
        for (asked, timeout, lock, statement) in rows {
            let options = PostgresOptions::new().request_timeout(asked);
            assert_eq!(options.timeout(), Duration::from_millis(timeout), "{asked:?}");
            let setup =
                format!("SET lock_timeout = {lock}; SET statement_timeout = {statement}; {isolation}");
            assert_eq!(options.session_setup(), setup);
        }
    }

    #[test]
    fn a_namespace_has_1_to_200_bytes_and_no_control_characters() {
        let fits = |name: &str| PostgresOptions::new().namespace(name).checked().is_ok();
        assert!(fits("a") && fits(&"a".repeat(200)) && fits("caf\u{e9} 1"));
        for wrong in ["", &"a".repeat(201), "a\nb", "\u{7f}"] {
            assert!(!fits(wrong), "{wrong:?}");
        }
    }
}
