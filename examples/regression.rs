//! Regression on real data: how much ink the lower half of a handwritten digit takes, from its upper half alone, with
//! a plot of predicted against actual values, `out/regression.svg`.
//!
//! ```text
//! cargo run --release --example regression
//! ```
//!
//! The data are the 1,797 digits of `examples/data`, 8×8 pixels of 0 to 16 each. Inputs are the 32 pixels of the upper
//! four rows; the target is the sum over the lower four. The network is never told which digit it is.
//!
//! Both ends of the network are `Scale` layers: it takes raw pixels and yields ink, and the numbers that standardise
//! are saved with its weights. Once it is trained they are folded into their neighbours, where they cost nothing.

mod support {
    pub mod csv_file;
    pub mod picture;
    pub mod read_error;
    pub mod samples;
    pub mod split;
}

use chainrule::{
    Adam, Dense, EarlyStopping, Identity, MeanSquaredError, RSquared, Rmse, Scale, Tanh, Tensor, Trainer, Verdict,
    WeightDecay, Zeroed, network,
};
use flate2::read::GzDecoder;
use plotters::prelude::*;
use std::error::Error;
use std::io::BufReader;
use support::picture::{self, FIRST, FONT, GRID, SECOND, TEXT};
use support::samples::Samples;
use support::{csv_file, split};

network! {
    /// The upper half of a digit to the ink of its lower half.
    struct LowerHalf<T = f32>: 32 => 1 {
        standardized: Scale<32, T>,
        hidden: Dense<32, 64, Tanh, T>,
        output: Dense<64, 1, Identity, T>,
        ink: Scale<1, T>,
    }
}

const BATCH: usize = 32;
type Rule = WeightDecay<Adam>;

/// The digits, compressed; the program needs no other file.
const DATA: &[u8] = include_bytes!("data/digits.csv.gz");

/// Upper halves, and the ink of the lower ones.
fn halves(samples: &Samples<64, 10>) -> (Vec<[f32; 32]>, Vec<[f32; 1]>) {
    let half = |pixels: &[f32; 64]| {
        let mut upper = [0.0; 32];
        upper.copy_from_slice(&pixels[..32]);
        (upper, [pixels[32..].iter().sum()])
    };
    samples.inputs.iter().map(half).unzip()
}

fn main() -> Result<(), Box<dyn Error>> {
    let samples = csv_file::read("digits.csv.gz", BufReader::new(GzDecoder::new(DATA)))?;
    let parts = split::split(&samples, 1);
    let (inputs, targets) = halves(&parts.training);
    let (validation_inputs, validation_targets) = halves(&parts.validation);
    let (test_inputs, test_targets) = halves(&parts.test);

    let mut trainer = Trainer::<LowerHalf, Rule, BATCH>::ZEROED;
    trainer.init(1);
    trainer.network.standardized = Scale::fit(&inputs)?;
    trainer.network.ink = Scale::fit(&targets)?.inverse();

    let rule = WeightDecay { optimizer: Adam::new(0.002)?, decay: 0.1 };
    let mut stopping = EarlyStopping::new(20, 0.0)?;
    let mut best = LowerHalf::ZEROED;
    for epoch in 1..=500 {
        trainer.epoch(&rule, &MeanSquaredError, &inputs, &targets)?;
        let mut rmse = Rmse::default();
        let loss = trainer.evaluate(&MeanSquaredError, &validation_inputs, &validation_targets, &mut rmse)?;
        if epoch % 20 == 0 {
            println!("epoch {epoch:3}: off by {:.2} on the validation part", rmse.value());
        }
        if stopping.observe(loss.into(), &trainer.network, &mut best) == Verdict::Stop {
            println!("epoch {epoch:3}: no longer better");
            break;
        }
    }
    trainer.network.copy_from(&best);

    // The scales go into the layers beside them; what remains of them is the identity.
    let LowerHalf { standardized, hidden, output, ink } = &mut trainer.network;
    standardized.fold_into_next(hidden);
    ink.fold_into_previous(output);

    let mut metrics = (Rmse::default(), RSquared::<1>::default());
    trainer.evaluate(&MeanSquaredError, &test_inputs, &test_targets, &mut metrics)?;
    let (rmse, r_squared) = (metrics.0.value(), metrics.1.value());
    let mean = targets.iter().map(|[t]| t).sum::<f32>() / targets.len() as f32;
    let mut always_mean = Rmse::default();
    for target in &test_targets {
        chainrule::Metric::observe(&mut always_mean, &[mean], target);
    }
    println!("\nroot mean squared error on {} test digits: {rmse:.2}", test_targets.len());
    println!("of always saying the mean, {mean:.0}: {:.2}", always_mean.value());
    println!("share of the variance explained, R²: {r_squared:.3}");

    let mut points = Vec::new();
    trainer.predict(&test_inputs, |i, [predicted]| points.push((test_targets[i][0], *predicted)));
    let path = picture::path("regression.svg")?;
    draw(&path, &points, &format!("RMSE {rmse:.1}, R² {r_squared:.2}"))?;
    println!("predicted against actual: {}", path.display());
    assert!(r_squared > 0.45);
    Ok(())
}

fn draw(path: &std::path::Path, points: &[(f32, f32)], result: &str) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(path, (640, 640)).into_drawing_area();
    area.fill(&WHITE)?;
    let both = points.iter().flat_map(|(actual, predicted)| [*actual, *predicted]);
    let (lowest, highest) = both.fold((f32::MAX, f32::MIN), |(low, high), x| (low.min(x), high.max(x)));
    // To full tens.
    let (lowest, highest) = (10.0 * (lowest / 10.0).floor(), 10.0 * (highest / 10.0).ceil());
    let mut chart = ChartBuilder::on(&area)
        .caption(format!("Ink of the lower half of a digit, from its upper half: {result}"), (FONT, 19, &TEXT))
        .margin(20)
        .x_label_area_size(45)
        .y_label_area_size(55)
        .build_cartesian_2d(lowest..highest, lowest..highest)?;
    chart
        .configure_mesh()
        .x_desc("actual ink of a test digit")
        .y_desc("predicted")
        .x_label_formatter(&|ink| format!("{ink:.0}"))
        .y_label_formatter(&|ink| format!("{ink:.0}"))
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(GRID)
        .label_style((FONT, 14, &TEXT))
        .axis_desc_style((FONT, 15, &TEXT))
        .draw()?;
    let diagonal = [(lowest, lowest), (highest, highest)];
    chart.draw_series(LineSeries::new(diagonal, SECOND.stroke_width(2)))?;
    chart.draw_series(points.iter().map(|point| Circle::new(*point, 4, FIRST.mix(0.55).filled())))?;
    area.present()?;
    Ok(())
}
