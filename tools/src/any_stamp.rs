//! `AnyStamp`: a timestamp, with or without a node, in a layout that is known only when the program runs.

use alloc::string::{String, ToString as _};
use core::num::NonZeroU64;

use hlc::layout::Layout;
use hlc::{NodeId, Packed, PhysicalTime, Stamp, Timestamp};

use crate::{AnyLayout, ForLayout, NoSuchForm, Notation};

/// A timestamp in one of the layouts, and the node that made it, where that is known.
///
/// ```
/// use clock_tools::{AnyLayout, AnyStamp};
///
/// let (stamp, _) = AnyStamp::guess("018bcfe568000007-000000000000002a", AnyLayout::Unix48)?;
/// assert_eq!(stamp.human(), "2023-11-14T22:13:20.000Z+7");
/// assert_eq!(stamp.counter(), 7);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnyStamp {
    layout: AnyLayout,
    bits: NonZeroU64,
    node: Option<NodeId>,
}

impl AnyStamp {
    /// Makes one of the bits of a timestamp.
    #[must_use]
    pub const fn new(layout: AnyLayout, bits: NonZeroU64, node: Option<NodeId>) -> Self {
        Self { layout, bits, node }
    }

    /// Returns the layout.
    #[must_use]
    pub const fn layout(&self) -> AnyLayout {
        self.layout
    }

    /// Returns the bits of the timestamp.
    #[must_use]
    pub const fn bits(&self) -> NonZeroU64 {
        self.bits
    }

    /// Returns the node, where it is known.
    #[must_use]
    pub const fn node(&self) -> Option<NodeId> {
        self.node
    }

    /// Returns the same at another node, or at none.
    #[must_use]
    pub const fn at_node(self, node: Option<NodeId>) -> Self {
        Self { node, ..self }
    }

    /// Returns the same bits, read in another layout: as a rule, another time.
    #[must_use]
    pub const fn read_as(self, layout: AnyLayout) -> Self {
        Self { layout, ..self }
    }

    /// Returns physical time, as [`Packed::physical_time`] does.
    #[must_use]
    pub fn physical_time(&self) -> PhysicalTime {
        struct Task(NonZeroU64);
        impl ForLayout for Task {
            type Output = PhysicalTime;
            fn run<L: Layout>(self) -> PhysicalTime {
                Packed::<L>::from_nonzero(self.0).physical_time()
            }
        }
        self.layout.visit(Task(self.bits))
    }

    /// Returns physical time in units of the layout since its epoch.
    #[must_use]
    pub fn physical_units(&self) -> u64 {
        self.layout.facts().physical_units(self.bits.get())
    }

    /// Returns the counter.
    #[must_use]
    pub fn counter(&self) -> u64 {
        self.bits.get() & self.layout.facts().max_counter()
    }

    /// Returns the timestamp as people read it: date, time, counter.
    #[must_use]
    pub fn human(&self) -> String {
        struct Task(NonZeroU64);
        impl ForLayout for Task {
            type Output = String;
            fn run<L: Layout>(self) -> String {
                Packed::<L>::from_nonzero(self.0).human().to_string()
            }
        }
        self.layout.visit(Task(self.bits))
    }

    /// Writes it in a notation: what is read back as the same in the same layout.
    ///
    /// # Errors
    ///
    /// [`NoSuchForm`] for a UUID, where there is no node, or the layout is another one than
    /// [`Unix48`](hlc::layout::Unix48).
    pub fn write(&self, notation: Notation) -> Result<String, NoSuchForm> {
        let bits = self.bits.get();
        // The bits of a stamp are the same in every layout.
        let stamp = self.node.map(|node| Timestamp::from_nonzero(self.bits).at_node(node));
        Ok(match (notation, stamp) {
            (Notation::Text, Some(stamp)) => stamp.to_string(),
            (Notation::Text, None) => format!("{bits:016x}"),
            (Notation::Hex, Some(stamp)) => format!("{:032x}", stamp.to_u128()),
            (Notation::Hex, None) => format!("0x{bits:016x}"),
            (Notation::Integer, Some(stamp)) => stamp.to_u128().to_string(),
            (Notation::Integer, None) => bits.to_string(),
            (Notation::Uuid, _) if self.layout != AnyLayout::Unix48 => {
                return Err(NoSuchForm::UuidOfLayout(self.layout));
            }
            (Notation::Uuid, Some(stamp)) => Stamp::to_uuid(&stamp).to_string(),
            (Notation::Uuid, None) => return Err(NoSuchForm::UuidWithoutNode),
            (Notation::Human, Some(stamp)) => format!("{}@{}", self.human(), stamp.node()),
            (Notation::Human, None) => self.human(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{DoesNotFit, Moved};

    fn any_stamp() -> impl Strategy<Value = AnyStamp> {
        let layout = proptest::sample::select(AnyLayout::ALL);
        // Of every size, and of this century.
        let bits =
            prop_oneof![1..=u64::MAX, any::<u64>().prop_map(|bits| bits | (1 << 56)), 1..1_000_000_u64];
        let node = proptest::option::of(any::<u64>().prop_map(NodeId::from_random_bits));
        (layout, bits, node).prop_map(|(layout, bits, node)| {
            AnyStamp::new(layout, NonZeroU64::new(bits).unwrap_or(NonZeroU64::MIN), node)
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_the_same(stamp in any_stamp()) {
            for notation in Notation::ALL {
                let Ok(text) = stamp.write(*notation) else {
                    prop_assert_eq!(*notation, Notation::Uuid);
                    prop_assert!(stamp.layout() != AnyLayout::Unix48 || stamp.node().is_none());
                    continue;
                };
                // Years of five digits are shown and not read.
                let is_late = *notation == Notation::Human && text.starts_with('+');
                prop_assert_eq!(AnyStamp::read(&text, *notation, stamp.layout()).is_err(), is_late, "{}", text);
                if !is_late {
                    prop_assert_eq!(AnyStamp::read(&text, *notation, stamp.layout()), Ok(stamp), "{}", text);
                }
            }
            // Those of this century, which is where two notations could look alike.
            if stamp.bits().get() >= 1 << 56 {
                for notation in [Notation::Text, Notation::Hex, Notation::Integer] {
                    let text = stamp.write(notation).unwrap();
                    prop_assert_eq!(AnyStamp::guess(&text, stamp.layout()), Ok((stamp, notation)), "{}", text);
                }
            }
        }

        #[test]
        fn any_text_is_refused_or_stands_for_one_stamp(text in "(0x)?[0-9a-fA-F]{0,40}|[0-9TZ:.+@-]{0,40}|\\PC{0,40}") {
            for layout in AnyLayout::ALL {
                if let Ok((stamp, notation)) = AnyStamp::guess(&text, *layout) {
                    let written = stamp.write(notation).unwrap();
                    prop_assert_eq!(AnyStamp::read(&written, notation, *layout), Ok(stamp));
                }
                for notation in Notation::ALL {
                    let _total = AnyStamp::read(&text, *notation, *layout);
                }
            }
        }

        #[test]
        fn a_conversion_moves_time_by_less_than_a_unit_and_says_how_far(stamp in any_stamp(), other in any_stamp()) {
            let to = other.layout();
            let Ok(conversion) = stamp.convert(to) else { return Ok(()) };
            let (before, after) = (stamp.physical_time(), conversion.stamp().physical_time());
            let unit = 1_000_000_000_u128.div_ceil(u128::from(to.facts().units_per_second));
            let apart = |moved: core::time::Duration| {
                let shown = if before > after {
                    before.saturating_since(after)
                } else {
                    after.saturating_since(before)
                };
                // Physical time is told to the nanosecond beside it, of both.
                (shown.as_nanos().abs_diff(moved.as_nanos()) <= 2, moved.as_nanos() <= unit)
            };
            match conversion.moved() {
                Moved::Not => prop_assert_eq!(apart(core::time::Duration::ZERO), (true, true)),
                Moved::Back(by) | Moved::Ahead(by) => {
                    prop_assert!(!by.is_zero());
                    prop_assert_eq!(apart(by), (true, true));
                }
            }
            prop_assert_eq!(conversion.stamp().counter(), stamp.counter());
            prop_assert_eq!(conversion.stamp().node(), stamp.node());
            if conversion.moved() == Moved::Not {
                let back = conversion.stamp().convert(stamp.layout()).unwrap();
                prop_assert_eq!((back.stamp(), back.moved()), (stamp, Moved::Not));
            }
        }

        #[test]
        fn a_conversion_keeps_the_order_of_times(one in any_stamp(), bits in 1..=u64::MAX, to in proptest::sample::select(AnyLayout::ALL)) {
            let other = AnyStamp::new(one.layout(), NonZeroU64::new(bits).unwrap(), None);
            if let (Ok(left), Ok(right)) = (one.convert(to), other.convert(to)) {
                let (left, right) = (left.stamp(), right.stamp());
                if one.physical_units() <= other.physical_units() {
                    prop_assert!(left.physical_units() <= right.physical_units());
                } else {
                    prop_assert!(left.physical_units() >= right.physical_units());
                }
            }
        }
    }

    #[test]
    fn the_ends_of_a_layout_are_exact() {
        let read = |text: &str, layout| AnyStamp::guess(text, layout).unwrap().0;
        let last = read("ffffffffffffffff", AnyLayout::Secs32);
        // Its second fits where milliseconds have 48 bits, its counter does not.
        let most = 65_535;
        let too_many = DoesNotFit::Counter { layout: AnyLayout::Unix48, counter: u64::from(u32::MAX), most };
        assert_eq!(last.convert(AnyLayout::Unix48), Err(too_many));
        let end = read("2106-02-07T06:28:15.999Z", AnyLayout::Unix48);
        assert!(end.convert(AnyLayout::Secs32).is_ok());
        assert_eq!(
            read("2106-02-07T06:28:16Z", AnyLayout::Unix48).convert(AnyLayout::Secs32),
            Err(DoesNotFit::AfterEnd(AnyLayout::Secs32))
        );
        // Rounded up, and still before the end.
        assert_eq!(
            end.convert(AnyLayout::Ntp48).map(|done| done.stamp().human()),
            Ok("2106-02-07T06:28:15.999008Z+0".into())
        );
        let begin = read("2022-01-01T00:00:00Z+1", AnyLayout::Unix48);
        assert_eq!(begin.convert(AnyLayout::Millis42Y2022).map(|done| done.stamp().bits().get()), Ok(1));
        assert_eq!(
            read("2021-12-31T23:59:59.999Z+1", AnyLayout::Unix48).convert(AnyLayout::Millis42Y2022),
            Err(DoesNotFit::BeforeEpoch(AnyLayout::Millis42Y2022))
        );
        assert_eq!(
            read("2022-01-01T00:00:00Z", AnyLayout::Unix48).convert(AnyLayout::Millis42Y2022),
            Err(DoesNotFit::Zero(AnyLayout::Millis42Y2022))
        );
    }
}
