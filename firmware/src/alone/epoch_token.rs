//! The values of `epoch_fence`: a resource's name hashed, and the bytes of a token.
#![no_std]
#![no_main]

use clock_firmware::{alone, given};
use cortex_m as _;
use epoch_fence::{FencingToken, ResourceId};

alone!(|| {
    let resource = ResourceId::of(given("plant"), given("valve/7"));
    let token = FencingToken::from_bytes(given(&[1; FencingToken::BYTES]));
    (resource, token.map(|token| (token.to_bytes(), token.resource() == resource)))
});
