//! The expressions and the names that `clock-tools` is given: any text is refused with a place in it, or is what it was;
//! and an expression that was taken reads any log in time that is linear in it.

use core::fmt::Display;
use core::str::FromStr;

use clock_tools::merge::Site;
use clock_tools::shiviz::{Limits, Pattern, Reader};
use clock_tools::{AnyLayout, Notation};

use crate::bounds::{Bound, bounded};

/// A short expression may ask for many repetitions, so that the bound is on what may be compiled, twice (once as it is
/// written, once as the program that is run) and as lists that double.
const COMPILED: Bound = Bound::total(96 << 20, 1 << 10).peak(32 << 20, 1 << 10);
/// Names of forms are compared, and one that is unknown is repeated in the error.
const NAME: Bound = Bound::total(256, 2);

pub fn run(data: &[u8]) {
    // A line is the expression, what comes after it a log.
    let (source, log) = match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &data[data.len()..]),
    };
    let Ok(source) = core::str::from_utf8(source) else { return };
    name::<AnyLayout>(source);
    name::<Notation>(source);
    if let Err(why) = Site::pattern(source) {
        assert!(!why.to_string().is_empty());
    }
    match bounded(COMPILED, source.len(), || Pattern::parse(source)) {
        Ok(pattern) => {
            assert_eq!(pattern.as_str(), source);
            read(pattern, log);
        }
        Err(why) => assert!((1..=source.chars().count() + 1).contains(&why.column()), "{why}"),
    }
}

fn name<T: FromStr + Display>(text: &str) {
    if let Ok(named) = bounded(NAME, text.len(), || text.parse::<T>()) {
        assert!(named.to_string().eq_ignore_ascii_case(text), "{named} for {text}");
    }
}

fn read(pattern: Pattern, log: &[u8]) {
    let limits = Limits::new().with_max_bytes(1 << 14).with_max_events(200).with_max_hosts(16);
    let needed = ["host", "clock", "event"].iter().all(|group| pattern.has_group(group));
    match Reader::new().with_limits(limits).with_parser(pattern) {
        Ok(reader) => {
            assert!(needed, "an expression without its groups was taken");
            let _log_or_why_not = reader.read(log);
        }
        Err(why) => assert!(!needed, "{why}"),
    }
}
