//! A command as a child process: how it is started, watched, told and stopped.

mod plan;
mod renewer;
mod spawn;
mod supervisor;
mod terminal;

pub(crate) use renewer::Renewer;
pub(crate) use spawn::Group;
pub(crate) use supervisor::{Inherited, Supervisor, Watch, outlive_limits};
