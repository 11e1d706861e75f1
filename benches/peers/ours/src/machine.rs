//! What the core can do at most: products fused with sums a second, and reading.

use protocol::{Task, Turns, Work};
use std::hint::black_box;

/// Floating-point operations in one iteration of `peak`, with 16 and with 8 lanes.
const ROUNDS: usize = 100;
const ACCUMULATORS: usize = 12;

struct Function<F>(F);

impl<F: Fn() -> f32> Work for Function<F> {
    fn run(&mut self, turns: Turns) -> f32 {
        turns.fold(0.0, |_, _| black_box((self.0)()))
    }

    fn outputs(&mut self, _: usize) -> Vec<f32> {
        Vec::new()
    }
}

/// `peak-16`, `peak-8`: 2 · 12 · 100 operations a lane. `784-128-10 read`: its weights and biases, summed up.
pub fn load(task: &Task) -> Result<Box<dyn Work>, String> {
    #[cfg(target_arch = "x86_64")]
    {
        let wide = is_x86_feature_detected!("avx512f");
        let narrow = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let all = task.layers.iter().flat_map(|layer| [&layer.weights[..], &layer.bias].concat()).collect::<Vec<_>>();
        // From the beginning of a cache line, or every register would be read from two.
        let mut numbers = vec![0.0; all.len() + 16];
        let first = numbers.as_ptr().align_offset(64);
        let range = first..first + all.len();
        numbers[range.clone()].copy_from_slice(&all);
        match task.activation.as_str() {
            // SAFETY: the features were found.
            "peak-16" if wide => return Ok(Box::new(Function(|| unsafe { x86::peak_16() }))),
            // SAFETY: as above.
            "peak-8" if narrow => return Ok(Box::new(Function(|| unsafe { x86::peak_8() }))),
            // SAFETY: as above.
            "read" if wide => {
                return Ok(Box::new(Function(move || unsafe { x86::sum_16(black_box(&numbers[range.clone()])) })));
            }
            // SAFETY: as above.
            "read" if narrow => {
                return Ok(Box::new(Function(move || unsafe { x86::sum_8(black_box(&numbers[range.clone()])) })));
            }
            _ => {}
        }
    }
    Err(format!("measure {}", task.name))
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{ACCUMULATORS, ROUNDS, black_box};
    use std::arch::x86_64::*;

    macro_rules! kernels {
        ($feature:literal, $lanes:literal, $Register:ty, $peak:ident, $sum:ident: $set:ident $fma:ident $load:ident $add:ident) => {
            #[target_feature(enable = $feature)]
            pub fn $peak() -> f32 {
                let factor = black_box($set(0.5));
                let mut sums = [factor; ACCUMULATORS];
                for _ in 0..ROUNDS {
                    for sum in &mut sums {
                        *sum = $fma(*sum, factor, factor);
                    }
                }
                total(sums)
            }

            #[target_feature(enable = $feature)]
            pub fn $sum(numbers: &[f32]) -> f32 {
                let mut sums = [$set(0.0); 8];
                let (parts, rest) = numbers.as_chunks::<{ 8 * $lanes }>();
                for part in parts {
                    for (sum, lanes) in sums.iter_mut().zip(part.as_chunks::<$lanes>().0) {
                        // SAFETY: `lanes` has as many numbers as the register, and no alignment is asked.
                        *sum = $add(*sum, unsafe { $load(lanes.as_ptr()) });
                    }
                }
                total(sums) + rest.iter().sum::<f32>()
            }
        };
    }

    /// One number that depends on all registers.
    #[inline(always)]
    fn total<R, const N: usize>(sums: [R; N]) -> f32 {
        // SAFETY: registers of numbers are numbers, and any alignment does for a copy.
        unsafe { black_box(&sums).as_ptr().cast::<f32>().read_unaligned() }
    }

    kernels!("avx512f", 16, __m512, peak_16, sum_16: _mm512_set1_ps _mm512_fmadd_ps _mm512_loadu_ps _mm512_add_ps);
    kernels!("avx2,fma", 8, __m256, peak_8, sum_8: _mm256_set1_ps _mm256_fmadd_ps _mm256_loadu_ps _mm256_add_ps);
}
