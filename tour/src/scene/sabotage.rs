//! `Sabotage`: rules broken on purpose, to see that the checks notice. Each scene has its own.

use clap::ValueEnum as _;

use super::{fence, messages, replicas, restart};

/// A rule of one scene that is broken on purpose.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sabotage {
    Messages(messages::Sabotage),
    Replicas(replicas::Sabotage),
    Restart(restart::Sabotage),
    Fence(fence::Sabotage),
}

impl Sabotage {
    /// Reads its name on the command line.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        let messages = messages::Sabotage::from_str(name, false).map(Self::Messages);
        messages
            .or_else(|_| replicas::Sabotage::from_str(name, false).map(Self::Replicas))
            .or_else(|_| restart::Sabotage::from_str(name, false).map(Self::Restart))
            .or_else(|_| fence::Sabotage::from_str(name, false).map(Self::Fence))
    }

    /// Returns the name of the scene whose rule it is.
    pub(crate) const fn scene(self) -> &'static str {
        match self {
            Self::Messages(_) => messages::SCENE.name,
            Self::Replicas(_) => replicas::SCENE.name,
            Self::Restart(_) => restart::SCENE.name,
            Self::Fence(_) => fence::SCENE.name,
        }
    }

    pub(crate) const fn of_messages(self) -> Option<messages::Sabotage> {
        match self {
            Self::Messages(sabotage) => Some(sabotage),
            Self::Replicas(_) | Self::Restart(_) | Self::Fence(_) => None,
        }
    }

    pub(crate) const fn of_replicas(self) -> Option<replicas::Sabotage> {
        match self {
            Self::Messages(_) | Self::Restart(_) | Self::Fence(_) => None,
            Self::Replicas(sabotage) => Some(sabotage),
        }
    }

    pub(crate) const fn of_restart(self) -> Option<restart::Sabotage> {
        match self {
            Self::Messages(_) | Self::Replicas(_) | Self::Fence(_) => None,
            Self::Restart(sabotage) => Some(sabotage),
        }
    }
    pub(crate) const fn of_fence(self) -> Option<fence::Sabotage> {
        match self {
            Self::Messages(_) | Self::Replicas(_) | Self::Restart(_) => None,
            Self::Fence(sabotage) => Some(sabotage),
        }
    }
}
