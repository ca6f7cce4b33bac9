//! The fixture keeps what its documentation says, on a real server.
#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use clock_testing::nats::Nats;

fn start() -> Option<Nats> {
    Nats::start().map_err(|missing| missing.not_run()).ok()
}

#[test]
fn a_server_answers_until_it_is_dropped_and_two_do_not_meet() {
    let (Some(first), Some(second)) = (start(), start()) else { return };
    assert_ne!(first.url(), second.url());
    let mut stream = TcpStream::connect(("127.0.0.1", first.port())).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("INFO {"));
    stream.write_all(b"CONNECT {\"verbose\":false}\r\nPING\r\n").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "PONG");
    assert!(first.log().contains("Server is ready"), "{}", first.log());

    let port = first.port();
    drop(first);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "it lives on");
    assert!(TcpStream::connect(("127.0.0.1", second.port())).is_ok(), "the other one does");
}
