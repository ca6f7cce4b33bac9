//! Stamps in the headers of messages over a real NATS server, between two processes with clocks of their own: the consumer's
//! wall clock is behind, its stamps are not, and what a hostile producer sends moves nothing.
//!
//! A header of NATS is text, so that a stamp goes as its 33 characters (`hlc::format`, *Message headers*).

use core::error::Error;
use core::fmt;
use core::time::Duration;
use std::env;
use std::io::{self, Write as _};
use std::process::{Child, Command, Stdio};

use async_nats::{Client, HeaderMap, Message, Subscriber};
use clock_testing::nats::Nats;
use futures_util::StreamExt as _;
use hlc::{
    AtomicClock, NodeId, ObserveError, PhysicalTime, Source, Stamp, TextError, Timestamp,
    source::ManualSource,
};
use tokio::time::timeout;

const SUBJECT: &str = "orders";
/// In NATS, upper and lower case are different names.
const HEADER: &str = "hlc-stamp";
const MESSAGES: usize = 500;

/// Set in the process that produces: where the server is.
const PRODUCE: &str = "CLOCK_EXAMPLES_PRODUCE";

// The wall clocks are scripted, so that the outcome does not hang on the hour.
const CONSUMERS_WALL: PhysicalTime = PhysicalTime::from_millis(1_700_000_000_000);
const PRODUCERS_WALL: PhysicalTime = PhysicalTime::from_millis(1_700_000_000_400);

/// Long, so that a busy machine is no failure; and not for ever.
const PATIENCE: Duration = Duration::from_secs(60);

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Why a message was refused. The clock is as it was.
#[derive(Debug, PartialEq)]
enum Refused {
    /// Two stamps: nobody says which of them the next reader takes.
    Repeated,
    Text(TextError),
    Clock(ObserveError),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeated => write!(f, "header {HEADER} comes more than once"),
            Self::Text(error) => error.fmt(f),
            Self::Clock(error) => error.fmt(f),
        }
    }
}

impl Error for Refused {}

fn headers(sent: Stamp) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(HEADER, sent.to_string());
    headers
}

/// The stamp in a message, if it has one. Reading is bounded by the one length that the text form has.
fn stamp_of(message: &Message) -> Result<Option<Stamp>, Refused> {
    let Some(headers) = &message.headers else { return Ok(None) };
    // `get` would return the first of several.
    let mut values = headers.get_all(HEADER);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => one.as_str().parse().map(Some).map_err(Refused::Text),
        (Some(_), Some(_)) => Err(Refused::Repeated),
    }
}

/// What was in the header, and the stamp of its receipt. A message without the header is an event like any other.
fn receive<S: Source>(clock: &AtomicClock<S>, message: &Message) -> Outcome<(Option<Stamp>, Timestamp)> {
    let heard = stamp_of(message)?;
    let received = match heard {
        Some(stamp) => clock.observe(stamp.timestamp()).map_err(Refused::Clock)?,
        None => clock.tick()?,
    };
    Ok((heard, received))
}

/// The other process: stamps what it sends by a clock of its own.
async fn produce(url: &str) -> Outcome<()> {
    let client = async_nats::connect(url).await?;
    let (clock, me) = (AtomicClock::new(ManualSource::at(PRODUCERS_WALL)), NodeId::new(1)?);
    for number in 0..MESSAGES {
        let sent = clock.tick()?.at_node(me);
        client.publish_with_headers(SUBJECT, headers(sent), number.to_string().into()).await?;
    }
    Ok(client.flush().await?)
}

/// The process that produces. It ends with whoever started it, and by itself where that one is killed.
struct Producer(Child);

impl Drop for Producer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts this program again, as the producer.
fn producer(url: &str) -> Outcome<Producer> {
    let mut command = Command::new(env::current_exe()?);
    // Where it is the test harness that runs this, the test that runs `main`; without one, nobody reads them.
    command.args(["tests::receipts_are_after_what_was_sent_and_hostile_messages_move_nothing", "--exact"]);
    Ok(Producer(command.env(PRODUCE, url).stdout(Stdio::null()).spawn()?))
}

async fn next(messages: &mut Subscriber) -> Outcome<Message> {
    timeout(PATIENCE, messages.next()).await?.ok_or_else(|| "the subscription ended".into())
}

/// Subscribes, and returns when the server knows: after that no message is missed.
async fn subscribe(client: &Client) -> Outcome<Subscriber> {
    let mut messages = client.subscribe(SUBJECT).await?;
    client.publish(SUBJECT, "here I am".into()).await?;
    let echo = next(&mut messages).await?;
    assert_eq!(stamp_of(&echo)?, None, "it has no header");
    Ok(messages)
}

async fn consume(url: &str) -> Outcome<()> {
    let client = async_nats::connect(url).await?;
    let (clock, me) = (AtomicClock::new(ManualSource::at(CONSUMERS_WALL)), NodeId::new(2)?);
    let mut messages = subscribe(&client).await?;
    let mut producer = producer(url)?;

    let mut before = None;
    for number in 0..MESSAGES {
        let message = next(&mut messages).await?;
        assert_eq!(*message.payload, *number.to_string().as_bytes());
        let (heard, received) = receive(&clock, &message)?;
        let (heard, received) = (heard.ok_or("a stamp was sent")?, received.at_node(me));
        assert!(received > heard, "causal: {received} was received, {heard} was sent");
        assert!(
            heard.timestamp().physical_time() > CONSUMERS_WALL,
            "by wall time it came before it was sent"
        );
        assert!(before < Some(received), "monotonic");
        before = Some(received);
    }
    assert!(producer.0.wait()?.success(), "the producer failed");

    let before = clock.last();
    let hostile = hostile(&client).await?;
    for expected in &hostile {
        let message = next(&mut messages).await?;
        let refused = receive(&clock, &message).err().ok_or("it was not refused")?;
        assert_eq!(expected, &name(&*refused), "{refused}");
        assert_eq!(clock.last(), before, "{refused}");
    }

    // Whoever sends no stamp, or sends it late, is still served.
    client.publish(SUBJECT, "no header".into()).await?;
    let (heard, received) = receive(&clock, &next(&mut messages).await?)?;
    assert!(heard.is_none() && Some(received) > before);
    let old = Timestamp::from_parts(1_500_000_000_000, 0)?.at_node(me);
    client.publish_with_headers(SUBJECT, headers(old), "old".into()).await?;
    let (heard, later) = receive(&clock, &next(&mut messages).await?)?;
    assert!(heard == Some(old) && later > received);
    Ok(())
}

/// Sends what a hostile producer might, and returns what is to become of each.
async fn hostile(client: &Client) -> Outcome<Vec<&'static str>> {
    let year = Timestamp::from_parts(1_731_622_400_000, 0)?.at_node(NodeId::MIN).to_string();
    // Half a second ahead is let through; this is a millisecond more.
    let just_too_far = Timestamp::from_parts(1_700_000_000_501, 0)?.at_node(NodeId::MIN).to_string();
    let (last, long) = (Timestamp::MAX.at_node(NodeId::MAX).to_string(), "0".repeat(100_000));
    let rows: [(&str, &[&str]); 10] = [
        ("skew", &[&year]),
        ("skew", &[&just_too_far]),
        ("skew", &[&last]),
        ("length", &[&long]),
        ("length", &[""]),
        ("digit", &["018BCFE568000007-000000000000002a"]),
        ("separator", &["018bcfe568000007_000000000000002a"]),
        ("zero", &["0000000000000000-000000000000002a"]),
        ("node", &["018bcfe568000007-0400000000000000"]),
        ("repeated", &["018bcfe568000007-000000000000002a", "018bcfe568000008-000000000000002a"]),
    ];
    for (_, values) in rows {
        let mut headers = HeaderMap::new();
        values.iter().for_each(|value| headers.append(HEADER, *value));
        client.publish_with_headers(SUBJECT, headers, "hostile".into()).await?;
    }
    Ok(rows.map(|(name, _)| name).to_vec())
}

fn name(refused: &(dyn Error + 'static)) -> &'static str {
    match refused.downcast_ref() {
        Some(Refused::Repeated) => "repeated",
        Some(Refused::Text(TextError::Length(_))) => "length",
        Some(Refused::Text(TextError::Digit(_))) => "digit",
        Some(Refused::Text(TextError::Separator)) => "separator",
        Some(Refused::Text(TextError::ZeroTimestamp)) => "zero",
        Some(Refused::Text(TextError::NodeId(_))) => "node",
        Some(Refused::Clock(ObserveError::Skew(_))) => "skew",
        _ => "something else",
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    if let Ok(url) = env::var(PRODUCE) {
        // The client would wait for ever for a server that is gone.
        return timeout(PATIENCE, produce(&url)).await?;
    }
    let server = match Nats::start() {
        Ok(server) => server,
        Err(missing) => {
            missing.not_run();
            return Ok(());
        }
    };
    consume(&server.url()).await?;
    writeln!(
        io::stdout(),
        "every receipt was after what was sent, by a wall clock that is behind; hostile messages moved nothing"
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn receipts_are_after_what_was_sent_and_hostile_messages_move_nothing() {
        super::main().unwrap();
    }
}
