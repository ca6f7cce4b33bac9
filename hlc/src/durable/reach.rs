//! `Reach`: where the durable bound should be, in the words of the rule.
//!
//! Like the rule it knows no units and no layout: `floor` is physical time as a word with counter zero.

/// How far ahead the bound is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Ahead of physical time.
    pub(crate) span: u64,
    /// Ahead of the clock itself, for one that is ahead of physical time: it would else need an extension for
    /// each stamp. At least `least_step`, at most `most_step`, and in between as far as this life has gone: a
    /// process that dies again and again must not carry the clock away from physical time.
    pub(crate) least_step: u64,
    pub(crate) most_step: u64,
    /// Where this life began.
    pub(crate) resumed: u64,
}

impl Reach {
    /// The bound to raise the mark to, for a clock that stands at `last`.
    ///
    /// At least `last`. The first stamp after a restart is the one above it: on an idle clock exactly `span`
    /// ahead of physical time.
    pub(crate) fn target(self, floor: u64, last: u64) -> u64 {
        floor.saturating_add(self.span).saturating_sub(1).max(last.saturating_add(self.step(last)))
    }

    /// Whether less than half of the window is left below `bound`.
    pub(crate) fn is_due(self, bound: u64, floor: u64, last: u64) -> bool {
        let of_time = floor.saturating_add(self.span / 2).saturating_sub(1);
        bound < of_time.max(last.saturating_add(self.step(last) / 2))
    }

    fn step(self, last: u64) -> u64 {
        last.saturating_sub(self.resumed).min(self.most_step).max(self.least_step)
    }
}

#[cfg(test)]
mod tests {
    use core::num::NonZeroU32;

    use super::*;
    use crate::rule::{self, Event, Refusal, invariant};

    const END: u64 = 0xff;

    /// Every state within every bound, every physical and remote word.
    #[test]
    fn at_eight_bits_no_step_leaves_the_bound_and_each_refusal_names_a_target_that_lets_it_through() {
        let reach = Reach { span: 16, least_step: 1, most_step: 9, resumed: 50 };
        let mut bounded = 0_u64;
        for bound in 0..=END {
            for last in 0..=bound {
                for word in 0..=END {
                    let (floor, lead_ceiling, skew_ceiling) = (word, u64::MAX, u64::MAX);
                    let events = [
                        Event::Tick { floor, count: NonZeroU32::MIN, lead_ceiling },
                        Event::Tick { floor, count: NonZeroU32::new(7).unwrap(), lead_ceiling },
                        Event::Observe { floor: 100, remote: word.max(1), skew_ceiling, lead_ceiling },
                        Event::Merge { remote: word.max(1), skew_ceiling },
                    ];
                    for event in events {
                        let free = rule::step(last, event, END);
                        match rule::step_below(last, event, bound, END) {
                            Ok(new) => {
                                assert!(new <= bound && invariant(last, new, END));
                                assert_eq!(free, Ok(new), "the bound changes no outcome, it refuses");
                            }
                            Err(Refusal::Bound { needed, bound: reached }) => {
                                assert_eq!((free, reached), (Ok(needed), bound));
                                let raised = reach.target(floor, needed);
                                assert!(needed > bound && raised >= needed);
                                assert_eq!(rule::step_below(last, event, raised, END), Ok(needed));
                                bounded += 1;
                            }
                            Err(refusal) => assert_eq!(free, Err(refusal)),
                        }
                    }
                }
            }
        }
        assert!(bounded > 1_000_000, "{bounded} at the bound: the loops above shrank");
    }

    #[test]
    fn an_extension_is_due_when_half_of_the_window_is_gone_and_not_right_after_one() {
        let reach = Reach { span: 64, least_step: 4, most_step: 8, resumed: 20 };
        for floor in 0..=END {
            for last in 0..=END {
                let target = reach.target(floor, last);
                assert!(!reach.is_due(target, floor, last), "{floor} {last}");
                let step = (last.max(20) - 20).clamp(4, 8);
                assert_eq!(target, (floor + 63).max(last + step));
                let due = (floor + 32).saturating_sub(1).max(last + step / 2);
                for bound in [due - 1, due] {
                    assert_eq!(reach.is_due(bound, floor, last), bound < due);
                }
            }
        }
    }

    #[test]
    fn at_the_end_of_the_words_the_target_is_the_end_and_nothing_is_due_there() {
        let reach = Reach { span: u64::MAX, least_step: 2, most_step: 2, resumed: 0 };
        assert_eq!(reach.target(u64::MAX, u64::MAX - 1), u64::MAX);
        assert!(!reach.is_due(u64::MAX, u64::MAX, u64::MAX));
        let none = Reach { span: 0, least_step: 0, most_step: 0, resumed: 0 };
        assert_eq!(none.target(0, 0), 0);
    }
}
