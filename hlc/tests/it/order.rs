//! One order, whatever the form.

use hlc::{NodeId, Stamp, Timestamp};
use proptest::prelude::*;

const COUNT: usize = 1_000_000;
const SEED: u64 = 0x5eed_0f57_a3b5;

/// Numbers that look random and are the same in every run (Steele et al. 2014, `SplitMix64`).
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// A million stamps, shuffled: most of a busy second of few nodes, where each field decides the order of some,
/// and the rest from all of time.
fn million() -> Vec<Stamp> {
    let mut random = SplitMix64(SEED);
    let stamp = |_| {
        let (a, b) = (random.next(), random.next());
        let bits = match b >> 62 {
            0 => a | 1,
            _ => ((1_700_000_000_000 + a % 1_000) << 16) | ((a >> 32) % 64),
        };
        let node = if b >> 63 == 0 { NodeId::from_random_bits(b) } else { NodeId::from((b % 7) as u32) };
        Timestamp::from_bits(bits).unwrap().at_node(node)
    };
    (0..COUNT).map(stamp).collect()
}

/// Sorts the stamps by their encoded form, and checks that each decodes to the stamp of its place.
fn check<T: Ord>(
    name: &str,
    sorted: &[Stamp],
    stamps: &[Stamp],
    to: impl Fn(Stamp) -> T,
    from: impl Fn(T) -> Stamp,
) {
    let mut encoded: Vec<T> = stamps.iter().map(|&stamp| to(stamp)).collect();
    encoded.sort_unstable();
    for (place, (encoded, &expected)) in encoded.into_iter().zip(sorted).enumerate() {
        assert_eq!(from(encoded), expected, "{name}, place {place}, seed {SEED:#x}");
    }
}

#[test]
fn a_million_stamps_have_one_order_as_values_bytes_text_and_uuids() {
    let stamps = million();
    let mut sorted = stamps.clone();
    sorted.sort_unstable();
    assert!(!stamps.is_sorted() && sorted.is_sorted());
    let equal_timestamps = sorted.windows(2).filter(|two| two[0].timestamp() == two[1].timestamp()).count();
    assert!(equal_timestamps > COUNT / 4, "{equal_timestamps}: the nodes decide often enough");

    check("bytes", &sorted, &stamps, |stamp| stamp.to_bytes(), |bytes| Stamp::from_bytes(bytes).unwrap());
    check(
        "envelope",
        &sorted,
        &stamps,
        |stamp| stamp.to_envelope(),
        |bytes| Stamp::from_envelope(&bytes).unwrap(),
    );
    check("text", &sorted, &stamps, |stamp| stamp.to_text(), |text| Stamp::from_text(&text).unwrap());
    check("number", &sorted, &stamps, |stamp| stamp.to_u128(), |bits| Stamp::from_u128(bits).unwrap());
    #[cfg(feature = "uuid")]
    check("UUID", &sorted, &stamps, |stamp| stamp.to_uuid(), |uuid| Stamp::from_uuid(uuid).unwrap());
}

proptest! {
    #[test]
    fn every_form_orders_two_stamps_alike(a in any::<[u64; 2]>(), b in any::<[u64; 2]>(), same in 0..3) {
        let stamp = |[bits, id]: [u64; 2]| {
            Timestamp::from_bits(bits | 1).unwrap().at_node(NodeId::from_random_bits(id))
        };
        let (a, mut b) = (stamp(a), stamp(b));
        if same > 0 {
            b = a.timestamp().at_node(if same > 1 { *a.node() } else { *b.node() });
        }
        let order = a.cmp(&b);
        prop_assert_eq!(a.partial_cmp(&b), Some(order));
        prop_assert_eq!(order.is_eq(), a == b);
        prop_assert_eq!((a.timestamp(), a.node()).cmp(&(b.timestamp(), b.node())), order);
        prop_assert_eq!(a.to_bytes().cmp(&b.to_bytes()), order);
        prop_assert_eq!(a.to_string().cmp(&b.to_string()), order);
        prop_assert_eq!(a.to_u128().cmp(&b.to_u128()), order);
        let (a, b) = (a.timestamp(), b.timestamp());
        prop_assert_eq!(a.cmp(&b), a.to_bits().cmp(&b.to_bits()));
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        prop_assert_eq!(a.cmp(&b), (a.physical_units(), a.counter()).cmp(&(b.physical_units(), b.counter())));
    }
}

#[test]
fn each_comparison_of_two_stamps_says_what_their_order_says() {
    let middle = Timestamp::from_bits(1 << 40).unwrap();
    let timestamps = [Timestamp::MIN, middle, middle.checked_next().unwrap(), Timestamp::MAX];
    let nodes = [0, 1, u64::MAX].map(NodeId::from_random_bits);
    let stamps = timestamps.map(|timestamp| nodes.map(|node| timestamp.at_node(node)));
    for a in stamps.iter().flatten() {
        for b in stamps.iter().flatten() {
            let order = a.timestamp().cmp(&b.timestamp()).then(a.node().cmp(b.node()));
            assert_eq!(a.cmp(b), order, "{a} {b}");
            assert_eq!(a.partial_cmp(b), Some(order), "{a} {b}");
            let said = (a < b, a <= b, a > b, a >= b);
            assert_eq!(said, (order.is_lt(), order.is_le(), order.is_gt(), order.is_ge()), "{a} {b}");
        }
    }
}
