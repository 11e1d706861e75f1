//! Measures what docs/benchmarks.md shows, on one thread, and writes its tables and plots anew: `benches/networks/run`.

#[path = "../../networks.rs"]
mod networks;
mod plot;

use chainrule::{
    Dense, Matrix, MeanSquaredError, Optimizer, Part, Random, Relu, SoftmaxCrossEntropy, Tanh, Tensor, Zeroed,
};
use networks::{Deep, Digits, Fashion, Filter, Game, Policy, Tiny, Wide, adam, class, predict, sgd, step, values};
use plot::{Line, Plot};
use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The median time of one call in nanoseconds, of samples of at least 100 µs.
fn time<R>(mut call: impl FnMut() -> R) -> f64 {
    let mut sample = |calls: u32| {
        let start = Instant::now();
        for _ in 0..calls {
            black_box(call());
        }
        start.elapsed()
    };
    let mut calls = 1;
    while sample(calls) < Duration::from_micros(100) {
        calls *= 2;
    }
    let start = Instant::now();
    let mut samples = Vec::new();
    while samples.len() < 9 || start.elapsed() < Duration::from_millis(100) {
        samples.push(sample(calls).as_nanos() as f64 / f64::from(calls));
        if start.elapsed() > Duration::from_secs(1) {
            break;
        }
    }
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// What fused multiplications and additions of registers reach at best, in GFLOP/s.
fn peak() -> f64 {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::*;
        const ROUNDS: usize = 1000;
        macro_rules! peak {
            ($features:literal, $lanes:literal, $set:ident, $fused:ident, $first:ident) => {{
                #[target_feature(enable = $features)]
                fn run() -> f32 {
                    // Twelve independent sums: more than latency times throughput.
                    let (factor, term) = ($set(black_box(0.5)), $set(black_box(0.7)));
                    let mut sums = [$set(0.0); 12];
                    for _ in 0..ROUNDS {
                        for sum in &mut sums {
                            *sum = $fused(*sum, factor, term);
                        }
                    }
                    sums.into_iter().map(|sum| $first(sum)).sum()
                }
                // SAFETY: asked for just before.
                return (2 * 12 * ROUNDS * $lanes) as f64 / time(|| unsafe { run() });
            }};
        }
        if is_x86_feature_detected!("avx512f") {
            peak!("avx512f", 16, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_cvtss_f32);
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            peak!("avx2,fma", 8, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_cvtss_f32);
        }
    }
    f64::NAN
}

fn drawn<const R: usize, const C: usize>(random: &mut Random) -> Box<Matrix<R, C>> {
    let mut matrix = Matrix::boxed();
    matrix.map(|_: f32| (2.0 * random.uniform() - 1.0) as f32);
    matrix
}

/// GFLOP/s of W·X, Wᵀ·Δ and Δ·Xᵀ, and of the same products by matrixmultiply.
fn products<const OUT: usize, const IN: usize, const B: usize>() -> [f64; 6] {
    let mut random = Random::new(1, 0);
    let (w, x, delta) = (drawn::<OUT, IN>(&mut random), drawn::<IN, B>(&mut random), drawn::<OUT, B>(&mut random));
    let (mut y, mut d, mut g) = (Matrix::<OUT, B>::boxed(), Matrix::<IN, B>::boxed(), Matrix::<OUT, IN>::boxed());
    let ours = [
        time(|| y.set_product(black_box(&w), &x)),
        time(|| d.set_transpose_product(black_box(&w), &delta)),
        time(|| g.add_product_transpose(black_box(&delta), &x)),
    ];
    let at = |matrix: &[f32], column: usize| (matrix.as_ptr(), 1, column as isize);
    let turned = |(at, row, column): (*const f32, isize, isize)| (at, column, row);
    type Strided = (*const f32, isize, isize);
    let sgemm = |[m, k, n]: [usize; 3], a: Strided, b: Strided, beta: f32, c: &mut [f32]| {
        let c = (c.as_mut_ptr(), 1, m as isize);
        // SAFETY: matrices of these sizes, stored column by column.
        unsafe { matrixmultiply::sgemm(m, k, n, 1.0, a.0, a.1, a.2, b.0, b.1, b.2, beta, c.0, c.1, c.2) }
    };
    let (w, x, delta) = (at(w.as_slice(), OUT), at(x.as_slice(), IN), at(delta.as_slice(), OUT));
    let theirs = [
        time(|| sgemm([OUT, IN, B], w, x, 0.0, y.as_mut_slice())),
        time(|| sgemm([IN, OUT, B], turned(w), delta, 0.0, d.as_mut_slice())),
        time(|| sgemm([OUT, B, IN], delta, turned(x), 1.0, g.as_mut_slice())),
    ];
    let operations = (2 * OUT * IN * B) as f64;
    let [a, b, c] = ours.map(|time| operations / time);
    let [d, e, f] = theirs.map(|time| operations / time);
    [a, b, c, d, e, f]
}

/// Three digits.
fn microseconds(nanoseconds: f64) -> String {
    let value = nanoseconds / 1e3;
    let digits = (2 - value.abs().log10().floor() as i32).clamp(0, 4) as usize;
    format!("{value:.digits$}")
}

/// Puts `text` between the marks of `section`.
fn replace(page: &mut String, section: &str, text: &str) {
    let (open, close) = (format!("<!-- {section} -->\n"), format!("<!-- /{section} -->"));
    let from = page.find(&open).expect("the page has the mark") + open.len();
    let to = page.find(&close).expect("the page has the closing mark");
    page.replace_range(from..to, text);
}

fn output(command: &str, arguments: &[&str]) -> String {
    let output = std::process::Command::new(command).args(arguments).output();
    output.map_or_else(|_| "unknown".into(), |output| String::from_utf8_lossy(&output.stdout).trim().into())
}

fn machine(peak: f64) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("\t: unknown processor");
    let model = model.trim_start_matches(['\t', ' ', ':']).to_owned();
    let compiler = output("rustc", &["--version"]);
    format!(
        "{model}, {}; {compiler}; `cargo build --release`, no flags; one thread. Peak of fused multiplications and \
         additions, measured in the same run: {peak:.0} GFLOP/s.\n",
        std::env::consts::ARCH
    )
}

fn main() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
    let file = format!("{folder}/benchmarks.md");
    let mut page = std::fs::read_to_string(&file).expect("docs/benchmarks.md");
    let peak = peak();
    replace(&mut page, "machine", &machine(peak));

    // ---------------------------------------------------------------- products
    let names = ["W·X", "Wᵀ·Δ", "Δ·Xᵀ", "W·X, matrixmultiply", "Wᵀ·Δ, matrixmultiply", "Δ·Xᵀ, matrixmultiply"];
    macro_rules! squares {
        ($($n:literal)*) => { vec![$(($n as f64, products::<$n, $n, $n>())),*] };
    }
    macro_rules! batches {
        ($($b:literal)*) => { vec![$(($b as f64, products::<512, 512, $b>())),*] };
    }
    let grids = [
        (
            "products-square",
            "Products of n × n matrices",
            "n",
            squares!(8 16 24 32 48 64 96 128 192 256 384 512 768 1024),
        ),
        ("products-batch", "512 × 512 weights by a batch", "batch", batches!(1 2 4 8 16 32 64 128 256)),
    ];
    for (name, title, axis, points) in &grids {
        let lines = (0..6).map(|i| Line {
            name: names[i].into(),
            color: i % 3,
            dashed: i >= 3,
            points: points.iter().map(|(x, rates)| (*x, rates[i])).collect(),
        });
        let limit =
            Line { name: "peak".into(), color: 7, dashed: false, points: points.iter().map(|p| (p.0, peak)).collect() };
        Plot { title, x: axis, y: "GFLOP/s", log_y: false, top: Some(1.1 * peak) }
            .write(&format!("{folder}/benchmarks/{name}.svg"), &lines.chain([limit]).collect::<Vec<_>>());
        let mut table = format!(
            "| {axis} | {} | share of peak | matrixmultiply | slowest of ours ÷ theirs |\n|---|---|---|---|---|---|---|\n",
            names[..3].join(" | ")
        );
        for (x, [a, b, c, d, e, f]) in points {
            let (ours, theirs) = ([a, b, c], [d, e, f]);
            let share = 100.0 * ours.iter().map(|rate| **rate).sum::<f64>() / 3.0 / peak;
            let ratio = ours.iter().zip(theirs).map(|(a, b)| *a / b).fold(f64::INFINITY, f64::min);
            let theirs = theirs.map(|rate| format!("{rate:.0}")).join(", ");
            writeln!(table, "| {x} | {a:.0} | {b:.0} | {c:.0} | {share:.0} % | {theirs} | {ratio:.2} |").unwrap();
        }
        replace(&mut page, name, &table);
    }

    // ---------------------------------------------------------------- the networks
    let samples = [
        ("4-16-16-1 tanh", time(predict::<Filter, 4, 1>()), Filter::<f32>::LEN),
        ("8-64-64-4 tanh", time(predict::<Policy<Tanh>, 8, 4>()), Policy::<Tanh, f32>::LEN),
        ("8-64-64-4 ReLU", time(predict::<Policy<Relu>, 8, 4>()), Policy::<Relu, f32>::LEN),
        ("6-64-8-4 ReLU", time(predict::<Game, 6, 4>()), Game::<f32>::LEN),
        ("64-32-10 tanh", time(predict::<Digits, 64, 10>()), Digits::<f32>::LEN),
        ("784-128-10 ReLU", time(predict::<Fashion, 784, 10>()), Fashion::<f32>::LEN),
    ];
    let mut table = String::from("| one sample | ns | parameters |\n|---|---|---|\n");
    for (name, nanoseconds, parameters) in samples {
        writeln!(table, "| {name} | {nanoseconds:.1} | {parameters} |").unwrap();
    }
    replace(&mut page, "one-sample", &table);

    let steps = [
        ("2-4-1 tanh, batch 4, SGD", time(step::<Tiny, _, _, _, 4>(sgd(), MeanSquaredError, values::<1>, 1.0))),
        ("64-32-10 tanh, batch 32, SGD", time(step::<Digits, _, _, _, 32>(sgd(), SoftmaxCrossEntropy, class, 1.0))),
        ("64-32-10 tanh, batch 32, Adam", time(step::<Digits, _, _, _, 32>(adam(), SoftmaxCrossEntropy, class, 1.0))),
        (
            "8-64-64-4 tanh, batch 32, Adam",
            time(step::<Policy, _, _, _, 32>(adam(), MeanSquaredError, values::<4>, 1.0)),
        ),
        ("784-128-10 ReLU, batch 32, SGD", time(step::<Fashion, _, _, _, 32>(sgd(), SoftmaxCrossEntropy, class, 1.0))),
        (
            "784-128-10 ReLU, batch 32, Adam",
            time(step::<Fashion, _, _, _, 32>(adam(), SoftmaxCrossEntropy, class, 1.0)),
        ),
        (
            "784-512-512-10 ReLU, batch 128, SGD",
            time(step::<Deep, _, _, _, 128>(sgd(), SoftmaxCrossEntropy, class, 1.0)),
        ),
        (
            "1024-wide × 4 ReLU, batch 256, SGD",
            time(step::<Wide, _, _, _, 256>(sgd(), MeanSquaredError, values::<1024>, 1.0)),
        ),
    ];
    let mut table = String::from("| training step | µs |\n|---|---|\n");
    for (name, nanoseconds) in steps {
        writeln!(table, "| {name} | {} |", microseconds(nanoseconds)).unwrap();
    }
    replace(&mut page, "training-step", &table);

    // ---------------------------------------------------------------- how cost grows
    type Square<const N: usize> = Dense<N, N, Tanh>;
    type Twice<L> = (L, L);
    type Hidden = Dense<64, 64, Tanh>;
    macro_rules! widths {
        ($($n:literal)*) => {
            vec![$(($n as f64, time(step::<Twice<Square<$n>>, _, _, _, 32>(sgd(), MeanSquaredError, values::<$n>, 1.0)))),*]
        };
    }
    macro_rules! depths {
        ($($n:literal $Net:ty),*) => {
            vec![$(($n as f64, time(step::<$Net, _, _, _, 32>(sgd(), MeanSquaredError, values::<64>, 1.0)))),*]
        };
    }
    macro_rules! batch {
        ($($b:literal)*) => {
            vec![$(($b as f64, time(step::<Fashion, _, _, _, $b>(sgd(), SoftmaxCrossEntropy, class, 1.0)) / $b as f64)),*]
        };
    }
    type D2 = Twice<Hidden>;
    type D4 = Twice<D2>;
    type D8 = Twice<D4>;
    type D16 = Twice<D8>;
    let growth = [
        ("width", "Two tanh layers of n, batch 32: one step", "width n", "µs", widths!(8 16 32 64 128 256 512 1024)),
        (
            "depth",
            "Tanh layers of 64, batch 32: one step",
            "layers",
            "µs",
            depths!(1 Hidden, 2 D2, 4 D4, 8 D8, 16 D16, 32 Twice<D16>),
        ),
        ("batch", "784-128-10: one step, a sample", "batch", "µs a sample", batch!(1 2 4 8 16 32 64 128 256)),
    ];
    for (name, title, axis, unit, points) in growth {
        let line = Line {
            name: String::new(),
            color: 0,
            dashed: false,
            points: points.iter().map(|(x, t)| (*x, t / 1e3)).collect(),
        };
        Plot { title, x: axis, y: unit, log_y: true, top: None }
            .write(&format!("{folder}/benchmarks/{name}.svg"), &[line]);
        let mut table =
            format!("| {axis} | {} |\n", points.iter().map(|(x, _)| x.to_string()).collect::<Vec<_>>().join(" | "));
        writeln!(table, "|---|{}", "---|".repeat(points.len())).unwrap();
        let times: Vec<_> = points.iter().map(|(_, time)| microseconds(*time)).collect();
        writeln!(table, "| {unit} | {} |", times.join(" | ")).unwrap();
        replace(&mut page, name, &table);
    }

    // ---------------------------------------------------------------- subnormal numbers
    let mut table =
        String::from("| 784-128-10, batch 32, SGD | normal inputs, µs | subnormal inputs, µs |\n|---|---|---|\n");
    for (name, flush) in [("subnormal numbers kept (the default)", false), ("flushed to zero", true)] {
        let [normal, subnormal] = [1.0, 1e-39].map(|scale| {
            flush_to_zero(flush);
            let time = time(step::<Fashion, _, _, _, 32>(sgd(), SoftmaxCrossEntropy, class, scale));
            flush_to_zero(false);
            time
        });
        writeln!(table, "| {name} | {} | {} |", microseconds(normal), microseconds(subnormal)).unwrap();
    }
    table += "\n| update of 100,352 parameters | normal moments, µs | subnormal second moments, µs |\n|---|---|---|\n";
    for (name, flush) in [("Adam, subnormal numbers kept (the default)", false), ("Adam, flushed to zero", true)] {
        let [normal, subnormal] = [1e-3, 1e-22].map(|size| {
            let mut w = drawn::<128, 784>(&mut Random::new(4, 0));
            let mut gradient = Matrix::<128, 784>::boxed();
            let mut moments = <(Matrix<128, 784>, Matrix<128, 784>)>::boxed();
            gradient.fill(size);
            flush_to_zero(flush);
            let time = time(|| {
                // A gradient of 10⁻²² has a second moment of 10⁻⁴⁷ to 10⁻⁴⁴.
                moments.0.fill(size);
                moments.1.fill(size * size);
                adam().update(
                    adam().begin(1000),
                    Part::whole(&*gradient, 0),
                    &mut *w,
                    gradient.as_slice(),
                    &mut moments,
                );
            });
            flush_to_zero(false);
            time
        });
        writeln!(table, "| {name} | {} | {} |", microseconds(normal), microseconds(subnormal)).unwrap();
    }
    replace(&mut page, "subnormal", &table);
    std::fs::write(&file, page).expect("docs/benchmarks.md can be written");
}

/// Sets or clears flush-to-zero and denormals-are-zero, where that is known how.
fn flush_to_zero(on: bool) {
    #[cfg(target_arch = "x86_64")]
    {
        let register: u32 = if on { 0x9fc0 } else { 0x1f80 };
        // SAFETY: all exceptions stay masked.
        unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const register, options(nostack, readonly)) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = on;
}
