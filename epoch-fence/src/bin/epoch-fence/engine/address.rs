//! `Address`: the URL of a server, which may hold a password.

use core::convert::Infallible;
use core::fmt;
use core::str::FromStr;
use core::time::Duration;
use std::env;

use percent_encoding::percent_decode_str;

use super::Remote;
use crate::exit::{FAILED, Failure};
use crate::store;

/// The URL of a server. It may hold a password, so that it is never shown; what the command line cannot parse would be.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address(String);

impl Address {
    /// Connects. A lease of `ttl` has to be renewed in time.
    #[cfg_attr(
        not(any(feature = "etcd", feature = "postgres")),
        expect(unused_variables, reason = "this build has no kind of server")
    )]
    pub(crate) fn open(&self, ttl: Option<Duration>) -> Result<Remote, Failure> {
        let (scheme, _) = self.0.split_once("://").unwrap_or_default();
        match scheme {
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => super::postgres::open(&self.0, ttl),
            #[cfg(feature = "etcd")]
            "etcd" | "etcds" => super::etcd::open(&self.0, ttl),
            _ => Err(Failure::new(
                FAILED,
                "--engine is postgres://..., etcd://... or etcds://..., if this program was built with it",
            )),
        }
    }

    /// What may be handed to a command: without the password, which it finds where this program does not get it from.
    /// `None` where the command inherits the very same URL anyway.
    pub(crate) fn to_hand_on(&self) -> Option<String> {
        let inherited = env::var(store::ENGINE).is_ok_and(|inherited| inherited == self.0);
        (!inherited).then(|| self.without_password())
    }

    fn without_password(&self) -> String {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("", &self.0));
        // Whatever is before the last at sign may be a part of it.
        let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
        let user = user.map_or_else(String::new, |user| {
            format!("{}@", user.split_once(':').map_or(user, |(user, _)| user))
        });
        let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
        let others: Vec<&str> = query.split('&').filter(|pair| !is_password(pair)).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{scheme}://{user}{base}{mark}{}", others.join("&"))
    }
}

/// Whether a parameter is a password, however its name is written.
fn is_password(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    percent_decode_str(name).decode_utf8_lossy() == "password"
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
        let rows = [
            ("postgres://db/leases", "postgres://db/leases"),
            (
                "postgres://app@db:5432/leases?sslmode=require",
                "postgres://app@db:5432/leases?sslmode=require",
            ),
            ("etcd://a:1,b:2/x", "etcd://a:1,b:2/x"),
            ("postgres://app:s3cret@db/leases", "postgres://app@db/leases"),
            ("postgres://app:s3c/r@et?s3c@db/leases", "postgres://app@db/leases"),
            (
                "postgres://db/l?user=app&password=s3cret&sslmode=disable",
                "postgres://db/l?user=app&sslmode=disable",
            ),
            ("postgres://db/l?p%61ssword=s3cret", "postgres://db/l?"),
            ("etcds://admin:s3cret@a:1,b:2", "etcds://admin@a:1,b:2"),
        ];
        for (text, expected) in rows {
            let address = Address::from_str(text).unwrap();
            assert_eq!(address.without_password(), expected);
            assert_eq!(format!("{address:?}"), "Address(..)");
        }
    }
}
