//! `Removed`: the rule that a model does without.

/// A rule that is taken away, so that the model must fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Removed {
    /// None: the protocol as it is.
    Nothing,
    /// A resolution says that an attempt did not land, and does not write that it never will.
    BurnWrite,
    /// The store lets a write land on any version.
    VersionCompare,
    /// An acquire keeps the epoch that it finds.
    EpochIncrement,
    /// A renewal lands on a live lease, whoever has it, and puts its own grant there.
    GrantMatch,
    /// A renewal lands on a lease that is over.
    ExpiryFinal,
    /// A second attempt is made under the first one's grant.
    FreshGrant,
    /// The gate admits a newer epoch while permits of an older one are alive.
    Drain,
    /// After an older copy was put back, the operator does not recover.
    Recovery,
    /// The holder counts its deadline from the reply.
    CountFromSending,
    /// The holder leaves no margin for a clock that runs slow.
    Margin,
    /// The holder believes in an answer that comes after its deadline.
    DeadlineFinal,
}
