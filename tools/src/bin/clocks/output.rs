//! What is printed on standard output.

use std::io::{self, Write as _};

use serde_json::Value;

use crate::exit::{DONE, Failure};

/// Ends a verb that printed something, with the code it would end with. That a reader had enough of it is no failure.
pub(crate) fn finished(printed: io::Result<()>, code: u8) -> Result<u8, Failure> {
    match printed.and_then(|()| io::stdout().flush()) {
        Ok(()) => Ok(code),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(DONE),
        Err(error) => Err(Failure::from(error).during("standard output")),
    }
}

/// Writes a document on a line of its own.
pub(crate) fn json(out: &mut impl io::Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{value}")
}
