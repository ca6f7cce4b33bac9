//! What a server's layer does with a request, and with the response.

use core::{
    cell::Cell,
    convert::Infallible,
    future::ready,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use hlc::{
    AtomicClock, LeadPolicy, ObserveError, SkewPolicy, SourceError, TickError, Timestamp,
    source::ManualSource,
};
use hlc_tower::{ClockError, ClockPolicy, Received, Refused, ServerLayer, Snapshot, StampPolicy, header};
use http::{HeaderMap, Request, Response, StatusCode};
use tower::{Layer as _, Service, ServiceExt as _, service_fn};

use crate::{
    calls::{
        Busy, NOW_MILLIS, Seen, ahead, call, full, headers, node, now, request, stamp, stamped, telling,
        values,
    },
    clock::clock,
    wire::reason,
};

#[test]
fn a_request_is_observed_and_the_response_is_above_it() {
    let clock = clock();
    let layer = ServerLayer::new(&clock, node(1));
    let response = call(&mut layer.layer(telling()), stamped(ahead(300))).unwrap();

    let received = response.body().received.expect("a handler finds its receipt");
    assert_eq!(received.sent(), Some(ahead(300)));
    assert_eq!(received.at().timestamp(), ahead(300).timestamp().checked_next().unwrap());
    assert_eq!(*received.at().node(), node(1));
    assert_eq!(stamp(response.headers()).timestamp(), received.at().timestamp().checked_next().unwrap());
    assert_eq!(*stamp(response.headers()).node(), node(1));
    assert_eq!(response.body().headers.len(), 1, "the header stays for handlers that forward it");

    let counts = layer.snapshot();
    assert_eq!((counts.accepted(), counts.stamped()), (1, 1));
}

#[test]
fn a_request_without_a_stamp_is_handled_and_gets_that_of_a_tick() {
    let clock = clock();
    let layer = ServerLayer::new(&clock, node(1));
    let response = call(&mut layer.layer(telling()), Request::new(())).unwrap();

    let received = response.body().received.unwrap();
    assert_eq!((received.sent(), response.body().refused), (None, None));
    assert_eq!(received.at().timestamp().physical_units(), NOW_MILLIS);
    assert!(stamp(response.headers()) > received.at());
    assert_eq!((layer.snapshot().absent(), layer.snapshot().stamped()), (1, 1));
}

type Bad = (&'static str, Vec<Vec<u8>>, fn(&Snapshot) -> u64);

/// One row for each count.
fn bad() -> Vec<Bad> {
    let good = ahead(0).to_text().to_vec();
    vec![
        ("Repeated", vec![good.clone(), good], Snapshot::repeated),
        ("Oversized", vec![vec![b'0'; 34]], Snapshot::oversized),
        ("NonAscii", vec![vec![0xff; 33]], Snapshot::non_ascii),
        ("Digit", vec![vec![b'-'; 33]], Snapshot::malformed),
        ("too far ahead", vec![ahead(501).to_text().to_vec()], Snapshot::too_far_ahead),
        (
            "the end of time",
            vec![Timestamp::MAX.at_node(node(9)).to_text().to_vec()],
            Snapshot::too_far_ahead,
        ),
    ]
}

fn name(refused: &Refused) -> &'static str {
    match refused {
        Refused::Header(error) => reason(*error),
        Refused::TooFarAhead(ObserveError::Skew(_)) => "too far ahead",
        Refused::TooFarAhead(_) | Refused::Clock(_) | _ => "something else",
    }
}

#[test]
fn a_bad_stamp_is_refused_before_the_handler_and_moves_no_clock() {
    for (what, values, count) in bad() {
        let clock = clock();
        let layer = ServerLayer::new(&clock, node(1));
        let response = call(&mut layer.layer(telling()), request(&values)).unwrap();

        assert_eq!(
            (response.status(), response.body()),
            (StatusCode::BAD_REQUEST, &Seen::default()),
            "{what}"
        );
        let refused = response.extensions().get::<Refused>().expect("it says why");
        assert!(name(refused) == what || what == "the end of time", "{refused} for {what}");
        assert_eq!((count(&layer.snapshot()), layer.snapshot().accepted()), (1, 0), "{what}");
        assert_eq!(
            clock.last().unwrap().physical_units(),
            NOW_MILLIS,
            "the tick of the response, after {what}"
        );
        assert_eq!(stamp(response.headers()).timestamp(), clock.last().unwrap(), "{what}");
    }
}

#[test]
fn a_bad_stamp_is_ignored_where_the_policy_says_so_and_counted_all_the_same() {
    for (what, values, count) in bad() {
        let clock = clock();
        let layer = ServerLayer::new(&clock, node(1)).with_stamp_policy(StampPolicy::Ignore);
        let response = call(&mut layer.layer(telling()), request(&values)).unwrap();

        let seen = response.body();
        assert!(response.status() == StatusCode::OK && seen.is_handled, "{what}");
        assert_eq!(seen.received.unwrap().sent(), None, "{what}");
        assert_eq!(seen.received.unwrap().at().timestamp().physical_units(), NOW_MILLIS, "{what}");
        assert!(seen.refused.is_some(), "a log can say who sends {what}");
        assert_eq!((count(&layer.snapshot()), layer.snapshot().absent()), (1, 0), "{what}");
        assert!(stamp(response.headers()) > seen.received.unwrap().at(), "{what}");
    }
}

#[test]
fn at_the_limit_a_stamp_is_accepted_and_a_millisecond_more_is_not() {
    let clock = clock();
    let mut service = ServerLayer::new(&clock, node(1)).layer(telling());
    assert_eq!(call(&mut service, stamped(ahead(501))).unwrap().status(), StatusCode::BAD_REQUEST);
    assert_eq!(call(&mut service, stamped(ahead(500))).unwrap().status(), StatusCode::OK);
}

#[test]
fn without_a_time_no_request_is_handled_unless_the_policy_says_so() {
    for values in [vec![], vec![ahead(0).to_text()]] {
        let clock = clock();
        clock.source().set_broken(true);
        let unavailable = SourceError::Unavailable("broken for a test");
        let expected = if values.is_empty() {
            Refused::Clock(ClockError::Tick(TickError::Source(unavailable)))
        } else {
            Refused::Clock(ClockError::Observe(ObserveError::Source(unavailable)))
        };

        let layer = ServerLayer::new(&clock, node(1));
        let response = call(&mut layer.layer(telling()), request(&values)).unwrap();
        assert_eq!((response.status(), response.body()), (StatusCode::SERVICE_UNAVAILABLE, &Seen::default()));
        assert_eq!(response.extensions().get::<Refused>(), Some(&expected));
        assert_eq!(expected.to_string(), "physical clock unavailable: broken for a test");
        assert!(!response.headers().contains_key(header::NAME));
        let counts = layer.snapshot();
        assert_eq!((counts.clock_failures(), counts.unstamped(), counts.too_far_ahead()), (1, 1, 0));

        let layer = layer.with_clock_policy(ClockPolicy::PassUnstamped);
        let response = call(&mut layer.layer(telling()), request(&values)).unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.body().received, None, "no handler takes an old stamp for a new one");
        assert_eq!(response.body().refused, Some(expected));
        assert!(!response.headers().contains_key(header::NAME));
        assert_eq!((layer.snapshot().clock_failures(), layer.snapshot().unstamped()), (2, 2));
    }
}

#[test]
fn what_a_handler_has_done_is_answered_although_the_clock_fails_meanwhile() {
    let clock = clock();
    let layer = ServerLayer::new(&clock, node(1));
    let mut service = layer.layer(service_fn(|_: Request<()>| {
        clock.source().set_broken(true);
        ready(Ok::<_, Infallible>(Response::new("done")))
    }));
    let response = call(&mut service, stamped(ahead(0))).unwrap();
    assert_eq!((response.status(), *response.body()), (StatusCode::OK, "done"));
    assert!(!response.headers().contains_key(header::NAME));
    assert_eq!((layer.snapshot().accepted(), layer.snapshot().unstamped()), (1, 1));
}

/// A handler whose response has these headers.
fn answering(headers: HeaderMap) -> impl Service<Request<()>, Response = Response<Seen>, Error = Infallible> {
    service_fn(move |_: Request<()>| {
        let mut response = Response::new(Seen::default());
        response.headers_mut().clone_from(&headers);
        ready(Ok::<_, Infallible>(response))
    })
}

#[test]
fn a_handlers_own_stamp_is_kept_and_what_is_no_stamp_is_not_sent() {
    let clock = clock();
    let layer = ServerLayer::new(&clock, node(1));
    let own = Cell::new(None);
    let mut stamping = layer.layer(service_fn(|_: Request<()>| {
        let stamp = clock.tick().unwrap().at_node(node(1));
        own.set(Some(stamp));
        let mut response = Response::new(());
        *response.headers_mut() = headers(&[stamp.to_text()]);
        ready(Ok::<_, Infallible>(response))
    }));
    let response = call(&mut stamping, Request::new(())).unwrap();
    assert_eq!(Some(stamp(response.headers())), own.get());
    assert_eq!((layer.snapshot().kept(), layer.snapshot().stamped()), (1, 0));

    let bad = [headers(&["x"]), headers(&[ahead(0).to_text(), ahead(0).to_text()])];
    for headers in &bad {
        let response = call(&mut layer.layer(answering(headers.clone())), Request::new(())).unwrap();
        assert_eq!(values(response.headers()).len(), 1);
        assert_eq!(stamp(response.headers()).timestamp(), clock.last().unwrap());
    }
    assert_eq!((layer.snapshot().replaced(), layer.snapshot().stamped()), (2, 2));

    clock.source().set_broken(true);
    let layer = layer.with_clock_policy(ClockPolicy::PassUnstamped);
    // The handler's own one too: without the clock nobody can tell.
    let own = headers(&[own.get().unwrap().to_text()]);
    for headers in bad.into_iter().chain([own]) {
        let response = call(&mut layer.layer(answering(headers)), Request::new(())).unwrap();
        assert!(!response.headers().contains_key(header::NAME), "no stamp rather than a bad one");
    }
}

#[test]
fn a_stamp_that_came_with_another_services_response_is_not_the_stamp_of_this_one() {
    let clock = clock();
    let layer = ServerLayer::new(&clock, node(1));
    // A gateway that hands on what it got: from before the request, and from the end of time; then the same in its own name.
    let strangers = [ahead(-20), Timestamp::MAX.at_node(node(9))];
    let forged = strangers.map(|stamp| stamp.timestamp().at_node(node(1)));
    for theirs in strangers.into_iter().chain(forged) {
        let mut service = layer.layer(answering(headers(&[theirs.to_text()])));
        let response = call(&mut service, stamped(ahead(0))).unwrap();
        assert_eq!(values(response.headers()).len(), 1);
        assert_eq!(stamp(response.headers()), clock.last().unwrap().at_node(node(1)), "above the receipt");
        assert!(stamp(response.headers()) > ahead(0));
    }
    // From between the receipt and now, and not this node's.
    let mut service = layer.layer(service_fn(|_: Request<()>| {
        let mut response = Response::new(());
        *response.headers_mut() = headers(&[clock.tick().unwrap().at_node(node(9)).to_text()]);
        ready(Ok::<_, Infallible>(response))
    }));
    let response = call(&mut service, stamped(ahead(0))).unwrap();
    assert_eq!(stamp(response.headers()), clock.last().unwrap().at_node(node(1)));
    assert_eq!((layer.snapshot().kept(), layer.snapshot().replaced(), layer.snapshot().stamped()), (0, 5, 5));
}

#[test]
fn a_handlers_stamp_that_is_the_receipts_or_the_next_one_is_not_of_an_event_of_the_handlers() {
    let clock = clock();
    let layer = ServerLayer::new(&clock, node(1));
    let nexts = [|receipt: Timestamp| receipt, |receipt: Timestamp| receipt.checked_next().unwrap()];
    for (next, count) in nexts.into_iter().zip(1..) {
        let mut service = layer.layer(service_fn(|request: Request<()>| {
            let receipt = request.extensions().get::<Received>().unwrap().at().timestamp();
            let mut response = Response::new(());
            *response.headers_mut() = headers(&[next(receipt).at_node(node(1)).to_text()]);
            ready(Ok::<_, Infallible>(response))
        }));
        let response = call(&mut service, stamped(ahead(0))).unwrap();
        assert_eq!(stamp(response.headers()).timestamp(), clock.last().unwrap(), "above the receipt");
        assert_eq!((layer.snapshot().kept(), layer.snapshot().replaced()), (0, count));
    }
}

#[test]
fn a_response_without_room_for_a_header_goes_as_it_is() {
    let clock = clock();
    let layer = ServerLayer::new(&clock, node(1));
    let response = call(&mut layer.layer(answering(full())), Request::new(())).unwrap();
    assert_eq!(response.headers().len(), full().len());
    assert_eq!(layer.snapshot().unstamped(), 1);
}

#[test]
fn a_response_is_stamped_when_the_handler_is_done_and_not_before() {
    let clock = clock();
    let layer = ServerLayer::new(&clock, node(1));
    let is_done = Cell::new(false);
    let mut service = layer.layer(service_fn(|_: Request<()>| {
        core::future::poll_fn(|_| {
            if is_done.replace(true) {
                return Poll::Ready(Ok::<_, Infallible>(Response::new(())));
            }
            Poll::Pending
        })
    }));
    let mut response = pin!(service.call(stamped(ahead(0))));
    let mut context = Context::from_waker(Waker::noop());
    assert!(response.as_mut().poll(&mut context).is_pending());
    let meanwhile = clock.tick().unwrap();
    let Poll::Ready(response) = response.poll(&mut context) else { panic!("the handler is done") };
    assert!(stamp(response.unwrap().headers()).timestamp() > meanwhile);
}

#[test]
fn a_handlers_error_passes_and_a_service_that_is_not_ready_is_not_called() {
    let clock = clock();
    let layer = ServerLayer::new(&clock, node(1));
    let failing = service_fn(|_: Request<()>| ready(Err::<Response<()>, _>("it failed")));
    assert_eq!(call(&mut layer.layer(failing), Request::new(())).unwrap_err(), "it failed");
    assert_eq!(layer.snapshot().absent(), 1);

    let mut service = layer.layer(Busy);
    let mut is_ready = pin!(service.ready());
    assert!(is_ready.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

/// A body that has no default: the layer needs to be told how to refuse.
#[derive(Debug, PartialEq)]
struct Words(String);

#[test]
fn a_refusal_is_made_by_the_hook_in_any_body_and_stamped_like_every_response() {
    let clock = clock();
    let layer = ServerLayer::new(&clock, node(1)).on_refusal(|refused| {
        Response::builder().status(StatusCode::IM_A_TEAPOT).body(Words(refused.to_string())).unwrap()
    });
    let mut service = layer.layer(service_fn(|_: Request<()>| {
        ready(Ok::<_, Infallible>(Response::new(Words("handled".to_owned()))))
    }));
    let response = call(&mut service, request(&["x"])).unwrap();
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(response.body().0, "header hlc-stamp: 1 bytes where the form has 33");
    assert!(response.extensions().get::<Refused>().is_some());
    assert_eq!(stamp(response.headers()).timestamp(), clock.last().unwrap());
    assert_eq!(now(service.oneshot(Request::new(()))).unwrap().body().0, "handled");
}

#[test]
fn a_lead_that_the_senders_stamp_alone_would_make_is_the_senders_and_one_that_is_there_is_the_clocks() {
    let source = ManualSource::at_millis(NOW_MILLIS);
    let clock = AtomicClock::new(&source).with_lead_policy(LeadPolicy::AtMost(Duration::from_millis(100)));
    let layer = ServerLayer::new(&clock, node(1));
    let mut service = layer.layer(telling());

    let response = call(&mut service, stamped(ahead(300))).unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let refused = response.extensions().get::<Refused>();
    assert!(matches!(refused, Some(Refused::TooFarAhead(ObserveError::Lead(_)))), "{refused:?}");

    source.set_millis(NOW_MILLIS - 60_000); // the wall clock is set back: no stamp within the limit is left
    for request in [stamped(ahead(0)), stamped(ahead(-60_000)), Request::new(())] {
        let response = call(&mut service, request).unwrap();
        assert_eq!(
            response.status(),
            StatusCode::SERVICE_UNAVAILABLE,
            "{:?}",
            response.extensions().get::<Refused>()
        );
    }
    assert_eq!((layer.snapshot().clock_failures(), layer.snapshot().too_far_ahead()), (3, 1));
}

#[test]
fn without_a_skew_limit_the_last_stamp_of_all_is_still_refused() {
    let clock = AtomicClock::new(ManualSource::at_millis(NOW_MILLIS)).with_skew_policy(SkewPolicy::Unbounded);
    let layer = ServerLayer::new(&clock, node(1));
    let mut service = layer.layer(telling());
    let response = call(&mut service, stamped(Timestamp::MAX.at_node(node(9)))).unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!((layer.snapshot().too_far_ahead(), layer.snapshot().clock_failures()), (1, 0));
    assert_eq!(call(&mut service, Request::new(())).unwrap().status(), StatusCode::OK, "the clock goes on");
}
