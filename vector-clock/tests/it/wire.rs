//! The bytes and the serde forms have not changed, and hostile bytes are refused.

use alloc::collections::BTreeSet;
use proptest::prelude::*;
use vector_clock::{
    ApplyError, ClockRef, DecodeError, Delta, Dot, EntryError, Fixed, JumpExceeded, Limits, MAX_COUNTER,
    MaxJump, Stamp, VersionVector,
};

type Vector = VersionVector<u128, Fixed<64>>;
type Event = Stamp<u128, Fixed<64>>;
type Difference = Delta<u128, Fixed<64>>;

const FORMAT: &str = include_str!("../../FORMAT.md");
const VECTORS: &str = include_str!("../vectors/clock.txt");

/// Limits that refuse nothing.
fn no_limits() -> Limits {
    Limits::new().with_max_entries(usize::MAX).with_max_counter(u64::MAX).with_max_jump(MaxJump::Unbounded)
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = if hex == "-" { "" } else { hex };
    assert_eq!(digits.len() % 2, 0, "{hex}");
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn vector(entries: &str) -> Vector {
    let entries = entries.split(',').filter(|entry| *entry != "-");
    let dots = entries.map(|entry| {
        let (id, counter) = entry.split_once(':').unwrap();
        Dot::try_new(id.parse().unwrap(), counter.parse().unwrap()).unwrap()
    });
    Vector::from_sorted(dots).unwrap()
}

/// Encodes with any of the three `encode_into`.
fn encoded<E: core::fmt::Debug>(encode: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Vec<u8> {
    let mut buffer = vec![0xaa; 2_048];
    let len = encode(&mut buffer).unwrap();
    assert!(buffer[len..].iter().all(|byte| *byte == 0xaa), "nothing is written behind the value");
    buffer.truncate(len);
    buffer
}

fn reason(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::Truncated => "truncated",
        DecodeError::Version { .. } => "version",
        DecodeError::Flags { .. } => "flags",
        DecodeError::Kind => "kind",
        DecodeError::Overlong => "overlong",
        DecodeError::TooWide => "too-wide",
        DecodeError::NotCanonical => "not-canonical",
        DecodeError::EntryLimit { .. } => "entry-limit",
        DecodeError::CounterLimit { .. } => "counter-limit",
        DecodeError::Entry(EntryError::Counter(_)) => "counter",
        DecodeError::Place { .. } => "place",
        DecodeError::Trailing { .. } => "trailing",
        DecodeError::JumpExceeded(_) | DecodeError::Entry(_) | _ => panic!("{error}"),
    }
}

/// What an input is, or why it is nothing, as the vector file says it; and it is encoded to the same bytes again.
fn check(input: &[u8], expected: &[&str]) {
    let limits = Limits::new().with_max_jump(MaxJump::Unbounded);
    let as_all =
        (Vector::decode(input, &limits), Event::decode(input, &limits), Difference::decode(input, &limits));
    match *expected {
        ["clock", entries] => {
            assert_eq!(as_all.0, Ok(vector(entries)));
            assert_eq!((as_all.1, as_all.2), (Err(DecodeError::Kind), Err(DecodeError::Kind)));
            let seen = ClockRef::parse(input, &limits).unwrap();
            assert_eq!(encoded(|out| vector(entries).encode_with(seen.ignorable(), out)), input);
        }
        ["stamp", place, entries] => {
            let dot = vector(entries).iter().nth(place.parse().unwrap()).unwrap();
            let stamp = Event::try_new(dot, vector(entries)).unwrap();
            assert_eq!(encoded(|out| stamp.encode_into(out)), input);
            assert_eq!(as_all.1, Ok(stamp));
            assert_eq!((as_all.0, as_all.2), (Err(DecodeError::Kind), Err(DecodeError::Kind)));
        }
        ["delta", base, entries] => {
            let delta = as_all.2.unwrap();
            assert_eq!(
                format!("{delta:?}"),
                format!("Delta {{ base: {base}, rises: {:?} }}", vector(entries))
            );
            assert_eq!(encoded(|out| delta.encode_into(out)), input);
            assert_eq!((as_all.0, as_all.1), (Err(DecodeError::Kind), Err(DecodeError::Kind)));
        }
        ["refused", expected] => {
            for error in [as_all.0.unwrap_err(), as_all.1.unwrap_err(), as_all.2.unwrap_err()] {
                assert!(error == DecodeError::Kind || reason(&error) == expected, "{error}");
            }
            let by_itself = ClockRef::parse(input, &limits).map(|_| ()).unwrap_err();
            assert!(by_itself != DecodeError::Kind || expected == "trailing" || expected == "counter");
        }
        _ => panic!("{expected:?}"),
    }
}

#[test]
fn envelopes_have_the_recorded_bytes_and_hostile_ones_the_recorded_reasons() {
    let mut reasons = BTreeSet::new();
    for (number, line) in (1..).zip(VECTORS.lines()).filter(|(_, line)| !line.starts_with('#')) {
        let words: Vec<_> = line.split(' ').collect();
        println!("line {number}: {line}");
        check(&bytes(words[0]), &words[1..]);
        reasons.insert(words[1..].join(" "));
    }
    let refused = reasons.iter().filter(|reason| reason.starts_with("refused")).count();
    assert_eq!(refused, 10, "every reason that bytes alone can give, but the counter limit and the kind");
}

#[test]
fn the_examples_of_the_format_are_true() {
    let examples: Vec<_> = FORMAT.lines().filter_map(|line| line.split_once(" ; ")).collect();
    assert_eq!(examples.len(), 6);
    for (hex, meaning) in examples {
        println!("{hex}: {meaning}");
        check(&bytes(&hex.replace(' ', "")), &meaning.split(' ').collect::<Vec<_>>());
    }
}

/// A value of each kind as a later release writes it, by the vector file of this one: with its own bits in the second byte.
fn of_a_later_release(bits: u8) -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    let lines = VECTORS.lines().filter(|line| !line.starts_with('#') && !line.contains("refused"));
    lines.map(move |line| {
        let mut input = bytes(line.split(' ').next().unwrap());
        input[1] = input[1] & 0xf0 | bits;
        (line, input)
    })
}

#[test]
fn ignorable_bits_of_a_later_release_change_no_meaning_and_are_passed_on() {
    let limits = Limits::new().with_max_jump(MaxJump::Unbounded);
    let mut kinds = [0; 3];
    for bits in 0..=0x0f_u8 {
        for ((line, input), (_, known)) in of_a_later_release(bits).zip(of_a_later_release(0)) {
            let again = if let Ok(clock) = Vector::decode(&input, &limits) {
                kinds[0] += 1;
                assert_eq!(Ok(&clock), Vector::decode(&known, &limits).as_ref(), "{bits:#x} {line}");
                let seen = ClockRef::parse(&input, &limits).unwrap();
                assert_eq!(seen.causality_with(&clock), vector_clock::Causality::Equal);
                // A delta from it leads on from the same vector of whoever knows no such bits.
                let base = Vector::decode(&known, &limits).unwrap();
                let delta = Difference::between(&clock, &clock).unwrap();
                assert_eq!(delta.apply(&base), Ok(base.clone()), "the digest is of the value");
                encoded(|out| clock.encode_with(seen.ignorable(), out))
            } else if let Ok(stamp) = Event::decode(&input, &limits) {
                kinds[1] += 1;
                assert_eq!(Ok(&stamp), Event::decode(&known, &limits).as_ref(), "{bits:#x} {line}");
                let seen = ClockRef::parse(&input, &limits).unwrap();
                encoded(|out| stamp.encode_with(seen.ignorable(), out))
            } else {
                kinds[2] += 1;
                let delta = Difference::decode(&input, &limits).unwrap_or_else(|why| panic!("{line}: {why}"));
                encoded(|out| delta.encode_into(out))
            };
            assert_eq!(again, input, "{bits:#x} {line}");
        }
    }
    assert!(kinds.iter().all(|count| *count >= 16), "{kinds:?}: every kind with every set of bits");
}

#[test]
fn an_unknown_critical_bit_or_another_version_is_refused_whatever_follows() {
    for (line, input) in of_a_later_release(0) {
        for rest in [&input[2..], &[][..], &[0xff; 40]] {
            let critical = [&[1, input[1] | 0x10][..], rest].concat();
            let found = input[1] | 0x10;
            assert_eq!(Vector::decode(&critical, &no_limits()), Err(DecodeError::Flags { found }), "{line}");
            assert_eq!(Event::decode(&critical, &no_limits()), Err(DecodeError::Flags { found }), "{line}");
            assert_eq!(Difference::decode(&critical, &no_limits()), Err(DecodeError::Flags { found }));
            assert_eq!(ClockRef::parse(&critical, &no_limits()).err(), Some(DecodeError::Flags { found }));
            for version in (0..=u8::MAX).filter(|version| *version != 1) {
                let later = [&[version, input[1]][..], rest].concat();
                let refused = Vector::decode(&later, &no_limits()).unwrap_err();
                assert_eq!(refused, DecodeError::Version { found: version }, "{line}");
            }
        }
    }
}

#[test]
fn a_dense_clock_of_eight_small_counters_takes_twelve_bytes() {
    let clock =
        VersionVector::<u32, Fixed<8>>::from_sorted((0..8).map(|id| Dot::try_new(id, 200).unwrap())).unwrap();
    assert_eq!(clock.encoded_len(), 12);
    let offset =
        VersionVector::<u64, Fixed<8>>::from_sorted((200..208).map(|id| Dot::try_new(id, 1).unwrap()));
    assert_eq!(offset.unwrap().encoded_len(), 12);
}

#[test]
fn a_buffer_that_is_too_small_says_how_many_bytes_are_needed() {
    let clock = vector("1:5,4:240");
    for len in 0..8 {
        let error = clock.encode_into(&mut vec![0; len]).unwrap_err();
        assert_eq!((error.needed(), error.found()), (8, len));
    }
    assert_eq!(clock.encode_into(&mut [0; 8]), Ok(8));
}

#[test]
fn limits_hold_at_the_limit_and_not_above_it() {
    let clock = encoded(|out| vector("1:5,4:240,9:7").encode_into(out));
    let limits = Limits::new();
    assert!(Vector::decode(&clock, &limits.with_max_entries(3)).is_ok());
    let error = DecodeError::EntryLimit { found: 3, limit: 2 };
    assert_eq!(Vector::decode(&clock, &limits.with_max_entries(2)), Err(error));
    assert!(Vector::decode(&clock, &limits.with_max_counter(240)).is_ok());
    let error = DecodeError::CounterLimit { found: 240, limit: 239 };
    assert_eq!(Vector::decode(&clock, &limits.with_max_counter(239)), Err(error));

    let jump = |error: DecodeError| {
        let DecodeError::JumpExceeded(why) = error else { panic!("{error}") };
        let why: JumpExceeded<u128> = why;
        (why.actor(), why.known(), why.claimed(), why.limit())
    };
    let known = vector("1:5,4:200");
    assert!(Vector::decode_against(&clock, &limits.with_max_jump(MaxJump::AtMost(40)), &known).is_ok());
    let strict = limits.with_max_jump(MaxJump::AtMost(39));
    assert_eq!(jump(Vector::decode_against(&clock, &strict, &known).unwrap_err()), (4, 200, 240, 39));
    let stamp = Event::try_new(Dot::try_new(9, 7).unwrap(), vector("1:5,4:240,9:7")).unwrap();
    let stamp = encoded(|out| stamp.encode_into(out));
    assert!(Event::decode_against(&stamp, &limits, &known).is_ok());
    assert_eq!(jump(Event::decode_against(&stamp, &strict, &known).unwrap_err()), (4, 200, 240, 39));
    assert!(Event::decode_against(&stamp, &strict, &vector("4:240")).is_ok(), "what is known is no jump");
}

#[test]
fn a_delta_that_rises_too_far_is_refused_when_it_is_decoded_or_when_it_is_applied() {
    let base = vector("1:5");
    let forged = |rise: u64| {
        let above =
            Vector::from_sorted([Dot::try_new(1, 5).unwrap(), Dot::try_new(2, rise).unwrap()]).unwrap();
        encoded(|out| Difference::between(&base, &above).unwrap().encode_into(out))
    };
    assert!(Difference::decode(&forged(1 << 40), &Limits::new()).is_ok());
    let refused = Difference::decode(&forged((1 << 40) + 1), &Limits::new());
    assert!(matches!(refused, Err(DecodeError::JumpExceeded(_))));

    // The rise of actor 2 is taken for one of actor 1: the digest fits, the sum does not.
    let mut overflowing = forged(MAX_COUNTER);
    let id = overflowing.len() - 10;
    assert_eq!(overflowing[id], 2);
    overflowing[id] = 1;
    let delta = Difference::decode(&overflowing, &no_limits()).unwrap();
    assert!(matches!(delta.apply(&base), Err(ApplyError::Counter(_))));
}

#[test]
fn ids_that_the_actor_type_does_not_have_are_refused() {
    let clock = encoded(|out| vector("1:5,256:1").encode_into(out));
    let narrow = VersionVector::<u8, Fixed<64>>::decode(&clock, &Limits::new());
    assert_eq!(narrow, Err(DecodeError::Entry(EntryError::Actor)));
    assert!(VersionVector::<u16, Fixed<64>>::decode(&clock, &Limits::new()).is_ok());
}

#[test]
fn an_input_that_claims_more_than_it_holds_costs_no_memory() {
    // With limits that refuse nothing, these would ask for exabytes if the claim were believed.
    for hex in ["0100f70fffffffffffffff00", "0180f70fffffffffffffff00", "0140f70fffffffffffffff0001010101"] {
        let input = bytes(hex);
        assert_eq!(ClockRef::parse(&input, &no_limits()).map(|_| ()), Err(DecodeError::Truncated), "{hex}");
        #[cfg(feature = "alloc")]
        {
            let heap = VersionVector::<u64, vector_clock::Heap>::decode(&input, &no_limits());
            assert!(matches!(heap, Err(DecodeError::Truncated | DecodeError::Kind)), "{hex}");
        }
    }
}

#[cfg(feature = "alloc")]
#[test]
fn half_a_megabyte_of_entries_is_read_compared_and_merged_in_linear_time() {
    use vector_clock::{Causality, Heap, VersionVector};

    // Quadratic work on these would be 10^10 steps and more, and this test would not end.
    const ENTRIES: u64 = 250_000;
    type Large = VersionVector<u64, Heap>;
    let dots =
        |first: u64, step: u64| (0..ENTRIES).map(move |at| Dot::try_new(first + at * step, 1).unwrap());
    let (even, odd) = (Large::from_sorted(dots(0, 2)).unwrap(), Large::from_sorted(dots(1, 2)).unwrap());
    let input = even.to_bytes();
    assert!(input.len() > 500_000 - 10);
    let decoded = Large::decode(&input, &no_limits()).unwrap();
    assert_eq!(decoded, even);
    assert_eq!(ClockRef::parse(&input, &no_limits()).unwrap().causality_with(&odd), Causality::Concurrent);
    assert!(Large::decode(&input, &Limits::new()).is_err(), "by default it is refused unread");

    let mut both = decoded.clone();
    both.merge(&odd).unwrap();
    assert_eq!(both.len(), even.len() + odd.len());
    assert_eq!(both.glb(&odd), odd);
    let delta: Delta<u64, Heap> = Delta::between(&even, &both).unwrap();
    assert_eq!(delta.apply(&even), Ok(both));
}

/// Decodes as every kind, and encodes what was accepted: it must be the same bytes. Tells whether any was.
fn is_accepted_and_canonical(input: &[u8]) -> bool {
    let limits = no_limits();
    if let Ok(seen) = ClockRef::parse(input, &limits) {
        assert!(seen.len() <= input.len(), "an entry takes a byte");
        assert_eq!(seen.as_bytes(), input);
        let again = match (Vector::decode(input, &limits), Event::decode(input, &limits)) {
            (Ok(vector), Err(DecodeError::Kind)) => encoded(|out| vector.encode_with(seen.ignorable(), out)),
            (Err(DecodeError::Kind), Ok(stamp)) => encoded(|out| stamp.encode_with(seen.ignorable(), out)),
            either => panic!("{either:?}"),
        };
        assert_eq!(again, input);
        true
    } else if let Ok(delta) = Difference::decode(input, &limits) {
        assert_eq!(encoded(|out| delta.encode_into(out)), input);
        true
    } else {
        false
    }
}

#[test]
fn every_input_of_five_bytes_that_matter_is_refused_or_canonical() {
    const BYTES: [u8; 12] = [0x00, 0x01, 0x02, 0x0f, 0x20, 0x40, 0x80, 0xef, 0xf0, 0xf1, 0xf7, 0xff];
    let mut accepted = 0;
    for number in 0..BYTES.len().pow(5) {
        let input = [0, 1, 2, 3, 4].map(|digit| BYTES[number / BYTES.len().pow(digit) % BYTES.len()]);
        accepted += usize::from(is_accepted_and_canonical(&input));
    }
    assert!(accepted > 0);
}

proptest! {
    #[test]
    fn whatever_bytes_are_accepted_are_the_bytes_of_the_value(
        input in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            // Mostly well-formed: version, any flags, a small count, small integers.
            (any::<u8>(), 0..5_u8, prop::collection::vec(prop_oneof![0..3_u8, 238..245_u8, any::<u8>()], 0..30))
                .prop_map(|(flags, count, rest)| [vec![1, flags, count], rest].concat()),
        ],
    ) {
        is_accepted_and_canonical(&input);
    }
}

#[cfg(feature = "serde")]
mod serde_forms {
    use super::{Event, Vector, vector};
    use vector_clock::{Dot, Fixed, MAX_COUNTER, Stamp, VersionVector};

    fn json(text: &str) -> Result<Vector, String> {
        serde_json::from_str(text).map_err(|why| why.to_string())
    }

    #[test]
    fn text_for_people_and_integers_elsewhere() {
        let known = vector("1:5,340282366920938463463374607431768211455:9223372036854775807");
        let text = r#"[["1","5"],["340282366920938463463374607431768211455","9223372036854775807"]]"#;
        assert_eq!(serde_json::to_string(&known).unwrap(), text);
        assert_eq!(json(text), Ok(known.clone()));
        let binary = postcard::to_allocvec(&known).unwrap();
        assert_eq!(postcard::from_bytes(&binary), Ok(known));

        let small = VersionVector::<u8, Fixed<2>>::from_sorted([Dot::try_new(7, 300).unwrap()]).unwrap();
        assert_eq!(postcard::to_allocvec(&small).unwrap(), [1, 7, 0xac, 0x02]);
        let stamp = Stamp::try_new(Dot::try_new(7_u8, 300).unwrap(), small).unwrap();
        let text = serde_json::to_string(&stamp).unwrap();
        assert_eq!(text, r#"[["7","300"],[["7","300"]]]"#);
        assert_eq!(serde_json::from_str::<Stamp<u8, Fixed<2>>>(&text).unwrap(), stamp);
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        let above = (u128::from(MAX_COUNTER) + 1).to_string();
        for (text, message) in [
            (r#"[["1","0"]]"#.to_owned(), "counter 0 is not from 1"),
            (format!(r#"[["1","{above}"]]"#), "is not from 1"),
            (r#"[["1","18446744073709551616"]]"#.to_owned(), "unsigned integer of 64 bits"),
            (r#"[["2","1"],["1","1"]]"#.to_owned(), "not above the one before"),
            (r#"[["1","1"],["1","2"]]"#.to_owned(), "not above the one before"),
            (r#"[["1","01"]]"#.to_owned(), "shortest decimal"),
            (r#"[["+1","1"]]"#.to_owned(), "shortest decimal"),
            (r#"[["","1"]]"#.to_owned(), "shortest decimal"),
            (r#"[[1,1]]"#.to_owned(), "invalid type"),
            (r#"[["1"]]"#.to_owned(), "invalid length 1"),
            (r#"[7]"#.to_owned(), "expected an actor id and a counter"),
            (r#"[["1","1","1"]]"#.to_owned(), "invalid length 3"),
            (r#"{"1":"1"}"#.to_owned(), "a list of actor ids"),
        ] {
            let why = json(&text).unwrap_err();
            assert!(why.contains(message), "{text}: {why}");
        }
        let full: Result<VersionVector<u8, Fixed<1>>, _> = serde_json::from_str(r#"[["1","1"],["2","1"]]"#);
        assert!(full.unwrap_err().to_string().contains("2 entries needed, capacity 1"));
        let narrow: Result<VersionVector<u8, Fixed<1>>, _> = serde_json::from_str(r#"[["256","1"]]"#);
        assert!(narrow.unwrap_err().to_string().contains("unsigned integer of 8 bits"));
        let number: Result<Event, _> = serde_json::from_str("7");
        assert!(number.unwrap_err().to_string().contains("expected an event and a vector"));
        let mismatch: Result<Event, _> = serde_json::from_str(r#"[["7","2"],[["7","3"]]]"#);
        assert!(mismatch.unwrap_err().to_string().contains("counts 3 events"));
        for hostile in
            [&[1, 7, 0][..], &[2, 7, 1, 7, 1], &[2, 8, 1, 7, 1], &[0xff, 0xff, 0xff, 0xff, 0x0f, 7, 1]]
        {
            assert!(postcard::from_bytes::<VersionVector<u8, Fixed<4>>>(hostile).is_err(), "{hostile:?}");
        }
    }
}
