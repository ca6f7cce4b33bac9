#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| clock_fuzz::vector_clock_costs::run(data));
