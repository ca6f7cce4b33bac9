//! The logs of three hosts, of which one is an hour ahead and one an hour behind, put into one order by `sort`.
//!
//! `cargo run -p clock-examples --example log_lines` prints the story as it happened. Each host here is a subscriber of
//! `tracing` with a clock of its own; in a real one it is the one subscriber and the one clock of the process.
#![expect(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a program, written as its readers write theirs"
)]

use std::{
    error::Error,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use hlc::{
    AtomicClock, NodeId, PhysicalTime, SkewPolicy, Source, SourceError, Stamp,
    source::{self, SystemSource},
};
use hlc_tracing::{StampLayer, StampTimer};
use tracing::{Dispatch, dispatcher::with_default, info, info_span};
use tracing_subscriber::{fmt, layer::SubscriberExt, registry::Registry};

type Outcome<T> = Result<T, Box<dyn Error>>;
type Wall = Box<dyn Source + Send + Sync>;

const HOUR: Duration = Duration::from_secs(3_600);
/// Hosts that are two hours apart have to believe each other by that much.
const POLICY: SkewPolicy = SkewPolicy::AtMost(Duration::from_secs(3 * 3_600));

/// A wall clock that is off.
fn wall(adjust: fn(PhysicalTime) -> Option<PhysicalTime>) -> Wall {
    let system = SystemSource::new();
    let out_of_range = SourceError::Unavailable("out of range");
    Box::new(source::from_fn(move || adjust(system.now()?).ok_or(out_of_range)))
}

struct Host {
    node: NodeId,
    clock: Arc<AtomicClock<Wall>>,
    log: Dispatch,
    path: PathBuf,
}

impl Host {
    fn new(name: &str, node: u32, wall: Wall, folder: &Path) -> Outcome<Self> {
        let node = NodeId::from(node);
        let clock = Arc::new(AtomicClock::new(wall).with_skew_policy(POLICY));
        let path = folder.join(format!("{name}.log"));
        let lines = fmt::layer()
            .with_timer(StampTimer::new(Arc::clone(&clock), node))
            .with_writer(Arc::new(File::create(&path)?))
            .with_target(false)
            .with_ansi(false);
        let log =
            Dispatch::new(Registry::default().with(lines).with(StampLayer::new(Arc::clone(&clock), node)));
        Ok(Self { node, clock, log, path })
    }

    /// Does something, and sends a message about it. Its stamp is what goes into the message's header.
    fn send(&self, what: &str) -> Outcome<String> {
        with_default(&self.log, || info!("{what}"));
        Ok(self.clock.tick()?.at_node(self.node).to_string())
    }

    /// Hears of something, and does what follows from it.
    fn receive(&self, header: &str, what: &str) -> Outcome<String> {
        let stamp: Stamp = header.parse()?;
        let received = self.clock.observe(stamp.timestamp())?.at_node(self.node);
        with_default(&self.log, || {
            // The field is in every line of the span, and so all of them can be found again.
            let _request = info_span!("request", cause = %stamp, %received).entered();
            self.send(what)
        })
    }
}

/// An order, from the shop to the stock to the bank to the shop.
fn story(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let shop = Host::new("shop", 1, wall(Some), folder)?;
    let stock = Host::new("stock", 2, wall(|now| now.checked_add(HOUR)), folder)?;
    let bank = Host::new("bank", 3, wall(|now| now.checked_sub(HOUR)), folder)?;
    let order = shop.send("1 order accepted")?;
    let reserved = stock.receive(&order, "2 goods reserved")?;
    let paid = bank.receive(&reserved, "3 payment taken")?;
    let shipped = shop.receive(&paid, "4 order confirmed")?;
    stock.receive(&shipped, "5 goods shipped")?;
    Ok([shop, stock, bank].map(|host| host.path).into())
}

/// What an operator types.
fn sorted(logs: &[PathBuf]) -> Outcome<String> {
    let sort = Command::new("sort").env("LC_ALL", "C").args(logs).output()?;
    if !sort.status.success() {
        return Err(String::from_utf8_lossy(&sort.stderr).into());
    }
    Ok(String::from_utf8(sort.stdout)?)
}

fn main() -> Outcome<()> {
    let folder = std::env::temp_dir().join(format!("clock-log-lines-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let told = story(&folder).and_then(|logs| sorted(&logs));
    std::fs::remove_dir_all(&folder)?;
    write!(std::io::stdout().lock(), "{}", told?)?;
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_sorted_logs_tell_the_story_in_the_order_in_which_it_happened() {
        let folder = clock_testing::Folder::new("log-lines");
        let told = sorted(&story(folder.path()).unwrap()).unwrap();
        let numbers: Vec<_> = told
            .lines()
            .map(|line| line.split_whitespace().find_map(|word| word.parse::<u8>().ok()).unwrap())
            .collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5], "{told}");
        // By wall clock, the payment would have been taken two hours before the goods were reserved.
        let of_bank: Stamp = told.lines().nth(2).unwrap()[..33].parse().unwrap();
        let real = SystemSource::new().now().unwrap();
        let ahead = of_bank.timestamp().physical_time().saturating_since(real);
        assert!(
            ahead > HOUR / 2,
            "it was stamped after what the stock had stamped, an hour ahead: {ahead:?}"
        );
    }

    #[test]
    fn the_program_runs() {
        main().unwrap();
    }
}
