//! Logs with vector clocks, as a program that reads them meets them.

#![cfg(test)] // so that the lints know helper functions for what they are

mod browser;
mod diagram;
mod forms;
mod hostile;
mod run;
mod validate;
