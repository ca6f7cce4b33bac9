//! How bytes get through a proxy, or not: one pump a direction.

use core::time::Duration;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{MutexGuard, PoisonError};

use super::{Plan, Shared, State};

/// A request or a reply is whole when nothing more comes for so long.
const QUIET: Duration = Duration::from_millis(100);

/// The same of an answer to a request that was delivered late: nobody waits for it.
const QUIET_LATE: Duration = Duration::from_secs(1);

impl Shared {
    /// Carries what the client says to the server, until the connection ends.
    pub(super) fn pump_requests(&self, id: u64, from: &mut TcpStream, to: &mut TcpStream) -> io::Result<()> {
        let mut buffer = vec![0; 65_536];
        loop {
            let read = read(from, &mut buffer);
            let mut state = self.lock();
            let bytes = match read {
                Ok(0) | Err(_) => &[][..],
                Ok(len) => buffer.get(..len).unwrap_or_default(),
            };
            if bytes.is_empty() || state.is_over(id) {
                if let Some(connection) = state.connections.get_mut(&id) {
                    connection.client_gone = true;
                }
                return Ok(());
            }
            match state.plan_of_request(id, bytes) {
                Plan::DropRequests => {
                    state.counts.requests_dropped += 1;
                    state.cut(id);
                    self.changed.notify_all();
                    return Ok(());
                }
                Plan::HoldRequests => {
                    let Some(connection) = state.connections.get_mut(&id) else { return Ok(()) };
                    connection.held = true;
                    drop(state);
                    let mut request = bytes.to_vec();
                    until_quiet(from, QUIET, |more| request.extend_from_slice(more));
                    let mut state = self.lock();
                    state.counts.requests_held += 1;
                    let released = state.releases;
                    self.changed.notify_all();
                    let state = self.wait(state, |state| state.releases == released && !state.closed);
                    if state.closed {
                        return Ok(());
                    }
                    drop(state);
                    // Before it is written: the answer may be read before this goes on.
                    let late = self.delivering(id);
                    to.write_all(&request)?;
                    let mut state = self.lock();
                    if late {
                        state.counts.delivered_late += 1;
                        self.changed.notify_all();
                        return Ok(());
                    }
                    if let Some(connection) = state.connections.get_mut(&id) {
                        connection.held = false;
                    }
                }
                Plan::Delay { requests, .. } => {
                    drop(self.delay(state, id, requests));
                    to.write_all(bytes)?;
                }
                Plan::Pass | Plan::DropReplies | Plan::HoldReplies | Plan::Refuse => {
                    drop(state);
                    to.write_all(bytes)?;
                }
            }
        }
    }

    /// A held request goes to the server now; whether its client has gone.
    fn delivering(&self, id: u64) -> bool {
        let mut state = self.lock();
        let Some(connection) = state.connections.get_mut(&id) else { return true };
        if !connection.client_gone {
            let mut byte = [0];
            let _set = connection.client.set_nonblocking(true);
            connection.client_gone = matches!(connection.client.peek(&mut byte), Ok(0));
            let _set = connection.client.set_nonblocking(false);
        }
        connection.delivered = connection.client_gone;
        connection.client_gone
    }

    /// Carries what the server says to the client, until the connection ends.
    pub(super) fn pump_replies(&self, id: u64, from: &mut TcpStream, to: &mut TcpStream) -> io::Result<()> {
        let mut buffer = vec![0; 65_536];
        loop {
            let len = read(from, &mut buffer)?;
            let bytes = buffer.get(..len).unwrap_or_default();
            let mut state = self.lock();
            if bytes.is_empty() || state.is_over(id) {
                return Ok(());
            }
            let plan = state.plan_of_reply(id);
            let State { connections, counts, .. } = &mut *state;
            let Some(connection) = connections.get_mut(&id) else { return Ok(()) };
            if connection.held && connection.client_gone {
                if connection.delivered {
                    drop(state);
                    until_quiet(from, QUIET_LATE, |_| {});
                    self.lock().counts.answered_late += 1;
                    self.changed.notify_all();
                    return Ok(());
                }
                continue;
            }
            match plan {
                Plan::DropReplies => {
                    connection.tainted = true;
                    counts.replies_dropped += 1;
                    drop(state);
                    until_quiet(from, QUIET, |_| {});
                    self.lock().cut(id);
                    return Ok(());
                }
                Plan::HoldReplies => {
                    counts.replies_held += 1;
                    let released = state.releases;
                    self.changed.notify_all();
                    let mut state =
                        self.wait(state, |state| state.releases == released && !state.is_over(id));
                    if state.is_over(id) {
                        state.counts.replies_dropped += 1;
                        return Ok(());
                    }
                    drop(state);
                    self.reply(id, to, bytes)?;
                }
                Plan::Delay { replies, .. } => {
                    drop(self.delay(state, id, replies));
                    self.reply(id, to, bytes)?;
                }
                Plan::Pass | Plan::DropRequests | Plan::HoldRequests | Plan::Refuse => {
                    drop(state);
                    self.reply(id, to, bytes)?;
                }
            }
        }
    }

    /// Writes to a client. That it is gone is no error while the server has to hear what is held.
    fn reply(&self, id: u64, to: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
        to.write_all(bytes).or_else(|error| {
            let mut state = self.lock();
            let held = state.connections.get_mut(&id).filter(|connection| connection.held);
            held.map(|connection| connection.client_gone = true).ok_or(error)
        })
    }

    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        mut more: impl FnMut(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        self.changed.wait_while(state, |state| more(state)).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits so long, or until the connection is over.
    fn delay<'a>(&self, mut state: MutexGuard<'a, State>, id: u64, by: Duration) -> MutexGuard<'a, State> {
        if by.is_zero() {
            return state;
        }
        state.counts.delayed += 1;
        self.changed.notify_all();
        let waited = self.changed.wait_timeout_while(state, by, |state| !state.is_over(id));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Reads what is there, waiting as long as the stream's time-out says.
fn read(from: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Reads until nothing comes for so long, or nothing will.
fn until_quiet(from: &mut TcpStream, quiet: Duration, mut take: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 65_536];
    if from.set_read_timeout(Some(quiet)).is_ok() {
        while let Ok(len @ 1..) = read(from, &mut buffer) {
            take(buffer.get(..len).unwrap_or_default());
        }
        let _unset = from.set_read_timeout(None);
    }
}
