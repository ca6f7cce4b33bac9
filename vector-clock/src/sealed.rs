//! The trait that nobody outside can implement.

#[expect(unnameable_types, reason = "it seals")]
pub trait Sealed {}
