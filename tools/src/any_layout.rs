//! `AnyLayout`: a layout that is known only when the program runs.

use core::{error::Error, fmt, str::FromStr};

use hlc::layout::{self, Layout, Rounding};

/// What is done with a layout that is found by its name.
pub trait ForLayout {
    /// What comes of it.
    type Output;

    /// Does it in the layout `L`.
    fn run<L: Layout>(self) -> Self::Output;
}

macro_rules! layouts {
    ($($(#[$meta:meta])? $name:ident),+ $(,)?) => {
        /// One of the layouts of [`hlc::layout`], by its name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
        #[non_exhaustive]
        pub enum AnyLayout {
            $(
                #[doc = concat!("[`", stringify!($name), "`](layout::", stringify!($name), ").")]
                $(#[$meta])?
                $name,
            )+
        }

        impl AnyLayout {
            /// Every one, the default first.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Returns its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => <layout::$name as Layout>::NAME),+
                }
            }

            /// Does something in it.
            pub fn visit<T: ForLayout>(self, task: T) -> T::Output {
                match self {
                    $(Self::$name => task.run::<layout::$name>()),+
                }
            }
        }
    };
}

layouts! { #[default] Unix48, Micros52, Ntp48, Ntp60, Millis46, Millis42Y2022, Secs32 }

/// The constants of a layout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) units_per_second: u64,
    pub(crate) counter_bits: u32,
    pub(crate) epoch_unix_secs: u64,
    pub(crate) rounding: Rounding,
}

impl AnyLayout {
    pub(crate) fn facts(self) -> Facts {
        struct Task;
        impl ForLayout for Task {
            type Output = Facts;
            fn run<L: Layout>(self) -> Facts {
                Facts {
                    units_per_second: L::UNITS_PER_SECOND,
                    counter_bits: L::COUNTER_BITS,
                    epoch_unix_secs: L::EPOCH_UNIX_SECS,
                    rounding: L::ROUNDING,
                }
            }
        }
        self.visit(Task)
    }
}

impl Facts {
    /// The counter has 1 to 32 bits, in every layout that compiles.
    pub(crate) const fn physical_units(self, bits: u64) -> u64 {
        bits >> self.counter_bits
    }

    pub(crate) const fn max_physical_units(self) -> u64 {
        self.physical_units(u64::MAX)
    }

    pub(crate) const fn max_counter(self) -> u64 {
        !(u64::MAX << self.counter_bits)
    }
}

/// A name that no layout has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLayout {
    _private: (),
}

impl fmt::Display for UnknownLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such layout; there are")?;
        AnyLayout::ALL.iter().try_for_each(|layout| write!(f, " {layout}"))
    }
}

impl Error for UnknownLayout {}

impl FromStr for AnyLayout {
    type Err = UnknownLayout;

    /// Reads a name, in either case.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|layout| layout.name().eq_ignore_ascii_case(name));
        found.copied().ok_or(UnknownLayout { _private: () })
    }
}

impl fmt::Display for AnyLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_is_found_by_its_name_in_either_case() {
        for layout in AnyLayout::ALL {
            assert_eq!(layout.name().parse(), Ok(*layout));
            assert_eq!(layout.name().to_uppercase().parse(), Ok(*layout));
        }
        let said = "unix".parse::<AnyLayout>().unwrap_err().to_string();
        assert_eq!(
            said,
            "no such layout; there are Unix48 Micros52 Ntp48 Ntp60 Millis46 Millis42Y2022 Secs32"
        );
    }
}
