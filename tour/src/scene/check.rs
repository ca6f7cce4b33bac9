//! `Check`: one guarantee, and what a scene found of it.

use core::fmt::{self, Write};

use serde::Serialize;

/// Something that must hold, and whether it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) held: bool,
    pub(crate) found: String,
}

/// Writes one line for each check.
pub(crate) fn write_all(out: &mut impl Write, checks: &[Check]) -> fmt::Result {
    for Check { name, held, found } in checks {
        writeln!(out, "{:8}{name}: {found}", if *held { "held" } else { "BROKEN" })?;
    }
    Ok(())
}

/// Returns the last line of a scene in which something broke, or `None` where everything held.
pub(crate) fn broken(checks: &[Check]) -> Option<String> {
    let names: Vec<_> = checks.iter().filter(|check| !check.held).map(|check| check.name).collect();
    (!names.is_empty()).then(|| format!("Broken: {}.", names.join(", ")))
}
