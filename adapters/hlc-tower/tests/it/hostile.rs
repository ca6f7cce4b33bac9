//! Whatever the headers hold, the clock goes no further than its policy, and everything is counted.

use hlc::Timestamp;
use hlc_tower::{ClientLayer, ServerLayer, StampPolicy, header};
use http::{Request, Response};
use proptest::{collection::vec, prelude::*};
use tower::{Layer as _, service_fn};

use crate::{
    calls::{NOW_MILLIS, call, headers, node, request, telling},
    clock::{Clock, clock},
    header::value,
};

const LIMIT_MILLIS: u64 = 500;

/// The header's values in one message: none, one or several; stamps about the limit, at the ends, and no stamps.
fn values(now_millis: u64) -> impl Strategy<Value = Vec<Vec<u8>>> {
    let near =
        (0..=2 * LIMIT_MILLIS, prop_oneof![Just(0), Just(u64::from(u16::MAX)), 0..=u64::from(u16::MAX)])
            .prop_map(move |(ahead, counter)| ((now_millis + ahead) << 16) | counter);
    let stamp = prop_oneof![4 => near, 1 => Just(u64::MAX), 1 => Just(1), 1 => 1..=u64::MAX]
        .prop_map(|bits| Timestamp::from_bits(bits).unwrap().at_node(node(9)).to_text().to_vec());
    prop_oneof![
        6 => vec(stamp.clone(), 1),
        1 => vec(stamp, 0..4),
        2 => vec(value(), 1),
    ]
}

#[derive(Clone, Debug)]
struct Message {
    /// The physical clock when it comes, which may have gone back.
    now_millis: u64,
    values: Vec<Vec<u8>>,
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let message = (0..1_000_u64).prop_flat_map(|later| {
        let now_millis = NOW_MILLIS + later;
        values(now_millis).prop_map(move |values| Message { now_millis, values })
    });
    vec(message, 1..40)
}

/// A receipt may stand at the limit itself, and only the clock's own `ticks` after it go on from there. A clock that stood
/// higher has gone on by the two events of a call.
fn check(clock: &Clock, before: Option<Timestamp>, now_millis: u64, ticks: u64) {
    let limit = ((now_millis + LIMIT_MILLIS) << 16) | u64::from(u16::MAX);
    let ceiling = (limit + ticks).max(before.map_or(0, Timestamp::to_bits) + 2);
    let last = clock.last().unwrap();
    assert!(Some(last) >= before, "the clock went back");
    assert!(last.to_bits() <= ceiling, "{last:?} from {before:?} at {now_millis}");
}

proptest! {
    #[test]
    fn a_hostile_client_cannot_move_the_clock_of_a_server_beyond_the_policy(
        messages in messages(),
        policy in prop_oneof![Just(StampPolicy::Refuse), Just(StampPolicy::Ignore)],
    ) {
        let clock = clock();
        let layer = ServerLayer::new(&clock, node(1)).with_stamp_policy(policy);
        let mut service = layer.layer(telling());
        for message in &messages {
            clock.source().set_millis(message.now_millis);
            let before = clock.last();
            let response = call(&mut service, request(&message.values)).unwrap();
            check(&clock, before, message.now_millis, 1);
            prop_assert!(matches!(header::read(response.headers()), Ok(Some(_))), "answered and stamped");
            prop_assert!(response.body().is_handled || policy == StampPolicy::Refuse);
        }
        let counts = layer.snapshot();
        let refused = counts.repeated() + counts.oversized() + counts.non_ascii() + counts.malformed()
            + counts.too_far_ahead();
        prop_assert_eq!(counts.accepted() + counts.absent() + refused, messages.len() as u64);
        prop_assert_eq!(counts.stamped(), messages.len() as u64);
        prop_assert_eq!((counts.clock_failures(), counts.unstamped()), (0, 0));
    }

    #[test]
    fn a_hostile_server_cannot_move_the_clock_of_a_client_beyond_the_policy(
        messages in messages(),
        policy in prop_oneof![Just(StampPolicy::Refuse), Just(StampPolicy::Ignore)],
    ) {
        let clock = clock();
        let layer = ClientLayer::new(&clock, node(1)).with_stamp_policy(policy);
        for message in &messages {
            clock.source().set_millis(message.now_millis);
            let before = clock.last();
            let mut service = layer.layer(service_fn(|_: Request<()>| {
                let mut response = Response::new(());
                *response.headers_mut() = headers(&message.values);
                core::future::ready(Ok::<_, core::convert::Infallible>(response))
            }));
            let answer = call(&mut service, Request::new(()));
            check(&clock, before, message.now_millis, 0);
            prop_assert!(answer.is_ok() || policy == StampPolicy::Refuse);
        }
    }
}

#[test]
fn a_thousand_lies_at_the_limit_leave_the_clock_at_the_limit() {
    let clock = clock();
    let mut service = ServerLayer::new(&clock, node(1)).layer(telling());
    for _ in 0..1_000 {
        // As far as a peer may go, and then from where the clock stands now.
        for millis in
            [NOW_MILLIS + LIMIT_MILLIS, clock.last().map_or(0, Timestamp::physical_units) + LIMIT_MILLIS]
        {
            let lie = Timestamp::from_parts(millis, 0).unwrap().at_node(node(9));
            call(&mut service, request(&[lie.to_text()])).unwrap();
        }
    }
    assert_eq!(clock.last().unwrap().physical_units(), NOW_MILLIS + LIMIT_MILLIS);
}
