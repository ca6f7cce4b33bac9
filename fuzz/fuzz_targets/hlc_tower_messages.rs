#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| clock_fuzz::hlc_tower_messages::run(data));
