//! Connections that break in the middle of a write.

use core::net::SocketAddr;
use core::time::Duration;

use clock_testing::proxy::{Plan, Proxy};
use epoch_fence::engine::postgres::{Postgres, PostgresError};
use epoch_fence::engine::{AsyncEngine, Failure, Swapped};
use epoch_fence::protocol::{
    Acquire, Acquired, Answer, BootTime, Claim, Command, Machine, Pending, Progress, Request, Resolve,
    Resolved, Standing, Swap,
};
use epoch_fence::{GrantId, ResourceId};

use crate::stage::{Stage, acquire, block_on, grant, holder, land, release, renew, resource, ttl};

const WITHIN: Duration = Duration::from_secs(60);

/// A client behind a proxy, which has everything prepared that it needs.
struct Wire {
    proxy: Proxy,
    store: Postgres,
    direct: Postgres,
}

impl Wire {
    fn new(stage: &Stage, timeout: Duration) -> Self {
        let (_, address) = stage.url.split_once('@').unwrap();
        let (address, database) = address.split_once('/').unwrap();
        let proxy = Proxy::start(address.parse::<SocketAddr>().unwrap());
        let url = format!("postgres://postgres@{}/{database}", proxy.address());
        let (store, direct) = (
            block_on(Postgres::connect(&url, stage.options().request_timeout(timeout))).unwrap(),
            stage.store(),
        );
        let wire = Self { proxy, store, direct };
        wire.warm();
        wire
    }

    /// Sends each kind of statement once, so that what is sent next is the statement and not its preparation. On a
    /// session with little patience it may take a few tries.
    fn warm(&self) {
        let warm = (0_u128..).take(1_000).any(|round| {
            // The first write of a resource, and one of each other kind.
            let resource = resource(&format!("warm {} {round}", self.proxy.counts().accepted));
            block_on(async {
                for command in [acquire(1), renew(1), release(1)] {
                    let view = self.store.load(&resource).await?;
                    let Ok(swap) = Swap::prepare(&view, &command) else { return Ok(false) };
                    let (Ok(_) | Err(Failure::Definite(_) | Failure::Indeterminate(_))) =
                        self.store.swap(&resource, &swap).await;
                }
                let view = self.store.load(&resource).await?;
                Ok::<_, PostgresError>(view.standing() == Standing::Free)
            })
            .unwrap_or(false)
        });
        assert!(warm);
    }
}

fn claim(resource: ResourceId) -> Claim {
    Claim::new(resource, holder("test"), ttl(3_600_000))
}

/// Drives a machine over a store.
async fn drive<M: Machine>(store: &impl AsyncEngine, resource: &ResourceId, mut machine: M) -> M::Outcome {
    // No deadline is asked for here.
    let sent = BootTime::new(Duration::ZERO);
    loop {
        let answer = match machine.request() {
            Request::Load => store.load(resource).await.map_or(Answer::Failed, Answer::Loaded),
            Request::Swap(swap) => match store.swap(resource, swap).await {
                Ok(Swapped::Landed(view)) => Answer::Landed(view),
                Ok(Swapped::Conflict) => Answer::Conflict,
                Err(Failure::Definite(_)) => Answer::Failed,
                Err(Failure::Indeterminate(_)) => Answer::Unknown,
            },
        };
        match machine.answer(sent, answer) {
            Progress::Ask(next) => machine = next,
            Progress::Done(outcome) => return outcome,
        }
    }
}

/// Acquires with the proxy on a plan from the moment the write is sent; it is to be unknown. What is held is held when this
/// returns, and its connection cut.
fn unknown(wire: &Wire, resource: &ResourceId, plan: Plan, bits: u128) -> Pending {
    block_on(async {
        let machine = Acquire::new(claim(*resource), grant(bits));
        let view = wire.store.load(resource).await.unwrap();
        let sent = BootTime::new(Duration::ZERO);
        let Progress::Ask(machine) = machine.answer(sent, Answer::Loaded(view)) else { panic!() };
        let Request::Swap(swap) = machine.request() else { panic!() };
        let held = wire.proxy.counts().requests_held;
        wire.proxy.set(plan);
        let (lost, ()) = tokio::join!(wire.store.swap(resource, swap), async {
            while plan == Plan::HoldRequests && wire.proxy.counts().requests_held == held {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            if plan == Plan::HoldRequests {
                wire.proxy.cut();
            }
        });
        assert!(matches!(lost, Err(Failure::Indeterminate(_))), "{lost:?}");
        match machine.answer(sent, Answer::Unknown) {
            Progress::Done(Acquired::Indeterminate(pending)) => pending,
            other @ (Progress::Ask(_) | Progress::Done(_)) => panic!("{other:?}"),
        }
    })
}

fn granted(resolved: &Resolved) -> Option<GrantId> {
    match resolved {
        Resolved::Granted(granted) => Some(granted.token().grant()),
        Resolved::NotGranted
        | Resolved::Superseded
        | Resolved::Indeterminate(_)
        | Resolved::Refused(..)
        | Resolved::Impossible(..) => None,
    }
}

#[test]
fn a_write_whose_request_was_dropped_is_unknown_and_resolves_to_not_granted() {
    let Some(stage) = Stage::shared("request_dropped") else { return };
    let wire = Wire::new(&stage, WITHIN);
    for (bits, name) in [(1, "new"), (2, "new"), (3, "other")] {
        wire.proxy.set(Plan::Pass);
        wire.warm();
        let pending = unknown(&wire, &resource(name), Plan::DropRequests, bits);
        wire.proxy.set(Plan::Pass);
        let resolved = block_on(drive(&wire.store, &resource(name), Resolve::new(pending)));
        assert_eq!(resolved, Resolved::NotGranted);
    }
    assert_eq!(wire.proxy.counts().requests_dropped, 3);
}

#[test]
fn a_write_whose_reply_was_dropped_is_unknown_and_resolves_to_granted() {
    let Some(stage) = Stage::shared("reply_dropped") else { return };
    let wire = Wire::new(&stage, WITHIN);
    for (bits, name) in [(1, "one"), (2, "two"), (3, "three")] {
        wire.proxy.set(Plan::Pass);
        wire.warm();
        let pending = unknown(&wire, &resource(name), Plan::DropReplies, bits);
        // It was sent, and arrives; when, the client cannot know.
        let arrived = (0..6_000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            let view = block_on(wire.direct.load(&resource(name))).unwrap();
            view.record().grant() == Some(grant(bits))
        });
        assert!(arrived);
        wire.proxy.set(Plan::Pass);
        let resolved = block_on(drive(&wire.store, &resource(name), Resolve::new(pending)));
        assert_eq!(granted(&resolved), Some(grant(bits)), "{resolved:?}");
        // The very same attempt again lands no second time.
        let again = block_on(drive(&wire.store, &resource(name), Acquire::retry(pending)));
        let Acquired::Granted(again) = again else { panic!("{again:?}") };
        assert_eq!(again.token().epoch(), epoch_fence::Epoch::FIRST);
    }
    assert!(wire.proxy.counts().replies_dropped >= 3);
}

#[test]
fn a_request_that_arrives_after_the_burn_never_lands() {
    let Some(stage) = Stage::shared("late") else { return };
    let wire = Wire::new(&stage, WITHIN);
    for (bits, name) in [(1, "new"), (2, "new"), (3, "other")] {
        wire.proxy.set(Plan::Pass);
        wire.warm();
        let delivered = wire.proxy.counts().answered_late;
        let pending = unknown(&wire, &resource(name), Plan::HoldRequests, bits);
        let resolved = block_on(drive(&wire.direct, &resource(name), Resolve::new(pending)));
        assert_eq!(resolved, Resolved::NotGranted);
        let before = block_on(wire.direct.load(&resource(name))).unwrap();
        wire.proxy.release();
        assert!(wire.proxy.wait_until(WITHIN, |counts| counts.answered_late > delivered), "it arrives");
        let after = block_on(wire.direct.load(&resource(name))).unwrap();
        assert_eq!(before.record(), after.record());
    }
}

#[test]
fn a_server_that_does_not_answer_is_waited_for_no_longer_than_was_said() {
    let Some(stage) = Stage::shared("silent") else { return };
    let wire = Wire::new(&stage, Duration::from_secs(1));
    let held = block_on(land(&wire.direct, &resource("r"), acquire(1)));
    let renewal = Swap::prepare(&held, &renew(1)).unwrap();
    wire.proxy.set(Plan::HoldReplies);
    let sent = block_on(wire.store.swap(&resource("r"), &renewal));
    assert!(matches!(sent, Err(Failure::Indeterminate(PostgresError::TimedOut { .. }))), "{sent:?}");
    // A new session is not answered either, so that nothing was sent.
    let sent = block_on(wire.store.swap(&resource("r"), &renewal));
    assert!(matches!(sent, Err(Failure::Definite(PostgresError::TimedOut { .. }))), "{sent:?}");
    let load = block_on(wire.store.load(&resource("r")));
    assert!(matches!(load, Err(PostgresError::TimedOut { .. })), "{load:?}");
    wire.proxy.set(Plan::Pass);
    wire.proxy.cut();
    let found = (0..600).any(|_| block_on(wire.store.load(&resource("r"))).is_ok());
    assert!(found, "it connects again");
}

#[test]
fn a_session_that_was_cut_while_nobody_looked_is_no_error_of_a_load() {
    let Some(stage) = Stage::shared("cut_idle") else { return };
    let wire = Wire::new(&stage, WITHIN);
    for _ in 0..20 {
        wire.proxy.cut();
        block_on(wire.store.load(&resource("r"))).unwrap();
    }
}

/// Cancel safety: wherever the future is dropped, the record is as before or as after, and the store goes on.
#[test]
fn a_write_that_is_dropped_at_any_await_point_leaves_the_record_before_or_after_it() {
    let Some(stage) = Stage::shared("dropped") else { return };
    let store = stage.store();
    for polls in 0..12 {
        // With a session that has to be made, and with one that is there.
        for fresh in [true, false] {
            let store = if fresh { &stage.store() } else { &store };
            let resource = resource(&format!("{polls} {fresh}"));
            let view = block_on(store.load(&resource)).unwrap();
            let swap = Swap::prepare(&view, &acquire(1)).unwrap();
            block_on(async {
                let mut write = Box::pin(store.swap(&resource, &swap));
                for _ in 0..polls {
                    let polled = core::future::poll_fn(|cx| {
                        core::task::Poll::Ready(write.as_mut().poll(cx).is_ready())
                    });
                    if polled.await {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            });
            let found = block_on(store.load(&resource)).unwrap();
            let before = found.record() == view.record();
            assert!(before || found.record().grant() == Some(grant(1)), "{found:?}");
            // And what is made of it by a burn is final.
            if before {
                block_on(land(store, &resource, Command::Burn));
                let late = block_on(store.swap(&resource, &swap)).unwrap();
                assert_eq!(late, Swapped::Conflict);
            }
        }
    }
}
