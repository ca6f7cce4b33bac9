//! Operation sequences on both clocks of `hlc`, against a naive model in wide integers.

use core::{num::NonZeroU32, time::Duration};

use arbitrary::{Arbitrary, Unstructured};
use hlc::{
    AtomicClock, Clock, LeadPolicy, Packed, PhysicalTime, SkewPolicy, SourceError,
    layout::{Layout, Micros52, Millis42Y2022, Ntp48, Ntp60, Rounding, Secs32, Unix48},
    source,
};
use std::cell::Cell;

use crate::bounds::{Bound, bounded};

#[derive(Arbitrary, Debug)]
struct Script {
    skew: Option<Duration>,
    lead: Option<Duration>,
    resume: Option<u64>,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    SetClock {
        secs: u64,
        nanos: u32,
    },
    /// A small step of the clock, the usual case.
    Wander {
        nanos: i32,
    },
    BreakClock,
    Tick,
    Reserve {
        count: u32,
    },
    Observe {
        bits: u64,
    },
    /// A remote stamp near the last one.
    ObserveNear {
        distance: i32,
    },
    Merge {
        bits: u64,
    },
    Committed {
        bits: u64,
    },
}

/// So many steps are enough to find what there is, and keep one input fast.
const MAX_STEPS: usize = 200;

pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else { return };
    bounded(Bound::NOTHING, data.len(), || check::<Unix48>(&script));
    bounded(Bound::NOTHING, data.len(), || check::<Micros52>(&script));
    bounded(Bound::NOTHING, data.len(), || check::<Ntp48>(&script));
    bounded(Bound::NOTHING, data.len(), || check::<Ntp60>(&script));
    bounded(Bound::NOTHING, data.len(), || check::<Millis42Y2022>(&script));
    bounded(Bound::NOTHING, data.len(), || check::<Secs32>(&script));
}

/// What the clock should do, in numbers that cannot overflow.
struct Model {
    last: u128,
    skew: Option<Duration>,
    lead: Option<Duration>,
}

impl Model {
    /// Units of `L` from its epoch to `time`, times 10^9: exact.
    fn exact<L: Layout>(time: PhysicalTime) -> u128 {
        let nanos = u128::from(time.secs()) * 1_000_000_000 + u128::from(time.subsec_nanos());
        let epoch = u128::from(L::EPOCH_UNIX_SECS) * 1_000_000_000;
        nanos.saturating_sub(epoch) * u128::from(L::UNITS_PER_SECOND)
    }

    fn floor<L: Layout>(time: PhysicalTime) -> u128 {
        let units = match L::ROUNDING {
            Rounding::Down => Self::exact::<L>(time) / 1_000_000_000,
            Rounding::Up => Self::exact::<L>(time).div_ceil(1_000_000_000),
        };
        units << L::COUNTER_BITS
    }

    /// Whether the unit of `word` is ahead of `now` by more than `limit`.
    fn is_ahead<L: Layout>(word: u128, now: PhysicalTime, limit: Duration) -> bool {
        let at_most = now.checked_add(limit).unwrap_or(PhysicalTime::MAX);
        (word >> L::COUNTER_BITS) * 1_000_000_000 > Self::exact::<L>(at_most)
    }

    fn next(&self, known: u128, floor: u128) -> u128 {
        (known + 1).max(floor)
    }

    fn admits<L: Layout>(&self, remote: u128, now: PhysicalTime) -> bool {
        if remote <= self.last {
            return true;
        }
        if remote >= u128::from(u64::MAX) {
            return false;
        }
        self.skew.is_none_or(|limit| !Self::is_ahead::<L>(remote + 1, now, limit))
    }

    /// Whether `word` may be issued: in a layout that rounds up, the unit of the reading itself always may.
    fn may_issue<L: Layout>(&self, word: u128, now: PhysicalTime, limit: Option<Duration>) -> bool {
        let of_this_unit = word >> L::COUNTER_BITS <= Self::floor::<L>(now) >> L::COUNTER_BITS;
        word <= u128::from(u64::MAX)
            && Self::floor::<L>(now) <= u128::from(u64::MAX)
            && (of_this_unit || limit.is_none_or(|limit| !Self::is_ahead::<L>(word, now, limit)))
    }
}

fn check<L: Layout>(script: &Script) {
    let time = Cell::new(Some(PhysicalTime::from_secs(1_800_000_000)));
    let source = source::from_fn(|| time.get().ok_or(SourceError::Unavailable("broken")));
    let skew = script.skew.map_or(SkewPolicy::Unbounded, SkewPolicy::AtMost);
    let lead = script.lead.map_or(LeadPolicy::Report, LeadPolicy::AtMost);
    let mut owned = Clock::<_, L>::with_layout(&source).with_skew_policy(skew).with_lead_policy(lead);
    let mut shared = AtomicClock::<_, L>::with_layout(&source).with_skew_policy(skew).with_lead_policy(lead);
    let mut model = Model { last: 0, skew: script.skew, lead: script.lead };
    if let Some(resume) = script.resume.and_then(Packed::from_bits) {
        owned = owned.resume_after(resume);
        shared = shared.resume_after(resume);
        model.last = u128::from(resume.to_bits());
    }

    for step in script.steps.iter().take(MAX_STEPS) {
        let now = time.get();
        match *step {
            Step::SetClock { secs, nanos } => time.set(PhysicalTime::new(secs, nanos % 1_000_000_000)),
            Step::Wander { nanos } => {
                let by = Duration::from_nanos(u64::from(nanos.unsigned_abs()));
                time.set(now.and_then(|t| if nanos < 0 { t.checked_sub(by) } else { t.checked_add(by) }));
            }
            Step::BreakClock => time.set(None),
            Step::Tick => {
                let stamp = owned.tick();
                assert_eq!(shared.tick(), stamp);
                let expected = now.and_then(|now| {
                    let next = model.next(model.last, Model::floor::<L>(now));
                    model.may_issue::<L>(next, now, model.lead).then_some(next)
                });
                assert_eq!(stamp.ok().map(|s| u128::from(s.to_bits())), expected);
                model.last = expected.unwrap_or(model.last);
            }
            Step::Reserve { count } => {
                let Some(count) = NonZeroU32::new(count) else { continue };
                let block = owned.reserve(count);
                assert_eq!(shared.reserve(count), block);
                let limit = match (model.skew, model.lead) {
                    (Some(skew), Some(lead)) => Some(skew.min(lead)),
                    (skew, lead) => skew.or(lead),
                };
                let expected = now.and_then(|now| {
                    let first = model.next(model.last, Model::floor::<L>(now)).max(1);
                    let last = first + u128::from(count.get()) - 1;
                    model.may_issue::<L>(last, now, limit).then_some((first, last))
                });
                let ends = block.ok().and_then(|mut block| {
                    assert_eq!(block.len(), count.get() as usize);
                    let first = block.next()?;
                    let last = block.last().unwrap_or(first);
                    Some((u128::from(first.to_bits()), u128::from(last.to_bits())))
                });
                assert_eq!(ends, expected);
                model.last = expected.map_or(model.last, |(_, last)| last);
            }
            Step::Observe { bits } => observe(&mut owned, &shared, &mut model, bits, now),
            Step::ObserveNear { distance } => {
                let bits = owned.last().map_or(0, Packed::to_bits).saturating_add_signed(distance.into());
                observe(&mut owned, &shared, &mut model, bits, now);
            }
            Step::Merge { bits } => {
                let Some(remote) = Packed::from_bits(bits) else { continue };
                let merged = owned.merge(remote);
                assert_eq!(shared.merge(remote), merged);
                let remote = u128::from(bits);
                let fails_open =
                    |now| model.lead.is_none_or(|lead| !Model::is_ahead::<L>(remote + 1, now, lead));
                let expected = remote <= model.last
                    || now.is_some_and(|now| model.admits::<L>(remote, now) && fails_open(now));
                assert_eq!(merged.is_ok(), expected);
                if expected {
                    model.last = model.last.max(remote);
                }
            }
            Step::Committed { bits } => {
                let Some(remote) = Packed::from_bits(bits) else { continue };
                let merged = owned.merge_committed(remote);
                assert_eq!(shared.merge_committed(remote), merged);
                if merged.is_ok() {
                    model.last = model.last.max(u128::from(bits));
                } else {
                    assert_eq!(bits, u64::MAX);
                }
            }
        }
        assert_eq!(owned.last().map_or(0, |last| u128::from(last.to_bits())), model.last);
        assert_eq!(shared.last(), owned.last());
    }
    assert_eq!(shared.snapshot(), owned.snapshot());
}

fn observe<S: hlc::Source, L: Layout>(
    owned: &mut Clock<S, L>,
    shared: &AtomicClock<S, L>,
    model: &mut Model,
    bits: u64,
    now: Option<PhysicalTime>,
) {
    let Some(remote) = Packed::from_bits(bits) else { return };
    let received = owned.observe(remote);
    assert_eq!(shared.observe(remote), received);
    let expected = now.filter(|&now| model.admits::<L>(u128::from(bits), now)).and_then(|now| {
        let next = model.next(model.last.max(u128::from(bits)), Model::floor::<L>(now));
        model.may_issue::<L>(next, now, model.lead).then_some(next)
    });
    assert_eq!(received.ok().map(|s| u128::from(s.to_bits())), expected);
    model.last = expected.unwrap_or(model.last);
}
