//! How a line is written, and how a fact that does not hold ends the run.

use core::error::Error;

/// Writes one line of the report.
macro_rules! say {
    ($($arg:tt)+) => { cortex_m_semihosting::hprintln!($($arg)+) };
}
pub(crate) use say;

/// Ends the section where `$fact` does not hold.
macro_rules! hold {
    ($fact:expr, $($found:tt)+) => {
        if $fact {
        } else {
            $crate::outcome::say!("wrong: {}", format_args!($($found)+));
            return Err($crate::outcome::Failed);
        }
    };
}
pub(crate) use hold;

/// A fact did not hold; the line before the end says which.
#[derive(Debug)]
pub struct Failed;

/// What a section of the report comes to.
pub type Outcome<T = ()> = Result<T, Failed>;

impl<E: Error> From<E> for Failed {
    fn from(error: E) -> Self {
        say!("wrong: {error}");
        Self
    }
}
