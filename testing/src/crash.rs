//! Crash points of whatever stands on a register, on the simulated disk.

use high_water::{Cut, Fate, Fault, FaultMedium, Unflushed};
use std::fmt;

const EIO: i32 = 5;

/// Each unflushed change lost, whole, or torn at either end, in every combination.
#[must_use]
pub fn cuts(machine: &FaultMedium) -> Vec<Cut> {
    let mut fates: Vec<Vec<Fate>> = vec![Vec::new()];
    for change in machine.unflushed() {
        let torn = match change {
            Unflushed::Write(len) => vec![Fate::Prefix(len / 16), Fate::Suffix(len / 3)],
            Unflushed::Length | Unflushed::Name | _ => Vec::new(),
        };
        let each = [vec![Fate::Lost, Fate::Whole], torn].concat();
        fates = fates
            .iter()
            .flat_map(|so_far| each.iter().map(|fate| [&so_far[..], &[*fate]].concat()))
            .collect();
    }
    fates.iter().map(|fates| Cut::new(fates)).collect()
}

/// A history that ends where the machine fails, and what has to hold of every successor.
pub struct CrashPoints<L, C> {
    /// Lives on a machine, as far as they get; the greatest number that the outside world has seen.
    pub lives: L,
    /// Looks at the machine after the crash, with that number, and with words for how it came to be.
    pub check: C,
}

impl<L, C> fmt::Debug for CrashPoints<L, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrashPoints").finish_non_exhaustive()
    }
}

impl<L, C> CrashPoints<L, C>
where
    L: Fn(&FaultMedium) -> u64,
    C: Fn(&FaultMedium, u64, &dyn Fn() -> String),
{
    /// How many calls the lives make on a copy of this machine.
    fn calls(&self, start: &FaultMedium) -> u64 {
        let whole = start.process_crash();
        assert!((self.lives)(&whole) > 0, "they do nothing");
        whole.calls()
    }

    /// The power is cut at every call from this machine on, and what was unflushed then meets every fate. How many images
    /// were tried.
    ///
    /// # Panics
    ///
    /// When a check fails.
    pub fn power_cut_at_every_call(&self, start: &FaultMedium) -> u64 {
        let mut images = 0;
        for call in 0..self.calls(start) {
            let machine = start.process_crash();
            machine.fail(call, Fault::PowerCut);
            let greatest = (self.lives)(&machine);
            for cut in cuts(&machine) {
                images += 1;
                (self.check)(&machine.power_cut(&cut), greatest, &|| format!("{cut:?} at call {call}"));
            }
        }
        images
    }

    /// Every call from this machine on fails, in each way; then the process is killed, or the power is cut. How many
    /// images were tried.
    ///
    /// # Panics
    ///
    /// When a check fails.
    pub fn every_call_fails(&self, start: &FaultMedium) -> u64 {
        let failed = |fate| Fault::SyncFails { errno: EIO, fate };
        let torn = Fault::Torn { bytes: 40, errno: EIO };
        let mut images = 0;
        for call in 0..self.calls(start) {
            for fault in [Fault::Errno(EIO), torn, failed(Fate::Lost), failed(Fate::Whole)] {
                let machine = start.process_crash();
                machine.fail(call, fault);
                let greatest = (self.lives)(&machine);
                for after in [machine.process_crash(), machine.power_cut(&Cut::new(&[]))] {
                    images += 1;
                    (self.check)(&after, greatest, &|| format!("{fault:?} at call {call}"));
                }
            }
        }
        images
    }
}
