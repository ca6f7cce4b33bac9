//! `Holder`: a process that takes the lock, and writes to the resource under it.

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::{
    io::Write as _,
    net::TcpStream,
    sync::mpsc::{self, Receiver},
};

use epoch_fence::{
    FencingToken, Issuer, Lease, Wait,
    engine::file::{Directory, SystemHost},
    protocol::{Claim, Ttl},
};

use super::cast::{self, Answer, HolderPart, Said, Told, Write};
use crate::{
    deadline::Deadline,
    failure::Failure,
    frame::{self, frame},
    parent,
};

/// How long the parent may take to say what the part is, and the resource to answer.
const PEER_TIME: Duration = Duration::from_secs(10);

/// Plays the role, from the first word of the parent to the last.
pub(crate) fn play() -> Result<(), Failure> {
    parent::end_with_it_even_when_stopped()?;
    let (to, told) = mpsc::sync_channel(4);
    parent::listen(to, |told| told);
    let Told::Holder(part) = next(&told, PEER_TIME)? else {
        return Err(Failure::out_of_turn("not a part to play"));
    };
    let directory = cast::leases().open(&part.leases).map_err(cast::leases_failed)?;
    let issuer = Issuer::new(directory, SystemHost::new().map_err(cast::leases_failed)?);
    let mut lease = acquire(&part, &issuer, &told)?;
    parent::say(Said::Granted(lease.token()))?;
    loop {
        match next(&told, part.time_limit)? {
            Told::Look => {
                let left = lease.renew().map_err(Failure::lease)?;
                parent::say(Said::Looked { left })?;
            }
            Told::Write { port, text, under } => {
                let answer = write(port, under.unwrap_or(lease.token()), text)?;
                parent::say(Said::Answered { answer, lost: lease.lost() })?;
            }
            Told::Finish => return Ok(()),
            other @ (Told::Holder(_) | Told::Resource(_) | Told::Acquire) => {
                return Err(Failure::out_of_turn(other));
            }
        }
    }
}

fn next(told: &Receiver<Told>, within: Duration) -> Result<Told, Failure> {
    told.recv_timeout(within).map_err(|_| Failure::late("the parent"))
}

fn acquire<'i>(
    part: &HolderPart,
    issuer: &'i Issuer<Directory, SystemHost>,
    told: &Receiver<Told>,
) -> Result<Lease<'i, Directory, SystemHost>, Failure> {
    let Told::Acquire = next(told, part.time_limit)? else {
        return Err(Failure::out_of_turn("not to acquire"));
    };
    let ttl = Ttl::new(cast::TTL).ok_or_else(|| Failure::out_of_turn(cast::TTL))?;
    let claim = Claim::new(cast::ledger(), part.name.parse().map_err(Failure::lease)?, ttl);
    issuer.acquire(&claim, Wait::AtMost(part.time_limit)).map_err(Failure::lease)
}

/// Sends a write to the resource, and returns its answer.
fn write(port: u16, token: FencingToken, text: String) -> Result<Answer, Failure> {
    let asking = |error| Failure::io("asking the resource", error);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut resource = TcpStream::connect_timeout(&address, PEER_TIME).map_err(asking)?;
    let write = serde_json::to_vec(&Write { token, text }).map_err(|error| asking(error.into()))?;
    resource.write_all(&frame(&write)).map_err(asking)?;
    let answer = frame::read(&mut resource, Deadline::after(PEER_TIME));
    let answer = answer.ok().flatten().ok_or_else(|| Failure::late("the answer of the resource"))?;
    serde_json::from_slice(&answer).map_err(|error| asking(error.into()))
}
