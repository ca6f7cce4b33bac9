//! `Window`: how far ahead of physical time a durable clock keeps its bound.

use core::{error::Error, fmt, time::Duration};

/// How far ahead of physical time a durable clock keeps its bound: from a millisecond to a minute, by default 250 ms.
///
/// A restart begins at the bound. The clock's own limits let it, but its peers have only theirs: under
/// [`Resume::AtOnce`](crate::Resume::AtOnce) the window in force is therefore at most half of the skew limit. Where no
/// limit holds it down, because there is none or because the clock waits for physical time, a minute does: each restart
/// takes the clock as far ahead of physical time, or makes it wait as long, and two syncs in a minute cost nothing that
/// a longer window could save.
///
/// ```
/// use core::time::Duration;
/// use hlc::Window;
///
/// assert!(Window::new(Duration::from_millis(100)).is_ok());
/// assert!(Window::new(Duration::from_secs(3_600)).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window(Duration);

impl Window {
    /// A quarter of a second.
    pub const DEFAULT: Self = Self(Duration::from_millis(250));

    /// The shortest window, a millisecond: a sync for each.
    pub const MIN: Self = Self(Duration::from_millis(1));

    /// The longest window, a minute.
    pub const MAX: Self = Self(Duration::from_secs(60));

    /// Makes a window.
    ///
    /// # Errors
    ///
    /// [`WindowOutOfRange`] outside of [`MIN`](Self::MIN) to [`MAX`](Self::MAX).
    pub const fn new(window: Duration) -> Result<Self, WindowOutOfRange> {
        let nanos = window.as_nanos();
        if nanos < Self::MIN.0.as_nanos() || nanos > Self::MAX.0.as_nanos() {
            return Err(WindowOutOfRange { asked: window });
        }
        Ok(Self(window))
    }

    /// Returns its length.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        self.0
    }
}

impl Default for Window {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A window is shorter than [`Window::MIN`] or longer than [`Window::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowOutOfRange {
    asked: Duration,
}

impl WindowOutOfRange {
    /// Returns the window that was asked for.
    #[must_use]
    pub const fn asked(&self) -> Duration {
        self.asked
    }
}

impl fmt::Display for WindowOutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (min, max) = (Window::MIN.0, Window::MAX.0);
        write!(f, "a window of {:?} is not between {min:?} and {max:?}", self.asked)
    }
}

impl Error for WindowOutOfRange {}
