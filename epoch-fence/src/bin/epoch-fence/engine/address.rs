//! `Address`: the URL of a server, which may hold a password.

use core::convert::Infallible;
use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use super::Remote;
use crate::exit::{FAILED, Failure};

/// The URL of a server. It may hold a password, so that it is never shown; what the command line cannot parse would be.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address(String);

impl Address {
    /// Connects. A lease of `ttl` has to be renewed in time.
    pub(crate) fn open(&self, ttl: Option<Duration>) -> Result<Remote, Failure> {
        let (scheme, _) = self.0.split_once("://").unwrap_or_default();
        match scheme {
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => super::postgres::open(&self.0, ttl),
            #[cfg(feature = "etcd")]
            "etcd" | "etcds" => super::etcd::open(&self.0, ttl),
            "postgres" | "postgresql" | "etcd" | "etcds" => Err(Failure::new(
                FAILED,
                format!("this epoch-fence was built without the feature for {scheme}://"),
            )),
            _ => Err(Failure::new(FAILED, "--engine is postgres://..., etcd://... or etcds://...")),
        }
    }

    /// What may be handed to a command; not a password, which it finds where this program does not get it from.
    pub(crate) fn without_secret(&self) -> Option<&str> {
        // A password is between the second colon and an at sign, or in a parameter of that name.
        let secret = self.0.contains("password")
            || self.0.rsplit_once('@').is_some_and(|(before, _)| {
                before.split_once("://").is_some_and(|(_, user)| user.contains(':'))
            });
        (!secret).then_some(&self.0)
    }
}

/// Whatever it is, it is looked at when it is used: what is wrong with it is said without it.
impl FromStr for Address {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_on_holds_no_password() {
        let address = |text: &str| Address::from_str(text).unwrap();
        for safe in ["postgres://db/leases", "postgres://app@db:5432/leases?sslmode=require", "etcd://a:1,b:2/x"]
        {
            assert_eq!(address(safe).without_secret(), Some(safe));
        }
        for secret in [
            "postgres://app:s3cret@db/leases",
            "postgres://app:s3c/r@et@db/leases",
            "postgres://db/leases?user=app&password=s3cret",
            "etcds://root:s3cret@a:1,b:2",
        ] {
            assert_eq!(address(secret).without_secret(), None, "{secret}");
            assert!(!format!("{:?}", address(secret)).contains("s3c"));
        }
    }
}
