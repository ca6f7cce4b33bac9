//! `Servers`: the servers of a run, and a proxy before each.

use core::net::{Ipv4Addr, SocketAddr};

use clock_testing::etcd::Etcd;
use clock_testing::postgres::Postgres;
use clock_testing::proxy::Proxy;

use crate::Failure;
use crate::cast::Kind;
use crate::store::StorePart;

/// How many members a cluster has.
const MEMBERS: usize = 3;

/// Beats and elections that are short, as on one host: else every stop would last for seconds.
const ETCD_SETTINGS: [(&str, &str); 2] = [("heartbeat-interval", "50"), ("election-timeout", "500")];

/// The servers of a run, and a proxy before each.
#[derive(Debug)]
pub(crate) struct Servers {
    backend: Backend,
    proxies: Vec<Proxy>,
}

#[derive(Debug)]
enum Backend {
    Postgres(Postgres),
    Etcd(Etcd),
}

impl Servers {
    /// Starts a server, or a cluster.
    pub(crate) fn start(kind: Kind) -> Result<Self, Failure> {
        let (backend, addresses) = match kind {
            Kind::Postgres => {
                let server = Postgres::start(&[])?;
                let address = SocketAddr::from((Ipv4Addr::LOCALHOST, server.port()));
                (Backend::Postgres(server), vec![address])
            }
            Kind::Etcd => {
                let cluster = Etcd::start(MEMBERS, &ETCD_SETTINGS)?;
                let addresses = cluster.addresses();
                (Backend::Etcd(cluster), addresses)
            }
            Kind::File => return Err("files need no server".into()),
        };
        Ok(Self { backend, proxies: addresses.into_iter().map(Proxy::start).collect() })
    }

    pub(crate) const fn kind(&self) -> Kind {
        match &self.backend {
            Backend::Postgres(_) => Kind::Postgres,
            Backend::Etcd(_) => Kind::Etcd,
        }
    }

    pub(crate) fn proxies(&self) -> &[Proxy] {
        &self.proxies
    }

    /// The store as the parent opens it.
    pub(crate) fn directly(&self) -> StorePart {
        match &self.backend {
            Backend::Postgres(server) => StorePart::Postgres { url: server.url() },
            Backend::Etcd(cluster) => StorePart::Etcd { endpoints: endpoints(cluster.addresses()) },
        }
    }

    /// The store as holders open it.
    pub(crate) fn through_proxies(&self) -> StorePart {
        let addresses: Vec<SocketAddr> = self.proxies.iter().map(Proxy::address).collect();
        match &self.backend {
            Backend::Postgres(_) => {
                let to = addresses.first().map(ToString::to_string).unwrap_or_default();
                StorePart::Postgres { url: format!("postgres://postgres@{to}/postgres") }
            }
            Backend::Etcd(_) => StorePart::Etcd { endpoints: endpoints(addresses) },
        }
    }

    /// Stops a server where it stands. Any number is one of a member; there is one PostgreSQL.
    pub(crate) fn pause(&self, some: usize) {
        match &self.backend {
            Backend::Postgres(server) => server.pause(),
            Backend::Etcd(cluster) => cluster.pause(member(some)),
        }
    }

    pub(crate) fn resume(&self, some: usize) {
        match &self.backend {
            Backend::Postgres(server) => server.resume(),
            Backend::Etcd(cluster) => cluster.resume(member(some)),
        }
    }

    pub(crate) fn kill(&mut self, some: usize) {
        match &mut self.backend {
            Backend::Postgres(server) => server.kill(),
            Backend::Etcd(cluster) => cluster.kill(member(some)),
        }
    }

    /// Starts one that was killed, and does not wait where others have to come first.
    pub(crate) fn launch(&mut self, some: usize) {
        match &mut self.backend {
            Backend::Postgres(server) => server.restart(),
            Backend::Etcd(cluster) => cluster.launch(member(some)),
        }
    }

    /// Waits until one that was started answers.
    pub(crate) fn settle(&self, some: usize) {
        match &self.backend {
            Backend::Postgres(_) => {}
            Backend::Etcd(cluster) => cluster.wait_until_well(member(some)),
        }
    }

    /// Starts one that was killed, and waits until it answers.
    pub(crate) fn restart(&mut self, some: usize) {
        self.launch(some);
        self.settle(some);
    }

    /// The PostgreSQL server, where it is one.
    pub(crate) fn postgres(&self) -> Result<&Postgres, Failure> {
        match &self.backend {
            Backend::Postgres(server) => Ok(server),
            Backend::Etcd(_) => Err("not a PostgreSQL".into()),
        }
    }

    /// As [`postgres`](Self::postgres), to change it.
    pub(crate) fn postgres_mut(&mut self) -> Result<&mut Postgres, Failure> {
        match &mut self.backend {
            Backend::Postgres(server) => Ok(server),
            Backend::Etcd(_) => Err("not a PostgreSQL".into()),
        }
    }
}

const fn member(some: usize) -> usize {
    some % MEMBERS
}

fn endpoints(addresses: Vec<SocketAddr>) -> Vec<String> {
    addresses.into_iter().map(|address| format!("http://{address}")).collect()
}
