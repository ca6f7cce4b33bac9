//! What a client's layer does with a request, and with the answer.

use core::{
    cell::RefCell,
    convert::Infallible,
    error::Error as _,
    future::ready,
    pin::pin,
    task::{Context, Waker},
};

use hlc_tower::{ClientError, ClientLayer, ClockPolicy, Received, Refused, StampPolicy, Unstamped, header};
use http::{HeaderMap, HeaderValue, Request, Response};
use tower::{Layer as _, Service, ServiceExt as _, service_fn};

use crate::{
    calls::{Busy, NOW_MILLIS, Seen, ahead, call, full, headers, node, request, stamp, telling, values},
    clock::clock,
};

/// A server that answers with these headers, and notes what it was sent.
fn answering<'a>(
    answer: HeaderMap,
    sent: &'a RefCell<Vec<HeaderMap>>,
) -> impl Service<Request<()>, Response = Response<Seen>, Error = Infallible> + 'a {
    service_fn(move |request: Request<()>| {
        sent.borrow_mut().push(request.headers().clone());
        let mut response = Response::new(Seen::default());
        response.headers_mut().clone_from(&answer);
        ready(Ok::<_, Infallible>(response))
    })
}

#[test]
fn a_request_is_stamped_and_an_answer_moves_the_clock_past_it() {
    let clock = clock();
    let layer = ClientLayer::new(&clock, node(1));
    let sent = RefCell::default();
    let mut service = layer.layer(answering(headers(&[ahead(400).to_text()]), &sent));
    let answer = call(&mut service, Request::new(())).unwrap();

    let sent = stamp(&sent.borrow()[0]);
    assert_eq!((sent.timestamp().physical_units(), *sent.node()), (NOW_MILLIS, node(1)));
    let received = answer.extensions().get::<Received>().expect("a caller finds the receipt");
    assert_eq!(received.sent(), Some(ahead(400)));
    assert_eq!(received.at().timestamp(), ahead(400).timestamp().checked_next().unwrap());
    assert!(clock.tick().unwrap() > received.at().timestamp());
    assert_eq!((layer.snapshot().accepted(), layer.snapshot().stamped()), (1, 1));
}

#[test]
fn a_clone_of_a_client_stamps_by_the_same_clock_and_counts_in_the_same_place() {
    let clock = clock();
    let layer = ClientLayer::new(&clock, node(1));
    let mut service = layer.layer(telling());
    let mut clone = service.clone();
    let [first, second] = [&mut service, &mut clone]
        .map(|service| call(service, Request::new(())).unwrap().into_body().headers.remove(0));
    assert_eq!(first.as_bytes(), ahead(0).timestamp().at_node(node(1)).to_text());
    assert_eq!(second.as_bytes(), clock.last().unwrap().at_node(node(1)).to_text());
    assert!(first < second && layer.snapshot().stamped() == 2);
}

#[test]
fn an_answer_without_a_stamp_is_as_it_was() {
    let clock = clock();
    let layer = ClientLayer::new(&clock, node(1));
    let sent = RefCell::default();
    let answer = call(&mut layer.layer(answering(HeaderMap::new(), &sent)), Request::new(())).unwrap();
    assert!(
        answer.extensions().get::<Received>().is_none() && answer.extensions().get::<Refused>().is_none()
    );
    assert_eq!(clock.last().unwrap(), stamp(&sent.borrow()[0]).timestamp(), "no event but the sending");
    assert_eq!(layer.snapshot().absent(), 1);
}

#[test]
fn a_stamp_that_came_with_other_headers_is_not_the_stamp_of_this_request() {
    let clock = clock();
    let layer = ClientLayer::new(&clock, node(1));
    let copied = [&ahead(-5_000).to_text()[..], b"x"];
    let seen = call(&mut layer.layer(telling()), request(&copied)).unwrap().into_body();
    let fresh = clock.last().unwrap().at_node(node(1));
    assert_eq!(seen.headers, [HeaderValue::from_bytes(&fresh.to_text()).unwrap()]);
    assert_eq!((layer.snapshot().replaced(), layer.snapshot().stamped()), (1, 1));
}

#[test]
fn a_bad_stamp_in_an_answer_moves_no_clock_and_is_an_error_only_where_the_policy_says_so() {
    let rows = [
        (headers(&["x"]), "header hlc-stamp: 1 bytes where the form has 33"),
        (headers(&[ahead(0).to_text(); 2]), "header hlc-stamp: more than one value"),
        (
            headers(&[ahead(501).to_text()]),
            "remote stamp is 501ms ahead of the local physical clock, limit 500ms; the clock did not change",
        ),
    ];
    for (bad, words) in rows {
        let clock = clock();
        let layer = ClientLayer::new(&clock, node(1));
        let sent = RefCell::default();
        let answer = call(&mut layer.layer(answering(bad.clone(), &sent)), Request::new(())).unwrap();
        assert_eq!(answer.extensions().get::<Refused>().map(ToString::to_string).as_deref(), Some(words));
        assert!(answer.extensions().get::<Received>().is_none());
        assert_eq!(clock.last().unwrap(), stamp(&sent.borrow()[0]).timestamp(), "{words}");

        let layer = layer.with_stamp_policy(StampPolicy::Refuse);
        let error = call(&mut layer.layer(answering(bad, &sent)), Request::new(())).unwrap_err();
        assert!(matches!(error, ClientError::Answer(_)), "{error}");
        assert_eq!(error.to_string(), format!("answer refused: {words}"));
        assert_eq!(clock.last().unwrap(), stamp(&sent.borrow()[1]).timestamp(), "{words}");
        let counts = layer.snapshot();
        assert_eq!(counts.malformed() + counts.repeated() + counts.too_far_ahead(), 2, "both policies count");
    }
}

#[test]
fn without_a_time_nothing_is_sent_unless_the_policy_says_so() {
    let clock = clock();
    clock.source().set_broken(true);
    let layer = ClientLayer::new(&clock, node(1));
    let sent = RefCell::default();
    let copied = request(&[ahead(0).to_text()]);
    let error = call(&mut layer.layer(answering(HeaderMap::new(), &sent)), copied.clone()).unwrap_err();
    assert!(matches!(error, ClientError::NotSent(Unstamped::Tick(_))), "{error}");
    assert_eq!(error.to_string(), "request not sent: physical clock unavailable: broken for a test");
    assert!(error.source().is_none(), "its words are said already");
    assert!(sent.borrow().is_empty());

    let layer = layer.with_clock_policy(ClockPolicy::PassUnstamped);
    call(&mut layer.layer(answering(HeaderMap::new(), &sent)), copied).unwrap();
    assert_eq!(values(&sent.borrow()[0]), Vec::<HeaderValue>::new(), "not even what was copied");
    assert_eq!(layer.snapshot().unstamped(), 2);
}

#[test]
fn a_request_without_room_for_a_header_is_not_sent_unless_the_policy_says_so() {
    let clock = clock();
    let layer = ClientLayer::new(&clock, node(1));
    let sent = RefCell::default();
    let mut crowded = Request::new(());
    *crowded.headers_mut() = full();
    let error = call(&mut layer.layer(answering(HeaderMap::new(), &sent)), crowded.clone()).unwrap_err();
    assert!(matches!(error, ClientError::NotSent(Unstamped::HeadersFull(_))), "{error}");
    assert_eq!(error.to_string(), "request not sent: message has as many headers as the map can hold");
    let layer = layer.with_clock_policy(ClockPolicy::PassUnstamped);
    call(&mut layer.layer(answering(HeaderMap::new(), &sent)), crowded).unwrap();
    assert!(!sent.borrow()[0].contains_key(header::NAME));
}

#[test]
fn an_answer_reaches_its_caller_although_the_clock_fails_meanwhile() {
    let clock = clock();
    let layer = ClientLayer::new(&clock, node(1)).with_stamp_policy(StampPolicy::Refuse);
    let mut service = layer.layer(service_fn(|_: Request<()>| {
        clock.source().set_broken(true);
        let mut response = Response::new("done");
        *response.headers_mut() = headers(&[ahead(0).to_text()]);
        ready(Ok::<_, Infallible>(response))
    }));
    let answer = call(&mut service, Request::new(())).unwrap();
    assert_eq!(*answer.body(), "done");
    assert!(matches!(answer.extensions().get::<Refused>(), Some(Refused::Clock(_))));
    assert_eq!((layer.snapshot().clock_failures(), layer.snapshot().accepted()), (1, 0));
}

#[test]
fn an_error_of_the_service_below_is_that_error() {
    let clock = clock();
    let layer = ClientLayer::new(&clock, node(1));
    let mut service = layer.layer(service_fn(|_: Request<()>| {
        ready(Err::<Response<()>, _>(std::io::Error::other("connection lost")))
    }));
    let error = call(&mut service, Request::new(())).unwrap_err();
    assert!(matches!(error, ClientError::Service(_)));
    assert_eq!(error.to_string(), "connection lost");
    assert!(error.source().is_none(), "its words are not said twice");
    assert_eq!(layer.snapshot().absent(), 0, "no answer came");

    let cause = http::StatusCode::from_u16(1).unwrap_err();
    let text = cause.to_string();
    let error = ClientError::Service(std::io::Error::other(Wrapped(cause)));
    assert_eq!(error.to_string(), "not a response");
    assert_eq!(error.source().map(ToString::to_string), Some(text), "what is below it is not lost");
}

/// An error with a cause of its own.
#[derive(Debug)]
struct Wrapped(http::status::InvalidStatusCode);

impl core::fmt::Display for Wrapped {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("not a response")
    }
}

impl core::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn a_service_below_that_is_not_ready_is_waited_for() {
    let clock = clock();
    let mut service = ClientLayer::new(&clock, node(1)).layer(Busy);
    let mut is_ready = pin!(service.ready());
    assert!(is_ready.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}
