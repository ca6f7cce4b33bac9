//! Futures that are dropped, at each of their await points.

use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;

use epoch_fence::engine::{AsyncEngine as _, Engine as _, Swapped};
use epoch_fence::protocol::{Acquire, Answer, Command, Machine as _, Progress, Request, Swap};
use epoch_fence::{BootClock as _, Ended};
use epoch_fence::{GrantId, Resolution, SystemClock, Wait};

use crate::stage::{claim, fresh, grant, holder, issuer, land, ledger, runtime, server, ttl};

/// Polls so often, or to the end if that comes before; then drops it.
async fn poll_times<T>(times: usize, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut left) = (pin!(future), times);
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[test]
fn an_attempt_that_is_dropped_at_any_await_point_can_be_resolved_for_ever() {
    let Some(server) = server() else { return };
    let (store, _) = fresh(server);
    let issuer = issuer(&store);
    let (mut granted, mut not_granted) = (0, 0);
    for polls in 0..1_000 {
        let before = store.load(&ledger()).unwrap();
        let attempt = Acquire::new(claim("a", 600_000), GrantId::random().unwrap());
        let answer = attempt.answer(SystemClock::new().now(), Answer::Loaded(before));
        let Progress::Ask(attempt) = answer else { panic!("it is free") };
        let pending = attempt.pending().unwrap();
        let Request::Swap(swap) = attempt.request() else { panic!("it was loaded") };
        let sent = runtime().block_on(poll_times(polls, store.engine().swap(&ledger(), swap)));
        let whole = sent.is_some();
        match issuer.resolve(pending).unwrap() {
            Resolution::Granted(lease) => {
                granted += 1;
                assert!(matches!(lease.release(), Ok(Ended::Released)));
            }
            Resolution::NotGranted => {
                not_granted += 1;
                assert!(!whole);
                // Nor later: whoever comes next gets it.
                let next = issuer.acquire(&claim("b", 600_000), Wait::AtOnce).unwrap();
                assert!(matches!(next.release(), Ok(Ended::Released)));
            }
            Resolution::Superseded => panic!("nobody came between"),
        }
        if whole {
            assert!(matches!(sent, Some(Ok(Swapped::Landed(_)))), "{sent:?}");
            assert!(granted > 0 && not_granted > 0, "{granted} {not_granted}");
            return;
        }
    }
    panic!("it does not come to an end");
}

#[test]
fn a_renewal_and_a_release_that_are_dropped_at_any_await_point_can_be_repeated() {
    let Some(server) = server() else { return };
    let (store, _) = fresh(server);
    let mut done = [false; 2];
    for polls in 0..1_000 {
        let bits = 1 + u128::from(polls as u64);
        let mine = Command::Acquire { grant: grant(bits), holder: holder("a"), ttl: ttl(600_000) };
        land(&store, &mine);
        let commands = [
            Command::Renew { grant: grant(bits), ttl: ttl(600_000) },
            Command::Release { grant: grant(bits) },
        ];
        for (command, done) in commands.iter().zip(&mut done) {
            let swap = Swap::prepare(&store.load(&ledger()).unwrap(), command).unwrap();
            let sent = runtime().block_on(poll_times(polls, store.engine().swap(&ledger(), &swap)));
            *done = sent.is_some();
            // Until it is known what the dropped one did, others may write first.
            for _ in 0..20 {
                let view = store.load(&ledger()).unwrap();
                let Ok(again) = Swap::prepare(&view, command) else { break };
                if matches!(store.swap(&ledger(), &again), Ok(Swapped::Landed(_))) {
                    break;
                }
            }
        }
        assert_eq!(store.load(&ledger()).unwrap().record().grant(), None);
        if done == [true; 2] {
            return;
        }
    }
    panic!("they do not come to an end");
}
