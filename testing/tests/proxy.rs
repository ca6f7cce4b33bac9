//! The proxy does to a conversation what its plan says, and nothing else.
#![expect(
    clippy::panic,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    reason = "a test may panic, and has a standard library"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use clock_testing::proxy::{Plan, Proxy};

/// Longer than anything here takes, unless it hangs.
const LONG: Duration = Duration::from_secs(30);

/// A server that answers each line with itself, and what it has heard.
fn server() -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (hears, heard) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let hears = hears.clone();
            thread::spawn(move || {
                for line in BufReader::new(&stream).lines().map_while(Result::ok) {
                    let _told = hears.send(line.clone());
                    let _sent = (&stream).write_all(format!("{line}\n").as_bytes());
                }
            });
        }
    });
    (address, heard)
}

struct Client(BufReader<TcpStream>);

impl Client {
    fn of(proxy: &Proxy) -> Self {
        let stream = TcpStream::connect(proxy.address()).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        Self(BufReader::new(stream))
    }

    fn say(&self, line: &str) {
        // Of a connection that was cut the reply tells.
        let _sent = self.0.get_ref().write_all(format!("{line}\n").as_bytes());
    }

    /// The answer, or nothing where the connection has ended.
    fn hear(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(line.trim_end().to_owned()),
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock) => panic!("it hangs"),
            Err(_) => None,
        }
    }

    fn ask(&mut self, line: &str) -> Option<String> {
        self.say(line);
        self.hear()
    }
}

fn set_up() -> (Proxy, Receiver<String>) {
    let (address, heard) = server();
    (Proxy::start(address), heard)
}

#[test]
fn everything_passes_until_a_plan_says_otherwise() {
    let (proxy, heard) = set_up();
    let mut client = Client::of(&proxy);
    for line in ["one", "two"] {
        assert_eq!(client.ask(line).as_deref(), Some(line));
        assert_eq!(heard.recv_timeout(LONG).unwrap(), line);
    }
    let counts = proxy.counts();
    assert_eq!((counts.accepted, counts.cut, counts.refused), (1, 0, 0));
}

#[test]
fn a_dropped_request_never_arrives_and_its_connection_is_cut() {
    let (proxy, heard) = set_up();
    let mut client = Client::of(&proxy);
    assert!(client.ask("before").is_some());
    proxy.set(Plan::DropRequests);
    assert_eq!(client.ask("lost"), None);
    proxy.set(Plan::Pass);
    assert!(Client::of(&proxy).ask("after").is_some());
    assert_eq!(heard.recv_timeout(LONG).unwrap(), "before");
    assert_eq!(heard.recv_timeout(LONG).unwrap(), "after");
    assert_eq!((proxy.counts().requests_dropped, proxy.counts().cut), (1, 1));
}

#[test]
fn a_request_whose_reply_is_dropped_arrives_and_its_connection_is_cut() {
    let (proxy, heard) = set_up();
    let mut client = Client::of(&proxy);
    proxy.set(Plan::DropReplies);
    assert_eq!(client.ask("unanswered"), None);
    assert_eq!(heard.recv_timeout(LONG).unwrap(), "unanswered");
    assert_eq!((proxy.counts().replies_dropped, proxy.counts().cut), (1, 1));
}

#[test]
fn a_held_request_arrives_when_it_is_released_while_its_client_waits() {
    let (proxy, heard) = set_up();
    let mut client = Client::of(&proxy);
    proxy.set(Plan::HoldRequests);
    client.say("patient");
    assert!(proxy.wait_until(LONG, |counts| counts.requests_held == 1));
    assert!(heard.try_recv().is_err(), "it arrived before it was released");
    proxy.set(Plan::Pass);
    proxy.release();
    assert_eq!(client.hear().as_deref(), Some("patient"));
    assert_eq!(client.ask("more").as_deref(), Some("more"));
    assert_eq!(proxy.counts().delivered_late, 0);
}

#[test]
fn a_held_request_arrives_late_after_its_client_was_cut() {
    let (proxy, heard) = set_up();
    let mut client = Client::of(&proxy);
    proxy.set(Plan::HoldRequests);
    client.say("late");
    assert!(proxy.wait_until(LONG, |counts| counts.requests_held == 1));
    proxy.cut();
    proxy.set(Plan::Pass);
    assert_eq!(client.hear(), None);
    assert!(Client::of(&proxy).ask("overtakes").is_some());
    assert_eq!(heard.recv_timeout(LONG).unwrap(), "overtakes");
    proxy.release();
    assert_eq!(heard.recv_timeout(LONG).unwrap(), "late");
    assert!(proxy.wait_until(LONG, |counts| counts.answered_late == 1));
    assert_eq!(proxy.counts().delivered_late, 1);
}

#[test]
fn a_held_request_arrives_late_after_its_client_went_away() {
    let (proxy, heard) = set_up();
    let client = Client::of(&proxy);
    proxy.set(Plan::HoldRequests);
    client.say("late");
    assert!(proxy.wait_until(LONG, |counts| counts.requests_held == 1));
    drop(client);
    proxy.release();
    assert_eq!(heard.recv_timeout(LONG).unwrap(), "late");
    assert!(proxy.wait_until(LONG, |counts| counts.answered_late == 1));
}

#[test]
fn a_held_reply_arrives_when_it_is_released_and_is_lost_with_a_cut() {
    let (proxy, heard) = set_up();
    let (mut waits, mut loses) = (Client::of(&proxy), Client::of(&proxy));
    proxy.set(Plan::HoldReplies);
    waits.say("first");
    assert!(proxy.wait_until(LONG, |counts| counts.replies_held == 1));
    assert_eq!(heard.recv_timeout(LONG).unwrap(), "first");
    proxy.release();
    assert_eq!(waits.hear().as_deref(), Some("first"));
    loses.say("second");
    assert!(proxy.wait_until(LONG, |counts| counts.replies_held == 2));
    proxy.cut();
    assert_eq!(loses.hear(), None);
    assert_eq!(heard.recv_timeout(LONG).unwrap(), "second");
    assert!(proxy.wait_until(LONG, |counts| counts.replies_dropped == 1));
}

#[test]
fn either_direction_is_delayed_and_in_order() {
    let (proxy, heard) = set_up();
    let mut client = Client::of(&proxy);
    let delays = [(0, 0), (30, 0), (0, 30), (20, 20)];
    for (at, (requests, replies)) in delays.into_iter().enumerate() {
        let (requests, replies) = (Duration::from_millis(requests), Duration::from_millis(replies));
        proxy.set(Plan::Delay { requests, replies });
        for line in ["a", "b"] {
            let line = format!("{line}{at}");
            assert_eq!(client.ask(&line), Some(line.clone()));
            assert_eq!(heard.recv_timeout(LONG).unwrap(), line);
        }
    }
    assert_eq!(proxy.counts().delayed, 8);
}

#[test]
fn a_delayed_request_does_not_arrive_after_a_cut() {
    let (proxy, heard) = set_up();
    let mut client = Client::of(&proxy);
    proxy.set(Plan::Delay { requests: LONG, replies: Duration::ZERO });
    client.say("on its way");
    assert!(proxy.wait_until(LONG, |counts| counts.delayed == 1));
    proxy.cut();
    assert_eq!(client.hear(), None);
    proxy.set(Plan::Pass);
    assert!(Client::of(&proxy).ask("after").is_some());
    assert_eq!(heard.recv_timeout(LONG).unwrap(), "after");
}

#[test]
fn new_connections_are_refused_while_old_ones_go_on() {
    let (proxy, _heard) = set_up();
    let mut old = Client::of(&proxy);
    assert!(old.ask("before").is_some());
    proxy.set(Plan::Refuse);
    assert_eq!(Client::of(&proxy).ask("new"), None);
    assert!(old.ask("still").is_some());
    assert!(proxy.wait_until(LONG, |counts| counts.refused == 1));
    assert_eq!(proxy.counts().accepted, 1);
    proxy.set(Plan::Pass);
    assert!(Client::of(&proxy).ask("new").is_some());
}

#[test]
fn a_cut_ends_every_connection_and_a_new_one_reaches_another_server() {
    let (proxy, _heard) = set_up();
    let mut clients: Vec<Client> = (0..3).map(|_| Client::of(&proxy)).collect();
    assert!(clients.iter_mut().all(|client| client.ask("before").is_some()));
    let (other, heard) = server();
    proxy.set_upstream(other);
    proxy.cut();
    assert!(clients.iter_mut().all(|client| client.ask("after").is_none()));
    assert_eq!(proxy.counts().cut, 3);
    assert!(Client::of(&proxy).ask("moved").is_some());
    assert_eq!(heard.recv_timeout(LONG).unwrap(), "moved");
}

#[test]
fn a_dropped_proxy_cuts_what_it_holds() {
    let (proxy, heard) = set_up();
    let mut client = Client::of(&proxy);
    proxy.set(Plan::HoldRequests);
    client.say("never");
    assert!(proxy.wait_until(LONG, |counts| counts.requests_held == 1));
    drop(proxy);
    assert_eq!(client.hear(), None);
    assert!(heard.recv_timeout(Duration::from_millis(50)).is_err());
}

#[test]
fn a_plan_for_some_requests_drops_and_holds_those_alone() {
    let (proxy, heard) = set_up();
    proxy.set_for(Plan::DropRequests, b"bad");
    let mut client = Client::of(&proxy);
    assert!(client.ask("a good one").is_some());
    assert_eq!(client.ask("a bad one"), None);
    assert_eq!(heard.recv_timeout(LONG).unwrap(), "a good one");
    proxy.set_for(Plan::HoldRequests, b"bad");
    let mut client = Client::of(&proxy);
    assert!(client.ask("another good one").is_some());
    assert_eq!(heard.recv_timeout(LONG).unwrap(), "another good one");
    client.say("another bad one");
    assert!(proxy.wait_until(LONG, |counts| counts.requests_held == 1));
    proxy.release();
    assert_eq!(client.hear().as_deref(), Some("another bad one"));
    assert_eq!(proxy.counts().requests_dropped, 1);
}

#[test]
fn a_plan_for_some_replies_leaves_those_to_other_requests() {
    let (proxy, heard) = set_up();
    proxy.set_for(Plan::DropReplies, b"bad");
    let mut client = Client::of(&proxy);
    assert!(client.ask("a good one").is_some());
    assert_eq!(client.ask("a bad one"), None);
    assert!(Client::of(&proxy).ask("another good one").is_some());
    for line in ["a good one", "a bad one", "another good one"] {
        assert_eq!(heard.recv_timeout(LONG).unwrap(), line);
    }
    assert_eq!(proxy.counts().replies_dropped, 1);
}
