//! An etcd, by a URL, with what `etcdctl` takes from the environment.

use core::time::Duration;
use std::env;

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
    let set = |name| env::var(name).ok().filter(|value: &String| !value.is_empty());
    let named = before.rsplit_once("://").map(|(_, user)| user.to_owned());
    // As etcdctl has it, the user may come with a password.
    let user = match named {
        Some(user) if user.contains(':') => None,
        Some(user) => Some(decoded(&user)?),
        None => set(USER),
    };
    if let Some(user) = user {
        let (name, password) = user.split_once(':').unwrap_or((&user, ""));
        let password = set(PASSWORD).filter(|_| password.is_empty()).unwrap_or_else(|| password.to_owned());
        options = options.user(name, password);
    }
    let shown = format!("{}/{}", options.endpoints().join(","), options.namespace());
    Remote::connect(shown, connect(options))
}

async fn connect(options: EtcdOptions) -> Result<Etcd, Failure> {
    let options = encrypted(options)?;
    options.connect().await.map_err(|why| Failure::new(FAILED, RemoteError::of::<Etcd>(why)))
}

#[cfg(feature = "tls")]
fn encrypted(options: EtcdOptions) -> Result<EtcdOptions, Failure> {
    use etcd_client::{Certificate, Identity, TlsOptions};

    let file = |name: &str| {
        env::var_os(name).filter(|path| !path.is_empty()).map(|path| {
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
fn encrypted(options: EtcdOptions) -> Result<EtcdOptions, Failure> {
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
