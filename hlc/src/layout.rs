//! How physical time and counter share one 64-bit word.

use core::{fmt, hash::Hash};

/// Which way a reading between two units of a layout goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way to round to a unit")]
pub enum Rounding {
    /// To the unit that has begun. A stamp may then be below its physical time by less than one unit.
    Down,
    /// To the unit that comes next, as in the paper's form. A stamp is then never below its physical time.
    Up,
}

/// The constants of a packed timestamp: where its two fields meet, and what they count.
///
/// ```text
///  63                        COUNTER_BITS                       0
/// +-------------------------------+-----------------------------+
/// | units since the layout's epoch| counter                     |
/// +-------------------------------+-----------------------------+
/// ```
///
/// The trait is open: a system with another split describes it in five lines. Values that do not fit
/// together fail to compile where the layout is first used.
///
/// ```
/// use hlc::{Packed, layout::{Layout, Rounding}};
///
/// /// Tenths of a second since 2000-01-01, and 24 bits of counter.
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
/// enum Tenths40 {}
///
/// impl Layout for Tenths40 {
///     const NAME: &'static str = "Tenths40";
///     const UNITS_PER_SECOND: u64 = 10;
///     const COUNTER_BITS: u32 = 24;
///     const EPOCH_UNIX_SECS: u64 = 946_684_800;
///     const ROUNDING: Rounding = Rounding::Down;
/// }
///
/// let stamp = Packed::<Tenths40>::from_parts(15, 7)?;
/// assert_eq!(stamp.physical_time().to_duration().as_millis(), 946_684_801_500);
/// # Ok::<(), hlc::PartsOutOfRange>(())
/// ```
pub trait Layout: Copy + Ord + Hash + fmt::Debug + Send + Sync + 'static {
    /// The layout's name, for people.
    const NAME: &'static str;
    /// Units of physical time in a second: 1 to 2^32.
    const UNITS_PER_SECOND: u64;
    /// Bits of the counter: 1 to 32. The rest is physical time.
    const COUNTER_BITS: u32;
    /// The layout's epoch, in seconds since the Unix epoch. Readings before it read as the epoch.
    const EPOCH_UNIX_SECS: u64;
    /// Which way a reading between two units goes.
    const ROUNDING: Rounding;
}

macro_rules! layouts {
    ($($(#[$meta:meta])* $name:ident: $units:expr, $counter:literal, $epoch:literal, $rounding:ident;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(clippy::exhaustive_enums, reason = "an empty enum: a name for constants, never a value")]
        pub enum $name {}

        impl Layout for $name {
            const NAME: &'static str = stringify!($name);
            const UNITS_PER_SECOND: u64 = $units;
            const COUNTER_BITS: u32 = $counter;
            const EPOCH_UNIX_SECS: u64 = $epoch;
            const ROUNDING: Rounding = Rounding::$rounding;
        }
    )+};
}

layouts! {
    /// Milliseconds since the Unix epoch in 48 bits, counter in 16: the default.
    ///
    /// The high 48 bits are those of a UUIDv7 (RFC 9562, section 5.7). Ends in the year 10889.
    Unix48: 1_000, 16, 0, Down;
    /// Microseconds since the Unix epoch in 52 bits, counter in 12: Kudu's and YugabyteDB's. Ends in 2112.
    Micros52: 1_000_000, 12, 0, Down;
    /// Units of 2^-16 s since the Unix epoch in 48 bits, rounded up, counter in 16: the form that the HLC
    /// paper proposes in its section 6.2. Ends in 2106.
    Ntp48: 1 << 16, 16, 0, Up;
    /// Units of 2^-28 s since the Unix epoch in 60 bits, counter in 4: an NTP64 whose last four bits count,
    /// as zenoh's uhlc makes them. Ends in 2106.
    Ntp60: 1 << 28, 4, 0, Down;
    /// Milliseconds since the Unix epoch in 46 bits, counter in 18: the timestamps of TiDB's placement
    /// driver. Ends in 4199.
    Millis46: 1_000, 18, 0, Down;
    /// Milliseconds since 2022-01-01T00:00:00Z in 42 bits, counter in 22: Restate's. Ends in 2161.
    Millis42Y2022: 1_000, 22, 1_640_995_200, Down;
    /// Seconds since the Unix epoch in 32 bits, counter in 32: the bits of MongoDB's cluster time, without
    /// its rule for a full counter (which fails; here it carries). Ends in 2106.
    Secs32: 1, 32, 0, Down;
}
