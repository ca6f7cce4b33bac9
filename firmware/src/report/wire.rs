//! The bytes that leave the device, each as a line of the golden vectors that they must be found in.

use core::fmt;

use epoch_fence::{Epoch, FencingToken, GrantId, RealmId, ResourceId};
use hlc::{NodeId, Timestamp};
use vector_clock::{Dot, Fixed, Stamp, VersionVector};

use crate::outcome::{Failed, Outcome, say};

/// Bytes as lower-case digits.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[inline(never)] // or the frames of all sections are on the stack at once
pub fn report() -> Outcome {
    for (millis, counter, node) in
        [(0, 1, 0), (1_700_000_000_000, 7, 42), (1_645_557_742_000, 52_281, 5_124_095_576_030_430)]
    {
        let stamp = Timestamp::from_parts(millis, counter)?.at_node(NodeId::new(node)?);
        let meaning = format_args!("physical={millis} counter={counter} node={node}");
        say!("wire hlc/tests/vectors/stamp.txt {} {meaning}", Hex(&stamp.to_bytes()));
        say!("wire hlc/tests/vectors/envelope.txt {} {meaning}", Hex(&stamp.to_envelope()));
        say!("wire hlc/tests/vectors/text.txt {} stamp {meaning}", Hex(&stamp.to_text()));
        let bytes = stamp.timestamp().to_bytes();
        if node != 0 {
            say!("wire hlc/tests/vectors/timestamp.txt {} physical={millis} counter={counter}", Hex(&bytes));
        }
    }

    for (time, node) in [(0, 0), (1978, 42), (u64::MAX, u64::MAX)] {
        let stamp = lamport::Time::new(time).at_node(node);
        say!("wire lamport/tests/vectors/stamp.txt {} {time} {node} {stamp}", Hex(&stamp.to_bytes()));
        say!("wire lamport/tests/vectors/envelope.txt {} stamp {time} {node}", Hex(&stamp.to_envelope()));
    }

    let mut bytes = [0; 64];
    let empty = VersionVector::<u64, Fixed<2>>::new();
    let written = empty.encode_into(&mut bytes)?;
    say!("wire vector-clock/tests/vectors/clock.txt {} clock -", Hex(bytes.get(..written).ok_or(Failed)?));
    let pair = VersionVector::<u64, Fixed<2>>::from_sorted([Dot::try_new(1, 5)?, Dot::try_new(4, 240)?])?;
    let written = pair.encode_into(&mut bytes)?;
    say!(
        "wire vector-clock/tests/vectors/clock.txt {} clock 1:5,4:240",
        Hex(bytes.get(..written).ok_or(Failed)?)
    );
    let stamp = Stamp::try_new(Dot::try_new(4, 240)?, pair)?;
    let written = stamp.encode_into(&mut bytes)?;
    say!(
        "wire vector-clock/tests/vectors/clock.txt {} stamp 1 1:5,4:240",
        Hex(bytes.get(..written).ok_or(Failed)?)
    );

    let resource = ResourceId::of("billing", "ledger");
    say!("wire epoch-fence/tests/vectors/resource.txt {resource} {} {}", Hex(b"billing"), Hex(b"ledger"));
    let realm = RealmId::from_random_bits(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff).ok_or(Failed)?;
    let grant = GrantId::from_random_bits(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef).ok_or(Failed)?;
    let epoch = Epoch::new(34).ok_or(Failed)?;
    let token = FencingToken::new(realm, resource, epoch, grant);
    say!(
        "wire epoch-fence/tests/vectors/token.txt {} token {realm} {resource} {epoch} {grant} 00",
        Hex(&token.to_bytes())
    );
    say!("wire epoch-fence/tests/vectors/text.txt \"{token}\" token 00");
    Ok(())
}
