//! Requests and replies that are lost or late, through a proxy between a client and the server.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use clock_testing::etcd::Etcd as Server;
use clock_testing::proxy::{Counts, Plan, Proxy};
use epoch_fence::engine::etcd::{EtcdError, EtcdOptions};
use epoch_fence::engine::{Engine as _, Failure, Swapped};
use epoch_fence::protocol::{Command, Pending, Swap};
use epoch_fence::{NotAcquired, Resolution, Wait};

use crate::stage::{
    Raw, Store, acquire, claim, grant, holder, issuer, land, ledger, namespace, options, own, store, ttl,
};

const LONG: Duration = Duration::from_secs(30);

/// A server of the test's own, so that its leases tell how far a write has come; a client through a proxy, and one
/// beside it.
struct Scene {
    proxy: Proxy,
    through: Store,
    beside: Store,
    raw: Raw,
    // The last: it has to be there until the clients are gone.
    _server: Server,
}

impl Scene {
    fn new() -> Option<Self> {
        let server = own(1, &[])?;
        let namespace = namespace();
        let proxy = Proxy::start(server.address(0));
        let through = EtcdOptions::new([format!("http://{}", proxy.address())], &namespace).unwrap();
        let beside = store(options(&server, &namespace));
        let through = store(through.timeout(Duration::from_secs(20)));
        Some(Self { proxy, through, beside, raw: Raw::of(&server, &namespace), _server: server })
    }

    /// Sends a write until its transaction is held in the proxy: its lease is there, and what comes behind that is held.
    fn hold_request<T: Send + 'static>(
        &self,
        write: impl FnOnce(Store) -> T + Send + 'static,
    ) -> Receiver<T> {
        let leases = self.raw.leases();
        // The lease is asked for by itself, and answered, before the transaction goes out.
        self.hold(Plan::HoldRequests, |counts| counts.requests_held, write, || self.raw.leases() > leases)
    }

    /// Sends a write until the server has applied it, and its reply is held in the proxy.
    fn hold_reply<T: Send + 'static>(&self, write: impl FnOnce(Store) -> T + Send + 'static) -> Receiver<T> {
        let revision = || self.raw.get("record").map_or(0, |record| record.mod_revision());
        let before = revision();
        self.hold(Plan::HoldReplies, |counts| counts.replies_held, write, || revision() > before)
    }

    /// Lets one piece after the other pass, until it has come so far; the last one is held then.
    fn hold<T: Send + 'static>(
        &self,
        plan: Plan,
        held: impl Fn(&Counts) -> u64,
        write: impl FnOnce(Store) -> T + Send + 'static,
        so_far: impl Fn() -> bool,
    ) -> Receiver<T> {
        self.proxy.set(plan);
        let mut seen = held(&self.proxy.counts());
        let (tell, told) = channel();
        let through = self.through.clone();
        std::thread::spawn(move || tell.send(write(through)));
        loop {
            assert!(self.proxy.wait_until(LONG, |counts| held(counts) > seen), "nothing more comes");
            seen = held(&self.proxy.counts());
            if so_far() {
                return told;
            }
            self.proxy.release();
        }
    }

    /// Cuts the connections, and returns what the writer hears. What is held as a request stays so.
    fn cut<T>(&self, told: &Receiver<T>) -> T {
        self.proxy.set(Plan::Pass);
        self.proxy.cut();
        told.recv_timeout(LONG).expect("a cut connection is heard of")
    }

    /// Lets the held transaction arrive after its client has gone, and waits until the server has answered it.
    fn deliver(&self) {
        let answered = self.proxy.counts().answered_late;
        self.proxy.release();
        assert!(self.proxy.wait_until(LONG, |counts| counts.answered_late > answered), "it does not arrive");
    }

    /// An attempt to acquire through the proxy, of which nobody knows the end.
    fn attempt(store: &Store) -> Pending {
        match issuer(store).acquire(&claim("a", 600_000), Wait::AtOnce) {
            Err(NotAcquired::Indeterminate(pending, EtcdError::Connection(why))) => {
                // The words, and not the headers of the request, in which a token may be.
                let words = why.to_string();
                assert!(!words.is_empty() && !words.contains("message:"), "{words}");
                pending
            }
            other => panic!("{other:?}"),
        }
    }
}

fn is_unknown(sent: &Result<Swapped, Failure<EtcdError>>) -> bool {
    matches!(sent, Err(Failure::Indeterminate(EtcdError::Connection(_))))
}

#[test]
fn an_attempt_whose_reply_is_lost_is_unknown_and_found_to_be_granted() {
    let Some(scene) = Scene::new() else { return };
    let told = scene.hold_reply(|store| Scene::attempt(&store));
    let pending = scene.cut(&told);
    // The very client that lost its connection has another one.
    let issuer = issuer(&scene.through);
    let Ok(Resolution::Granted(mut lease)) = issuer.resolve(pending) else { panic!("it landed") };
    assert_eq!(lease.token().grant(), pending.grant());
    lease.renew().unwrap();
    // The same attempt sent again is the same grant.
    let again = issuer.retry(pending);
    assert!(
        matches!(&again, Err(NotAcquired::Superseded))
            || again.is_ok_and(|again| again.token() == lease.token())
    );
}

#[test]
fn a_renewal_whose_reply_is_lost_is_unknown_and_can_be_repeated() {
    let Some(scene) = Scene::new() else { return };
    let renew = |millis| Command::Renew { grant: grant(1), ttl: ttl(millis) };
    land(&scene.beside, &Command::Acquire { grant: grant(1), holder: holder("a"), ttl: ttl(60_000) });
    // On the lease that is there, and on a longer one.
    for millis in [60_000, 600_000] {
        let swap = Swap::prepare(&scene.beside.load(&ledger()).unwrap(), &renew(millis)).unwrap();
        let told = scene.hold_reply(move |store| store.swap(&ledger(), &swap));
        let sent = scene.cut(&told);
        assert!(is_unknown(&sent), "{sent:?}");
        assert_eq!(scene.through.swap(&ledger(), &swap).unwrap(), Swapped::Conflict);
        land(&scene.through, &renew(millis));
    }
    assert_eq!(scene.raw.granted(scene.raw.marked()), 600);
}

#[test]
fn a_release_whose_reply_is_lost_is_unknown_and_done() {
    let Some(scene) = Scene::new() else { return };
    land(&scene.beside, &Command::Acquire { grant: grant(1), holder: holder("a"), ttl: ttl(60_000) });
    let release = Command::Release { grant: grant(1) };
    let swap = Swap::prepare(&scene.beside.load(&ledger()).unwrap(), &release).unwrap();
    let told = scene.hold_reply(move |store| store.swap(&ledger(), &swap));
    let sent = scene.cut(&told);
    assert!(is_unknown(&sent), "{sent:?}");
    assert!(issuer(&scene.through).acquire(&claim("b", 500), Wait::AtOnce).is_ok());
}

#[test]
fn an_attempt_whose_request_is_lost_is_unknown_and_found_not_to_be_granted() {
    let Some(scene) = Scene::new() else { return };
    let told = scene.hold_request(|store| Scene::attempt(&store));
    let pending = scene.cut(&told);
    assert!(scene.raw.get("record").is_none());
    let issuer = issuer(&scene.through);
    assert!(matches!(issuer.resolve(pending), Ok(Resolution::NotGranted)));
    assert!(issuer.acquire(&claim("b", 500), Wait::AtOnce).is_ok());
}

#[test]
fn a_request_that_is_late_lands_late_if_nobody_burned_it() {
    let Some(scene) = Scene::new() else { return };
    // The first write of all, and one on a record that is there.
    for _ in 0..2 {
        let told = scene.hold_request(|store| Scene::attempt(&store));
        let pending = scene.cut(&told);
        scene.deliver();
        let issuer = issuer(&scene.beside);
        let Ok(Resolution::Granted(lease)) = issuer.resolve(pending) else { panic!("it landed late") };
        lease.release().unwrap();
    }
}

#[test]
fn a_request_that_is_late_never_lands_after_it_was_found_not_to_be_granted() {
    let Some(scene) = Scene::new() else { return };
    for _ in 0..2 {
        let told = scene.hold_request(|store| Scene::attempt(&store));
        let pending = scene.cut(&told);
        let issuer = issuer(&scene.beside);
        assert!(matches!(issuer.resolve(pending), Ok(Resolution::NotGranted)));
        let burnt = scene.beside.load(&ledger()).unwrap();
        scene.deliver();
        let after = scene.beside.load(&ledger()).unwrap();
        assert_eq!(after.record(), burnt.record());
        assert!(scene.raw.get("lease").is_none());
    }
}

#[test]
fn nor_does_a_first_write_that_is_late_when_the_record_was_burned_and_then_deleted_by_hand() {
    let Some(scene) = Scene::new() else { return };
    let told = scene.hold_request(|store| Scene::attempt(&store));
    let pending = scene.cut(&told);
    assert!(matches!(issuer(&scene.beside).resolve(pending), Ok(Resolution::NotGranted)));
    scene.raw.delete("record");
    scene.deliver();
    assert!(scene.raw.get("record").is_none() && scene.raw.get("lease").is_none());
}

#[test]
fn a_late_write_lands_over_no_mark_that_came_between() {
    let Some(scene) = Scene::new() else { return };
    let rows: [fn(&Scene) -> i64; 2] = [
        |scene| scene.raw.get("record").map_or(0, |record| record.mod_revision()),
        |scene| {
            land(&scene.beside, &Command::Burn);
            scene.raw.get("record").unwrap().mod_revision()
        },
    ];
    // The first write of all, and one on a record that is there.
    for before in rows {
        let before = before(&scene);
        let view = scene.beside.load(&ledger()).unwrap();
        let swap = acquire(&view, 7, 600_000);
        let told = scene.hold_request(move |store| store.swap(&ledger(), &swap));
        let sent = scene.cut(&told);
        assert!(is_unknown(&sent), "{sent:?}");
        let lease = scene.raw.lease();
        scene.raw.put("lease", "held by somebody", lease);
        scene.deliver();
        let after = scene.raw.get("record").map_or(0, |record| record.mod_revision());
        assert_eq!((after, scene.raw.marked()), (before, lease));
        scene.raw.revoke(lease);
    }
}

#[test]
fn of_first_writes_of_many_resources_at_once_none_is_refused_for_the_others() {
    let Some(scene) = Scene::new() else { return };
    std::thread::scope(|scope| {
        for number in 0_u32..12 {
            let store = &scene.beside;
            scope.spawn(move || {
                let resource = epoch_fence::ResourceId::of("billing", number.to_be_bytes());
                let view = store.load(&resource).unwrap();
                let sent = store.swap(&resource, &acquire(&view, 1, 60_000));
                assert!(matches!(sent, Ok(Swapped::Landed(_))), "{sent:?}");
            });
        }
    });
}
