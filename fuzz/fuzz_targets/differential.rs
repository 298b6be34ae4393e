#![no_main]
#[path = "../peers.rs"]
mod peers;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    peers::run(data);
});
