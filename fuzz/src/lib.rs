//! What the fuzz targets assert. Each is a function of bytes, so that the same code explores under libFuzzer
//! and replays the corpus in an ordinary test.

pub mod hlc_decode;
pub mod hlc_operations;
