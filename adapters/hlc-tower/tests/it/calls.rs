//! Calls without a runtime: every service here answers at once, unless a test says otherwise.

use core::{
    convert::Infallible,
    future::Ready,
    pin::pin,
    task::{Context, Poll, Waker},
};

use hlc::{NodeId, Stamp, Timestamp};
use hlc_tower::{Received, Refused, header};
use http::{HeaderMap, HeaderValue, Request, Response};
use tower::{Service, ServiceExt as _, util::ServiceFn};

/// 2023, and a bit.
pub(crate) const NOW_MILLIS: u64 = 1_700_000_000_000;

/// The output of a future that needs nothing from outside.
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the service waits"),
    }
}

/// One call, readiness included.
pub(crate) fn call<S: Service<Request<()>>>(
    service: &mut S,
    request: Request<()>,
) -> Result<S::Response, S::Error> {
    now(service.ready())?;
    now(service.call(request))
}

/// A service that is never ready, and must not be called.
#[derive(Debug)]
pub(crate) struct Busy;

impl Service<Request<()>> for Busy {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Pending
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        panic!("called although it is not ready")
    }
}

/// What a handler saw of a request, as the body of its response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) is_handled: bool,
    pub(crate) received: Option<Received>,
    pub(crate) refused: Option<Refused>,
    pub(crate) headers: Vec<HeaderValue>,
}

type Answer = Ready<Result<Response<Seen>, Infallible>>;

/// A handler that tells what it saw.
pub(crate) fn telling() -> ServiceFn<fn(Request<()>) -> Answer> {
    tower::service_fn(|request| core::future::ready(Ok(Response::new(see(&request)))))
}

fn see(request: &Request<()>) -> Seen {
    Seen {
        is_handled: true,
        received: request.extensions().get().copied(),
        refused: request.extensions().get().copied(),
        headers: values(request.headers()),
    }
}

pub(crate) fn values(headers: &HeaderMap) -> Vec<HeaderValue> {
    headers.get_all(header::NAME).iter().cloned().collect()
}

pub(crate) fn node(id: u64) -> NodeId {
    NodeId::new(id).unwrap()
}

/// A stamp of node 9, so many milliseconds after `NOW_MILLIS`.
pub(crate) fn ahead(millis: i64) -> Stamp {
    Timestamp::from_parts(NOW_MILLIS.checked_add_signed(millis).unwrap(), 0).unwrap().at_node(node(9))
}

/// A request with these values of the header, in this order.
pub(crate) fn request<V: AsRef<[u8]>>(values: &[V]) -> Request<()> {
    let mut request = Request::new(());
    *request.headers_mut() = headers(values);
    request
}

/// A request with one stamp.
pub(crate) fn stamped(stamp: Stamp) -> Request<()> {
    request(&[stamp.to_text()])
}

pub(crate) fn headers<V: AsRef<[u8]>>(values: &[V]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(header::NAME, HeaderValue::from_bytes(value.as_ref()).unwrap());
    }
    headers
}

/// The one stamp that a message carries.
pub(crate) fn stamp(headers: &HeaderMap) -> Stamp {
    header::read(headers).unwrap().expect("it is stamped")
}

/// A map that holds as many headers as it can, and the stamp is none of them.
pub(crate) fn full() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut count = 0_u32;
    loop {
        let name = http::HeaderName::from_bytes(format!("x-{count}").as_bytes()).unwrap();
        if headers.try_insert(name, HeaderValue::from_static("1")).is_err() {
            return headers;
        }
        count += 1;
    }
}
