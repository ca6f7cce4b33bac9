//! Stamps in the headers of messages: written, read, and refused where they are not what they seem.
//!
//! Two shops whose wall clocks differ by 300 ms exchange messages with a text header, and one that has no clock answers
//! without. What the log of both is sorted by is the header itself, as text.
//!
//! Run: `cargo run -p hlc --example headers`. `docs/stamps-in-headers.md` walks through it.

use core::{error::Error, fmt};

use hlc::{
    Clock, DecodeError, NodeId, ObserveError, Stamp, TextError, TickError, Timestamp, source::ManualSource,
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The name of the header. Its value is the text of a stamp: 33 characters, which every proxy lets through.
const HEADER: &str = "hlc-stamp: ";

/// Why a message was not taken.
#[derive(Debug)]
enum Refused {
    /// The header is there and is no stamp: a broken sender, or a hostile one.
    Header(TextError),
    /// It is a stamp, and the clock does not believe it.
    Clock(ObserveError),
    /// The clock has no stamp for a message without one.
    Tick(TickError),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(why) => write!(f, "the header is no stamp: {why}"),
            Self::Clock(why) => why.fmt(f),
            Self::Tick(why) => why.fmt(f),
        }
    }
}

impl Error for Refused {}

struct Shop<'w> {
    clock: Clock<&'w ManualSource>,
    node: NodeId,
    /// What happened here: the header it goes under, and what it was.
    log: Vec<(String, String)>,
}

impl<'w> Shop<'w> {
    fn new(node: u64, wall: &'w ManualSource) -> Outcome<Self> {
        Ok(Self { clock: Clock::new(wall), node: NodeId::new(node)?, log: Vec::new() })
    }

    fn send(&mut self, body: &str) -> Result<String, TickError> {
        let stamp = self.clock.tick()?.at_node(self.node);
        self.log.push((stamp.to_string(), format!("sent {body}")));
        Ok(format!("{HEADER}{stamp}\n\n{body}"))
    }

    /// Takes a message, and gives its receipt a stamp of its own. After an error nothing has changed.
    fn receive(&mut self, message: &str) -> Result<Stamp, Refused> {
        let (header, body) = match message.split_once("\n\n") {
            Some((head, body)) => (head.lines().find_map(|line| line.strip_prefix(HEADER)), body),
            None => (None, message),
        };
        let received = match header {
            Some(text) => {
                let sent: Stamp = text.parse().map_err(Refused::Header)?;
                self.clock.observe(sent.timestamp()).map_err(Refused::Clock)?
            }
            // A sender that does not stamp yet: the receipt is an event like any other, and no chain leads to it.
            None => self.clock.tick().map_err(Refused::Tick)?,
        };
        let received = received.at_node(self.node);
        self.log.push((received.to_string(), format!("received {body}")));
        Ok(received)
    }
}

/// What must not get in, each with the reason for which it does not.
fn hostile(shop: &mut Shop<'_>) -> Outcome<()> {
    let before = (shop.clock.last(), shop.log.len());
    let far = Timestamp::from_parts(16_725_225_600_000, 0)?.at_node(NodeId::new(9)?);
    let refusals = [
        ("", "33"),
        ("018bcfe568000007", "33"),
        ("018BCFE568000007-000000000000002a", "lower-case"),
        ("018bcfe568000007_000000000000002a", "joined by a single '-'"),
        ("0000000000000000-000000000000002a", "zero"),
        ("018bcfe568000007-ffffffffffffffff", "58 bits"),
        (&far.to_string(), "ahead of the local physical clock"),
    ];
    for (header, why) in refusals {
        match shop.receive(&format!("{HEADER}{header}\n\nhello")) {
            Err(refused) => assert!(refused.to_string().contains(why), "{header}: {refused}"),
            Ok(stamp) => return Err(format!("{header} was received at {stamp}").into()),
        }
    }
    assert_eq!((shop.clock.last(), shop.log.len()), before, "what was refused changed nothing");
    assert_eq!(shop.clock.snapshot().skew_refusals(), 1, "and the clock counted the one that it saw");
    Ok(())
}

/// The same in bytes, between programs of different releases: the envelope says which version it is.
fn envelopes(stamp: Stamp) -> Outcome<()> {
    let bytes = stamp.to_envelope();
    assert_eq!(Stamp::from_envelope(&bytes)?, stamp);
    // A later release may send a longer one. This release says so, and does not guess.
    let mut later = bytes.to_vec();
    later.push(0);
    if let Some(version) = later.first_mut() {
        *version = 2;
    }
    let refused = Stamp::<NodeId>::from_envelope(&later);
    assert!(matches!(refused, Err(DecodeError::Version(found)) if found.version() == 2));
    Ok(())
}

fn main() -> Outcome<()> {
    let (fast, slow) =
        (ManualSource::at_millis(1_700_000_000_300), ManualSource::at_millis(1_700_000_000_000));
    let (mut alice, mut bob) = (Shop::new(1, &fast)?, Shop::new(2, &slow)?);

    let asked = alice.send("one ledger, please")?;
    let received = bob.receive(&asked)?;
    let answer = bob.send("there you are")?;
    let heard = alice.receive(&answer)?;
    alice.receive("a postcard, without a header")?;
    assert!(heard > received, "causal, although Bob's wall clock is 300 ms behind");
    hostile(&mut bob)?;
    envelopes(heard)?;

    // Sorted as text is sorted as values, so the header is the key of the log.
    let mut log: Vec<_> = alice.log.into_iter().chain(bob.log).collect();
    log.sort();
    let story: Vec<_> = log.iter().map(|(_, what)| what.as_str()).collect();
    assert_eq!(
        story,
        [
            "sent one ledger, please",
            "received one ledger, please",
            "sent there you are",
            "received there you are",
            "received a postcard, without a header",
        ],
        "a cause before its effect"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_header_sorts_causes_before_effects_and_a_hostile_one_changes_nothing() {
        super::main().unwrap();
    }
}
