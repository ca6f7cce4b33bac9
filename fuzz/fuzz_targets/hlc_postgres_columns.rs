#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| clock_fuzz::hlc_postgres_columns::run(data));
