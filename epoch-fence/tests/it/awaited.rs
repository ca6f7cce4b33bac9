//! The machines under a driver that awaits: the protocol has no I/O of its own.

use core::future::poll_fn;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use epoch_fence::engine::memory::{Fault, Memory};
use epoch_fence::engine::{Engine, Failure, Swapped};
use epoch_fence::protocol::{
    Acquire, Acquired, Answer, Claim, Machine, Progress, Request, Resolve, Resolved, Swap, Ttl,
};
use epoch_fence::{BootClock, GrantId, RealmId, ResourceId};

/// Comes back at the second poll, as a socket would.
async fn wire() {
    let mut polled = false;
    poll_fn(|cx| {
        if polled {
            return Poll::Ready(());
        }
        polled = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

struct Store<'s>(&'s Memory, ResourceId);

impl Store<'_> {
    async fn load(&self) -> Answer {
        wire().await;
        self.0.load(&self.1).map_or(Answer::Failed, Answer::Loaded)
    }

    async fn swap(&self, swap: &Swap) -> Answer {
        let answer = match self.0.swap(&self.1, swap) {
            Ok(Swapped::Landed(view)) => Answer::Landed(view),
            Ok(Swapped::Conflict) => Answer::Conflict,
            Err(Failure::Definite(_)) => Answer::Failed,
            Err(Failure::Indeterminate(_)) => Answer::Unknown,
        };
        wire().await;
        answer
    }
}

async fn drive<M: Machine>(store: &Store<'_>, mut machine: M, mut before: impl FnMut(&M)) -> M::Outcome {
    loop {
        let sent = store.0.now();
        before(&machine);
        let answer = match machine.request() {
            Request::Load => store.load().await,
            Request::Swap(swap) => store.swap(swap).await,
        };
        match machine.answer(sent, answer) {
            Progress::Ask(next) => machine = next,
            Progress::Done(outcome) => return outcome,
        }
    }
}

/// Polls to the end, or `polls` times.
fn poll_for<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    (0..polls).find_map(|_| match future.as_mut().poll(&mut cx) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    })
}

fn claim() -> Claim {
    Claim::new(
        ResourceId::of("tests", "awaited"),
        "a".parse().unwrap(),
        Ttl::new(Duration::from_secs(8)).unwrap(),
    )
}

#[test]
fn an_awaited_acquire_is_granted_and_its_lost_reply_is_resolved() {
    let memory = Memory::new(RealmId::from_random_bits(1).unwrap());
    let store = Store(&memory, claim().resource());
    memory.script([Fault::None, Fault::ReplyLost]);
    let grant = GrantId::from_random_bits(7).unwrap();
    let outcome = poll_for(9, drive(&store, Acquire::new(claim(), grant), |_| {}));
    let Some(Acquired::Indeterminate(pending)) = outcome else { panic!("{outcome:?}") };
    let outcome = poll_for(9, drive(&store, Resolve::new(pending), |_| {}));
    let Some(Resolved::Granted(granted)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(granted.token().grant(), grant);
}

#[test]
fn a_cancelled_acquire_leaves_what_is_needed_to_resolve_it() {
    let memory = Memory::new(RealmId::from_random_bits(1).unwrap());
    let store = Store(&memory, claim().resource());
    let mut kept = None;
    let acquire = Acquire::new(claim(), GrantId::from_random_bits(7).unwrap());
    // The load is answered, the swap lands, and the future is dropped before it hears so.
    assert!(poll_for(2, drive(&store, acquire, |machine: &Acquire| kept = machine.pending())).is_none());
    let outcome = poll_for(9, drive(&store, Resolve::new(kept.unwrap()), |_| {}));
    assert!(matches!(outcome, Some(Resolved::Granted(_))), "{outcome:?}");
}

#[test]
fn an_answer_to_another_request_grants_nothing() {
    let memory = Memory::new(RealmId::from_random_bits(1).unwrap());
    let acquire = Acquire::new(claim(), GrantId::from_random_bits(7).unwrap());
    let view = memory.load(&claim().resource()).unwrap();
    for answer in [Answer::Landed(view), Answer::Conflict] {
        let Progress::Done(outcome) = acquire.answer(memory.now(), answer) else { panic!() };
        assert!(matches!(outcome, Acquired::Impossible(_)), "{outcome:?}");
    }
    let Progress::Ask(sent) = acquire.answer(memory.now(), Answer::Loaded(view)) else { panic!() };
    for wrong in [Answer::Loaded(view), Answer::Landed(view)] {
        let Progress::Done(outcome) = sent.answer(memory.now(), wrong) else { panic!() };
        assert!(matches!(outcome, Acquired::Impossible(_)), "{outcome:?}");
    }
}
