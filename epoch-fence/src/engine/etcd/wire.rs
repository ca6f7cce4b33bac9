//! `Wire`: requests to the members of a cluster, one after the other, none for ever.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use etcd_client::{Client, ConnectOptions, LeaseGrantOptions, LeaseTimeToLiveResponse, Txn, TxnResponse};
use tokio::time::{Instant, sleep, timeout_at};

use super::EtcdError;
use super::fate::{Fate, Fault};

/// Whether a request may be sent again while nobody knows what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeat {
    /// Twice is as good as once: a read, or a change of a lease that says which.
    Always,
    /// Only if it never left: an answer must be the answer to the one that landed.
    IfItNeverLeft,
}

/// How long to wait when every member was tried.
const PAUSE: Duration = Duration::from_millis(50);

/// How often a lease is looked for that others may make or end meanwhile.
const ROUNDS: u32 = 4;

/// The members of a cluster. One of them is asked until it fails, and then the next.
pub(super) struct Wire {
    members: Vec<Member>,
    /// Which one is asked now. A hint: any of them will do.
    current: Mutex<usize>,
    options: ConnectOptions,
    timeout: Duration,
}

struct Member {
    endpoint: String,
    /// `None` before the first request, and after one that was not answered: the next one has a new connection.
    client: Mutex<Option<Client>>,
}

/// A lease that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leased {
    pub(super) id: i64,
    /// For how many seconds from the request on.
    pub(super) seconds: u32,
    /// This request made it: nobody else counts on it.
    pub(super) fresh: bool,
}

/// Until when one call may last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Until(Instant);

impl Wire {
    pub(super) fn new(endpoints: Vec<String>, options: ConnectOptions, timeout: Duration) -> Self {
        let member = |endpoint| Member { endpoint, client: Mutex::new(None) };
        let members = endpoints.into_iter().map(member).collect();
        Self { members, current: Mutex::new(0), options, timeout }
    }

    pub(super) fn until(&self) -> Until {
        Until(later(Instant::now(), self.timeout))
    }

    /// Runs a transaction that only reads.
    pub(super) async fn read(&self, until: Until, txn: Txn) -> Result<TxnResponse, Fault> {
        let call = |mut client: Client| {
            let txn = txn.clone();
            async move { Ok(client.txn(txn).await?) }
        };
        self.ask(until, Repeat::Always, call).await
    }

    /// Runs a transaction that writes. It leaves this process once at most.
    pub(super) async fn write(&self, until: Until, txn: Txn) -> Result<TxnResponse, Fault> {
        let call = |mut client: Client| {
            let txn = txn.clone();
            async move { Ok(client.txn(txn).await?) }
        };
        self.ask(until, Repeat::IfItNeverLeft, call).await
    }

    /// Makes a lease of this id, or lets it begin again where it is there.
    pub(super) async fn lease(&self, until: Until, id: i64, seconds: u32) -> Result<Leased, Fault> {
        for _ in 0..ROUNDS {
            let call = |mut client: Client| async move {
                let options = LeaseGrantOptions::new().with_id(id);
                Ok(client.lease_grant(seconds.into(), Some(options)).await?)
            };
            match self.ask(until, Repeat::Always, call).await {
                Ok(granted) => return Ok(Leased { id, seconds: whole(granted.ttl()), fresh: true }),
                Err(fault) if fault.is_lease_there() => {
                    if self.keep_alive(until, id).await? {
                        // It was made for as many seconds, or for more where etcd has a minimum.
                        return Ok(Leased { id, seconds, fresh: false });
                    }
                }
                Err(fault) => return Err(fault),
            }
        }
        Err(Fault::unknown(EtcdError::Contended))
    }

    /// Lets a lease begin again, for as long as it was made; false where it is over.
    pub(super) async fn keep_alive(&self, until: Until, id: i64) -> Result<bool, Fault> {
        let call = |mut client: Client| async move {
            match client.lease_keep_alive(id).await {
                Ok(_stream) => Ok(true),
                Err(etcd_client::Error::LeaseKeepAliveError(why)) if why == "lease not found" => Ok(false),
                Err(error) => Err(Fault::from(error)),
            }
        };
        self.ask(until, Repeat::Always, call).await
    }

    /// How many whole seconds a lease has left, rounded down; `None` where it is over.
    pub(super) async fn time_to_live(&self, until: Until, id: i64) -> Result<Option<TimeToLive>, Fault> {
        let call = |mut client: Client| async move { Ok(client.lease_time_to_live(id, None).await?) };
        let answer = self.ask(until, Repeat::Always, call).await?;
        Ok(TimeToLive::of(&answer))
    }

    /// Ends a lease, if that is soon done: else it lapses.
    pub(super) async fn revoke(&self, until: Until, id: i64) {
        let soon = later(Instant::now(), self.timeout.checked_div(4).unwrap_or(self.timeout));
        let call = |mut client: Client| async move { Ok(client.lease_revoke(id).await?) };
        let _tried = self.ask(Until(until.0.min(soon)), Repeat::Always, call).await;
    }

    async fn ask<T, F>(
        &self,
        until: Until,
        repeat: Repeat,
        call: impl Fn(Client) -> F + Send,
    ) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>> + Send,
    {
        let mut tried = 0_usize;
        let mut before = None;
        loop {
            let at = *lock(&self.current);
            let Some(member) = self.members.get(at) else {
                return Err(Fault { fate: Fate::Refused, error: EtcdError::Unreachable });
            };
            let limit = self.limit(until, repeat);
            let fault = match timeout_at(limit, member.ask(&self.options, &call)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(fault)) => fault,
                Err(_) => {
                    let late = EtcdError::TimedOut { after: self.timeout };
                    // Why it failed before tells more than that the time was over at the next try.
                    Fault::unknown(before.take().filter(|_| repeat == Repeat::Always).unwrap_or(late))
                }
            };
            let again = match (fault.fate, repeat) {
                // Etcd looks at the token before anything else. The next client comes with a new one.
                (Fate::Refused, _) if fault.is_token_stale() => true,
                (Fate::Refused, _) => return Err(fault),
                (Fate::NeverLeft, _) | (Fate::Unknown, Repeat::Always) => true,
                (Fate::Unknown, Repeat::IfItNeverLeft) => false,
            };
            self.leave(at);
            tried = tried.saturating_add(1);
            let round = tried.checked_rem(self.members.len()) == Some(0);
            let pause = if round { PAUSE } else { Duration::ZERO };
            // Ends, because the time does: each round of all members takes a pause.
            if !again || later(Instant::now(), pause) >= until.0 {
                return Err(fault);
            }
            before = Some(fault.error);
            sleep(pause).await;
        }
    }

    /// Until when one member may take. One that does not answer must not use up the time of the others, where they can
    /// be asked the same.
    fn limit(&self, until: Until, repeat: Repeat) -> Instant {
        let members = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        match repeat {
            Repeat::Always if members > 1 => {
                let share = self.timeout.checked_div(members).unwrap_or(self.timeout);
                until.0.min(later(Instant::now(), share))
            }
            Repeat::Always | Repeat::IfItNeverLeft => until.0,
        }
    }

    /// Turns to the next member, unless somebody else has.
    fn leave(&self, at: usize) {
        if let Some(member) = self.members.get(at) {
            *lock(&member.client) = None;
        }
        let mut current = lock(&self.current);
        if *current == at {
            *current = at.saturating_add(1).checked_rem(self.members.len()).unwrap_or(0);
        }
    }
}

impl Member {
    async fn ask<T, F>(
        &self,
        options: &ConnectOptions,
        call: &(impl Fn(Client) -> F + Send),
    ) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>> + Send,
    {
        let known = lock(&self.client).clone();
        let client = match known {
            Some(client) => client,
            None => {
                // Only as whom to come is asked here, and that can be asked again.
                let never_left = |error| {
                    let fault = Fault::from(error);
                    let fate = if fault.fate == Fate::Refused { Fate::Refused } else { Fate::NeverLeft };
                    Fault { fate, ..fault }
                };
                let client = Client::connect([&self.endpoint], Some(options.clone())).await;
                let client = client.map_err(never_left)?;
                *lock(&self.client) = Some(client.clone());
                client
            }
        };
        call(client).await
    }
}

/// The names of the members, and not as whom to come.
impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.members.iter().map(|member| &member.endpoint)).finish()
    }
}

/// What etcd says of a lease that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeToLive {
    pub(super) left: u32,
    pub(super) granted: u32,
}

impl TimeToLive {
    fn of(answer: &LeaseTimeToLiveResponse) -> Option<Self> {
        Self::new(answer.ttl(), answer.granted_ttl())
    }

    /// A member that has just lost the lead says of each lease that it has no end: the next leader lets all of them begin
    /// again. So none has more left than it was granted.
    fn new(left: i64, granted: i64) -> Option<Self> {
        let granted = whole(granted);
        (left >= 0).then(|| Self { left: whole(left).min(granted), granted })
    }
}

/// Seconds as they are sent. What is below none is none; what is beyond all bounds is refused by whoever looks at it.
fn whole(seconds: i64) -> u32 {
    u32::try_from(seconds.max(0)).unwrap_or(u32::MAX)
}

fn later(now: Instant, wait: Duration) -> Instant {
    // A year is for ever: what does not fit the clock is no time to wait.
    now.checked_add(wait).or_else(|| now.checked_add(Duration::from_secs(31_536_000))).unwrap_or(now)
}

/// What is behind these locks is whole at any moment: a thread that panicked left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(members: usize) -> Wire {
        let endpoints = (0..members).map(|member| alloc::format!("http://h{member}:1")).collect();
        Wire::new(endpoints, ConnectOptions::new(), Duration::from_secs(8))
    }

    #[test]
    fn one_of_many_members_has_its_share_of_the_time_where_the_others_can_be_asked_the_same() {
        let limit = |members, repeat| {
            let wire = wire(members);
            let until = wire.until();
            let before = Instant::now();
            let limit = wire.limit(until, repeat);
            (until.0, before, limit, Instant::now())
        };
        let (_, before, limited, after) = limit(4, Repeat::Always);
        let share = Duration::from_secs(2);
        assert!(before + share <= limited && limited <= after + share);
        for (members, repeat) in [(1, Repeat::Always), (1, Repeat::IfItNeverLeft), (4, Repeat::IfItNeverLeft)]
        {
            let (until, _, limited, _) = limit(members, repeat);
            assert_eq!(limited, until, "{members} {repeat:?}");
        }
    }

    #[test]
    fn whoever_leaves_a_member_turns_to_the_next_unless_somebody_has() {
        let wire = wire(3);
        let left = |at| {
            wire.leave(at);
            *lock(&wire.current)
        };
        assert_eq!([left(0), left(0), left(1), left(0), left(2)], [1, 1, 2, 2, 0]);
        assert_eq!(alloc::format!("{wire:?}"), r#"["http://h0:1", "http://h1:1", "http://h2:1"]"#);
    }

    #[test]
    fn a_lease_has_no_more_left_than_it_was_granted_also_where_a_former_leader_gives_it_no_end() {
        let seconds = |left, granted| TimeToLive::new(left, granted).map(|of| (of.left, of.granted));
        assert_eq!(seconds(1, 2), Some((1, 2)));
        assert_eq!(seconds(0, 2), Some((0, 2)));
        assert_eq!(seconds(-1, 0), None);
        // The longest time that the server knows, in seconds.
        assert_eq!(seconds(i64::MAX / 1_000_000_000, 2), Some((2, 2)));
        assert_eq!(seconds(i64::MAX, i64::MAX), Some((u32::MAX, u32::MAX)));
    }
}
