//! Every `snapshot()` of the crates under stable names. Copy what you use: `docs/metrics.md` lists the names, what they
//! mean, and when to page somebody.
//!
//! Snapshots are read when somebody looks, as before each scrape or every ten seconds: nothing is added to a hot path.

use core::time::Duration;

use high_water::ReserverSnapshot;
use hlc::{Packed, layout::Layout};
use vector_clock::{BufferSnapshot, IntervalTreeSnapshot};

/// Where the numbers of one clock, gate or issuer go: under the label `name`, so that several of a kind are told apart.
#[derive(Clone, Copy)]
pub(crate) struct Export(pub(crate) &'static str);

#[cfg_attr(not(test), expect(dead_code, reason = "the program has not one of each; the test has"))]
impl Export {
    fn counter(self, metric: &'static str, count: u64) {
        metrics::counter!(metric, "name" => self.0).absolute(count);
    }

    fn gauge(self, metric: &'static str, value: f64) {
        metrics::gauge!(metric, "name" => self.0).set(value);
    }

    /// A number that is a place and not a count. Above 2^53 a gauge shows it rounded.
    fn place(self, metric: &'static str, value: u64) {
        self.gauge(metric, value as f64);
    }

    fn size(self, metric: &'static str, value: usize) {
        self.gauge(metric, value as f64);
    }

    fn flag(self, metric: &'static str, is_set: bool) {
        self.gauge(metric, f64::from(u8::from(is_set)));
    }

    /// "Not a number" where there is none: a gauge that kept what it showed before would lie.
    fn seconds(self, metric: &'static str, value: Option<Duration>) {
        self.gauge(metric, value.map_or(f64::NAN, |duration| duration.as_secs_f64()));
    }

    /// Seconds since the Unix epoch, as other systems write them.
    fn moment<L: Layout>(self, metric: &'static str, stamp: Option<Packed<L>>) {
        self.seconds(metric, stamp.map(|stamp| stamp.physical_time().to_duration()));
    }

    pub(crate) fn hlc<L: Layout>(self, seen: &hlc::Snapshot<L>) {
        self.moment("hlc_last_seconds", seen.last());
        self.seconds("hlc_lead_seconds", seen.lead());
        self.seconds("hlc_max_lead_seconds", Some(seen.max_lead()));
        self.counter("hlc_skew_refusals_total", seen.skew_refusals());
        self.counter("hlc_lead_refusals_total", seen.lead_refusals());
        self.counter("hlc_exhausted_refusals_total", seen.exhausted_refusals());
        self.counter("hlc_source_errors_total", seen.source_errors());
        self.counter("hlc_source_steps_total", seen.source_steps());
        self.counter("hlc_carries_total", seen.carries());
    }

    pub(crate) fn hlc_durable<L: Layout>(self, seen: &hlc::DurableSnapshot<L>) {
        self.hlc(&seen.clock());
        self.moment("hlc_durable_bound_seconds", seen.bound());
        self.seconds("hlc_durable_headroom_seconds", seen.headroom());
        self.counter("hlc_durable_stalls_total", seen.stalls());
        self.counter("hlc_durable_extensions_total", seen.extensions());
        self.counter("hlc_durable_not_raised_total", seen.not_raised());
        self.counter("hlc_durable_indeterminate_total", seen.indeterminate());
    }

    /// Of the layer of a server and that of a client.
    pub(crate) fn headers(self, seen: &hlc_tower::Snapshot) {
        self.counter("hlc_tower_accepted_total", seen.accepted());
        self.counter("hlc_tower_absent_total", seen.absent());
        self.counter("hlc_tower_repeated_total", seen.repeated());
        self.counter("hlc_tower_oversized_total", seen.oversized());
        self.counter("hlc_tower_non_ascii_total", seen.non_ascii());
        self.counter("hlc_tower_malformed_total", seen.malformed());
        self.counter("hlc_tower_too_far_ahead_total", seen.too_far_ahead());
        self.counter("hlc_tower_clock_failures_total", seen.clock_failures());
        self.counter("hlc_tower_stamped_total", seen.stamped());
        self.counter("hlc_tower_kept_total", seen.kept());
        self.counter("hlc_tower_replaced_total", seen.replaced());
        self.counter("hlc_tower_unstamped_total", seen.unstamped());
    }

    pub(crate) fn lines<C>(self, timer: &hlc_tracing::StampTimer<C>) {
        self.counter("hlc_tracing_unstamped_total", timer.unstamped());
    }

    pub(crate) fn lamport(self, seen: &lamport::Snapshot) {
        self.place("lamport_last", seen.last.get());
        self.counter("lamport_jump_exceeded_total", seen.jump_exceeded);
        self.counter("lamport_end_reserved_total", seen.end_reserved);
        self.counter("lamport_exhausted_total", seen.exhausted);
    }

    pub(crate) fn lamport_durable(self, seen: &lamport::DurableSnapshot) {
        self.lamport(&seen.clock);
        self.place("lamport_durable_bound", seen.bound.get());
        self.place("lamport_durable_left", seen.left);
        self.counter("lamport_durable_stalls_total", seen.stalls);
        self.counter("lamport_durable_extensions_total", seen.extensions);
        self.counter("lamport_durable_not_raised_total", seen.not_raised);
        self.counter("lamport_durable_indeterminate_total", seen.indeterminate);
    }

    /// Of a clock, a shared clock and a matrix clock.
    pub(crate) fn vector_clock(self, seen: &vector_clock::Snapshot) {
        self.counter("vector_clock_events_total", seen.last);
        self.size("vector_clock_entries", seen.entries);
        self.counter("vector_clock_jump_exceeded_total", seen.jump_exceeded);
        self.counter("vector_clock_unissued_total", seen.unissued);
        self.counter("vector_clock_capacity_total", seen.capacity);
        self.counter("vector_clock_overflow_total", seen.overflow);
    }

    pub(crate) fn causal_buffer(self, seen: &BufferSnapshot) {
        self.size("vector_clock_buffer_waiting", seen.waiting);
        self.counter("vector_clock_buffer_delivered_total", seen.delivered);
        self.counter("vector_clock_buffer_duplicates_total", seen.duplicates);
        self.counter("vector_clock_buffer_unknown_member_total", seen.unknown_member);
        self.counter("vector_clock_buffer_beyond_quota_total", seen.beyond_quota);
        self.counter("vector_clock_buffer_full_total", seen.full);
        self.counter("vector_clock_buffer_steps_total", seen.steps);
    }

    pub(crate) fn interval_tree(self, seen: &IntervalTreeSnapshot) {
        self.size("vector_clock_interval_tree_nodes", seen.nodes);
        self.counter("vector_clock_interval_tree_anonymous_total", seen.anonymous);
        self.counter("vector_clock_interval_tree_overlap_total", seen.overlap);
        self.counter("vector_clock_interval_tree_overflow_total", seen.overflow);
        self.counter("vector_clock_interval_tree_budget_total", seen.budget);
        self.counter("vector_clock_interval_tree_jump_total", seen.jump);
    }

    pub(crate) fn high_water(self, seen: &high_water::Snapshot) {
        self.counter("high_water_raises_total", seen.raises);
        self.counter("high_water_unchanged_total", seen.unchanged);
        self.counter("high_water_not_raised_total", seen.not_raised);
        self.counter("high_water_indeterminate_total", seen.indeterminate);
        self.counter("high_water_syncs_total", seen.syncs);
        self.counter("high_water_damaged_copies_total", seen.damaged_copies);
    }

    pub(crate) fn reserver(self, seen: &ReserverSnapshot) {
        self.place("high_water_reserver_left", seen.left);
        self.place("high_water_reserver_mark", seen.mark);
        self.counter("high_water_reserver_extensions_total", seen.extensions);
        self.counter("high_water_reserver_stalls_total", seen.stalls);
    }

    /// Of a gate and a durable gate.
    pub(crate) fn gate(self, seen: &epoch_fence::Snapshot) {
        self.place("epoch_fence_gate_floor", seen.floor.get());
        self.place("epoch_fence_gate_admitted", seen.admitted.map_or(0, epoch_fence::Epoch::get));
        self.gauge("epoch_fence_gate_in_flight", f64::from(seen.in_flight));
        self.flag("epoch_fence_gate_closed", seen.closed);
        self.flag("epoch_fence_gate_sealed", seen.sealed);
        self.counter("epoch_fence_gate_advances_total", seen.advances);
        self.counter("epoch_fence_gate_stale_total", seen.stale);
        self.counter("epoch_fence_gate_conflict_total", seen.conflict);
        self.counter("epoch_fence_gate_wrong_resource_total", seen.wrong_resource);
        self.counter("epoch_fence_gate_wrong_realm_total", seen.wrong_realm);
        self.counter("epoch_fence_gate_too_far_ahead_total", seen.too_far_ahead);
        self.counter("epoch_fence_gate_draining_total", seen.draining);
        self.counter("epoch_fence_gate_refused_sealed_total", seen.refused_sealed);
        self.counter("epoch_fence_gate_too_many_permits_total", seen.too_many_permits);
        self.counter("epoch_fence_gate_abandoned_total", seen.abandoned);
        self.counter("epoch_fence_gate_impossible_total", seen.impossible);
    }

    /// Of a gate in files: its counts are those of this process, the rest is that of the host.
    #[cfg(target_os = "linux")]
    pub(crate) fn file_gate(self, seen: &epoch_fence::FileGateSnapshot) {
        self.gate(&seen.gate);
        self.size("epoch_fence_gate_holders", seen.holders.len());
    }

    /// Of an issuer, one that awaits as well.
    pub(crate) fn issuer(self, seen: &epoch_fence::IssuerSnapshot) {
        self.counter("epoch_fence_issuer_granted_total", seen.granted);
        self.counter("epoch_fence_issuer_held_total", seen.held);
        self.counter("epoch_fence_issuer_contended_total", seen.contended);
        self.counter("epoch_fence_issuer_indeterminate_total", seen.indeterminate);
        self.counter("epoch_fence_issuer_not_granted_total", seen.not_granted);
        self.counter("epoch_fence_issuer_superseded_total", seen.superseded);
        self.counter("epoch_fence_issuer_renewed_total", seen.renewed);
        self.counter("epoch_fence_issuer_lost_total", seen.lost);
        self.counter("epoch_fence_issuer_released_total", seen.released);
        self.counter("epoch_fence_issuer_already_lost_total", seen.already_lost);
        self.counter("epoch_fence_issuer_evicted_total", seen.evicted);
        self.counter("epoch_fence_issuer_recovered_total", seen.recovered);
        self.counter("epoch_fence_issuer_unknown_changes_total", seen.unknown_changes);
        self.counter("epoch_fence_issuer_failed_total", seen.failed);
        self.counter("epoch_fence_issuer_refused_total", seen.refused);
        self.counter("epoch_fence_issuer_regressed_total", seen.regressed);
        self.counter("epoch_fence_issuer_impossible_total", seen.impossible);
    }
}
