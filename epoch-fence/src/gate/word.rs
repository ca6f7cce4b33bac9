//! The one word on which a gate's promise rests, and what each operation makes of it.
//!
//! ```text
//!  63      62      61           60                    22 21                0
//! +-------+-------+------------+------------------------+-------------------+
//! | closed| sealed| installing | generation             | count             |
//! +-------+-------+------------+------------------------+-------------------+
//! ```
//!
//! - *closed*: nobody is admitted but one who installs a newer tenure.
//! - *sealed*: nobody is admitted, for ever.
//! - *installing*: one caller alone may write the tenure; implies closed, and is one of the count.
//! - *generation*: changes with each claim to install, and when permits are abandoned. It never wraps.
//! - *count*: permits, the one who installs, and for a few instructions callers about to be refused.
//!
//! | from | operation | to |
//! |---|---|---|
//! | any | `enter` | count + 1; a permit if open, in the generation that was judged, and below the bound |
//! | count > 0, same generation | release | count - 1 |
//! | another generation | release | nothing: those permits were abandoned |
//! | not closed | close | closed |
//! | count 0, not installing, not sealed | claim | closed, installing, generation + 1, count 1 |
//! | installing | open | not closed, not installing; the one of the count is now a permit |
//! | installing | yield | not installing, count - 1 |
//! | any | seal | sealed |
//! | not installing, count > 0 | abandon | generation + 1, count 0 |

/// The width of the count.
pub(super) const COUNT_BITS: u32 = 22;
const GENERATION_BITS: u32 = 39;
const _: () = assert!(COUNT_BITS + GENERATION_BITS + 3 == u64::BITS, "the fields fill the word");

const COUNT: u64 = (1 << COUNT_BITS) - 1;
const GENERATION_ONE: u64 = 1 << COUNT_BITS;
const GENERATION: u64 = ((1 << GENERATION_BITS) - 1) << COUNT_BITS;

/// What `enter` adds.
pub(super) const ENTER: u64 = 1;
/// What `close` sets.
pub(super) const CLOSED: u64 = 1 << 63;
/// What `seal` sets.
pub(super) const SEALED: u64 = 1 << 62;
const INSTALLING: u64 = 1 << 61;
/// What `open` leaves.
pub(super) const OPEN: u64 = !(CLOSED | INSTALLING);
/// What `yield` takes away.
pub(super) const YIELD: u64 = INSTALLING | ENTER;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Word(u64);

/// What is left to do for one who gives a count back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Release {
    /// The word becomes this one.
    To(Word),
    /// The count was abandoned, and is not in the word any more.
    Abandoned,
    /// The word holds no count to give back.
    Impossible,
}

impl Word {
    /// A gate that has admitted nobody: closed, so that its first tenure is installed like any other.
    pub(super) const NEW: Self = Self(CLOSED);

    pub(super) const fn new(bits: u64) -> Self {
        Self(bits)
    }

    /// With so many in the count; a number above half of the field is taken for half of it.
    #[cfg(feature = "file")]
    pub(super) const fn with_count(self, count: u32) -> Self {
        let most = 1 << (COUNT_BITS - 1);
        let count = if count < most { count } else { most };
        Self((self.0 & !COUNT) | count as u64)
    }

    pub(super) const fn bits(self) -> u64 {
        self.0
    }

    pub(super) const fn is_open(self) -> bool {
        self.0 & (CLOSED | SEALED) == 0
    }

    pub(super) const fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    pub(super) const fn is_sealed(self) -> bool {
        self.0 & SEALED != 0
    }

    pub(super) const fn is_installing(self) -> bool {
        self.0 & INSTALLING != 0
    }

    /// Whether the last one has gone that a newer tenure waits for.
    pub(super) const fn is_drained(self) -> bool {
        self.is_closed() && self.0 & COUNT == 0
    }

    pub(super) const fn generation(self) -> u64 {
        (self.0 & GENERATION) >> COUNT_BITS
    }

    pub(super) const fn count(self) -> u32 {
        (self.0 & COUNT) as u32
    }

    /// How many a newer tenure waits for: the count without the one who installs.
    pub(super) const fn in_flight(self) -> u32 {
        self.count().saturating_sub(self.is_installing() as u32)
    }

    /// Whether the caller who found this word when it entered has a permit. It was judged at `judged`, which
    /// was open: it is in if nothing but the count has changed.
    pub(super) const fn lets_in(self, judged: Self) -> bool {
        self.0 & !COUNT == judged.0 & !COUNT
    }

    pub(super) const fn entered(self) -> Self {
        Self(self.0.wrapping_add(ENTER))
    }

    pub(super) const fn released(self, generation: u64) -> Release {
        if self.generation() != generation {
            Release::Abandoned
        } else if self.in_flight() == 0 {
            Release::Impossible
        } else {
            Release::To(Self(self.0.wrapping_sub(ENTER)))
        }
    }

    pub(super) const fn closed(self) -> Self {
        Self(self.0 | CLOSED)
    }

    pub(super) const fn sealed(self) -> Self {
        Self(self.0 | SEALED)
    }

    /// The last generation is reached: nothing more can be installed or abandoned, so that none repeats.
    pub(super) const fn is_exhausted(self) -> bool {
        self.0 & GENERATION == GENERATION
    }

    /// `None` while someone is in the count, or the gate is sealed or exhausted.
    pub(super) const fn claimed(self) -> Option<Self> {
        if self.count() > 0 || self.is_sealed() || self.is_exhausted() {
            return None;
        }
        Some(Self((self.0 | CLOSED | INSTALLING).wrapping_add(GENERATION_ONE).wrapping_add(ENTER)))
    }

    pub(super) const fn opened(self) -> Self {
        Self(self.0 & OPEN)
    }

    pub(super) const fn yielded(self) -> Self {
        Self(self.0.wrapping_sub(YIELD))
    }

    /// The word without its permits, and how many they were. `None` where there is none to abandon: of one who
    /// installs, everybody before has already gone.
    pub(super) const fn abandoned(self) -> Option<(Self, u32)> {
        if self.count() == 0 || self.is_installing() || self.is_exhausted() {
            return None;
        }
        Some((Self((self.0 & !COUNT).wrapping_add(GENERATION_ONE)), self.count()))
    }
}
