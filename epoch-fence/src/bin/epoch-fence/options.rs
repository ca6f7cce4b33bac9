//! `Options`: what the command line says, and what `--help` teaches.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use epoch_fence::audit::LogHead;
use epoch_fence::protocol::Ttl;
use epoch_fence::{Epoch, FencingToken, GrantId, HolderId, RealmId, ResourceId};
use high_water::FileSystemName;

use crate::engine::Address;
use crate::store;

const CODES: &str = "\
Exit status:
  that of the command; 128 + N if signal N ended it
  1    verify: the log is not as it was written
  121  busy: somebody else holds the resource, or older permits are still alive; try again
  122  lost: the lease was lost and the command stopped, or the token opens nothing any more
  123  indeterminate: nobody knows whether the write happened; look with `inspect`
  125  epoch-fence itself failed, or was called wrongly
  126  the command could not be started
  127  the command was not found";

const TEACH: &str = "\
One command at a time:
  epoch-fence run --resource nightly-backup -- ./backup.sh

A lease alone does not protect what the command works on. The command may be stopped (a debugger, \
swapping, a suspended laptop, SIGSTOP), wake when its lease is over and somebody else is at work, and write \
all the same; nothing that runs beside it can prevent that. `run` renews the lease, and begins to stop the command \
before it can be lost: best effort.

`guard` is the guarantee, for the effects that are put behind it, in every script that touches the resource:
  epoch-fence guard -- rsync -a /data/ backup:/data/    (the token is in $EPOCH_FENCE_TOKEN)
From the moment a newer holder is admitted at the guard, no older one is at work behind it, or can begin. \
An effect that outlives the guarded command (a remote job that it started, a daemon) is not covered; it must carry \
$EPOCH_FENCE_EPOCH to something that checks it.

All processes must use one directory on one host: not through a network file system, and not from containers that \
do not share the kernel's clock. For many hosts, a PostgreSQL or an etcd keeps the leases: `--engine`, and `init --help`. The \
guard then stands on the host of what it protects.";

/// Leases with fencing tokens, for commands and scripts.
#[derive(Debug, Parser)]
#[command(name = "epoch-fence", version, max_term_width = 100, after_help = CODES, after_long_help = format!("{TEACH}\n\n{CODES}"))]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a command while holding a resource
    #[command(after_help = CODES, after_long_help = format!("{RUN}\n\n{CODES}"))]
    Run(Run),
    /// Run a command under a permit: only with the newest token, and never beside an older one
    #[command(after_help = CODES, after_long_help = format!("{GUARD}\n\n{CODES}"))]
    Guard(Guard),
    /// Say whether `guard` would let a token in: advice, and no protection by itself
    #[command(after_help = CODES, after_long_help = format!("{CHECK}\n\n{CODES}"))]
    Check(Check),
    /// Show who holds what, until when, and what the guard has admitted
    #[command(after_long_help = INSPECT)]
    Inspect(Inspect),
    /// List every grant, renewal, release and repair of a resource
    #[command(after_long_help = HISTORY)]
    History(History),
    /// Check that the history of a resource is as it was written
    #[command(after_help = CODES, after_long_help = format!("{VERIFY}\n\n{CODES}"))]
    Verify(Verify),
    /// Go on after a part of the past was lost or damaged: a new realm, far above every epoch known
    #[command(after_help = CODES, after_long_help = format!("{RECOVER}\n\n{CODES}"))]
    Recover(Recover),
    /// End somebody's lease; the guard keeps its holder out once a newer one was admitted
    #[command(after_help = CODES, after_long_help = format!("{EVICT}\n\n{CODES}"))]
    Evict(Evict),
    /// Make what the leases need in a server that spans hosts, once
    #[command(after_help = CODES, after_long_help = format!("{INIT}\n\n{CODES}"))]
    Init(Init),
    /// Accept a PostgreSQL that was promoted as the one whose leases count
    #[command(after_help = CODES, after_long_help = format!("{ACCEPT}\n\n{CODES}"))]
    Accept(Accept),
    /// Print the completions for a shell
    #[command(
        after_long_help = "Example:\n  epoch-fence completions bash > /etc/bash_completion.d/epoch-fence"
    )]
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, of the program or of one verb
    #[command(
        after_long_help = "Example:\n  epoch-fence man | man -l -\n  epoch-fence man run > epoch-fence-run.1"
    )]
    Man {
        /// Of which verb
        verb: Option<String>,
    },
}

const RUN: &str = "\
The command is run as it is, without a shell. It finds in its environment:
  EPOCH_FENCE_TOKEN     the fencing token, for `guard`
  EPOCH_FENCE_EPOCH     its number; a later holder has a greater one
  EPOCH_FENCE_RESOURCE  the name
  EPOCH_FENCE_DIR       the directory
  EPOCH_FENCE_ENGINE    the --engine, if there is one; without its password, unless it came from there

It runs in a process group of its own, which has the terminal if there is one. Signals are passed on to the group. When \
the lease cannot be renewed, the group gets SIGTERM a grace before it is lost, and SIGKILL when it is. Of a loss that was \
not foreseen (an eviction; or epoch-fence itself was stopped, and wakes too late) it hears at once, and SIGKILL comes a \
grace later: until then it may be at work beside the next holder. What the command leaves running in its group is \
stopped before the resource is released; what leaves the group is beyond it. Should epoch-fence be killed, the command \
runs on, and others wait until it has ended or the lease is over; with --engine, only until the lease is over, and what is not \
behind a guard may then overlap.

Delete nothing in the directory to free a resource while anything may hold it: `evict` ends a lease, `recover` mends.

Examples:
  epoch-fence run --resource nightly-backup -- ./backup.sh
  epoch-fence run --resource db/migrations --no-wait -- sh -c 'echo epoch $EPOCH_FENCE_EPOCH; ./migrate'
  epoch-fence run --resource leader --ttl 30s --wait 10m -- ./serve
  epoch-fence run --engine postgres://app@db.example/leases --resource leader -- ./serve";

const GUARD: &str = "\
The permit is a lock that the command inherits: it lives until the command has ended, also if epoch-fence is killed. A \
newer token is refused while older permits are alive (it waits for them), and from then on older tokens are refused for \
good, by every guard in this directory, also after a crash or a reboot. A command that closes the files it inherits \
(sudo does) keeps its permit for as long as epoch-fence itself runs.

Put every effect on the resource behind a guard; one that goes past it is not covered. The first guard of a resource \
begins in the realm and at the epoch of the record in the same directory, or of that in the --engine. All guards of what is \
protected must use one directory, on one host. The first guard of a resource in a directory asks the --engine, and so needs \
what `run` was given to reach it; `run` on the same host has made it ready.

Examples:
  epoch-fence guard -- mv new.csv /srv/report.csv      (within `run`: token and directory are in the environment)
  epoch-fence guard --token $TOKEN --no-wait -- ./write-page";

const CHECK: &str = "\
The answer may be another one a moment later: between `check` and what you do next, a newer holder may be admitted. It \
is for people and for giving up early. Use `guard` for the effect itself.

Example:
  epoch-fence check || exit    (within `run`)";

const INSPECT: &str = "\
Examples:
  epoch-fence inspect
  epoch-fence inspect --resource nightly-backup --json";

const HISTORY: &str = "\
It is read from the audit log, entry by entry, each checked against the one before.

Examples:
  epoch-fence history --resource nightly-backup --last 20
  epoch-fence history --resource nightly-backup --json | jq .epoch    (one document a line)";

const VERIFY: &str = "\
It finds edits, insertions, exchanges and removals, and a log that was cut; of the last entry, only that it is missing or \
not whole, since a crash may have left it so, and the record has it. Of files that were moved away from the front it says \
how many entries they had, and does not fail. Whoever can write both the log and the record \
can write another past; that is found with a head that you noted elsewhere.

Examples:
  epoch-fence verify --resource nightly-backup
  epoch-fence verify --resource nightly-backup --head $HEAD_NOTED_LAST_WEEK";

const RECOVER: &str = "\
Use it when `inspect` says that a record or a log was damaged, put back or lost. Whoever holds, holds no more; tokens of \
the old realm are refused from then on. Give as FLOOR the greatest epoch that anybody remembers (in a message, a log, a \
database); 0 if nobody remembers any. The guard in this directory follows when its old permits are gone. If that takes \
too long, repeat it with the --realm that it prints.

In an --engine that spans hosts, all resources of the namespace are recovered together, because a backup puts them back \
together. Each guard follows by the same command on its host, with the --realm that was printed.

When the guard's own files are gone or damaged, end every process that may run under a guard, then add --rebuild-gate.

Example:
  epoch-fence recover --resource nightly-backup --floor 1041";

const INIT: &str = "\
A PostgreSQL gets the schema epoch_fence and the namespace, for which the role needs the right to create one; holders need \
less, as the head of the schema says. An etcd gets one key below its prefix. Run again, it changes nothing.

The URL of a PostgreSQL is the usual one. It may have these parameters besides: namespace (leases of several applications \
in one database; --namespace is another thing, a part of the name of a resource), sslmode (disable, prefer, require, verify-ca, verify-full), sslrootcert (a file of certificates; else \
those of the system), sslcert and sslkey. A certificate is always verified, and the name in it. What the URL does not say is looked for in \
PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE, PGSSLROOTCERT, PGSSLCERT and PGSSLKEY.

The URL of an etcd is etcd://HOST:PORT,HOST:PORT/NAMESPACE with all members, or etcds:// for TLS. Users and certificates \
come from ETCDCTL_USER, ETCDCTL_PASSWORD, ETCDCTL_CACERT, ETCDCTL_CERT and ETCDCTL_KEY.

Examples:
  epoch-fence init --engine postgres://owner@db.example/leases?sslmode=verify-full
  EPOCH_FENCE_ENGINE=etcd://10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379 epoch-fence init";

const ACCEPT: &str = "\
A server that was promoted from a standby may not have heard of the last leases that the old one gave out, so it is refused \
at first. Make sure that the old server takes no more writes, then accept the new one. The realm stays, and the epochs go \
on far above every one there is. A server that was restored from a backup is another matter: `recover` it.

Example:
  epoch-fence accept --engine postgres://operator@db.example/leases";

const EVICT: &str = "\
The holder is not asked. It notices at its next renewal, and may act until then: the guard keeps it out only once a newer \
token was admitted there.

Example:
  epoch-fence evict --resource nightly-backup";

/// Where the leases are.
#[derive(Args, Debug)]
pub(crate) struct Place {
    /// The directory of the leases; everybody must use the same one.
    ///
    /// Without it: for root /var/lib/epoch-fence, for others $XDG_STATE_HOME/epoch-fence or
    /// ~/.local/state/epoch-fence. So root and another user do not exclude each other unless they name one directory.
    #[arg(long, value_name = "DIR", env = store::DIRECTORY, hide_env_values = true)]
    pub(crate) dir: Option<PathBuf>,

    /// A kind of file system that is refused otherwise: volatile, network, unknown, or one name.
    ///
    /// `volatile` (in memory, as tmpfs) survives killed processes and no reboot. On `network` ones locks and clocks are up
    /// to others, and `guard` refuses to work. `unknown` are those of which it cannot be told. A refusal says which
    /// name it was.
    #[arg(long, value_name = "KIND", env = store::ALLOW, value_delimiter = ',', hide_env_values = true)]
    pub(crate) allow: Vec<Allow>,
}

/// A kind of file system, or one by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allow {
    Volatile,
    Network,
    Unknown,
    Named(FileSystemName),
}

impl FromStr for Allow {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "volatile" => Ok(Self::Volatile),
            "network" => Ok(Self::Network),
            "unknown" => Ok(Self::Unknown),
            name => FileSystemName::new(name).map(Self::Named).ok_or("no file system has such a name"),
        }
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Volatile => f.write_str("volatile"),
            Self::Network => f.write_str("network"),
            Self::Unknown => f.write_str("unknown"),
            Self::Named(name) => name.fmt(f),
        }
    }
}

/// Which store keeps the leases, if it is not the directory.
#[derive(Args, Debug)]
pub(crate) struct Server {
    /// A server that keeps the leases for many hosts, in place of the directory
    ///
    /// postgres://USER@HOST:PORT/DATABASE, or etcd://HOST:PORT,HOST:PORT (etcds:// is encrypted). What holds a password is
    /// seen by everybody in the list of processes: leave it to `$PGPASSWORD` or `$ETCDCTL_PASSWORD`, or put the whole URL into
    /// `$EPOCH_FENCE_ENGINE`. `epoch-fence init --help` says what else there is.
    #[arg(long, value_name = "URL", env = store::ENGINE, hide_env_values = true)]
    pub(crate) engine: Option<Address>,
}

/// Which resource.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// Its name: any text, distinguished byte by byte
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(crate) resource: Option<OsString>,

    /// Its id, as `inspect` shows it, where nobody knows the name
    #[arg(long, value_name = "ID", conflicts_with = "namespace")]
    pub(crate) id: Option<ResourceId>,
}

#[derive(Args, Debug)]
pub(crate) struct Namespace {
    /// What the name belongs to; the same name in two namespaces is two resources
    #[arg(
        long,
        value_name = "NS",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    pub(crate) namespace: OsString,
}

/// How long to wait.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Waiting {
    /// How long to wait while somebody else is there, as 500ms, 30s or 2h
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    wait: Duration,

    /// Do not wait
    #[arg(long, conflicts_with = "wait")]
    no_wait: bool,
}

impl Waiting {
    pub(crate) const fn limit(self) -> Duration {
        if self.no_wait { Duration::ZERO } else { self.wait }
    }
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    /// What to hold: any text, distinguished byte by byte
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(crate) resource: OsString,

    #[command(flatten)]
    pub(crate) namespace: Namespace,

    #[command(flatten)]
    pub(crate) place: Place,

    #[command(flatten)]
    pub(crate) server: Server,

    /// How long the lease lasts if this program dies or is stopped; renewed after every third of it. 1s to 1d
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = ttl)]
    pub(crate) ttl: Ttl,

    #[command(flatten)]
    pub(crate) waiting: Waiting,

    /// How long before the loss of the lease the command gets SIGTERM, and how long after that SIGKILL [default: an eighth
    /// of the ttl; less if that is short]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) grace: Option<Duration>,

    /// What `inspect` shows as the holder, 64 bytes at most [default: host and process]
    #[arg(long, value_name = "TEXT")]
    pub(crate) holder: Option<HolderId>,

    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Args, Debug)]
pub(crate) struct Token {
    /// The fencing token that `run` gave
    #[arg(long, value_name = "TOKEN", env = store::TOKEN, hide_env_values = true, allow_hyphen_values = true)]
    pub(crate) token: FencingToken,
}

#[derive(Args, Debug)]
pub(crate) struct Guard {
    #[command(flatten)]
    pub(crate) token: Token,

    #[command(flatten)]
    pub(crate) place: Place,

    #[command(flatten)]
    pub(crate) server: Server,

    #[command(flatten)]
    pub(crate) waiting: Waiting,

    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Args, Debug)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) token: Token,

    #[command(flatten)]
    pub(crate) place: Place,

    #[command(flatten)]
    pub(crate) server: Server,

    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Form {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// Its name; without it, every resource in the directory
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(crate) resource: Option<OsString>,

    /// Its id, where nobody knows the name
    #[arg(long, value_name = "ID", conflicts_with_all = ["namespace", "resource"])]
    pub(crate) id: Option<ResourceId>,

    #[command(flatten)]
    pub(crate) namespace: Namespace,

    #[command(flatten)]
    pub(crate) place: Place,

    #[command(flatten)]
    pub(crate) server: Server,

    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Args, Debug)]
pub(crate) struct Target {
    #[command(flatten)]
    pub(crate) which: Which,

    #[command(flatten)]
    pub(crate) namespace: Namespace,

    #[command(flatten)]
    pub(crate) place: Place,

    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Args, Debug)]
pub(crate) struct History {
    #[command(flatten)]
    pub(crate) target: Target,

    /// Only the last COUNT entries
    #[arg(long, value_name = "COUNT")]
    pub(crate) last: Option<usize>,
}

#[derive(Args, Debug)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) target: Target,

    /// A head that was noted elsewhere, which the log must contain
    #[arg(long, value_name = "HASH")]
    pub(crate) head: Option<LogHead>,
}

#[derive(Args, Debug)]
pub(crate) struct Recover {
    #[command(flatten)]
    pub(crate) target: Target,

    #[command(flatten)]
    pub(crate) server: Server,

    /// The greatest epoch that anybody remembers; 0 for none
    #[arg(long, value_name = "FLOOR", value_parser = floor)]
    pub(crate) floor: Floor,

    /// The realm that an earlier try printed, to finish what it began
    #[arg(long, value_name = "REALM")]
    pub(crate) realm: Option<RealmId>,

    /// Make the guard's files anew; every process that may run under a guard was ended
    #[arg(long)]
    pub(crate) rebuild_gate: bool,

    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

#[derive(Args, Debug)]
pub(crate) struct Evict {
    #[command(flatten)]
    pub(crate) target: Target,

    #[command(flatten)]
    pub(crate) server: Server,

    /// Only if this grant holds, as `inspect` shows it
    #[arg(long, value_name = "GRANT")]
    pub(crate) grant: Option<GrantId>,
}

#[derive(Args, Debug)]
pub(crate) struct Init {
    /// The server; see above
    #[arg(long, value_name = "URL", env = store::ENGINE, hide_env_values = true)]
    pub(crate) engine: Address,

    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Args, Debug)]
pub(crate) struct Accept {
    /// The server
    #[arg(long, value_name = "URL", env = store::ENGINE, hide_env_values = true)]
    pub(crate) engine: Address,

    #[command(flatten)]
    pub(crate) form: Form,
}

/// An epoch, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Floor(pub(crate) Option<Epoch>);

fn floor(text: &str) -> Result<Floor, epoch_fence::DecodeError> {
    if text == "0" { Ok(Floor(None)) } else { text.parse().map(|epoch| Floor(Some(epoch))) }
}

fn duration(text: &str) -> Result<Duration, humantime::DurationError> {
    humantime::parse_duration(text)
}

/// Below it, two failed renewals would leave no time to stop a command.
const SHORTEST: Duration = Duration::from_secs(1);

fn ttl(text: &str) -> Result<Ttl, String> {
    let length = duration(text).map_err(|why| why.to_string())?;
    Ttl::new(length).filter(|ttl| ttl.get() >= SHORTEST).ok_or_else(|| "expected 1s to 1d".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Allow;

    #[test]
    fn a_kind_of_file_system_is_written_as_it_is_read() {
        for kind in ["volatile", "network", "unknown", "tmpfs"] {
            assert_eq!(kind.parse::<Allow>().unwrap().to_string(), kind);
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        super::Options::command().debug_assert();
    }
}
