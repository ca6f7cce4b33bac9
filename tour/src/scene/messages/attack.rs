//! `Attack`: what the hostile peer sends, and what a node must say to it.

use alloc::collections::BTreeMap;
use core::fmt;

use hlc::{NodeId, Stamp, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    event::EventId,
    message::{self, Message},
    refusal::Refusal,
};
use crate::frame::{self, LENGTH_BYTES};

/// How often each attack was made.
pub(crate) type Attacks = BTreeMap<Attack, u64>;

/// 2500-01-01T00:00:00Z in milliseconds since the Unix epoch.
const YEAR_2500_MILLIS: u64 = 16_725_225_600_000;

/// One thing that a hostile peer can send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Attack {
    /// A well-formed stamp of the year 2500, in the name of a node of the fleet.
    Year2500,
    /// The greatest timestamp there is, in the name of a node of the fleet.
    EndOfTime,
    /// A header of the right length with all bits set.
    AllOnes,
    /// A known version, then all bits set.
    AllOnesStamp,
    /// A known version, then zeros.
    ZeroStamp,
    /// Half a header, and the frame says so.
    TruncatedHeader,
    /// A header of 200 bytes that begins with a good envelope.
    OversizedHeader,
    /// A header that says it is longer than its frame.
    OverrunningHeader,
    /// A good stamp, and half a body behind it.
    TruncatedBody,
    /// A good stamp and a good body of somebody whom nobody knows.
    Stranger,
    /// A frame of no bytes.
    EmptyFrame,
    /// A frame that says it has 4 GiB.
    OversizedFrame,
    /// Half a frame, and the end of the connection.
    CutFrame,
    /// Half a frame, and silence.
    StalledFrame,
    /// A frame that comes byte by byte, more slowly than a frame may.
    DrippedFrame,
}

/// What becomes of the connection of an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// The frame is whole, so that the next one can follow on the same connection.
    Whole,
    /// Nothing more can follow: the connection ends.
    Last,
    /// The connection stays open, silent, until the node closes it.
    Stall,
    /// The connection stays open, and the rest comes byte by byte, until the node closes it.
    Drip,
}

impl Attack {
    pub(crate) const ALL: [Self; 15] = [
        Self::Year2500,
        Self::EndOfTime,
        Self::AllOnes,
        Self::AllOnesStamp,
        Self::ZeroStamp,
        Self::TruncatedHeader,
        Self::OversizedHeader,
        Self::OverrunningHeader,
        Self::TruncatedBody,
        Self::Stranger,
        Self::EmptyFrame,
        Self::OversizedFrame,
        Self::CutFrame,
        Self::StalledFrame,
        Self::DrippedFrame,
    ];

    /// What a node must refuse it for.
    pub(crate) const fn refusal(self) -> Refusal {
        match self {
            Self::Year2500 | Self::EndOfTime => Refusal::Skew,
            Self::AllOnes => Refusal::Version,
            Self::AllOnesStamp => Refusal::NodeId,
            Self::ZeroStamp => Refusal::ZeroStamp,
            Self::TruncatedHeader | Self::OversizedHeader => Refusal::HeaderLength,
            Self::OverrunningHeader => Refusal::HeaderOverrun,
            Self::TruncatedBody => Refusal::Body,
            Self::Stranger => Refusal::Stranger,
            Self::EmptyFrame | Self::OversizedFrame => Refusal::FrameLength,
            Self::CutFrame => Refusal::Cut,
            Self::StalledFrame | Self::DrippedFrame => Refusal::Stalled,
        }
    }

    pub(crate) const fn manner(self) -> Manner {
        match self {
            Self::Year2500
            | Self::EndOfTime
            | Self::AllOnes
            | Self::AllOnesStamp
            | Self::ZeroStamp
            | Self::TruncatedHeader
            | Self::OversizedHeader
            | Self::OverrunningHeader
            | Self::TruncatedBody
            | Self::Stranger => Manner::Whole,
            Self::EmptyFrame | Self::OversizedFrame | Self::CutFrame => Manner::Last,
            Self::StalledFrame => Manner::Stall,
            Self::DrippedFrame => Manner::Drip,
        }
    }

    /// Returns the bytes to send, in the name of `victim`, a node of the fleet. `good` is a stamp that the
    /// target would take from that node.
    pub(crate) fn bytes(self, victim: u32, good: Timestamp) -> Vec<u8> {
        let event = EventId { node: victim, place: u32::MAX };
        let good = good.at_node(node_id(victim));
        let framed = |header: &[u8]| frame::frame(&message::content(header, event));
        let version_then = |byte: u8| {
            let mut header = [byte; 17];
            header[0] = <Stamp>::ENVELOPE_VERSION;
            framed(&header)
        };
        let far = |timestamp: Timestamp| framed(&timestamp.at_node(node_id(victim)).to_envelope());
        let whole = Message { stamp: good, event }.to_frame();
        match self {
            Self::Year2500 => far(Timestamp::from_parts(YEAR_2500_MILLIS, 0).unwrap_or(Timestamp::MAX)),
            Self::EndOfTime => far(Timestamp::MAX),
            Self::AllOnes => framed(&[0xff; 17]),
            Self::AllOnesStamp => version_then(0xff),
            Self::ZeroStamp => version_then(0),
            Self::TruncatedHeader => framed(good.to_envelope().first_chunk::<9>().unwrap_or(&[0; 9])),
            Self::OversizedHeader => {
                let mut header = good.to_envelope().to_vec();
                header.resize(200, 0);
                framed(&header)
            }
            Self::OverrunningHeader => {
                let mut content = message::content(&good.to_envelope(), event);
                if let Some(length) = content.first_mut() {
                    *length = u8::MAX;
                }
                frame::frame(&content)
            }
            Self::TruncatedBody => {
                let mut content = message::content(&good.to_envelope(), event);
                content.truncate(content.len().saturating_sub(4));
                frame::frame(&content)
            }
            Self::Stranger => {
                let nobody = EventId { node: u32::MAX, place: 0 };
                Message { stamp: good.timestamp().at_node(node_id(nobody.node)), event: nobody }.to_frame()
            }
            Self::EmptyFrame => frame::frame(&[]),
            Self::OversizedFrame => u32::MAX.to_be_bytes().to_vec(),
            Self::CutFrame | Self::StalledFrame => begun(whole, 8),
            // The rest of the frame is known to whoever drips it.
            Self::DrippedFrame => begun(whole, 1),
        }
    }
}

/// Returns the length field of a frame, and the first bytes of its content.
fn begun(mut whole: Vec<u8>, content_bytes: usize) -> Vec<u8> {
    whole.truncate(LENGTH_BYTES.saturating_add(content_bytes));
    whole
}

/// Returns the id that a node of this number has in its stamps.
pub(crate) const fn node_id(node: u32) -> NodeId {
    NodeId::from_random_bits(node as u64)
}

impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Year2500 => "stamp of the year 2500",
            Self::EndOfTime => "stamp of the end of time",
            Self::AllOnes => "header, all bits set",
            Self::AllOnesStamp => "stamp, all bits set",
            Self::ZeroStamp => "stamp of zero",
            Self::TruncatedHeader => "truncated header",
            Self::OversizedHeader => "oversized header",
            Self::OverrunningHeader => "header past its frame",
            Self::TruncatedBody => "truncated body",
            Self::Stranger => "unknown sender",
            Self::EmptyFrame => "empty frame",
            Self::OversizedFrame => "frame of 4 GiB",
            Self::CutFrame => "cut frame",
            Self::StalledFrame => "stalled frame",
            Self::DrippedFrame => "frame byte by byte",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use hlc::{Clock, SkewPolicy, source::ManualSource};

    const NOW_MILLIS: u64 = 1_800_000_000_000;

    fn sent(attack: Attack) -> Vec<u8> {
        attack.bytes(2, Timestamp::from_parts(NOW_MILLIS, 0).unwrap())
    }

    #[test]
    fn the_year_2500_is_the_year_2500() {
        let stamp = Timestamp::from_parts(YEAR_2500_MILLIS, 0).unwrap();
        assert_eq!(stamp.human().to_string(), "2500-01-01T00:00:00.000Z+0");
    }

    #[test]
    fn every_whole_attack_is_refused_for_its_cause_and_moves_no_clock() {
        let source = ManualSource::at_millis(NOW_MILLIS);
        let mut clock = Clock::new(&source).with_skew_policy(SkewPolicy::AtMost(Duration::from_secs(10)));
        clock.tick().unwrap();
        for attack in Attack::ALL.into_iter().filter(|attack| attack.manner() == Manner::Whole) {
            let before = clock.last();
            let met = match Message::from_content(&sent(attack)[LENGTH_BYTES..]) {
                Err(refusal) => Some(refusal),
                Ok(message) if message.event.node > 2 => Some(Refusal::Stranger),
                Ok(message) => clock.observe(message.stamp.timestamp()).err().map(Refusal::from),
            };
            assert_eq!(met, Some(attack.refusal()), "{attack}");
            assert_eq!(clock.last(), before, "{attack}");
        }
    }

    #[test]
    fn what_is_good_about_an_attack_is_good_so_that_only_its_fault_is_refused() {
        let source = ManualSource::at_millis(NOW_MILLIS);
        let whole = Message {
            stamp: Timestamp::from_parts(NOW_MILLIS, 0).unwrap().at_node(node_id(2)),
            event: EventId { node: 2, place: u32::MAX },
        };
        assert_eq!(Message::from_content(&whole.to_frame()[LENGTH_BYTES..]), Ok(whole));
        assert!(Clock::new(&source).observe(whole.stamp.timestamp()).is_ok());
        for attack in [Attack::CutFrame, Attack::StalledFrame, Attack::DrippedFrame] {
            assert!(whole.to_frame().starts_with(&sent(attack)), "{attack}");
        }
    }
}
