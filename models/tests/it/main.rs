//! The models, run to their ends. They want an optimised build.

#![cfg(test)] // so that the lints know helper functions for what they are

extern crate alloc;

mod deadline;
mod fencing;
