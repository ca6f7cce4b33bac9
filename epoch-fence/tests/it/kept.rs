//! Leases for callers that await: the keeper, and futures that are dropped at each of their await points.

use alloc::sync::Arc;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::Mutex;

use epoch_fence::engine::memory::{Fault, Memory, MemoryError};
use epoch_fence::engine::{AsyncEngine, Blocking, Engine as _, Failure, Swapped};
use epoch_fence::protocol::{BootTime, Claim, Pending, Standing, Swap, Ttl, View};
use epoch_fence::{
    AsyncIssuer, AsyncLease, BootClock, Ended, Evicted, HolderId, IssuerSnapshot, Loss, NotAcquired,
    NotChanged, RealmId, Resolution, ResourceId, Wait,
};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

const TTL: Duration = Duration::from_secs(8);

/// A store whose every call comes back at the third poll, and whose time is tokio's.
#[derive(Debug)]
struct Store {
    memory: Memory,
    seen: Mutex<Instant>,
    /// How long the reply to a swap takes.
    reply: Mutex<Duration>,
}

impl Store {
    fn memory(&self) -> &Memory {
        let mut seen = self.seen.lock().unwrap();
        let now = Instant::now();
        self.memory.advance(now - *seen);
        *seen = now;
        &self.memory
    }

    fn standing(&self) -> Standing {
        self.memory().load(&claim("a").resource()).unwrap().standing()
    }
}

impl AsyncEngine for Store {
    type Error = MemoryError;

    async fn load(&self, resource: &ResourceId) -> Result<View, MemoryError> {
        yield_now().await;
        let loaded = self.memory().load(resource);
        yield_now().await;
        loaded
    }

    async fn swap(&self, resource: &ResourceId, swap: &Swap) -> Result<Swapped, Failure<MemoryError>> {
        yield_now().await;
        let swapped = self.memory().swap(resource, swap);
        let reply = *self.reply.lock().unwrap();
        sleep(reply).await;
        yield_now().await;
        swapped
    }
}

/// The holder's clock, which is tokio's as well.
#[derive(Clone, Copy)]
struct TokioClock(Instant);

impl BootClock for TokioClock {
    fn now(&self) -> BootTime {
        BootTime::new(self.0.elapsed())
    }

    fn pause(&self, _: Duration) {
        unreachable!("whoever awaits does not block");
    }
}

type Issuer = AsyncIssuer<Arc<Store>, TokioClock>;
type Lease = AsyncLease<Arc<Store>, TokioClock>;

fn issuer() -> (Issuer, Arc<Store>) {
    let memory = Memory::new(RealmId::from_random_bits(1).unwrap());
    let store = Arc::new(Store { memory, seen: Mutex::new(Instant::now()), reply: Mutex::default() });
    (AsyncIssuer::new(Arc::clone(&store), TokioClock(Instant::now())), store)
}

fn claim(holder: &str) -> Claim {
    Claim::new(ResourceId::of("tests", "kept"), holder.parse().unwrap(), Ttl::new(TTL).unwrap())
}

async fn acquire(issuer: &Issuer) -> Lease {
    issuer.acquire(&claim("a"), Wait::AtOnce).await.unwrap()
}

/// Polls to the end, or `polls` times and no more.
fn poll_for<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    })
}

/// More polls than any call here takes.
const ENOUGH: usize = 64;

#[tokio::test(start_paused = true)]
async fn a_kept_lease_outlives_its_time_to_live_many_times_and_keeps_its_token() {
    let (issuer, store) = issuer();
    let lease = acquire(&issuer).await.keep();
    let token = lease.token();
    for _ in 0..40 {
        sleep(TTL / 4).await;
        assert!(!lease.lost());
        assert!(lease.remaining() <= TTL);
        assert!(matches!(store.standing(), Standing::Live { grant, .. } if grant == token.grant()));
    }
    assert_eq!(lease.token(), token);
    let renewed = issuer.snapshot().renewed;
    // A third of the time to live lies between two.
    assert!((25..=30).contains(&renewed), "{renewed}");
    assert_eq!(lease.release().await.unwrap(), Ended::Released);
    sleep(TTL * 2).await;
    let IssuerSnapshot { renewed: after, lost, released, already_lost, .. } = issuer.snapshot();
    assert_eq!((after, lost, released), (renewed, 0, 1), "nobody renews what was given up");
    assert_eq!(already_lost, 0, "nor gives it up again");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_nobody_knows_the_end_of_extends_nothing() {
    let (issuer, store) = issuer();
    let lease = acquire(&issuer).await.keep();
    let deadline = lease.deadline();
    // Every swap from here on lands, and its reply is lost; loads are answered.
    store.memory().script([Fault::None, Fault::ReplyLost].repeat(100));
    let begun = Instant::now();
    let loss = lease.loss().await;
    assert!(
        matches!(&loss, Loss::Deadline { last: Some(last) } if matches!(**last, NotChanged::Indeterminate(_))),
        "{loss:?}"
    );
    assert!(loss.to_string().contains("not known whether"), "{loss}");
    assert_eq!(lease.deadline(), deadline);
    assert!(begun.elapsed() < TTL, "the holder stops before the store's end");
    assert!(lease.lost());
    let IssuerSnapshot { renewed, unknown_changes, .. } = issuer.snapshot();
    assert_eq!(renewed, 0);
    assert!(unknown_changes > 5, "it goes on trying: {unknown_changes}");
    sleep(TTL).await;
    assert_eq!(issuer.snapshot().unknown_changes, unknown_changes, "nobody renews what is lost");
    drop(lease);
    sleep(TTL).await;
    assert_eq!(issuer.snapshot().unknown_changes, unknown_changes, "nor releases it");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_for_a_while_is_tried_again_in_time() {
    let (issuer, store) = issuer();
    let lease = acquire(&issuer).await.keep();
    store.memory().script([Fault::Refused; 3]);
    sleep(TTL).await;
    assert!(!lease.lost());
    assert_eq!(issuer.snapshot().failed, 3);
    assert!(issuer.snapshot().renewed > 0);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_hangs_ends_at_the_deadline() {
    let (issuer, store) = issuer();
    let lease = acquire(&issuer).await.keep();
    let deadline = lease.deadline();
    // It lands, and the reply comes long after the end.
    *store.reply.lock().unwrap() = TTL * 3;
    let begun = Instant::now();
    let loss = lease.loss().await;
    assert!(matches!(loss, Loss::Deadline { .. }), "{loss:?}");
    assert!(begun.elapsed() < TTL);
    assert_eq!(lease.deadline(), deadline);
}

#[tokio::test(start_paused = true)]
async fn a_lease_whose_deadline_has_come_is_not_renewed_though_the_store_would() {
    let (issuer, store) = issuer();
    let mut lease = acquire(&issuer).await;
    sleep(TTL - Duration::from_millis(100)).await;
    assert!(matches!(store.standing(), Standing::Live { .. }));
    let asked = store.memory().swaps();
    assert!(matches!(lease.renew().await, Err(NotChanged::Lost)));
    assert_eq!(store.memory().swaps(), asked);

    sleep(TTL).await;
    let mut lease = acquire(&issuer).await;
    // It lands in time, and the holder hears of it too late.
    *store.reply.lock().unwrap() = TTL;
    assert!(matches!(lease.renew().await, Err(NotChanged::Lost)));
    assert!(lease.lost());
}

#[tokio::test(start_paused = true)]
async fn a_holder_hears_of_its_eviction_at_the_next_renewal() {
    let (issuer, store) = issuer();
    let lease = acquire(&issuer).await.keep();
    let evicted = issuer.evict(&claim("a").resource(), lease.token().grant()).await.unwrap();
    assert_eq!(evicted, Evicted::Evicted);
    let begun = Instant::now();
    let (one, other) = tokio::join!(lease.loss(), lease.loss());
    assert!(matches!((one, other), (Loss::Over, Loss::Over)));
    assert!(begun.elapsed() <= TTL / 2, "{:?}", begun.elapsed());
    assert_eq!(store.standing(), Standing::Free);
    assert!(lease.lost() && lease.remaining().is_zero(), "though the deadline is to come");
    drop(lease);
    sleep(TTL).await;
    assert_eq!(issuer.snapshot().already_lost, 0, "nobody releases what is lost");
}

#[tokio::test(start_paused = true)]
async fn a_keeper_without_a_runtime_lets_the_lease_end_at_its_deadline() {
    let (issuer, _store) = issuer();
    let lease = acquire(&issuer).await;
    let deadline = lease.deadline();
    let other = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        // It is gone with this thread, and the task on it.
        let lease = runtime.block_on(async { lease.keep() });
        drop(runtime);
        lease
    });
    let lease = other.join().unwrap();
    assert!(matches!(lease.loss().await, Loss::Deadline { last: None }));
    assert_eq!(lease.deadline(), deadline);
}

#[tokio::test(start_paused = true)]
async fn a_kept_lease_that_is_dropped_is_released_and_one_that_is_not_kept_lapses() {
    let (issuer, store) = issuer();
    drop(acquire(&issuer).await.keep());
    sleep(Duration::from_millis(1)).await;
    assert_eq!(store.standing(), Standing::Free);
    drop(acquire(&issuer).await);
    sleep(TTL / 2).await;
    assert!(matches!(store.standing(), Standing::Live { .. }));
    sleep(TTL).await;
    assert!(matches!(store.standing(), Standing::Lapsed { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_kept_lease_that_is_dropped_by_another_thread_is_released() {
    let (issuer, store) = issuer();
    let lease = acquire(&issuer).await.keep();
    std::thread::spawn(move || drop(lease)).join().unwrap();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(store.standing(), Standing::Free);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_gets_what_is_released_and_is_told_who_holds_when_the_wait_is_over() {
    let (issuer, _store) = issuer();
    let lease = acquire(&issuer).await.keep();
    let (first, wait) = (lease.token(), Wait::AtMost(Duration::from_secs(60)));
    let impatient = issuer.acquire(&claim("b"), Wait::AtMost(Duration::from_secs(3))).await;
    assert!(matches!(impatient, Err(NotAcquired::Held { holder, .. }) if holder == lease.holder()));
    let waiting = tokio::spawn({
        let issuer = issuer.clone();
        async move { issuer.acquire(&claim("b"), wait).await.map(|lease| lease.token()) }
    });
    sleep(Duration::from_secs(20)).await;
    assert!(!waiting.is_finished());
    let successor: HolderId = "b".parse().unwrap();
    assert_eq!(lease.hand_over(successor, Ttl::new(TTL).unwrap()).await.unwrap(), Ended::HandedOver);
    let kept_for_another = issuer.acquire(&claim("c"), Wait::AtOnce).await;
    assert!(matches!(kept_for_another, Err(NotAcquired::Reserved { to, .. }) if to == successor));
    assert!(waiting.await.unwrap().unwrap().epoch() > first.epoch());
}

/// What became of an attempt whose future was dropped must be what the store says.
async fn resolved(issuer: &Issuer, store: &Store, pending: Option<Pending>) {
    let landed = matches!(store.standing(), Standing::Live { .. });
    let Some(pending) = pending else {
        assert!(!landed, "what landed can be resolved");
        return;
    };
    match issuer.resolve(pending).await.unwrap() {
        Resolution::Granted(lease) => assert!(landed && lease.token().grant() == pending.grant()),
        Resolution::NotGranted => assert!(!landed),
        Resolution::Superseded => panic!("nobody came in between"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_acquire_that_is_dropped_at_any_point_leaves_what_resolves_it() {
    let mut ended = false;
    let (mut unsent, mut unknown) = (0, 0);
    for polls in 0..ENOUGH {
        let (issuer, store) = issuer();
        let mut attempt = issuer.attempt(claim("a"));
        let Some(lease) = poll_for(polls, attempt.acquire(Wait::AtOnce)) else {
            *(if attempt.pending().is_some() { &mut unknown } else { &mut unsent }) += 1;
            resolved(&issuer, &store, attempt.pending()).await;
            continue;
        };
        assert!(lease.is_ok() && attempt.pending().is_none());
        ended = true;
        break;
    }
    assert!(ended && unsent >= 2 && unknown >= 2, "{unsent}, {unknown}");
}

#[tokio::test(start_paused = true)]
async fn an_acquire_that_is_dropped_at_any_point_is_taken_up_again_as_one_attempt() {
    for polls in 0..ENOUGH {
        let (issuer, store) = issuer();
        let mut attempt = issuer.attempt(claim("a"));
        if poll_for(polls, attempt.acquire(Wait::AtOnce)).is_some() {
            return;
        }
        let sent = attempt.pending().map(|pending| pending.grant());
        let lease = attempt.acquire(Wait::AtOnce).await.unwrap();
        assert!(sent.is_none_or(|grant| grant == lease.token().grant()), "{polls}");
        assert_eq!(lease.token().epoch().get(), 1, "{polls}");
        assert_eq!(store.memory().swaps(), 1, "{polls}");
    }
    panic!("it never ends");
}

#[tokio::test(start_paused = true)]
async fn a_swap_that_arrives_after_its_future_was_dropped_and_resolved_never_lands() {
    let (issuer, store) = issuer();
    store.memory().script([Fault::None, Fault::Delayed]);
    let mut attempt = issuer.attempt(claim("a"));
    // The load is answered, the swap is under way.
    let dropped = poll_for(4, attempt.acquire(Wait::AtOnce));
    assert!(dropped.is_none());
    let resolution = issuer.resolve(attempt.pending().unwrap()).await.unwrap();
    assert!(matches!(resolution, Resolution::NotGranted));
    assert_eq!(store.memory().deliver(), Some(false));
    assert_eq!(store.standing(), Standing::Free);
}

#[tokio::test(start_paused = true)]
async fn a_resolution_that_is_dropped_at_any_point_is_begun_again() {
    for polls in 0..ENOUGH {
        let (issuer, store) = issuer();
        store.memory().script([Fault::None, Fault::Delayed]);
        let unknown = issuer.acquire(&claim("a"), Wait::AtOnce).await;
        let Err(NotAcquired::Indeterminate(pending, _)) = unknown else { panic!("{unknown:?}") };
        let done = poll_for(polls, issuer.resolve(pending)).is_some();
        let again = issuer.resolve(pending).await.unwrap();
        assert!(matches!(again, Resolution::NotGranted), "{polls}");
        assert_eq!(store.memory().deliver(), Some(false), "{polls}");
        if done {
            return;
        }
    }
    panic!("it never ends");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_is_dropped_at_any_point_extends_nothing_and_loses_nothing() {
    for polls in 0..ENOUGH {
        let (issuer, store) = issuer();
        let mut lease = acquire(&issuer).await;
        let deadline = lease.deadline();
        sleep(TTL / 4).await;
        let done = poll_for(polls, lease.renew());
        if let Some(renewed) = done {
            assert!(renewed.is_ok() && lease.deadline() > deadline);
            return;
        }
        assert_eq!(lease.deadline(), deadline, "{polls}");
        assert!(matches!(store.standing(), Standing::Live { .. }), "{polls}");
        assert!(lease.renew().await.is_ok(), "{polls}");
        assert!(lease.deadline() > deadline, "{polls}");
    }
    panic!("it never ends");
}

#[tokio::test(start_paused = true)]
async fn a_lease_whose_end_is_dropped_at_any_point_is_over_for_its_holder_and_soon_for_all() {
    for polls in 0..ENOUGH {
        let (issuer, store) = issuer();
        let lease = acquire(&issuer).await;
        let done = poll_for(polls, lease.release()).is_some();
        let standing = store.standing();
        assert!(matches!(standing, Standing::Free | Standing::Live { .. }), "{standing:?}");
        sleep(TTL).await;
        let next = issuer.acquire(&claim("b"), Wait::AtOnce).await.unwrap();
        assert_eq!(next.token().epoch().get(), 2, "{polls}");
        if done {
            assert_eq!(standing, Standing::Free);
            return;
        }
    }
    panic!("it never ends");
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_not_known_is_asked_for_again() {
    let (issuer, store) = issuer();
    let lease = acquire(&issuer).await.keep();
    store.memory().script([Fault::None, Fault::ReplyLost]);
    let token = lease.token();
    let unknown = lease.release().await.unwrap_err();
    assert!(matches!(unknown.why(), NotChanged::Indeterminate(_)), "{unknown}");
    assert_eq!(
        unknown.to_string(),
        "not known to be over: not known whether it was written: scripted fault: ReplyLost"
    );
    let text = format!("{unknown:?}");
    assert!(text.starts_with(&format!("NotParted {{ token: {token:?}, why: Indeterminate(")), "{text}");
    // A store that takes its time meets no renewal meanwhile.
    *store.reply.lock().unwrap() = TTL / 2;
    assert_eq!(unknown.retry().await.unwrap(), Ended::Released);
    let lease = acquire(&issuer).await.keep();
    assert_eq!(lease.release().await.unwrap(), Ended::Released);
    let IssuerSnapshot { renewed, lost, .. } = issuer.snapshot();
    assert_eq!((renewed, lost), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_recovery_that_is_dropped_at_any_point_is_done_once() {
    let realm = RealmId::from_random_bits(9).unwrap();
    for polls in 0..ENOUGH {
        let (issuer, store) = issuer();
        drop(acquire(&issuer).await);
        let resource = claim("a").resource();
        let done = poll_for(polls, issuer.recover(&resource, realm, None)).is_some();
        let view = issuer.recover(&resource, realm, None).await.unwrap();
        assert_eq!(view.record().realm(), realm);
        assert_eq!(store.memory().swaps(), 2, "{polls}");
        if done {
            return;
        }
    }
    panic!("it never ends");
}

#[tokio::test(start_paused = true)]
async fn a_holder_may_believe_in_its_lease_up_to_the_deadline_whether_it_is_kept_or_not() {
    let begun = Instant::now();
    let (issuer, _store) = issuer();
    let now = || BootTime::new(begun.elapsed());
    let lease = acquire(&issuer).await;
    let whole = lease.remaining();
    assert!(!lease.lost() && whole > TTL / 2, "{whole:?}");
    assert_eq!(whole, now().until(lease.deadline()));
    sleep(whole - Duration::from_millis(2)).await;
    assert!(!lease.lost());
    assert_eq!(lease.remaining(), now().until(lease.deadline()));
    let kept = lease.keep();
    let left = kept.remaining();
    assert!(!kept.lost() && !left.is_zero() && left == now().until(kept.deadline()), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_unknown_of_an_attempt_is_kept_in_it_and_nothing_that_is_known() {
    let (issuer, store) = issuer();
    let mut attempt = issuer.attempt(claim("a"));
    assert_eq!((*attempt.claim(), attempt.pending()), (claim("a"), None));
    store.memory().script([Fault::None, Fault::RequestLost]);
    let unknown = attempt.acquire(Wait::AtOnce).await.unwrap_err();
    let NotAcquired::Indeterminate(pending, _) = unknown else { panic!("{unknown:?}") };
    assert_eq!(attempt.pending(), Some(pending));
    assert_eq!(unknown.to_string(), "not known whether acquired: scripted fault: RequestLost");
    // The very same attempt, by another way.
    let lease = issuer.retry(pending).await.unwrap();
    assert_eq!(lease.token().grant(), pending.grant());
    assert_eq!(issuer.current(&claim("a").resource()).await.unwrap().record().grant(), Some(pending.grant()));

    let mut other = issuer.attempt(claim("b"));
    let held = other.acquire(Wait::AtOnce).await;
    assert!(matches!(held, Err(NotAcquired::Held { holder, .. }) if holder == lease.holder()));
    assert_eq!(other.pending(), None, "it can land no more");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_not_kept_is_handed_over_as_well() {
    let (issuer, store) = issuer();
    let lease = acquire(&issuer).await;
    assert_eq!(lease.holder(), "a".parse().unwrap());
    let to = "b".parse().unwrap();
    assert_eq!(lease.hand_over(to, Ttl::new(TTL).unwrap()).await.unwrap(), Ended::HandedOver);
    assert!(matches!(store.standing(), Standing::Reserved { to: found, .. } if found == to));
}

/// A log of a program has them in it.
#[tokio::test(start_paused = true)]
async fn issuers_attempts_and_leases_are_named_in_a_log_with_what_they_are_about() {
    let (issuer, _store) = issuer();
    let text = format!("{issuer:?}");
    assert!(text.starts_with("AsyncIssuer { engine: Store {"), "{text}");
    let text = format!("{:?}", issuer.attempt(claim("a")));
    assert!(text.starts_with(&format!("Attempt {{ claim: {:?}, pending: None", claim("a"))), "{text}");
    let lease = acquire(&issuer).await;
    let token = format!("token: {:?}", lease.token());
    let text = format!("{lease:?}");
    assert!(text.starts_with("AsyncLease {") && text.contains(&token), "{text}");
    let text = format!("{:?}", lease.keep());
    assert!(text.starts_with("KeptLease {") && text.contains(&token), "{text}");
    let blocking = Blocking::new(Arc::clone(issuer.engine()), tokio::runtime::Handle::current());
    let text = format!("{blocking:?}");
    assert!(text.starts_with("Blocking(Store {"), "{text}");
}

#[test]
fn a_loss_says_how_the_lease_was_lost_and_its_copy_says_the_same() {
    let failed = Arc::new(NotChanged::Failed(MemoryError::Fault(Fault::Refused)));
    let rows = [
        (Loss::Over, "the lease is over"),
        (Loss::Deadline { last: None }, "the lease came to its deadline"),
        (
            Loss::Deadline { last: Some(failed) },
            "the lease came to its deadline; the last renewal: nothing was written: scripted fault: Refused",
        ),
    ];
    for (loss, words) in rows {
        assert_eq!((loss.to_string(), loss.clone().to_string()), (words.to_owned(), words.to_owned()));
    }
}
