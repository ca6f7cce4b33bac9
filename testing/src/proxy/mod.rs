//! `Proxy`: the wire between a client and a server, as bad as a test wants it.
//!
//! A proxy listens on loopback and passes bytes on, or does what its [`Plan`] says, from the moment it is
//! [set](Proxy::set). It knows nothing of the protocol: a request is whatever the client sends next, a reply whatever the
//! server does. Protocols send bytes that are neither (HTTP/2 acknowledges settings and windows), so a test that must
//! know that a request was carried out holds the replies, asks the server by another way, and then cuts.

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

mod pumps;

/// What happens to bytes and connections, of those that are open as of those that come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Plan {
    /// Everything passes.
    #[default]
    Pass,
    /// What a client sends is swallowed, and its connection cut.
    DropRequests,
    /// Requests pass. What the server sends is swallowed, and the connection cut when it has nothing more to say.
    DropReplies,
    /// Bytes arrive so much later; each way has its own delay.
    Delay {
        /// From the client to the server.
        requests: Duration,
        /// From the server to the client.
        replies: Duration,
    },
    /// What a client sends is kept, until [`release`](Proxy::release): then it is delivered, also if the client has gone
    /// or was [cut](Proxy::cut) meanwhile. Setting another plan does not release it.
    HoldRequests,
    /// Requests pass; what the server sends is kept, until [`release`](Proxy::release). A cut loses it.
    HoldReplies,
    /// Connections that are open pass everything; a new one is closed at once.
    Refuse,
}

/// What a proxy has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections that reached the server.
    pub accepted: u64,
    /// Connections that did not, by plan or because there was no server.
    pub refused: u64,
    /// Connections that were cut, by a call or by plan.
    pub cut: u64,
    /// Requests that were swallowed.
    pub requests_dropped: u64,
    /// Replies that were swallowed, or lost with a cut.
    pub replies_dropped: u64,
    /// Pieces of either direction that were delayed.
    pub delayed: u64,
    /// Requests that were held.
    pub requests_held: u64,
    /// Replies that were held.
    pub replies_held: u64,
    /// Held requests that were delivered to the server after their client had gone.
    pub delivered_late: u64,
    /// How many of these the server has answered, and then had nothing more to say.
    pub answered_late: u64,
}

/// A TCP proxy on loopback. Dropped, it cuts everything, and what it still held is lost.
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    plan: Plan,
    /// The plan is only for requests with these bytes in them.
    only: Option<Vec<u8>>,
    upstream: SocketAddr,
    connections: BTreeMap<u64, Connection>,
    next: u64,
    /// Rises with each release.
    releases: u64,
    closed: bool,
    counts: Counts,
}

struct Connection {
    client: TcpStream,
    server: TcpStream,
    /// How many of its two pumps run.
    pumps: u8,
    /// A request came by for which the plan is.
    meant: bool,
    /// A part of its bytes was swallowed: it cannot go on.
    tainted: bool,
    /// A request is kept here, or was: then the server hears it whatever becomes of the client.
    held: bool,
    /// The request that was kept is with the server.
    delivered: bool,
    /// The client went away, or was cut.
    client_gone: bool,
    /// The server's end was shut down too.
    over: bool,
}

impl Proxy {
    /// Listens on a free port of loopback, for the server at this address, which need not be there yet.
    ///
    /// # Panics
    ///
    /// When the system gives no port.
    #[must_use]
    pub fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port on loopback");
        let address = listener.local_addr().expect("its number");
        let state = State {
            plan: Plan::Pass,
            only: None,
            upstream,
            connections: BTreeMap::new(),
            next: 0,
            releases: 0,
            closed: false,
            counts: Counts::default(),
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accepting.accept(&listener));
        Self { shared, address }
    }

    /// Where clients connect.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the plan, for what is read from now on. Connections of which a part was swallowed are cut.
    pub fn set(&self, plan: Plan) {
        self.change(plan, None);
    }

    /// As [`set`](Self::set), for requests alone that have these bytes in them, and for their replies; others pass. They
    /// must come in one piece, as a value of few bytes does. A plan that delays or refuses does so to all.
    pub fn set_for(&self, plan: Plan, bytes: &[u8]) {
        self.change(plan, Some(bytes.to_vec()));
    }

    fn change(&self, plan: Plan, only: Option<Vec<u8>>) {
        let mut state = self.shared.lock();
        (state.plan, state.only) = (plan, only);
        state.connections.values_mut().for_each(|each| each.meant = false);
        let tainted: Vec<u64> =
            state.connections.iter().filter(|(_, each)| each.tainted).map(|(id, _)| *id).collect();
        tainted.into_iter().for_each(|id| state.cut(id));
        self.shared.changed.notify_all();
    }

    /// Leads new connections to another server.
    pub fn set_upstream(&self, upstream: SocketAddr) {
        self.shared.lock().upstream = upstream;
    }

    /// Cuts every connection. The server's end of one with a held request stays open until that is delivered.
    pub fn cut(&self) {
        let mut state = self.shared.lock();
        let all: Vec<u64> = state.connections.keys().copied().collect();
        all.into_iter().for_each(|id| state.cut(id));
        self.shared.changed.notify_all();
    }

    /// Delivers what is held. What comes later follows the plan.
    pub fn release(&self) {
        let mut state = self.shared.lock();
        state.releases += 1;
        self.shared.changed.notify_all();
    }

    /// What was done until now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.lock().counts
    }

    /// Waits until the counts are as wanted; whether they came to be so in time.
    #[must_use]
    pub fn wait_until(&self, within: Duration, wanted: impl Fn(&Counts) -> bool) -> bool {
        let state = self.shared.lock();
        let waited = self.shared.changed.wait_timeout_while(state, within, |state| !wanted(&state.counts));
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        wanted(&state.counts)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.closed = true;
            for each in state.connections.values_mut() {
                each.held = false;
            }
        }
        self.cut();
        // Wakes the thread that accepts. Where that fails it stays until the process ends.
        let _woken = TcpStream::connect(self.address);
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("address", &self.address).finish_non_exhaustive()
    }
}

impl State {
    /// What happens to these bytes of a client.
    fn plan_of_request(&mut self, id: u64, bytes: &[u8]) -> Plan {
        let Some(only) = &self.only else { return self.plan };
        let meant = bytes.windows(only.len().max(1)).any(|part| part == only);
        if let Some(connection) = self.connections.get_mut(&id).filter(|_| meant) {
            connection.meant = true;
        }
        let of_requests = matches!(self.plan, Plan::DropRequests | Plan::HoldRequests);
        if of_requests && !meant { Plan::Pass } else { self.plan }
    }

    /// What happens to bytes of the server.
    fn plan_of_reply(&self, id: u64) -> Plan {
        let meant = self.only.is_none() || self.connections.get(&id).is_some_and(|each| each.meant);
        let of_replies = matches!(self.plan, Plan::DropReplies | Plan::HoldReplies);
        if of_replies && !meant { Plan::Pass } else { self.plan }
    }

    fn cut(&mut self, id: u64) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if !connection.client_gone {
            self.counts.cut += 1;
        }
        connection.client_gone = true;
        // An end that is closed already cannot be shut down, and need not be.
        let _shut = connection.client.shutdown(Shutdown::Both);
        if !connection.held {
            connection.over = true;
            let _shut = connection.server.shutdown(Shutdown::Both);
        }
    }

    /// Whether its pumps have to end.
    fn is_over(&self, id: u64) -> bool {
        self.connections.get(&id).is_none_or(|connection| connection.over)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            let (upstream, plan) = {
                let state = self.lock();
                if state.closed {
                    return;
                }
                (state.upstream, state.plan)
            };
            let connected = match client {
                Ok(client) if plan != Plan::Refuse => self.connect(client, upstream),
                Ok(_) => Err(ErrorKind::ConnectionRefused.into()),
                Err(error) => Err(error),
            };
            if connected.is_err() {
                self.lock().counts.refused += 1;
                self.changed.notify_all();
            }
        }
    }

    fn connect(self: &Arc<Self>, client: TcpStream, upstream: SocketAddr) -> io::Result<()> {
        let server = TcpStream::connect_timeout(&upstream, Duration::from_secs(2))?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
        let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
        let id = {
            let mut state = self.lock();
            if state.closed {
                return Ok(());
            }
            let id = state.next;
            state.next += 1;
            state.counts.accepted += 1;
            let connection = Connection {
                client,
                server,
                pumps: 2,
                meant: false,
                tainted: false,
                held: false,
                delivered: false,
                client_gone: false,
                over: false,
            };
            state.connections.insert(id, connection);
            id
        };
        let (requests, replies) = (Arc::clone(self), Arc::clone(self));
        thread::spawn(move || {
            let _ended = requests.pump_requests(id, &mut from_client, &mut to_server);
            requests.end(id, Shutdown::Write, &to_server);
        });
        thread::spawn(move || {
            let _ended = replies.pump_replies(id, &mut from_server, &mut to_client);
            replies.end(id, Shutdown::Both, &to_client);
        });
        Ok(())
    }

    /// One direction has ended: the other end is told, unless the server still has to hear or say something.
    fn end(&self, id: u64, how: Shutdown, to: &TcpStream) {
        let mut state = self.lock();
        if let Some(connection) = state.connections.get_mut(&id) {
            if how == Shutdown::Both || !connection.held {
                let _told = to.shutdown(how);
            }
            if how == Shutdown::Both {
                let _told = connection.server.shutdown(how);
            }
            connection.pumps -= 1;
            if connection.pumps == 0 {
                state.connections.remove(&id);
            }
        }
        self.changed.notify_all();
    }
}
