//! Bytes from outside: what is wrong in every way that a form can be, and noise.

use core::str::FromStr;

use epoch_fence::{FencingToken, protocol};
use hlc::{NodeId, Timestamp};
use vector_clock::{Fixed, Limits, VersionVector};

use crate::outcome::{Outcome, hold, say};

/// A form of bytes: whether it takes some, and whether what it took is what it would write.
type Takes = fn(&[u8]) -> Option<bool>;

/// Every decoder, by the name of its form.
const FORMS: [(&str, Takes); 12] = [
    ("hlc timestamp", |bytes| {
        Timestamp::from_bytes(bytes.try_into().ok()?).ok().map(|it| it.to_bytes() == bytes)
    }),
    ("hlc stamp", |bytes| {
        hlc::Stamp::<NodeId>::from_bytes(bytes.try_into().ok()?).ok().map(|it| it.to_bytes() == bytes)
    }),
    ("hlc envelope", |bytes| {
        hlc::Stamp::<NodeId>::from_envelope(bytes).ok().map(|it| it.to_envelope() == bytes)
    }),
    ("hlc text", |bytes| hlc::Stamp::<NodeId>::from_text(bytes).ok().map(|it| it.to_text() == bytes)),
    ("lamport envelope", |bytes| {
        lamport::Stamp::<u64>::from_envelope(bytes).ok().map(|it| it.to_envelope() == bytes)
    }),
    ("lamport text", |bytes| {
        lamport::Time::from_str(str::from_utf8(bytes).ok()?).ok().map(|it| {
            bytes.len() == 16 && u64::from_str_radix(str::from_utf8(bytes).unwrap_or(""), 16) == Ok(it.get())
        })
    }),
    ("vector clock", |bytes| {
        let clock = VersionVector::<u32, Fixed<4>>::decode(bytes, &LIMITS).ok()?;
        let mut again = [0; 64];
        let written = clock.encode_into(&mut again).ok()?;
        Some(again.get(..written)?.get(2..) == bytes.get(2..))
    }),
    ("vector stamp", |bytes| {
        let stamp = vector_clock::Stamp::<u32, Fixed<4>>::decode(bytes, &LIMITS).ok()?;
        let mut again = [0; 64];
        let written = stamp.encode_into(&mut again).ok()?;
        Some(again.get(..written)?.get(2..) == bytes.get(2..))
    }),
    ("fencing token", |bytes| FencingToken::from_bytes(bytes).ok().map(|it| it.to_bytes() == bytes)),
    ("token text", |bytes| FencingToken::from_str(str::from_utf8(bytes).ok()?).ok().map(|_| true)),
    ("lease record", |bytes| {
        protocol::Record::from_bytes(bytes).ok().map(|it| it.to_bytes().as_bytes() == bytes)
    }),
    ("flash record", |bytes| {
        let whole = <&[u8; high_water::FlashRecord::LEN]>::try_from(bytes).ok()?;
        high_water::FlashRecord::from_bytes(whole).ok().map(|it| it.to_bytes() == *whole)
    }),
];

const LIMITS: Limits = Limits::new().with_max_entries(4);

/// What no form takes.
const HOSTILE: [(&str, &[u8]); 14] = [
    ("nothing", &[]),
    ("one byte", &[0]),
    ("eight zeros", &[0; 8]),
    ("sixteen zeros", &[0; 16]),
    ("a version 0", &[0; 17]),
    ("a version 2", &[2; 17]),
    ("a node id of 64 bits", &[0xff; 16]),
    ("capital digits", b"018BCFE568000007-000000000000002A"),
    ("a digit too few", b"018bcfe568000007-000000000000002"),
    ("a foreign script", "018bcfe56800000\u{ff17}".as_bytes()),
    ("a claim of 2^56 entries", &[1, 0, 0xf7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    ("a counter of zero", &[1, 0, 1, 5, 0]),
    ("an integer in more bytes than it needs", &[1, 0, 1, 0xf0, 5, 1]),
    ("an unknown critical flag", &[1, 0x10, 1, 5, 1]),
];

/// How much noise each form is given.
const NOISE: u32 = 500;

#[inline(never)] // or the frames of all sections are on the stack at once
pub fn report() -> Outcome {
    let mut refused = 0_usize;
    for (form, takes) in FORMS {
        for (what, bytes) in HOSTILE {
            hold!(takes(bytes).is_none(), "{form} takes {what}");
            refused = refused.saturating_add(1);
        }
    }
    say!("hostile: {refused} inputs refused by {} forms", FORMS.len());

    let mut noise = Noise(0x9e37_79b9);
    let mut bytes = [0; high_water::FlashRecord::LEN];
    let (mut refused, mut taken) = (0_u32, 0_u32);
    for (form, takes) in FORMS {
        for _ in 0..NOISE {
            let length = noise.length();
            let input = bytes.get_mut(..length).unwrap_or_default();
            noise.fill(input);
            match takes(input) {
                None => refused = refused.saturating_add(1),
                Some(true) => taken = taken.saturating_add(1),
                Some(false) => hold!(false, "{form} takes what it would not write: {input:x?}"),
            }
        }
    }
    say!(
        "hostile: of {} pieces of noise {refused} are refused, and {taken} come back the same",
        NOISE.saturating_mul(12)
    );
    Ok(())
}

/// Marsaglia's generator with three shifts: the same noise on every machine.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// Often the length of a form, since no other is looked into.
    fn length(&mut self) -> usize {
        let lengths = [8, 16, 17, 17, 33, 5, 9, 12, 74, 48, high_water::FlashRecord::LEN];
        let nth = (self.next() as usize).checked_rem(lengths.len()).unwrap_or(0);
        lengths.get(nth).copied().unwrap_or(0)
    }

    /// Random bytes, that begin as an envelope does.
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in &mut *bytes {
            *byte = (self.next() >> 24) as u8;
        }
        if self.next() & 1 == 0
            && let Some(head) = bytes.first_chunk_mut::<3>()
        {
            *head = [1, (self.next() & 0x40) as u8, 1];
        }
    }
}
