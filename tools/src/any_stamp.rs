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
