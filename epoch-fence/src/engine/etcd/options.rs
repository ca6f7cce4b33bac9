//! `EtcdOptions`: where an etcd is, and as whom to come.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use etcd_client::ConnectOptions;
#[cfg(feature = "tls")]
use etcd_client::TlsOptions;

use super::store::Etcd;
use super::{EtcdError, wire::Wire};

/// Where an etcd is, as whom to come, and how long to wait for it.
///
/// # Examples
///
/// A command line's way:
///
/// ```
/// use epoch_fence::engine::etcd::EtcdOptions;
///
/// let options: EtcdOptions = "etcd://billing:s3cret@10.0.0.1:2379,10.0.0.2,[fd00::3]/billing".parse()?;
/// assert_eq!(options.namespace(), "billing");
/// assert_eq!(options.endpoints().last().map(String::as_str), Some("http://[fd00::3]:2379"));
/// assert!(!format!("{options:?}").contains("s3cret"));
/// # Ok::<(), epoch_fence::engine::etcd::EtcdUrlError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct EtcdOptions {
    endpoints: Vec<String>,
    namespace: String,
    user: Option<(String, String)>,
    timeout: Duration,
    #[cfg(feature = "tls")]
    tls: Option<TlsOptions>,
}

impl EtcdOptions {
    /// The longest namespace, in bytes.
    pub const MAX_NAMESPACE_BYTES: usize = 256;

    /// Takes the members of one cluster, each as `http://host:port` or `https://host:port`, and the namespace: 1 to 256
    /// bytes without control characters. Five seconds are waited for an answer.
    ///
    /// # Errors
    ///
    /// - [`EtcdUrlError::NoHost`] without an endpoint, [`EtcdUrlError::Host`] when one has a user in it,
    ///   [`EtcdUrlError::Namespace`].
    pub fn new<U: Into<String>>(
        endpoints: impl IntoIterator<Item = U>,
        namespace: &str,
    ) -> Result<Self, EtcdUrlError> {
        let endpoints: Vec<String> = endpoints.into_iter().map(Into::into).collect();
        if endpoints.is_empty() {
            return Err(EtcdUrlError::NoHost);
        }
        // What is wrong with an endpoint is said with the endpoint: it must not have a password.
        if endpoints.iter().any(|endpoint| endpoint.contains('@')) {
            return Err(EtcdUrlError::Host);
        }
        let fits = (1..=Self::MAX_NAMESPACE_BYTES).contains(&namespace.len());
        if !fits || namespace.chars().any(char::is_control) {
            return Err(EtcdUrlError::Namespace);
        }
        Ok(Self {
            endpoints,
            namespace: namespace.to_owned(),
            user: None,
            timeout: Duration::from_secs(5),
            #[cfg(feature = "tls")]
            tls: None,
        })
    }

    /// Comes as a user, by password. Its tokens are renewed when etcd has forgotten or outlived them.
    pub fn user(self, name: impl Into<String>, password: impl Into<String>) -> Self {
        Self { user: Some((name.into(), password.into())), ..self }
    }

    /// How long to wait for the answer to one call, all its requests together. A third of the shortest time to live is
    /// a good choice: a renewal that hangs can then be repeated.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Encrypts, for endpoints that are `https://`: whom to trust, and the client's own certificate. Without it they are
    /// encrypted too, by the roots that the build trusts.
    #[cfg(feature = "tls")]
    pub fn tls(self, tls: TlsOptions) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// Returns the endpoints.
    #[must_use]
    pub fn endpoints(&self) -> &[String] {
        &self.endpoints
    }

    /// Returns the namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Connects, and sees that somebody answers and lets this user read the namespace. Must be called within a runtime of
    /// tokio, which has to live as long as the store.
    ///
    /// # Errors
    ///
    /// What etcd or the connection says; [`EtcdError::Damaged`] when the namespace has a realm that cannot be read. A
    /// namespace without a realm is no error here.
    ///
    /// # Cancel safety
    ///
    /// Nothing was written.
    pub async fn connect(self) -> Result<Etcd, EtcdError> {
        let mut options = ConnectOptions::new().with_require_leader(true).with_connect_timeout(self.timeout);
        if let Some((name, password)) = self.user {
            options = options.with_user(name, password);
        }
        #[cfg(feature = "tls")]
        if let Some(tls) = self.tls {
            options = options.with_tls(tls);
        }
        Etcd::connect(Wire::new(self.endpoints, options, self.timeout), &self.namespace).await
    }
}

/// Without the password.
impl fmt::Debug for EtcdOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdOptions")
            .field("endpoints", &self.endpoints)
            .field("namespace", &self.namespace)
            .field("user", &self.user.as_ref().map(|(name, _)| name))
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Why a text is no address of a namespace in an etcd. It repeats nothing of the text, which may have a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EtcdUrlError {
    /// It does not begin with `etcd://` or `etcds://`.
    Scheme,
    /// There is no host, or an empty one.
    NoHost,
    /// A host has a character that none has.
    Host,
    /// A port is no number from 1 to 65535.
    Port,
    /// There is no namespace behind the hosts, or it has more than 256 bytes or a control character.
    Namespace,
    /// Behind a `%` are no two digits, or they give no UTF-8.
    Percent,
    /// There is a password and no user.
    User,
    /// There is a `?` or a `#`, behind which nothing is understood.
    Query,
}

impl fmt::Display for EtcdUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "an etcd is given as etcd://host:port,host:port/namespace",
            Self::NoHost => "the address of the etcd has no host",
            Self::Host => "the address of the etcd has a character that no host has",
            Self::Port => "the address of the etcd has a port that is no number from 1 to 65535",
            Self::Namespace => "the address of the etcd needs a namespace of 1 to 256 bytes behind the hosts",
            Self::Percent => "the address of the etcd has a % without two digits of UTF-8 behind it",
            Self::User => "the address of the etcd has a password and no user",
            Self::Query => "the address of the etcd has a ? or a #, which must be written %3F or %23",
        })
    }
}

impl Error for EtcdUrlError {}

/// The port that etcd listens at unless it is told otherwise.
const PORT: u16 = 2379;

impl FromStr for EtcdOptions {
    type Err = EtcdUrlError;

    /// Parses `etcd://[user[:password]@]host[:port][,host[:port]]/namespace`; `etcds://` is encrypted. User, password and
    /// namespace may have bytes as `%2F`.
    fn from_str(text: &str) -> Result<Self, EtcdUrlError> {
        let (scheme, rest) = match text.split_once("://") {
            Some(("etcd", rest)) => ("http", rest),
            Some(("etcds", rest)) => ("https", rest),
            _ => return Err(EtcdUrlError::Scheme),
        };
        if rest.contains(['?', '#']) {
            return Err(EtcdUrlError::Query);
        }
        // A password may have a slash as it is; a host has none.
        let (user, rest) = match rest.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, rest),
        };
        let (hosts, namespace) = rest.split_once('/').ok_or(EtcdUrlError::Namespace)?;
        let endpoints: Result<Vec<_>, _> = hosts.split(',').map(|host| endpoint(scheme, host)).collect();
        let options = Self::new(endpoints?, &plain(namespace)?)?;
        let Some(user) = user else { return Ok(options) };
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        if name.is_empty() {
            return Err(EtcdUrlError::User);
        }
        Ok(options.user(plain(name)?, plain(password)?))
    }
}

fn endpoint(scheme: &str, host: &str) -> Result<String, EtcdUrlError> {
    let (host, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(EtcdUrlError::Host)?;
            if host.parse::<core::net::Ipv6Addr>().is_err() {
                return Err(EtcdUrlError::Host);
            }
            (format!("[{host}]"), port)
        }
        None => {
            let at = host.find(':').unwrap_or(host.len());
            let (host, port) = host.split_at_checked(at).unwrap_or((host, ""));
            if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)) {
                return Err(EtcdUrlError::Host);
            }
            (host.to_owned(), port)
        }
    };
    if host.is_empty() {
        return Err(EtcdUrlError::NoHost);
    }
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => PORT,
        None => return Err(EtcdUrlError::Host),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port > 0).ok_or(EtcdUrlError::Port)?
        }
        Some(_) => return Err(EtcdUrlError::Port),
    };
    Ok(format!("{scheme}://{host}:{port}"))
}

/// Puts the bytes in the place of their `%` forms.
fn plain(text: &str) -> Result<String, EtcdUrlError> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).ok_or(EtcdUrlError::Percent)?;
        let digits = Some(digits).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or(EtcdUrlError::Percent)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).map_err(|_| EtcdUrlError::Percent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn an_address_reads_as_it_says_and_its_password_is_never_printed() {
        let read = |text: &str| text.parse::<EtcdOptions>();
        let full = read("etcds://me%40home:p%2Fw%25d@one:1,two,[::1]:3/a/b%20c").unwrap();
        assert_eq!(full.endpoints, ["https://one:1", "https://two:2379", "https://[::1]:3"]);
        assert_eq!(full.namespace, "a/b c");
        assert_eq!(full.user, Some(("me@home".into(), "p/w%d".into())));
        assert!(!format!("{full:?}").contains("p/w"), "{full:?}");
        assert_eq!(read("etcd://a:p@ss@h/n").unwrap().user, Some(("a".into(), "p@ss".into())));
        assert_eq!(read("etcd://a:sla/sh@h/n").unwrap().user, Some(("a".into(), "sla/sh".into())));
        assert_eq!(read("etcd://h/n").unwrap().user, None);
    }

    #[test]
    fn a_client_waits_and_encrypts_as_it_is_told() {
        let plain: EtcdOptions = "etcd://h/n".parse().unwrap();
        assert_eq!((plain.endpoints(), plain.namespace()), (&["http://h:2379".to_owned()][..], "n"));
        assert_eq!(plain.timeout, Duration::from_secs(5));
        let text =
            r#"EtcdOptions { endpoints: ["http://h:2379"], namespace: "n", user: None, timeout: 5s, .. }"#;
        assert_eq!(format!("{plain:?}"), text);
        assert_eq!(plain.clone().timeout(Duration::from_secs(2)).timeout, Duration::from_secs(2));
        #[cfg(feature = "tls")]
        assert!(plain.tls.is_none() && plain.tls(TlsOptions::new()).tls.is_some());
    }

    #[test]
    fn what_is_no_address_is_refused_and_not_repeated() {
        let long = format!("etcd://h/{}", "n".repeat(257));
        let rows = [
            ("", EtcdUrlError::Scheme),
            ("http://h/n", EtcdUrlError::Scheme),
            ("etcd:///n", EtcdUrlError::NoHost),
            ("etcd://h,,g/n", EtcdUrlError::NoHost),
            ("etcd://:secret@h/n", EtcdUrlError::User),
            ("etcd://u:secret@/n", EtcdUrlError::NoHost),
            ("etcd://u:secret@h h/n", EtcdUrlError::Host),
            ("etcd://[::1/n", EtcdUrlError::Host),
            ("etcd://[secret]/n", EtcdUrlError::Host),
            ("etcd://[::1]2/n", EtcdUrlError::Host),
            ("etcd://h:/n", EtcdUrlError::Port),
            ("etcd://h:0/n", EtcdUrlError::Port),
            ("etcd://h:+1/n", EtcdUrlError::Port),
            ("etcd://h:65536/n", EtcdUrlError::Port),
            ("etcd://h", EtcdUrlError::Namespace),
            ("etcd://h/", EtcdUrlError::Namespace),
            ("etcd://h/a%0Ab", EtcdUrlError::Namespace),
            (&long, EtcdUrlError::Namespace),
            ("etcd://h/%", EtcdUrlError::Percent),
            ("etcd://h/%4", EtcdUrlError::Percent),
            ("etcd://h/%+4", EtcdUrlError::Percent),
            ("etcd://h/%ff", EtcdUrlError::Percent),
            ("etcd://u:secret%zz@h/n", EtcdUrlError::Percent),
            ("etcd://h/n?timeout=secret", EtcdUrlError::Query),
            ("etcd://h/n#secret", EtcdUrlError::Query),
        ];
        for (text, why) in rows {
            let found = text.parse::<EtcdOptions>().unwrap_err();
            assert_eq!(found, why, "{text:?}");
            assert!(!found.to_string().contains("secret"));
        }
        assert_eq!(EtcdOptions::new(["http://u:secret@h:1"], "n").unwrap_err(), EtcdUrlError::Host);
        assert_eq!(EtcdOptions::new(Vec::<String>::new(), "n").unwrap_err(), EtcdUrlError::NoHost);
    }
}
