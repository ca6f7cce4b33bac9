//! How many instructions a call of each hot path takes, counted by callgrind: the guard against a change that makes
//! one slower. `ci/instructions.sh` runs it and compares with `instructions.txt`.
#![expect(missing_docs, reason = "what the macros make of a benchmark")]

use clock_benches::hot::{self, Path};
use gungraun::prelude::*;

/// The calls of each path; the count is divided by it.
const CALLS: u32 = 100;

// The path is given back, so that its end is not counted.
#[library_benchmark]
#[bench::hlc_compare(hot::hlc_compare())]
#[bench::hlc_tick(hot::hlc_tick())]
#[bench::hlc_tick_owned(hot::hlc_tick_owned())]
#[bench::hlc_observe(hot::hlc_observe())]
#[bench::hlc_merge_old(hot::hlc_merge_old())]
#[bench::hlc_reserve_64(hot::hlc_reserve_64())]
#[bench::hlc_text_write(hot::hlc_text_write())]
#[bench::hlc_text_parse(hot::hlc_text_parse())]
#[bench::hlc_encode(hot::hlc_encode())]
#[bench::hlc_decode(hot::hlc_decode())]
#[bench::hlc_durable_tick(hot::hlc_durable_tick())]
#[bench::hlc_durable_tick_owned(hot::hlc_durable_tick_owned())]
#[bench::hlc_cached_tick(hot::hlc_cached_tick())]
#[bench::lamport_tick(hot::lamport_tick())]
#[bench::lamport_observe(hot::lamport_observe())]
#[bench::lamport_merge_old(hot::lamport_merge_old())]
#[bench::lamport_reserve_64(hot::lamport_reserve_64())]
#[bench::lamport_encode(hot::lamport_encode())]
#[bench::lamport_decode(hot::lamport_decode())]
#[bench::lamport_durable_tick(hot::lamport_durable_tick())]
#[bench::dense_compare_3(hot::dense_compare_3())]
#[bench::dense_compare_64(hot::dense_compare_64())]
#[bench::dense_merge_64(hot::dense_merge_64())]
#[bench::sparse_compare_8(hot::sparse_compare_8())]
#[bench::sparse_compare_64(hot::sparse_compare_64())]
#[bench::sparse_tick_64(hot::sparse_tick_64())]
#[bench::sparse_merge_old_64(hot::sparse_merge_old_64())]
#[bench::sparse_encode_8(hot::sparse_encode_8())]
#[bench::sparse_parse_8(hot::sparse_parse_8())]
#[bench::gate_enter_drop(hot::gate_enter_drop())]
#[bench::gate_check(hot::gate_check())]
#[bench::fenced_write(hot::fenced_write())]
#[bench::token_encode(hot::token_encode())]
#[bench::token_decode(hot::token_decode())]
#[bench::high_water_draw(hot::high_water_draw())]
fn calls(mut path: Path) -> Path {
    path(CALLS);
    path
}

library_benchmark_group!(name = hot_paths, benchmarks = [calls]);
main!(library_benchmark_groups = hot_paths);
