//! The program, as its users meet it: real processes, real files, real signals.
//!
//! No test sleeps: each waits for what it is about, and fails after a minute. A lease that has to end is short.

#![cfg(target_os = "linux")]
#![cfg(test)] // so that the lints know helper functions for what they are
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

mod commands;
mod damage;
mod disks;
#[cfg(all(feature = "postgres", feature = "tls"))]
mod encrypted;
mod gate;
mod holders;
mod looks;
mod names;
mod pages;
#[cfg(any(feature = "etcd", feature = "postgres"))]
mod remote;
mod stage;
mod terminal;
