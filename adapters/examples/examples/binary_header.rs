//! A stamp inside a binary header of one's own, which `zerocopy` reads in place: no padding, no copy, and any bytes that a
//! peer sends are refused by name or are a frame.

use core::error::Error;
use core::fmt;
use std::io::{self, Write as _};

use hlc::{AtomicClock, DecodeError, NodeId, ObserveError, Source, Stamp, StampBytes, source::ManualSource};
use zerocopy::byteorder::big_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

const MAGIC: [u8; 2] = *b"ex";
const VERSION: u8 = 1;

/// What stands before each payload. `StampBytes` is a field like the others: it has no alignment to leave room for, and any
/// bytes are a value of it.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Header {
    magic: [u8; 2],
    version: u8,
    sent: StampBytes,
    /// Of the payload.
    length: U16,
}

/// Why a frame is none.
#[derive(Debug, PartialEq)]
enum Refused {
    Header,
    Version(u8),
    Stamp(DecodeError),
    Length { said: usize, came: usize },
    Clock(ObserveError),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("no header of this protocol"),
            Self::Version(version) => write!(f, "header of version {version}"),
            Self::Stamp(error) => error.fmt(f),
            Self::Length { said, came } => write!(f, "payload of {came} bytes where the header says {said}"),
            Self::Clock(error) => error.fmt(f),
        }
    }
}

impl Error for Refused {}

fn frame(sent: Stamp, payload: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let length = U16::new(payload.len().try_into()?);
    let header = Header { magic: MAGIC, version: VERSION, sent: sent.into(), length };
    Ok([header.as_bytes(), payload].concat())
}

/// What was sent and when, read where it lies.
fn read(frame: &[u8]) -> Result<(Stamp, &[u8]), Refused> {
    let (header, payload) = Header::ref_from_prefix(frame).map_err(|_| Refused::Header)?;
    if header.magic != MAGIC {
        return Err(Refused::Header);
    }
    if header.version != VERSION {
        return Err(Refused::Version(header.version));
    }
    let (said, came) = (usize::from(header.length.get()), payload.len());
    if said != came {
        return Err(Refused::Length { said, came });
    }
    // Here the sixteen bytes become a stamp, or an error.
    Ok((header.sent.to_stamp().map_err(Refused::Stamp)?, payload))
}

/// The receive event's stamp; the clock is as it was after an error.
fn receive<'f, S: Source>(
    clock: &AtomicClock<S>,
    me: NodeId,
    frame: &'f [u8],
) -> Result<(Stamp, &'f [u8]), Refused> {
    let (sent, payload) = read(frame)?;
    let received = clock.observe(sent.timestamp()).map_err(Refused::Clock)?;
    Ok((received.at_node(me), payload))
}

fn main() -> Result<(), Box<dyn Error>> {
    assert_eq!((size_of::<Header>(), align_of::<Header>()), (21, 1), "no padding");
    let sender = AtomicClock::new(ManualSource::at_millis(1_700_000_000_400));
    let receiver = AtomicClock::new(ManualSource::at_millis(1_700_000_000_000));

    let sent = sender.tick()?.at_node(NodeId::new(1)?);
    let whole = frame(sent, b"hello")?;
    let (received, payload) = receive(&receiver, NodeId::new(2)?, &whole)?;
    assert_eq!(payload, b"hello");
    assert!(received > sent, "although the receiver's wall clock is 400 ms behind");

    // Headers as they come sort in the order of their stamps, before anybody has checked them.
    let next = frame(sender.tick()?.at_node(NodeId::new(1)?), b"again")?;
    let stamp_of = |frame: &[u8]| Header::read_from_prefix(frame).map(|(header, _)| header.sent).ok();
    assert!(stamp_of(&next) > stamp_of(&whole));
    writeln!(io::stdout(), "{} bytes of header, sent {sent}, received {received}", size_of::<Header>())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Vec<u8> {
        let sent =
            hlc::Timestamp::from_parts(1_700_000_000_000, 7).unwrap().at_node(NodeId::new(42).unwrap());
        frame(sent, b"hello").unwrap()
    }

    #[test]
    fn a_stamp_in_a_header_orders_a_receipt_after_what_was_sent() {
        main().unwrap();
    }

    #[test]
    fn a_damaged_frame_is_refused_by_name_and_moves_no_clock() {
        let clock = AtomicClock::new(ManualSource::at_millis(1_700_000_000_000));
        let before = clock.last();
        let refused = |bytes: &[u8]| {
            let refused = receive(&clock, NodeId::MIN, bytes).expect_err("it is refused");
            assert_eq!(clock.last(), before, "{refused}");
            refused
        };
        for length in 0..whole().len() {
            let expected = match length.checked_sub(size_of::<Header>()) {
                Some(came) => Refused::Length { said: 5, came },
                None => Refused::Header,
            };
            assert_eq!(refused(&whole()[..length]), expected);
        }
        let with = |at: usize, bytes: &[u8]| {
            let mut frame = whole();
            frame[at..at + bytes.len()].copy_from_slice(bytes);
            frame
        };
        assert_eq!(refused(&with(0, b"EX")), Refused::Header);
        assert_eq!(refused(&with(2, &[2])), Refused::Version(2));
        assert_eq!(refused(&with(3, &[0; 8])), Refused::Stamp(DecodeError::ZeroTimestamp));
        assert!(matches!(refused(&with(11, &[4])), Refused::Stamp(DecodeError::NodeId(_))));
        assert!(matches!(refused(&with(3, &[0xff; 8])), Refused::Clock(ObserveError::Skew(_))));
        assert!(receive(&clock, NodeId::MIN, &whole()).is_ok());
    }
}
