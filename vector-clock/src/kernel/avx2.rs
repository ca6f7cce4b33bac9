//! The same comparison, compiled once more for processors with AVX2 and chosen at run time.
//!
//! The one `unsafe` block of the crate is the call of a function that needs instructions which the target alone
//! does not promise. The code of that function is the portable one, safe, inlined.

use crate::causality::Causality;

/// Compares lane by lane, or returns `None` when the processor has no AVX2.
#[expect(unsafe_code, reason = "calls a function compiled for AVX2, after asking the processor")]
pub(super) fn compare(left: &[u64], right: &[u64]) -> Option<Causality> {
    if !std::is_x86_feature_detected!("avx2") {
        return None;
    }
    // SAFETY: calling a `#[target_feature]` function is undefined behaviour when the processor lacks a feature it
    // names (Reference, "The target_feature attribute"). `compare_avx2` names `avx2` and no other, and the line
    // above has returned unless processor and operating system have it. It has no other precondition: it is a safe
    // function on slices.
    Some(unsafe { compare_avx2(left, right) })
}

#[target_feature(enable = "avx2")]
fn compare_avx2(left: &[u64], right: &[u64]) -> Causality {
    super::compare_portable(left, right)
}
