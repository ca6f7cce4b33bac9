//! What the tests stand on: a server that most of them share, namespaces, clients, and time.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clock_testing::NotInstalled;
use clock_testing::etcd::Etcd as Server;
use epoch_fence::engine::etcd::{Etcd, EtcdOptions};
use epoch_fence::engine::{Blocking, Engine};
use epoch_fence::protocol::{Claim, Command, Swap, Ttl, View};
use epoch_fence::{GrantId, HolderId, Issuer, ResourceId, SystemClock};
use tokio::runtime::{Builder, Runtime};

/// A store, as a caller that blocks has it.
pub(crate) type Store = Blocking<Arc<Etcd>>;

/// The server that the tests share which do not hurt it; `None` where it is not installed. Whoever started it, it goes
/// with the process.
pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Result<Server, NotInstalled>> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(1, &[])).as_ref().map_err(NotInstalled::not_run).ok()
}

/// A server, or a cluster, of one test's own.
pub(crate) fn own(size: usize, settings: &[(&str, &str)]) -> Option<Server> {
    Server::start(size, settings).map_err(|missing| missing.not_run()).ok()
}

/// What the connections of all clients live on.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}

/// A name that no other test of this process uses.
pub(crate) fn namespace() -> String {
    // A counter: nothing is published with it.
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("tests/{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// The way to all members of a server.
pub(crate) fn options(server: &Server, namespace: &str) -> EtcdOptions {
    let endpoints = server.addresses().into_iter().map(|address| format!("http://{address}"));
    EtcdOptions::new(endpoints, namespace).unwrap().timeout(Duration::from_secs(10))
}

/// A client of a namespace that is made if it is not there.
pub(crate) fn store(options: EtcdOptions) -> Store {
    let etcd = runtime().block_on(async {
        let etcd = options.connect().await.unwrap();
        etcd.init().await.unwrap();
        etcd
    });
    Blocking::new(Arc::new(etcd), runtime().handle().clone())
}

/// A client of a namespace of its own on the shared server.
pub(crate) fn fresh(server: &Server) -> (Store, String) {
    let namespace = namespace();
    (store(options(server, &namespace)), namespace)
}

pub(crate) fn issuer(store: &Store) -> Issuer<&Store, SystemClock> {
    Issuer::new(store, SystemClock::new())
}

pub(crate) fn ttl(millis: u64) -> Ttl {
    Ttl::new(Duration::from_millis(millis)).unwrap()
}

pub(crate) fn ledger() -> ResourceId {
    ResourceId::of("billing", "ledger")
}

pub(crate) fn holder(name: &str) -> HolderId {
    name.parse().unwrap()
}

pub(crate) fn claim(name: &str, millis: u64) -> Claim {
    Claim::new(ledger(), holder(name), ttl(millis))
}

pub(crate) fn grant(bits: u128) -> GrantId {
    GrantId::from_random_bits(bits).unwrap()
}

/// A write that makes this grant the holder, as of a view.
pub(crate) fn acquire(view: &View, bits: u128, millis: u64) -> Swap {
    let command = Command::Acquire { grant: grant(bits), holder: holder("a"), ttl: ttl(millis) };
    Swap::prepare(view, &command).unwrap()
}

/// Writes what the command makes of the record that is there, and returns what it left.
pub(crate) fn land(store: &Store, command: &Command) -> View {
    let swap = Swap::prepare(&store.load(&ledger()).unwrap(), command).unwrap();
    match store.swap(&ledger(), &swap).unwrap() {
        epoch_fence::engine::Swapped::Landed(view) => {
            assert_eq!(swap.check_landed(&view), Ok(()), "{view:?}");
            view
        }
        epoch_fence::engine::Swapped::Conflict => panic!("others write"),
    }
}

/// Looks again and again until it is so, for a minute at most.
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("it does not come to be so: {what}");
}

/// The ledger's keys and the realm, by a client of etcd's own: what an operator could do by hand.
pub(crate) struct Raw {
    client: etcd_client::Client,
    namespace: String,
}

impl Raw {
    pub(crate) fn of(server: &Server, namespace: &str) -> Self {
        let endpoints: Vec<_> = server.addresses().iter().map(ToString::to_string).collect();
        let client = runtime().block_on(etcd_client::Client::connect(endpoints, None)).unwrap();
        Self { client, namespace: namespace.to_owned() }
    }

    pub(crate) fn key(&self, kind: &str) -> String {
        match kind {
            "realm" => format!("epoch-fence/{}/realm", self.namespace),
            kind => format!("epoch-fence/{}/{kind}/{}", self.namespace, ledger()),
        }
    }

    pub(crate) fn get(&self, kind: &str) -> Option<etcd_client::KeyValue> {
        let got = runtime().block_on(self.client.kv_client().get(self.key(kind), None)).unwrap();
        got.kvs().first().cloned()
    }

    pub(crate) fn put(&self, kind: &str, value: impl Into<Vec<u8>>, lease: i64) {
        let options = etcd_client::PutOptions::new().with_lease(lease);
        let put = runtime().block_on(self.client.kv_client().put(self.key(kind), value, Some(options)));
        put.unwrap();
    }

    pub(crate) fn delete(&self, kind: &str) {
        let deleted = runtime().block_on(self.client.kv_client().delete(self.key(kind), None)).unwrap();
        assert_eq!(deleted.deleted(), 1, "{kind}");
    }

    /// Makes a lease of a minute.
    pub(crate) fn lease(&self) -> i64 {
        self.lease_of(60)
    }

    pub(crate) fn lease_of(&self, seconds: i64) -> i64 {
        runtime().block_on(self.client.lease_client().grant(seconds, None)).unwrap().id()
    }

    pub(crate) fn revoke(&self, lease: i64) {
        runtime().block_on(self.client.lease_client().revoke(lease)).unwrap();
    }

    /// For how many seconds a lease was granted.
    pub(crate) fn granted(&self, lease: i64) -> i64 {
        runtime().block_on(self.client.lease_client().time_to_live(lease, None)).unwrap().granted_ttl()
    }

    /// How many seconds a lease has left.
    pub(crate) fn left(&self, lease: i64) -> i64 {
        runtime().block_on(self.client.lease_client().time_to_live(lease, None)).unwrap().ttl()
    }

    /// The lease that the mark of the ledger's tenure is on.
    pub(crate) fn marked(&self) -> i64 {
        self.get("lease").expect("there is a mark").lease()
    }

    /// How many leases etcd has.
    pub(crate) fn leases(&self) -> usize {
        runtime().block_on(self.client.lease_client().leases()).unwrap().leases().len()
    }

    /// Forgets every revision but the last.
    pub(crate) fn compact(&self) {
        let revision = self.get("realm").map_or(1, |_| {
            let got = runtime().block_on(self.client.kv_client().get("x", None)).unwrap();
            got.header().unwrap().revision()
        });
        runtime().block_on(self.client.kv_client().compact(revision, None)).unwrap();
    }
}
