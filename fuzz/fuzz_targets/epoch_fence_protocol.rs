#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| clock_fuzz::epoch_fence_protocol::run(data));
