//! Whatever the headers hold, the clock goes no further than its policy, and everything is counted.

use hlc::Timestamp;
use hlc_tower::{ClientLayer, ServerLayer, StampPolicy, header};
use http::{Request, Response};
use proptest::{collection::vec, prelude::*};
use tower::{Layer as _, service_fn};

use crate::{
    calls::{NOW_MILLIS, call, headers, node, request, telling},
    clock::{Clock, clock},
    wire::value,
};

const LIMIT_MILLIS: u64 = 500;

/// One value: a stamp so far ahead of the clock that receives it, any stamp, or no stamp.
fn one() -> impl Strategy<Value = (u64, Vec<u8>)> {
    let counter = prop_oneof![Just(0), Just(u64::from(u16::MAX)), 0..=u64::from(u16::MAX)];
    let near = (0..=2 * LIMIT_MILLIS, counter).prop_map(|(ahead, counter)| ((ahead << 16) | counter, vec![]));
    let any = prop_oneof![Just(u64::MAX), Just(1), 1..=u64::MAX].prop_map(|bits| (0, text(bits)));
    prop_oneof![4 => near, 3 => any, 2 => value().prop_map(|value| (0, value))]
}

fn text(bits: u64) -> Vec<u8> {
    Timestamp::from_bits(bits).unwrap().at_node(node(9)).to_text().to_vec()
}

#[derive(Clone, Debug)]
struct Message {
    /// The physical clock when it comes, which may have gone back.
    now_millis: u64,
    /// The header's values: one mostly, none, or several.
    values: Vec<Vec<u8>>,
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let values = prop_oneof![8 => vec(one(), 1), 1 => vec(one(), 0..4)];
    let message = (NOW_MILLIS..NOW_MILLIS + 1_000, values).prop_map(|(now_millis, values)| {
        let value = |(ahead, value): (u64, Vec<u8>)| {
            if value.is_empty() { text((now_millis << 16) + ahead) } else { value }
        };
        Message { now_millis, values: values.into_iter().map(value).collect() }
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
