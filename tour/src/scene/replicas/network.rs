//! The network: a process between the replicas that holds messages back, shuffles and doubles them when it is told.
//!
//! Every replica has one connection to it. The first frame on it is the number of the replica; after that a frame
//! is the number of the other replica, which it goes to or comes from, and the message. Numbers have four bytes.

use alloc::collections::BTreeMap;
use core::{net::Ipv4Addr, time::Duration};
use std::{
    io::{self, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, SendError, SyncSender},
    thread,
};

use super::cast::{Link, NetworkPart, REPLICAS, Said, Told};
use crate::{
    deadline::Deadline,
    failure::Failure,
    frame::{self, frame},
    parent,
};

/// Arrivals that wait for their owner; beyond them, their sender waits.
pub(crate) const BACKLOG: usize = 1024;

/// How long a part may take to come, and connecting, and each write.
pub(crate) const PEER_TIME: Duration = Duration::from_secs(5);

/// How often the network delivers what it held back.
const COPIES: usize = 2;

/// What happens to the network.
#[derive(Debug)]
enum Arrival {
    Told(Told),
    Joined {
        replica: u32,
        stream: TcpStream,
    },
    Content {
        link: Link,
        content: Vec<u8>,
    },
    /// Nobody can join any more.
    Deaf(io::Error),
}

/// Plays the role, until the parent says that nothing more happens.
pub(crate) fn play() -> Result<(), Failure> {
    let (to, inbox) = mpsc::sync_channel(BACKLOG);
    parent::listen(to.clone(), Arrival::Told);
    let part = match inbox.recv_timeout(PEER_TIME) {
        Ok(Arrival::Told(Told::Network(part))) => part,
        Ok(other) => return Err(Failure::out_of_turn(other)),
        Err(_) => return Err(Failure::late("a part to play")),
    };
    let NetworkPart { seed, time_limit } = part;
    let deadline = Deadline::after(time_limit);
    let listening = |error| Failure::io("listening", error);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(listening)?;
    let port = listener.local_addr().map_err(listening)?.port();
    accept(listener, to, deadline);
    parent::say(Said::Listening { port })?;

    let random = fastrand::Rng::with_seed(seed);
    let mut network = Network { replicas: BTreeMap::new(), held: BTreeMap::new(), random };
    loop {
        match inbox.recv_timeout(deadline.left()) {
            Ok(Arrival::Told(Told::Finish)) => return Ok(()),
            Ok(arrival) => network.take(arrival)?,
            Err(_) => return Err(Failure::late("the parent")),
        }
    }
}

struct Network {
    replicas: BTreeMap<u32, TcpStream>,
    /// Links that are held, and the messages on them.
    held: BTreeMap<Link, Vec<Vec<u8>>>,
    random: fastrand::Rng,
}

impl Network {
    fn take(&mut self, arrival: Arrival) -> Result<(), Failure> {
        match arrival {
            Arrival::Joined { replica, stream } => {
                // The first is the replica; its place is not given away.
                self.replicas.entry(replica).or_insert(stream);
                let joined = u32::try_from(self.replicas.len()).unwrap_or(u32::MAX);
                if joined == REPLICAS { parent::say(Said::Joined) } else { Ok(()) }
            }
            Arrival::Content { link, content } => match self.held.get_mut(&link) {
                Some(held) => {
                    held.push(content);
                    parent::say(Said::Kept)
                }
                None => {
                    self.pass_on(link, &content);
                    Ok(())
                }
            },
            Arrival::Told(Told::Hold(link)) => {
                self.held.entry(link).or_default();
                parent::say(Said::Holding)
            }
            Arrival::Told(Told::Release(link)) => {
                let held = self.held.remove(&link).unwrap_or_default();
                let mut copies: Vec<_> = (0..COPIES).flat_map(|_| &held).collect();
                self.random.shuffle(&mut copies);
                for content in copies.iter().copied() {
                    self.pass_on(link, content);
                }
                parent::say(Said::Released { copies: u64::try_from(copies.len()).unwrap_or(u64::MAX) })
            }
            Arrival::Told(told) => Err(Failure::out_of_turn(told)),
            Arrival::Deaf(error) => Err(Failure::io("accepting connections", error)),
        }
    }

    fn pass_on(&self, link: Link, content: &[u8]) {
        if let Some(mut to) = self.replicas.get(&link.to) {
            let from = link.from.to_be_bytes();
            // A replica that is gone is for the parent to name: it started it.
            let _ = to.write_all(&frame(&[from.as_slice(), content].concat()));
        }
    }
}

/// Accepts connections for ever.
fn accept(listener: TcpListener, to: SyncSender<Arrival>, deadline: Deadline) {
    thread::spawn(move || {
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    let to = to.clone();
                    thread::spawn(move || serve(stream, &to, deadline));
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => return to.send(Arrival::Deaf(error)),
            }
        }
    });
}

/// Takes what a replica sends. The error is that the network is no longer there.
fn serve(
    mut from: TcpStream,
    to: &SyncSender<Arrival>,
    deadline: Deadline,
) -> Result<(), SendError<Arrival>> {
    let Ok(stream) = from.try_clone() else { return Ok(()) };
    let prepared = stream.set_nodelay(true).and_then(|()| stream.set_write_timeout(Some(PEER_TIME)));
    // Somebody who does not say who he is is not let in.
    let Some((replica, rest)) = prepared.ok().and_then(|()| next(&mut from, deadline)) else { return Ok(()) };
    if replica >= REPLICAS || !rest.is_empty() {
        return Ok(());
    }
    to.send(Arrival::Joined { replica, stream })?;
    while let Some((other, content)) = next(&mut from, deadline) {
        to.send(Arrival::Content { link: Link { from: replica, to: other }, content })?;
    }
    Ok(())
}

/// The next frame: the number at its beginning, and the rest.
fn next(from: &mut TcpStream, deadline: Deadline) -> Option<(u32, Vec<u8>)> {
    let content = frame::read(from, deadline).ok()??;
    let (number, rest) = content.split_first_chunk()?;
    Some((u32::from_be_bytes(*number), rest.to_vec()))
}
