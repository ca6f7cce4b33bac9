#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| clock_fuzz::high_water_flash::run(data));
