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
#[cfg_attr(
    not(any(feature = "tls", test)),
    expect(dead_code, reason = "without encryption nobody reads them")
)]
pub(super) struct Files {
    pub(super) roots: Option<String>,
    pub(super) certificate: Option<String>,
    pub(super) key: Option<String>,
}

pub(super) fn open(url: &str, ttl: Option<Duration>) -> Result<Remote, Failure> {
    let (config, namespace, files) = read(url, |name| env::var(name).ok())?;
    let mut options = PostgresOptions::new().request_timeout(patience(ttl));
    if let Some(namespace) = namespace {
        options = options.namespace(namespace);
    }
    Remote::connect(shown(&config), connect(config, files, options))
}

/// Where to connect to and as whom, the namespace, and the files: what a URL says, and else the variables.
fn read(
    url: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(Config, Option<String>, Files), Failure> {
    let (url, [namespace, mode, roots, certificate, key]) =
        split_parameters(url, ["namespace", "sslmode", "sslrootcert", "sslcert", "sslkey"])?;
    // The client would end the password at the first one, and take the rest of it for the name of a host.
    let before_parameters = url.split('?').next().unwrap_or_default();
    if before_parameters.matches('@').count() > 1 {
        return Err(Failure::new(FAILED, "an @ in the user or the password of the URL is written %40"));
    }
    // What is wrong with it is not shown: it may be in the password.
    let mut config: Config = url.parse().map_err(|_| Failure::new(FAILED, PostgresError::Url))?;
    let set = |name| variable(name).filter(|value| !value.is_empty());
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

    let files = Files {
        // As the usual programs have it, this is what they take without a file.
        roots: roots.or_else(|| set(ROOTS)).filter(|roots| roots != "system"),
        certificate: certificate.or_else(|| set(CERTIFICATE)),
        key: key.or_else(|| set(KEY)),
    };
    Ok((config, namespace, files))
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

    const ALL: [(&str, &str); 9] = [
        (HOST, "db.example"),
        (PORT, "6000"),
        (USER, "app"),
        (PASSWORD, "s3cret"),
        (DATABASE, "leases"),
        (MODE, "require"),
        (ROOTS, "roots"),
        (CERTIFICATE, "certificate"),
        (KEY, "key"),
    ];

    /// What comes of a URL and of variables: server and database, user, password, encryption and files.
    fn came(url: &str, variables: &[(&str, &str)]) -> String {
        let variable = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let (config, namespace, files) = read(url, variable).unwrap();
        let password = config.get_password().map_or("", |password| core::str::from_utf8(password).unwrap());
        let text = |text: Option<String>| text.unwrap_or_default();
        let user = config.get_user().unwrap_or_default();
        let application = config.get_application_name().unwrap();
        format!(
            "{} {user}:{password} {:?} [{}] [{}] [{}] {application} {}",
            shown(&config),
            config.get_ssl_mode(),
            text(files.roots),
            text(files.certificate),
            text(files.key),
            text(namespace),
        )
    }

    #[test]
    fn what_a_url_does_not_say_is_taken_from_where_the_usual_programs_look() {
        type Row = (&'static str, &'static [(&'static str, &'static str)], &'static str);
        let rows: [Row; 8] = [
            ("postgres://", &[], "postgres:/// : Prefer [] [] [] epoch-fence "),
            (
                "postgres://",
                &ALL,
                "postgres://db.example:6000/leases app:s3cret Require [roots] [certificate] [key] epoch-fence ",
            ),
            // The URL has the first word, one by one.
            (
                "postgres://me:mine@here:7000/own?sslmode=disable&sslrootcert=a&sslcert=b&sslkey=c&namespace=n&application_name=x",
                &ALL,
                "postgres://here:7000/own me:mine Disable [a] [b] [c] x n",
            ),
            ("postgres://here", &ALL[..2], "postgres://here:5432/ : Prefer [] [] [] epoch-fence "),
            ("postgres:///?hostaddr=127.0.0.1", &ALL[..2], "postgres:/// : Prefer [] [] [] epoch-fence "),
            ("postgres://", &[(HOST, "h"), (PORT, "x")], "postgres://h:5432/ : Prefer [] [] [] epoch-fence "),
            (
                "postgres://",
                &[(HOST, ""), (USER, ""), (MODE, "")],
                "postgres:/// : Prefer [] [] [] epoch-fence ",
            ),
            ("postgres://", &[(ROOTS, "system")], "postgres:/// : Prefer [] [] [] epoch-fence "),
        ];
        for (url, variables, expected) in rows {
            assert_eq!(came(url, variables), expected, "{url} {variables:?}");
        }
    }

    #[test]
    fn an_operator_is_told_what_can_be_done() {
        let rows = [
            (
                PostgresError::NotInitialised,
                " (`epoch-fence init`; if it was there before, `epoch-fence recover` then)",
            ),
            (PostgresError::Setting(UnsafeSetting::Fsync), " (a program of your own can; this one does not)"),
            (PostgresError::OtherSystem { kept: 1, found: 2 }, ": `epoch-fence recover`"),
            (PostgresError::Standby, ""),
        ];
        for (why, expected) in rows {
            assert_eq!(Postgres::advice(&why), expected, "{why}");
        }
    }
}
