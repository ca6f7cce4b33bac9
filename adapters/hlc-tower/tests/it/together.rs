//! Both layers, several services, several threads.

use std::collections::HashSet;
use std::thread;

use hlc_tower::{ClientLayer, Received, ServerLayer, Snapshot};
use proptest::{collection::vec, prelude::*};
use tower::Layer as _;

use crate::{
    calls::{NOW_MILLIS, ahead, call, node, request, stamp, telling},
    clock::clock,
};

const SERVICES: usize = 4;

/// One call, and by how much each wall clock has gone on before it, or back.
type Call = (usize, usize, [u64; SERVICES]);

fn calls() -> impl Strategy<Value = Vec<Call>> {
    // No two wall clocks are further apart than peers accept.
    vec((0..SERVICES, 0..SERVICES, [(); SERVICES].map(|()| 0_u64..400)), 1..60)
}

proptest! {
    #[test]
    fn causes_come_before_effects_over_every_chain_of_calls_whatever_the_wall_clocks_say(calls in calls()) {
        let clocks = [(); SERVICES].map(|()| clock());
        // The greatest stamp that each service has seen or made.
        let mut known = [None; SERVICES];
        for (caller, callee, wall) in calls {
            if caller == callee {
                continue;
            }
            for (clock, later) in clocks.iter().zip(wall) {
                clock.source().set_millis(NOW_MILLIS + later);
            }
            let server = ServerLayer::new(&clocks[callee], node(callee as u64)).layer(telling());
            let mut client = ClientLayer::new(&clocks[caller], node(caller as u64)).layer(server);
            let answer = call(&mut client, request::<&str>(&[])).unwrap();

            let at_the_server = answer.body().received.expect("no honest stamp is refused");
            let sent = at_the_server.sent().unwrap();
            let replied = stamp(answer.headers());
            let at_the_caller = answer.extensions().get::<Received>().expect("nor here");
            prop_assert!(Some(sent.timestamp()) > known[caller], "sent after all that the caller knew");
            prop_assert!(at_the_server.at() > sent && Some(at_the_server.at().timestamp()) > known[callee]);
            prop_assert!(replied > at_the_server.at());
            prop_assert!(at_the_caller.at() > replied && at_the_caller.sent() == Some(replied));
            known[callee] = Some(replied.timestamp());
            known[caller] = Some(at_the_caller.at().timestamp());
        }
    }
}

#[test]
fn every_message_of_four_threads_is_counted_once_and_no_stamp_is_made_twice() {
    const CALLS: u64 = 3_000;
    let clock = clock();
    let layer = ServerLayer::new(&clock, node(1));
    let service = layer.layer(telling());
    let stamps: Vec<_> = thread::scope(|scope| {
        let threads = [(); 4].map(|()| {
            let mut service = service.clone();
            scope.spawn(move || {
                let mut stamps = Vec::new();
                for nth in 0..CALLS {
                    let values = match nth % 3 {
                        0 => vec![ahead(100).to_text().to_vec()],
                        1 => vec![b"x".to_vec()],
                        _ => vec![],
                    };
                    let response = call(&mut service, request(&values)).unwrap();
                    stamps.push(stamp(response.headers()));
                    stamps.extend(response.body().received.map(|received| received.at()));
                }
                stamps
            })
        });
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(stamps.iter().collect::<HashSet<_>>().len(), stamps.len());
    let each = 4 * CALLS / 3;
    let counts = layer.clone().snapshot();
    let of =
        [Snapshot::accepted, Snapshot::malformed, Snapshot::absent, Snapshot::stamped].map(|of| of(&counts));
    assert_eq!(of, [each, each, each, 3 * each]);
    assert_eq!(clock.snapshot().skew_refusals(), 0);
}
