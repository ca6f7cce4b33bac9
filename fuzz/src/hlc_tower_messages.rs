//! Sequences of messages with any headers, through a server's layer: the clock keeps to its limit, and all is counted.

use core::{
    convert::Infallible,
    future::{Ready, ready},
    pin::pin,
    task::{Context, Poll, Waker},
};

use arbitrary::{Arbitrary, Unstructured};
use hlc::{AtomicClock, NodeId, Timestamp, source::ManualSource};
use hlc_tower::{Received, Refused, ServerLayer, StampPolicy, header};
use http::{HeaderMap, HeaderValue, Request, Response};
use tower_layer::Layer as _;
use tower_service::Service;

use crate::bounds::{Bound, bounded};

#[derive(Arbitrary, Debug)]
struct Script {
    ignores: bool,
    messages: Vec<Message>,
}

#[derive(Arbitrary, Debug)]
struct Message {
    /// The physical clock at its receipt: it goes back as well.
    now_millis: u16,
    values: Vec<Value>,
}

#[derive(Arbitrary, Debug)]
enum Value {
    Bytes(Vec<u8>),
    Stamp {
        bits: u64,
        node: u64,
    },
    /// A stamp about the limit.
    Near {
        ahead_millis: u16,
        counter: u16,
    },
}

/// So many are enough to find what there is, and keep one input fast.
const MAX_MESSAGES: usize = 100;
const START_MILLIS: u64 = 1_700_000_000_000;
const LIMIT_MILLIS: u64 = 500;

pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else { return };
    let clock = AtomicClock::new(ManualSource::at_millis(START_MILLIS));
    let policy = if script.ignores { StampPolicy::Ignore } else { StampPolicy::Refuse };
    let layer = ServerLayer::new(&clock, NodeId::MIN).with_stamp_policy(policy);
    let mut service = layer.layer(Handler);
    let mut sent = 0;
    for message in script.messages.iter().take(MAX_MESSAGES) {
        let now_millis = START_MILLIS + u64::from(message.now_millis);
        clock.source().set_millis(now_millis);
        let before = clock.last().map_or(0, Timestamp::to_bits);
        let mut request = Request::new(());
        *request.headers_mut() = headers(&message.values, now_millis);
        let is_stamp = oracle(request.headers());
        let read = bounded(Bound::NOTHING, 0, || header::read(request.headers()));
        assert_eq!(matches!(read, Ok(Some(_))), is_stamp, "{read:?}");

        let response = answer(service.call(request));
        let last = clock.last().map_or(0, Timestamp::to_bits);
        let limit = ((now_millis + LIMIT_MILLIS) << 16) | 0xffff;
        assert!(
            before < last && last <= (limit + 1).max(before + 2),
            "{before:#x} to {last:#x} at {now_millis}"
        );
        let stamp = header::read(response.headers()).expect("well-formed").expect("stamped");
        assert_eq!(stamp.timestamp().to_bits(), last);
        let handled = response.body();
        assert_eq!(handled.is_none(), response.extensions().get::<Refused>().is_some());
        if let Some(received) = handled {
            assert!(received.at() < stamp && received.sent() < Some(received.at()));
            assert!(is_stamp || received.sent().is_none());
        } else {
            assert!(!script.ignores && response.status() == 400);
        }
        sent += 1;
    }
    let counts = layer.snapshot();
    let refused = [
        counts.repeated(),
        counts.oversized(),
        counts.non_ascii(),
        counts.malformed(),
        counts.too_far_ahead(),
    ];
    assert_eq!(counts.accepted() + counts.absent() + refused.iter().sum::<u64>(), sent);
    assert_eq!((counts.stamped(), counts.clock_failures()), (sent, 0));
}

fn headers(values: &[Value], now_millis: u64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        let value = match value {
            Value::Bytes(bytes) => bytes.clone(),
            Value::Stamp { bits, node } => format!("{bits:016x}-{node:016x}").into_bytes(),
            Value::Near { ahead_millis, counter } => {
                let bits = ((now_millis + u64::from(*ahead_millis % 1_024)) << 16) | u64::from(*counter);
                format!("{bits:016x}-0000000000000001").into_bytes()
            }
        };
        // What the library below does not let through reaches no layer.
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            headers.append(header::NAME, value);
        }
    }
    headers
}

/// Whether there is one well-formed stamp, as FORMAT.md says, written once more.
fn oracle(headers: &HeaderMap) -> bool {
    let values: Vec<_> = headers.get_all("hlc-stamp").iter().map(HeaderValue::as_bytes).collect();
    let [value] = values[..] else { return false };
    let digits =
        |group: &[u8]| group.len() == 16 && group.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let mut groups = value.splitn(2, |&byte| byte == b'-');
    let (Some(timestamp), Some(node)) = (groups.next(), groups.next()) else { return false };
    digits(timestamp) && digits(node) && timestamp != [b'0'; 16] && &node[..2] < b"04".as_slice()
}

/// Answers with what it found, at once.
struct Handler;

impl Service<Request<()>> for Handler {
    type Response = Response<Option<Received>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let received = request.extensions().get::<Received>().expect("a handler finds its receipt");
        ready(Ok(Response::new(Some(*received))))
    }
}

fn answer<B>(future: impl Future<Output = Result<Response<B>, Infallible>>) -> Response<B> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(response)) => response,
        Poll::Pending => panic!("a layer waits for nothing"),
    }
}
