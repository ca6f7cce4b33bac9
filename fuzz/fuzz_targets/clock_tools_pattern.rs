#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| clock_fuzz::clock_tools_pattern::run(data));
