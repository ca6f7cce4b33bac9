//! What the fuzz targets assert. Each is a function of bytes, so that the same code explores under libFuzzer
//! and replays the corpus in an ordinary test.

pub mod bounds;
pub mod clock_tools_merge;
pub mod clock_tools_pattern;
pub mod clock_tools_shiviz;
pub mod clock_tools_stamp;
pub mod durable_clocks;
pub mod epoch_fence_audit;
pub mod epoch_fence_gate;
pub mod epoch_fence_protocol;
pub mod epoch_fence_record;
pub mod epoch_fence_token;
pub mod high_water_flash;
pub mod high_water_register;
pub mod hlc_decode;
pub mod hlc_ntp64;
pub mod hlc_operations;
pub mod hlc_postgres_columns;
pub mod hlc_tower_messages;
pub mod lamport_decode;
pub mod lamport_operations;
pub mod orders;
pub mod serde_forms;
pub mod vector_clock_causal_buffer;
pub mod vector_clock_costs;
pub mod vector_clock_decode;
pub mod vector_clock_dot_set;
pub mod vector_clock_dvv_set;
pub mod vector_clock_interval_tree;
pub mod vector_clock_matrix;
pub mod vector_clock_operations;
