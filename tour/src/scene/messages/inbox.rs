//! The inbox of a node: everything that happens to it, one after the other.
//!
//! A thread for each connection checks what comes, and one owner takes it: the owner's order is the program
//! order of the node.

use alloc::sync::Arc;
use std::{
    io,
    net::{TcpListener, TcpStream},
    sync::mpsc::{SendError, SyncSender},
    thread,
};

use super::{cast::Told, message::Message, refusal::Refusal};
use crate::{deadline::Deadline, frame};

/// Arrivals that wait for the owner; beyond them, peers wait.
pub(crate) const BACKLOG: usize = 1024;

/// Connections at one time: each costs a thread.
pub(crate) const MAX_CONNECTIONS: usize = 64;

/// What happens to a node.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// The parent told it something.
    Told(Told),
    /// A connection was opened by somebody.
    Opened,
    /// That connection is over; everything that came on it has arrived before.
    Closed,
    /// A message, well-formed; nothing else is known of it.
    Message(Message),
    /// Something that is none.
    Refused(Refusal),
    /// Nobody can connect any more.
    Deaf(io::Error),
}

/// Accepts connections for ever.
pub(crate) fn accept(listener: TcpListener, to: SyncSender<Arrival>, deadline: Deadline) {
    thread::spawn(move || {
        // Each connection holds one more of it.
        let live = Arc::new(());
        loop {
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => return to.send(Arrival::Deaf(error)),
            };
            if Arc::strong_count(&live) > MAX_CONNECTIONS {
                to.send(Arrival::Refused(Refusal::Crowded))?;
                continue;
            }
            to.send(Arrival::Opened)?;
            let (to, held) = (to.clone(), Arc::clone(&live));
            thread::spawn(move || {
                let served = serve(stream, &to, deadline);
                drop(held);
                served
            });
        }
    });
}

/// Takes what comes on one connection. The error is that the node is no longer there.
fn serve(
    mut stream: TcpStream,
    to: &SyncSender<Arrival>,
    deadline: Deadline,
) -> Result<(), SendError<Arrival>> {
    loop {
        match frame::read(&mut stream, deadline) {
            Ok(Some(content)) => to.send(match Message::from_content(&content) {
                Ok(message) => Arrival::Message(message),
                Err(refusal) => Arrival::Refused(refusal),
            })?,
            Ok(None) => break,
            Err(error) => {
                to.send(Arrival::Refused(error.into()))?;
                break;
            }
        }
    }
    // Before the stream is closed: a peer that has seen the end knows that the node has seen the rest.
    to.send(Arrival::Closed)
}
