//! The program, as its users meet it: a process, its arguments, its files, and what it prints.

#![cfg(test)] // so that the lints know helper functions for what they are
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

mod convert;
mod diagram;
mod inspect;
mod merge;
mod now;
mod pages;
#[cfg(unix)]
mod readme;
mod stage;
#[cfg(target_os = "linux")]
mod terminal;
mod validate;
