//! What an issuer counts.

use crate::sync::{AtomicU64, Ordering, const_fn};

macro_rules! counts {
    ($($(#[$meta:meta])* $field:ident $count:ident,)+) => {
        /// What an operator must see of an [`Issuer`](crate::Issuer), as plain numbers. Each is read by itself,
        /// not all of them at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub struct IssuerSnapshot {
            $($(#[$meta])* pub $field: u64,)+
        }

        /// What may be counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Count {
            $($count,)+
        }

        #[derive(Debug)]
        pub(crate) struct Counters {
            $($field: AtomicU64,)+
        }

        impl Counters {
            const_fn! {
                pub(crate) const fn new() -> Self {
                    Self { $($field: AtomicU64::new(0),)+ }
                }
            }

            pub(crate) fn count(&self, count: Count) {
                let word = match count {
                    $(Count::$count => &self.$field,)+
                };
                // ORDERING: Relaxed. Nothing is published: a count is read for people, and no guarantee rests
                // on it. That none is lost comes from the one atomic step. Nothing weaker exists.
                word.fetch_add(1, Ordering::Relaxed);
            }

            pub(crate) fn snapshot(&self) -> IssuerSnapshot {
                // ORDERING: Relaxed. Nothing is published; the numbers are not promised to be of one moment.
                // Nothing weaker exists.
                IssuerSnapshot { $($field: self.$field.load(Ordering::Relaxed),)+ }
            }
        }
    };
}

counts! {
    /// Attempts that got the resource, at once or when they were resolved.
    granted Granted,
    /// Attempts that found it held, or kept for another.
    held Held,
    /// Calls that others got in the way of, each time they tried.
    contended Contended,
    /// Attempts of which nobody knew whether they landed. Each wants to be resolved.
    indeterminate Indeterminate,
    /// Unknown attempts that were found not to have landed, for ever.
    not_granted NotGranted,
    /// Attempts whose lease was over, or that others overtook, before their end was known.
    superseded Superseded,
    /// Renewals that landed.
    renewed Renewed,
    /// Leases found lost by a renewal.
    lost Lost,
    /// Leases ended by their holder, handed over ones among them.
    released Released,
    /// Leases that were over before their holder ended them.
    already_lost AlreadyLost,
    /// Leases ended by an operator.
    evicted Evicted,
    /// Realms begun by an operator.
    recovered Recovered,
    /// Renewals, releases and the like of which nobody knows whether they landed.
    unknown_changes UnknownChange,
    /// Calls that the store failed, and that did nothing.
    failed Failed,
    /// Calls refused because the record was at the end of a range, or cannot be true.
    refused Refused,
    /// Calls refused because the store is behind what the caller remembers. Above zero: it lost a part of its
    /// past. Stop, and recover.
    regressed Regressed,
    /// Answers that no correct store gives. Above zero: a bug, or a store that lost a part of its past.
    impossible Impossible,
}
