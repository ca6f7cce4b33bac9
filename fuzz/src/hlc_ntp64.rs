//! The layout that zenoh speaks, against its own crate: `Ntp60` of `hlc` and the NTP64 of `uhlc` are the same 64 bits, the
//! same times of them, and the same bits of a time; and where both write a number they write the same.

use core::time::Duration;

use hlc::layout::{Layout, Ntp60};
use hlc::{Packed, PhysicalTime, Stamp};
use uhlc::NTP64;

type Ours = Packed<Ntp60>;

const COUNTER: u64 = (1 << Ntp60::COUNTER_BITS) - 1;
const _: () =
    assert!(Ntp60::COUNTER_BITS == 4 && Ntp60::UNITS_PER_SECOND == 1 << 28 && Ntp60::EPOCH_UNIX_SECS == 0);

pub fn run(data: &[u8]) {
    if let Ok(text) = core::str::from_utf8(data) {
        texts(text);
    }
    let Some((&first, rest)) = data.split_first_chunk::<8>() else { return };
    let bits = u64::from_be_bytes(first);
    word(bits);
    reading(bits >> 32, (bits as u32) % 1_000_000_000);
    if let Some((&second, _)) = rest.split_first_chunk::<8>() {
        pair(bits, u64::from_be_bytes(second));
    }
}

/// Any 64 bits: the same seconds and the same fraction, of which theirs counts our counter in.
fn word(bits: u64) {
    let theirs = NTP64(bits);
    let Some(ours) = Ours::from_bits(bits) else { return assert_eq!(bits, 0) };
    assert_eq!(ours.to_bits(), theirs.as_u64());
    assert_eq!(u64::from(ours.counter()), bits & COUNTER);
    assert_eq!(ours.physical_time().secs(), u64::from(theirs.as_secs()));
    // What they take for the time of the bits is never before ours, and a counter (4 ns at most) and a rounding behind it.
    let (time, of_theirs) = (ours.physical_time().to_duration(), theirs.to_duration());
    let behind = of_theirs.checked_sub(time).expect("the counter does not count back");
    assert!(behind <= Duration::from_nanos(4 + 1), "{behind:?}");
    // Without a counter both have the same time, to the rounding of a nanosecond.
    let plain = NTP64(bits & !COUNTER).to_duration();
    assert!(plain.abs_diff(time) <= Duration::from_nanos(1), "{plain:?} {time:?}");
}

/// A reading of a physical clock: the same bits, once their last four are left to the counter.
fn reading(secs: u64, nanos: u32) {
    let time = PhysicalTime::new(secs, nanos).expect("below a second");
    let theirs = NTP64::from(Duration::new(secs, nanos)).as_u64() & !COUNTER;
    match Ours::first_at(time) {
        Some(ours) => assert_eq!((ours.to_bits(), ours.counter()), (theirs.max(1), u32::from(theirs == 0))),
        None => panic!("all seconds of 32 bits have a place"),
    }
    let last = Ours::last_at(time).expect("as the first one");
    assert_eq!(last.to_bits(), theirs | COUNTER);
}

fn pair(first: u64, second: u64) {
    let (Some(a), Some(b)) = (Ours::from_bits(first), Ours::from_bits(second)) else { return };
    assert_eq!(a.cmp(&b), NTP64(first).cmp(&NTP64(second)));
    if let Some(since) = a.duration_since(b) {
        // Ours is between times without their counters.
        let plain = NTP64((first & !COUNTER) - (second & !COUNTER)).to_duration();
        assert!(since.abs_diff(plain) <= Duration::from_nanos(2), "{since:?} {plain:?}");
    }
    // With ids of their own both order by time, and then by id.
    let (left, right) = (second.to_be_bytes(), first.to_be_bytes());
    let id = |bytes: [u8; 8]| uhlc::ID::try_from(u128::from(u64::from_be_bytes(bytes) >> 8)).ok();
    if let (Some(left_id), Some(right_id)) = (id(left), id(right)) {
        let theirs =
            uhlc::Timestamp::new(NTP64(first), left_id).cmp(&uhlc::Timestamp::new(NTP64(second), right_id));
        if first != second {
            let ours =
                |stamp: Ours, node: [u8; 8]| -> Stamp<u64, Ntp60> { stamp.at_node(u64::from_be_bytes(node)) };
            assert_eq!(ours(a, left).cmp(&ours(b, right)), theirs);
        }
    }
}

/// Theirs is decimal and ours hexadecimal, and so no text is both; each reads the number that the other one has.
fn texts(text: &str) {
    if let Ok(theirs) = text.parse::<NTP64>() {
        let Some(ours) = Ours::from_bits(theirs.as_u64()) else { return };
        assert_eq!(ours.to_bits().to_string(), theirs.to_string());
        assert_eq!(u64::from_str_radix(&ours.to_string(), 16), Ok(theirs.as_u64()));
    }
    if let Ok(ours) = text.parse::<Ours>() {
        let decimal = ours.to_bits().to_string();
        assert_eq!(decimal.parse::<NTP64>().map(|theirs| theirs.as_u64()).ok(), Some(ours.to_bits()));
    }
}
