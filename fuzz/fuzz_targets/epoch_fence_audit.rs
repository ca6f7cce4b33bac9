#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| clock_fuzz::epoch_fence_audit::run(data));
