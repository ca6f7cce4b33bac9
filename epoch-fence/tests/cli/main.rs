//! The program, as its users meet it: real processes, real files, real signals.
//!
//! No test sleeps: each waits for what it is about, and fails after a minute. A lease that has to end is short.

#![cfg(all(test, target_os = "linux"))]
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

mod commands;
mod damage;
mod disks;
mod gate;
mod holders;
mod names;
mod pages;
mod stage;
mod terminal;
