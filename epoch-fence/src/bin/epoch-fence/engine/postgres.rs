//! A PostgreSQL, by a URL as its own programs take it.

use core::time::Duration;
use std::env;

use epoch_fence::engine::postgres::{Postgres, PostgresError, PostgresOptions, UnsafeSetting};
use epoch_fence::{Epoch, RealmId, ResourceId};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::SqlState;

use super::Remote;
use super::remote::{Operated, RemoteError, patience};
use super::url::split_parameters;
use crate::exit::{FAILED, Failure};

/// Where the usual programs look for what the URL does not say.
const HOST: &str = "PGHOST";
const PORT: &str = "PGPORT";
const USER: &str = "PGUSER";
const PASSWORD: &str = "PGPASSWORD";
const DATABASE: &str = "PGDATABASE";
const MODE: &str = "PGSSLMODE";
const ROOTS: &str = "PGSSLROOTCERT";
const CERTIFICATE: &str = "PGSSLCERT";
const KEY: &str = "PGSSLKEY";

/// Files for an encrypted connection: whom to trust, and who this is.
#[derive(Debug, Default)]
#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "without encryption nobody reads them"))]
pub(super) struct Files {
    pub(super) roots: Option<String>,
    pub(super) certificate: Option<String>,
    pub(super) key: Option<String>,
}

pub(super) fn open(url: &str, ttl: Option<Duration>) -> Result<Remote, Failure> {
    let (url, [namespace, mode, roots, certificate, key]) =
        split_parameters(url, ["namespace", "sslmode", "sslrootcert", "sslcert", "sslkey"])?;
    // The client would end the password at the first one, and take the rest of it for the name of a host.
    let before_parameters = url.split('?').next().unwrap_or_default();
    if before_parameters.matches('@').count() > 1 {
        return Err(Failure::new(FAILED, "an @ in the user or the password of the URL is written %40"));
    }
    // What is wrong with it is not shown: it may be in the password.
    let mut config: Config = url.parse().map_err(|_| Failure::new(FAILED, PostgresError::Url))?;
    let set = |name| env::var(name).ok().filter(|value: &String| !value.is_empty());
    if config.get_hosts().is_empty()
        && config.get_hostaddrs().is_empty()
        && let Some(host) = set(HOST)
    {
        config.host(host);
        if let Some(port) = set(PORT).and_then(|port| port.parse().ok()) {
            config.port(port);
        }
    }
    if config.get_user().is_none()
        && let Some(user) = set(USER)
    {
        config.user(user);
    }
    if config.get_password().is_none()
        && let Some(password) = set(PASSWORD)
    {
        config.password(password);
    }
    if config.get_dbname().is_none()
        && let Some(database) = set(DATABASE)
    {
        config.dbname(database);
    }
    if config.get_application_name().is_none() {
        config.application_name("epoch-fence");
    }
    config.ssl_mode(ssl_mode(mode.or_else(|| set(MODE)).as_deref())?);

    let mut options = PostgresOptions::new().request_timeout(patience(ttl));
    if let Some(namespace) = namespace {
        options = options.namespace(namespace);
    }
    let files = Files {
        // As the usual programs have it, this is what they take without a file.
        roots: roots.or_else(|| set(ROOTS)).filter(|roots| roots != "system"),
        certificate: certificate.or_else(|| set(CERTIFICATE)),
        key: key.or_else(|| set(KEY)),
    };
    Remote::connect(shown(&config), connect(config, files, options))
}

fn ssl_mode(mode: Option<&str>) -> Result<SslMode, Failure> {
    match mode {
        Some("disable") => Ok(SslMode::Disable),
        None | Some("prefer" | "allow") => Ok(SslMode::Prefer),
        // A certificate is always verified, and the name in it.
        Some("require" | "verify-ca" | "verify-full") => Ok(SslMode::Require),
        Some(_) => Err(Failure::new(FAILED, "sslmode is disable, prefer, require, verify-ca or verify-full")),
    }
}

/// The servers and the database, and neither user nor password.
fn shown(config: &Config) -> String {
    let mut ports = config.get_ports().iter().chain(core::iter::repeat(&5432));
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Tcp(name) => format!("{name}:{}", ports.next().unwrap_or(&5432)),
            Host::Unix(path) => path.display().to_string(),
        })
        .collect();
    format!("postgres://{}/{}", hosts.join(","), config.get_dbname().unwrap_or_default())
}

#[cfg(feature = "tls")]
async fn connect(config: Config, files: Files, options: PostgresOptions) -> Result<Postgres, Failure> {
    let tls = tokio_postgres_rustls::MakeRustlsConnect::new(super::tls::client(&files)?);
    Postgres::connect_with(config, tls, options)
        .await
        .map_err(|why| Failure::new(FAILED, RemoteError::of::<Postgres>(why)))
}

#[cfg(not(feature = "tls"))]
async fn connect(mut config: Config, _files: Files, options: PostgresOptions) -> Result<Postgres, Failure> {
    if config.get_ssl_mode() == SslMode::Require {
        return Err(Failure::new(FAILED, "this epoch-fence was built without the feature tls"));
    }
    config.ssl_mode(SslMode::Disable);
    Postgres::connect_with(config, tokio_postgres::NoTls, options)
        .await
        .map_err(|why| Failure::new(FAILED, RemoteError::of::<Postgres>(why)))
}

impl Operated for Postgres {
    async fn init(&self) -> Result<RealmId, PostgresError> {
        match self.migrate().await {
            // An operator may make namespaces in a schema that somebody else owns.
            Err(PostgresError::Refused(why)) if why.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {}
            migrated => migrated?,
        }
        Self::init(self).await
    }

    async fn recover(
        &self,
        _resource: &ResourceId,
        realm: RealmId,
        floor: Option<Epoch>,
    ) -> Result<(RealmId, Option<Epoch>), Failure> {
        let risen = Self::recover(self, realm, floor).await;
        risen.map(|risen| (realm, risen)).map_err(|why| Failure::new(FAILED, RemoteError::of::<Self>(why)))
    }

    fn advice(why: &PostgresError) -> &'static str {
        match why {
            PostgresError::NotInstalled(_) => "; `epoch-fence init` makes it",
            PostgresError::NotInitialised => {
                " (`epoch-fence init`; if it was there before, `epoch-fence recover` then)"
            }
            PostgresError::Setting(UnsafeSetting::Fsync | UnsafeSetting::FullPageWrites) => {
                " (a program of your own can; this one does not)"
            }
            PostgresError::Promoted { .. } => ": `epoch-fence accept`",
            PostgresError::OtherSystem { .. } => ": `epoch-fence recover`",
            _ => "",
        }
    }

    async fn accept(&self) -> Result<Option<Epoch>, PostgresError> {
        Self::accept(self).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_server_has_no_secret() {
        let config: Config = "postgres://app:s3c%2Fret@db.example:5433/leases".parse().unwrap();
        assert_eq!(shown(&config), "postgres://db.example:5433/leases");
        let config: Config = "postgres:///leases?host=%2Frun%2Fpg&user=a&password=s3cret".parse().unwrap();
        assert_eq!(shown(&config), "postgres:///run/pg/leases");
    }

    #[test]
    fn a_mode_that_promises_encryption_is_never_less() {
        for mode in ["require", "verify-ca", "verify-full"] {
            assert_eq!(ssl_mode(Some(mode)).unwrap(), SslMode::Require);
        }
        assert_eq!(ssl_mode(Some("disable")).unwrap(), SslMode::Disable);
        assert_eq!(ssl_mode(None).unwrap(), SslMode::Prefer);
        assert!(ssl_mode(Some("verify_full")).is_err());
    }
}
