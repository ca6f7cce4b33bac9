//! What the fixtures of all servers have in common: a port, and patience.

use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::Duration;

/// How often, and how long between, a thing is looked for that has to come: a minute and a half in all.
const LOOKS: u32 = 9_000;
pub(crate) const PAUSE: Duration = Duration::from_millis(10);

/// Below the numbers that the system gives to outgoing connections. A client that keeps trying to reach a server that is
/// down would else be given the server's own number in the end, and talk to itself.
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 12_000;

/// How many ports are tried, each of which another process may take between the look and the start.
pub(crate) const TRIES: u32 = 20;

/// A port that nobody listens at now.
pub(crate) fn free_port() -> u16 {
    // A counter of this process: nothing is published with it.
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(process::id() % u32::from(PORTS)).unwrap();
    let ports = (0..PORTS).map(|_| {
        let number = u32::from(start) + u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        FIRST_PORT + u16::try_from(number % u32::from(PORTS)).unwrap()
    });
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    ports.into_iter().find(free).expect("there is a free port")
}

/// Looks again and again until it is so. Whether it is.
pub(crate) fn until(mut so: impl FnMut() -> bool) -> bool {
    for _ in 0..LOOKS {
        if so() {
            return true;
        }
        thread::sleep(PAUSE);
    }
    false
}
