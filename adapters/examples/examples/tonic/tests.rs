//! Calls over a real connection, with the layers and without.

use std::time::Duration;

use hlc::{Source as _, Stamp, Timestamp};
use tonic::{Code, metadata::MetadataValue};

use super::*;

fn clock() -> Clock {
    Arc::new(AtomicClock::new(SystemSource::new()))
}

fn note(text: &str) -> tonic::Request<Note> {
    tonic::Request::new(Note { text: text.to_owned() })
}

fn with_stamp(value: &str) -> tonic::Request<Note> {
    let mut request = note("a note");
    request.metadata_mut().insert("hlc-stamp", value.parse().unwrap());
    request
}

fn ahead(by: Duration) -> Stamp {
    let now = SystemSource::new().now().unwrap().checked_add(by).unwrap();
    Timestamp::first_at(now).unwrap().at_node(NodeId::new(9).unwrap())
}

#[tokio::test]
async fn a_call_is_stamped_in_its_metadata_and_its_answer_moves_the_callers_clock() {
    let (address, layer) = serve(clock()).await.unwrap();
    let mine = clock();
    let stamping = ClientLayer::new(Arc::clone(&mine), NodeId::new(2).unwrap());
    let mut client = Client::new(stamping.layer(connect(address).await.unwrap()));
    for _ in 0..3 {
        let before = mine.tick().unwrap();
        let answer = client.put(note("a note")).await.unwrap();
        let sent: Stamp = answer.get_ref().sent.parse().unwrap();
        let kept: Stamp = answer.get_ref().stamp.parse().unwrap();
        let replied: Stamp = answer.metadata().get("hlc-stamp").unwrap().to_str().unwrap().parse().unwrap();
        let received = answer.extensions().get::<Received>().unwrap();
        assert!(before < sent.timestamp() && sent < kept && kept < replied && replied < received.at());
        assert!(mine.tick().unwrap() > received.at().timestamp());
    }
    assert_eq!((layer.snapshot().accepted(), stamping.snapshot().accepted()), (3, 3));
}

#[tokio::test]
async fn an_answer_that_is_an_error_is_stamped_as_well() {
    let (address, layer) = serve(clock()).await.unwrap();
    let stamping = ClientLayer::new(clock(), NodeId::new(2).unwrap());
    let mut client = Client::new(stamping.layer(connect(address).await.unwrap()));
    assert_eq!(client.put(note("")).await.unwrap_err().code(), Code::FailedPrecondition);
    assert_eq!((layer.snapshot().stamped(), stamping.snapshot().accepted()), (1, 1));
}

#[tokio::test]
async fn a_client_without_the_layer_is_served_and_reads_the_stamp_in_the_metadata() {
    let (address, layer) = serve(clock()).await.unwrap();
    let mut client = Client::new(connect(address).await.unwrap());
    let answer = client.put(note("a note")).await.unwrap();
    assert_eq!(answer.get_ref().sent, "");
    let kept: Stamp = answer.get_ref().stamp.parse().unwrap();
    assert!(answer.metadata().get("hlc-stamp").unwrap().to_str().unwrap().parse::<Stamp>().unwrap() > kept);
    assert_eq!(layer.snapshot().absent(), 1);
}

#[tokio::test]
async fn a_hostile_client_gets_a_status_of_grpc_and_cannot_move_the_clock_beyond_the_policy() {
    let theirs = clock();
    let (address, layer) = serve(Arc::clone(&theirs)).await.unwrap();
    let mut client = Client::new(connect(address).await.unwrap());
    let mut twice = with_stamp(&ahead(Duration::ZERO).to_string());
    twice.metadata_mut().append("hlc-stamp", MetadataValue::from_static("x"));
    let far = ahead(Duration::from_secs(3600)).to_string();
    let rows = [
        (twice, "more than one value"),
        (with_stamp(&"0".repeat(3_000)), "value of 3000 bytes"),
        (with_stamp("now"), "3 bytes where the form has 33"),
        (with_stamp(&far), "limit 500ms"),
        (with_stamp("ffffffffffffffff-0000000000000000"), "limit 500ms"),
    ];
    for (request, words) in rows {
        let status = client.put(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{words}");
        assert!(status.message().contains(words), "{words} in {status}");
    }
    for _ in 0..50 {
        client.put(with_stamp(&ahead(Duration::from_millis(500)).to_string())).await.unwrap();
        let last = theirs.last().unwrap().physical_time();
        let now = SystemSource::new().now().unwrap();
        assert!(last.saturating_since(now) <= Duration::from_millis(500), "{last:?} at {now:?}");
    }
    let counts = layer.snapshot();
    let refused = [counts.repeated(), counts.oversized(), counts.malformed(), counts.too_far_ahead()];
    assert_eq!((refused, counts.accepted()), ([1, 1, 1, 2], 50));
}
