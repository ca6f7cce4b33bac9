//! The corpus, replayed on an ordinary compiler; and as many bytes that look random, so that a target
//! without a corpus is run as well.

use std::{fs, path::Path};

fn replay(target: &str, run: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(&corpus).expect("each target has a corpus") {
        run(&fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0, "{} is empty", corpus.display());

    let mut state = 1_u64;
    for length in 0..400 {
        let bytes: Vec<u8> = (0..length)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state.to_be_bytes()[0]
            })
            .collect();
        run(&bytes);
    }
}

#[test]
fn clock_tools_merge() {
    replay("clock_tools_merge", clock_fuzz::clock_tools_merge::run);
}

#[test]
fn clock_tools_shiviz() {
    replay("clock_tools_shiviz", clock_fuzz::clock_tools_shiviz::run);
}

#[test]
fn clock_tools_stamp() {
    replay("clock_tools_stamp", clock_fuzz::clock_tools_stamp::run);
}

#[test]
fn durable_clocks() {
    replay("durable_clocks", clock_fuzz::durable_clocks::run);
}

#[test]
fn epoch_fence_record() {
    replay("epoch_fence_record", clock_fuzz::epoch_fence_record::run);
}

#[test]
fn hlc_decode() {
    replay("hlc_decode", clock_fuzz::hlc_decode::run);
}

#[test]
fn hlc_operations() {
    replay("hlc_operations", clock_fuzz::hlc_operations::run);
}

#[test]
fn hlc_tower_messages() {
    replay("hlc_tower_messages", clock_fuzz::hlc_tower_messages::run);
}

#[test]
fn lamport_decode() {
    replay("lamport_decode", clock_fuzz::lamport_decode::run);
}

#[test]
fn lamport_operations() {
    replay("lamport_operations", clock_fuzz::lamport_operations::run);
}

#[test]
fn vector_clock_causal_buffer() {
    replay("vector_clock_causal_buffer", clock_fuzz::vector_clock_causal_buffer::run);
}

#[test]
fn vector_clock_decode() {
    replay("vector_clock_decode", clock_fuzz::vector_clock_decode::run);
}

#[test]
fn vector_clock_dot_set() {
    replay("vector_clock_dot_set", clock_fuzz::vector_clock_dot_set::run);
}

#[test]
fn vector_clock_dvv_set() {
    replay("vector_clock_dvv_set", clock_fuzz::vector_clock_dvv_set::run);
}

#[test]
fn vector_clock_interval_tree() {
    replay("vector_clock_interval_tree", clock_fuzz::vector_clock_interval_tree::run);
}

#[test]
fn vector_clock_matrix() {
    replay("vector_clock_matrix", clock_fuzz::vector_clock_matrix::run);
}

#[test]
fn vector_clock_operations() {
    replay("vector_clock_operations", clock_fuzz::vector_clock_operations::run);
}

#[test]
fn high_water_flash() {
    replay("high_water_flash", clock_fuzz::high_water_flash::run);
}

#[test]
fn high_water_register() {
    replay("high_water_register", clock_fuzz::high_water_register::run);
}

#[test]
fn epoch_fence_token() {
    replay("epoch_fence_token", clock_fuzz::epoch_fence_token::run);
}

#[test]
fn clock_tools_pattern() {
    replay("clock_tools_pattern", clock_fuzz::clock_tools_pattern::run);
}

#[test]
fn epoch_fence_audit() {
    replay("epoch_fence_audit", clock_fuzz::epoch_fence_audit::run);
}

#[test]
fn epoch_fence_gate() {
    replay("epoch_fence_gate", clock_fuzz::epoch_fence_gate::run);
}

#[test]
fn epoch_fence_protocol() {
    replay("epoch_fence_protocol", clock_fuzz::epoch_fence_protocol::run);
}

#[test]
fn hlc_ntp64() {
    replay("hlc_ntp64", clock_fuzz::hlc_ntp64::run);
}

#[test]
fn hlc_postgres_columns() {
    replay("hlc_postgres_columns", clock_fuzz::hlc_postgres_columns::run);
}

#[test]
fn orders() {
    replay("orders", clock_fuzz::orders::run);
}

#[test]
fn vector_clock_costs() {
    replay("vector_clock_costs", clock_fuzz::vector_clock_costs::run);
}
