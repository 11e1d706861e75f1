//! Elementwise loops, compiled once for every instruction set and chosen at run time.
#![cfg_attr(feature = "simd", allow(unsafe_code, reason = "functions of one instruction set are called here"))]

/// Runs `body` in a function compiled for the widest vectors of this machine: the compiler then vectorises its loops
/// for them.
#[inline(always)]
pub(crate) fn vectorized<R>(body: impl FnOnce() -> R) -> R {
    #[cfg(all(feature = "simd", feature = "std", target_arch = "x86_64"))]
    {
        #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
        fn avx512<R>(body: impl FnOnce() -> R) -> R {
            body()
        }
        #[target_feature(enable = "avx2,fma")]
        fn avx2<R>(body: impl FnOnce() -> R) -> R {
            body()
        }
        if std::is_x86_feature_detected!("avx512f")
            && std::is_x86_feature_detected!("avx512dq")
            && std::is_x86_feature_detected!("avx512bw")
            && std::is_x86_feature_detected!("avx512vl")
        {
            // SAFETY: the features that the function is compiled for were just detected.
            return unsafe { avx512(body) };
        }
        if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
            // SAFETY: as above.
            return unsafe { avx2(body) };
        }
    }
    body()
}
