//! The services as their peers see them: over sockets, byte by byte where a peer is hostile.

use std::process::Command;
use std::time::Duration;

use clock_testing::NotInstalled;
use hlc::{NodeId, Stamp, source::SystemSource};
use hlc_tower::Snapshot;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::services::EDGE_LIMIT;

/// What a server says to one request on a connection of its own, with these lines of header, in any bytes.
async fn ask(services: &Services, headers: &[u8]) -> String {
    let mut stream = TcpStream::connect(services.shop_at).await.unwrap();
    let mut request = b"GET /order HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n".to_vec();
    request.extend(headers);
    request.extend(b"\r\n");
    stream.write_all(&request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).expect("a status line")
}

/// The one stamp of an answer, as a client without this crate finds it.
fn stamp_of(answer: &str) -> Stamp {
    let (head, _) = answer.split_once("\r\n\r\n").expect("an end of the headers");
    let stamps: Vec<_> = head.lines().filter_map(|line| line.strip_prefix("hlc-stamp: ")).collect();
    assert_eq!(stamps.len(), 1, "{head}");
    stamps[0].parse().unwrap()
}

/// A line of header with a stamp, so far from the time now.
fn line(ahead: Duration) -> (Stamp, Vec<u8>) {
    let now = hlc::Source::now(&SystemSource::new()).unwrap().checked_add(ahead).unwrap();
    let stamp = hlc::Timestamp::first_at(now).unwrap().at_node(NodeId::new(9).unwrap());
    (stamp, format!("hlc-stamp: {stamp}\r\n").into_bytes())
}

/// The clock has not gone beyond this limit, by the wall clock that it stands on.
fn is_within(limit: Duration, host: &Host) -> bool {
    let last = host.clock().last().expect("it has ticked").physical_time();
    // Read after the clock, and so not before any reading that the clock has made.
    let now = hlc::Source::now(host.clock().source()).unwrap();
    last.saturating_since(now) <= limit
}

#[tokio::test]
async fn causes_come_before_effects_although_the_wall_clocks_say_otherwise() {
    let services = Services::start().await.unwrap();
    let story = conversation(&services).await.unwrap();
    let position = |words: &str| story.find(words).unwrap_or_else(|| panic!("no {words} in {story}"));
    assert!(position("is asked for an item") < position("takes it off the shelf"), "{story}");
    assert!(position("takes it off the shelf") < position("knows that it is taken"), "{story}");
    assert!(position("knows that it is taken") < position("has the answer"), "{story}");
    assert!(story.contains("ahead of the local physical clock, limit 100ms"), "{story}");

    let (shop, stock) = (services.shop.notes().len(), services.stock.notes().len());
    assert_eq!((shop, stock), (4, 2), "the customer from the year 2500 was not served");
    let counts = services.shop_layer.snapshot();
    assert_eq!((counts.accepted(), counts.absent(), counts.too_far_ahead(), counts.stamped()), (1, 1, 1, 3));
    assert_eq!(services.stock_layer.snapshot().accepted(), 2, "the shop's own layer stamps what it asks");
}

#[tokio::test]
async fn requests_without_the_header_are_served_and_answered_with_a_stamp() {
    let services = Services::start().await.unwrap();
    let answers = [ask(&services, b"").await, ask(&services, b"").await];
    assert_eq!(answers.each_ref().map(|answer| status(answer)), ["200", "200"]);
    assert!(stamp_of(&answers[0]) < stamp_of(&answers[1]));
}

#[tokio::test]
async fn an_answer_is_above_the_stamp_of_its_question_up_to_the_limit() {
    let services = Services::start().await.unwrap();
    // That it comes late only brings it nearer.
    let (sent, header) = line(EDGE_LIMIT);
    let answer = ask(&services, &header).await;
    assert_eq!(status(&answer), "200");
    assert!(stamp_of(&answer) > sent);
    assert_eq!(*stamp_of(&answer).node(), services.shop.node());
}

#[tokio::test]
async fn a_hostile_client_is_refused_by_cause_and_cannot_move_the_clock_beyond_the_policy() {
    let services = Services::start().await.unwrap();
    let good = line(Duration::ZERO).1;
    let twice = [good.clone(), good.clone()].concat();
    let far = line(Duration::from_secs(3600)).1;
    type Row<'a> = (&'a [u8], &'a str, fn(&Snapshot) -> u64);
    let rows: [Row<'_>; 9] = [
        (&twice, "more than one value", Snapshot::repeated),
        (b"hlc-stamp: \r\nHLC-Stamp: \r\n", "more than one value", Snapshot::repeated),
        (
            &[b"hlc-stamp: ".to_vec(), vec![b'0'; 8000], b"\r\n".to_vec()].concat(),
            "value of 8000 bytes",
            Snapshot::oversized,
        ),
        (
            b"hlc-stamp: 018bcfe568000007-000000000000002a,018bcfe568000007-000000000000002a\r\n",
            "value of 67 bytes",
            Snapshot::oversized,
        ),
        (
            b"hlc-stamp: 018bcfe5680000\xc3\xa9-000000000000002a\r\n",
            "byte 14 is outside ASCII",
            Snapshot::non_ascii,
        ),
        (b"hlc-stamp: now\r\n", "3 bytes where the form has 33", Snapshot::malformed),
        (b"hlc-stamp:\r\n", "0 bytes where the form has 33", Snapshot::malformed),
        (&far, "ahead of the local physical clock, limit 100ms", Snapshot::too_far_ahead),
        (b"hlc-stamp: ffffffffffffffff-000000000000002a\r\n", "limit 100ms", Snapshot::too_far_ahead),
    ];
    for (headers, words, count) in rows {
        let before = count(&services.shop_layer.snapshot());
        let answer = ask(&services, headers).await;
        assert_eq!(status(&answer), "400", "{words}");
        assert!(answer.contains(words), "{words} in {answer}");
        assert_eq!(count(&services.shop_layer.snapshot()), before + 1, "{words}");
        stamp_of(&answer);
        assert!(is_within(EDGE_LIMIT, &services.shop), "{words}");
    }
    assert!(services.shop.notes().is_empty(), "no handler was called");

    // As far as it may go, again and again, is no further than that.
    for _ in 0..50 {
        let answer = ask(&services, &line(EDGE_LIMIT).1).await;
        assert_eq!(status(&answer), "200");
        assert!(is_within(EDGE_LIMIT, &services.shop));
    }
    assert!(is_within(Duration::from_millis(500), &services.stock), "nor does it get there through the shop");
    assert_eq!(status(&ask(&services, b"").await), "200", "honest clients are served all the same");
}

#[tokio::test]
async fn curl_sends_the_header_and_sees_it() {
    let services = Services::start().await.unwrap();
    let (sent, header) = line(Duration::ZERO);
    let header = String::from_utf8(header).unwrap();
    let url = format!("http://{}/order", services.shop_at);
    let run = tokio::task::spawn_blocking(move || {
        Command::new("curl")
            .args([
                "--silent",
                "--show-error",
                "--include",
                "--noproxy",
                "*",
                "--header",
                header.trim(),
                &url,
            ])
            .output()
    });
    let output = match run.await.unwrap() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return NotInstalled { what: "curl".to_owned() }.not_run();
        }
        Err(error) => panic!("curl: {error}"),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer = String::from_utf8(output.stdout).unwrap();
    assert_eq!(status(&answer), "200", "{answer}");
    assert!(stamp_of(&answer) > sent, "{answer}");
    assert_eq!(services.shop_layer.snapshot().accepted(), 1);
}
