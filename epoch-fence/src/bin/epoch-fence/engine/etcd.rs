//! An etcd, by a URL, with what `etcdctl` takes from the environment.

use core::time::Duration;
use std::env;
use std::ffi::OsString;

use epoch_fence::engine::etcd::{Etcd, EtcdError, EtcdOptions};
use epoch_fence::{AsyncIssuer, Epoch, NotChanged, RealmId, ResourceId, SystemClock};

use super::Remote;
use super::remote::{Operated, RemoteError, patience};
use super::url::decoded;
use crate::exit::{FAILED, Failure, INDETERMINATE};

/// The namespace of a URL that names none, as with a PostgreSQL.
const NAMESPACE: &str = "/default";

const USER: &str = "ETCDCTL_USER";
const PASSWORD: &str = "ETCDCTL_PASSWORD";

pub(super) fn open(url: &str, ttl: Option<Duration>) -> Result<Remote, Failure> {
    let (before, hosts) = url.rsplit_once('@').unwrap_or(("", url));
    let hosts = hosts.rsplit_once("://").map_or(hosts, |(_, hosts)| hosts);
    let namespace = if hosts.contains('/') { "" } else { NAMESPACE };
    let options: EtcdOptions =
        format!("{url}{namespace}").parse().map_err(|why| Failure::new(FAILED, why))?;
    let mut options = options.timeout(patience(ttl));
    let named = before.split_once("://").map(|(_, user)| user);
    if let Some((name, password)) = user(named, |name| env::var(name).ok())? {
        options = options.user(name, password);
    }
    let shown = format!("{}/{}", options.endpoints().join(","), options.namespace());
    Remote::connect(shown, connect(options))
}

/// As whom to come, and with which password, where the URL does not say both.
fn user(
    named: Option<&str>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<(String, String)>, Failure> {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    let (name, password) = match named {
        Some(user) if user.contains(':') => return Ok(None),
        Some(user) => (decoded(user)?, None),
        None => {
            let Some(user) = set(USER) else { return Ok(None) };
            // As etcdctl has it, the user may come with a password.
            let (name, password) = user.split_once(':').unwrap_or((&user, ""));
            (name.to_owned(), Some(password.to_owned()).filter(|password| !password.is_empty()))
        }
    };
    Ok(Some((name, password.or_else(|| set(PASSWORD)).unwrap_or_default())))
}

async fn connect(options: EtcdOptions) -> Result<Etcd, Failure> {
    let options = encrypted(options, |name| env::var_os(name))?;
    options.connect().await.map_err(|why| Failure::new(FAILED, RemoteError::of::<Etcd>(why)))
}

#[cfg(feature = "tls")]
fn encrypted(
    options: EtcdOptions,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<EtcdOptions, Failure> {
    use etcd_client::{Certificate, Identity, TlsOptions};

    let file = |name: &str| {
        variable(name).filter(|path| !path.is_empty()).map(|path| {
            std::fs::read(&path).map_err(|why| Failure::from(why).during(crate::name::harmless(&path)))
        })
    };
    let authority = file("ETCDCTL_CACERT").transpose()?;
    let certificate = file("ETCDCTL_CERT").transpose()?;
    let key = file("ETCDCTL_KEY").transpose()?;
    if !options.endpoints().iter().any(|endpoint| endpoint.starts_with("https://")) {
        return Ok(options);
    }
    let mut tls = match authority {
        Some(authority) => TlsOptions::new().ca_certificate(Certificate::from_pem(authority)),
        None => TlsOptions::new().with_native_roots(),
    };
    match (certificate, key) {
        (Some(certificate), Some(key)) => tls = tls.identity(Identity::from_pem(certificate, key)),
        (None, None) => {}
        _ => return Err(Failure::new(FAILED, "ETCDCTL_CERT and ETCDCTL_KEY go together")),
    }
    Ok(options.tls(tls))
}

#[cfg(not(feature = "tls"))]
fn encrypted(
    options: EtcdOptions,
    _variable: impl Fn(&str) -> Option<OsString>,
) -> Result<EtcdOptions, Failure> {
    if options.endpoints().iter().any(|endpoint| endpoint.starts_with("https://")) {
        return Err(Failure::new(FAILED, "this epoch-fence was built without the feature tls"));
    }
    Ok(options)
}

impl Operated for Etcd {
    async fn init(&self) -> Result<RealmId, EtcdError> {
        Self::init(self).await
    }

    async fn recover(
        &self,
        resource: &ResourceId,
        realm: RealmId,
        floor: Option<Epoch>,
    ) -> Result<(RealmId, Option<Epoch>), Failure> {
        // Without a realm there is nothing to go on from.
        if let Err(EtcdError::NotInitialised) = self.realm().await {
            let above = floor.unwrap_or(Epoch::FIRST);
            let made = self.init_above(above).await.map(|realm| (realm, Some(above)));
            return made.map_err(|why| Failure::new(FAILED, RemoteError::of::<Self>(why)));
        }
        let issuer = AsyncIssuer::new(self, SystemClock::new());
        let view = issuer.recover(resource, realm, floor).await.map_err(|why| {
            let unknown = matches!(why, NotChanged::Indeterminate(_));
            Failure::new(if unknown { INDETERMINATE } else { FAILED }, why)
        })?;
        Ok((view.record().realm(), view.record().epoch()))
    }

    fn advice(why: &EtcdError) -> &'static str {
        match why {
            EtcdError::NotInitialised => "; `epoch-fence init` makes it",
            EtcdError::RecordsWithoutRealm | EtcdError::Rewound { .. } => ": `epoch-fence recover`",
            EtcdError::Damaged(_) => {
                "; what cannot be put right is deleted by hand, and then `epoch-fence recover`"
            }
            _ => "",
        }
    }

    /// No member of a cluster is promoted: they agree on every write.
    async fn accept(&self) -> Result<Option<Epoch>, EtcdError> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use epoch_fence::engine::etcd::Damage;

    use super::*;

    #[test]
    fn who_comes_and_with_which_password_is_taken_from_where_etcdctl_takes_what_the_url_does_not_say() {
        let rows = [
            // The URL has both, or says that there is no password.
            (Some("me:mine"), "you:yours", "other", None),
            (Some("me:"), "you:yours", "other", None),
            (Some("me"), "you:yours", "other", Some(("me", "other"))),
            (Some("a%3Ab"), "", "", Some(("a:b", ""))),
            (None, "you:yours", "other", Some(("you", "yours"))),
            (None, "you:yo:urs", "", Some(("you", "yo:urs"))),
            (None, "you:", "other", Some(("you", "other"))),
            (None, "you", "other", Some(("you", "other"))),
            (None, "you", "", Some(("you", ""))),
            (None, "", "other", None),
        ];
        for (named, name, password, expected) in rows {
            let variable = |asked: &str| match asked {
                USER => Some(name.to_owned()),
                _ => Some(password.to_owned()).filter(|_| asked == PASSWORD),
            };
            let found = user(named, variable).unwrap();
            let found = found.as_ref().map(|(name, password)| (name.as_str(), password.as_str()));
            assert_eq!(found, expected, "{named:?} {name:?} {password:?}");
        }
        assert!(user(Some("%FF"), |_| None).is_err());
    }

    #[cfg(feature = "tls")]
    #[test]
    fn an_encrypted_connection_needs_files_that_can_be_read_and_a_certificate_with_its_key() {
        let refused = |url: &str, variables: &[(&str, &str)]| {
            let variable = |name: &str| {
                let found = variables.iter().find(|(variable, _)| *variable == name);
                found.map(|(_, value)| OsString::from(*value))
            };
            let refused = encrypted(url.parse().unwrap(), variable).err();
            refused.map_or_else(String::new, |why| format!("{}: {}", why.code(), why.why()))
        };
        let url = "etcds://a/n";
        assert_eq!(refused(url, &[]), "");
        assert_eq!(refused(url, &[("ETCDCTL_CACERT", "")]), "");
        let readable = "/dev/null";
        let all = ["ETCDCTL_CACERT", "ETCDCTL_CERT", "ETCDCTL_KEY"];
        assert_eq!(refused(url, &all.map(|name| (name, readable))), "");
        let together = "125: ETCDCTL_CERT and ETCDCTL_KEY go together";
        assert_eq!(refused(url, &[("ETCDCTL_CERT", readable)]), together);
        assert_eq!(refused(url, &[("ETCDCTL_KEY", readable)]), together);
        for name in all {
            let said = refused(url, &[(name, "/no/where")]);
            assert_eq!(said, "125: \"/no/where\": No such file or directory (os error 2)", "{name}");
        }
        assert_eq!(refused("etcd://a/n", &[("ETCDCTL_CERT", readable)]), "", "nothing is encrypted");
    }

    #[test]
    fn an_operator_is_told_what_can_be_done() {
        let mend = "; what cannot be put right is deleted by hand, and then `epoch-fence recover`";
        let rows = [
            (EtcdError::NotInitialised, "; `epoch-fence init` makes it"),
            (EtcdError::RecordsWithoutRealm, ": `epoch-fence recover`"),
            (EtcdError::Rewound { seen: 2, found: 1 }, ": `epoch-fence recover`"),
            (EtcdError::Damaged(Damage::ZeroRealm), mend),
            (EtcdError::Unreachable, ""),
        ];
        for (why, expected) in rows {
            assert_eq!(Etcd::advice(&why), expected, "{why}");
        }
    }
}
