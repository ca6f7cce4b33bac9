//! Feature `defmt`: the values as `Display` writes them, put together on the host. The errors derive theirs.

use defmt::{Format, Formatter, write};

use crate::{Epoch, FencingToken, GrantId, HolderId, RealmId, ResourceId};

impl Format for Epoch {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{=u64}", self.get());
    }
}

/// Thirty-two digits, as in the text form.
impl Format for RealmId {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{=u128:032x}", self.get());
    }
}

/// Thirty-two digits, as in the text form.
impl Format for GrantId {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{=u128:032x}", self.get());
    }
}

/// Sixty-four digits, as in the text form.
impl Format for ResourceId {
    fn format(&self, f: Formatter<'_>) {
        // Two numbers, because bytes would be printed as a list.
        for half in self.to_bytes().as_chunks().0 {
            write!(f, "{=u128:032x}", u128::from_be_bytes(*half));
        }
    }
}

impl Format for HolderId {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{=str}", self.as_str());
    }
}

/// Realm, resource, epoch and grant, in the order of the text form.
impl Format for FencingToken {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{}-{}-{}-{}", self.realm(), self.resource(), self.epoch(), self.grant());
    }
}
