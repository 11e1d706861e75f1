//! Two spirals that wind around each other (Lang and Witbrock, 1988), told apart: a network of two hidden layers, and
//! its decision boundary as a picture, `out/spirals.svg`.
//!
//! ```text
//! cargo run --release --example spirals
//! ```

mod support {
    pub mod picture;
}

use chainrule::{
    Accuracy, Adam, Class, ClassError, CosineDecay, Dense, Identity, Layer, Random, Scheduled, SoftmaxCrossEntropy,
    Tanh, Trainer, Vector, Zeroed, network, softmax,
};
use plotters::prelude::*;
use std::error::Error;
use std::f64::consts::TAU;
use support::picture::{self, FIRST, FONT, GRID, SECOND, TEXT};

network! {
    /// A point of the plane to the two spirals.
    struct Spirals<T = f32>: 2 => 2 {
        lines: Dense<2, 32, Tanh, T>,
        regions: Dense<32, 32, Tanh, T>,
        output: Dense<32, 2, Identity, T>,
    }
}

const EPOCHS: u64 = 600;
const BATCH: usize = 20;

/// Points and the spiral that each lies on.
type Points = (Vec<[f32; 2]>, Vec<Class<2>>);

/// `count` points of each spiral, within the circle of radius 1 and a little off the line.
fn points(count: usize, random: &mut Random) -> Result<Points, ClassError> {
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    for i in 0..2 * count {
        let spiral = i % 2;
        let turns = random.uniform().sqrt();
        let angle = TAU * (1.5 * turns + 0.5 * spiral as f64);
        let radius = 0.08 + 0.87 * turns;
        let mut noisy = |x: f64| (x + 0.015 * random.normal()) as f32;
        inputs.push([noisy(radius * angle.cos()), noisy(radius * angle.sin())]);
        targets.push(Class::new(spiral)?);
    }
    Ok((inputs, targets))
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut random = Random::new(1, 0);
    let (inputs, targets) = points(200, &mut random)?;
    let (test_inputs, test_targets) = points(1000, &mut random)?;

    // By its end the learning rate has fallen to nothing, so that the boundary comes to rest.
    let steps = EPOCHS * (inputs.len() / BATCH) as u64;
    let adam = Scheduled { optimizer: Adam::new(0.01)?, schedule: CosineDecay { steps, floor: 0.0 } };
    let mut trainer = Trainer::<Spirals, Scheduled<Adam, CosineDecay>, BATCH>::ZEROED;
    trainer.init(1);
    for epoch in 1..=EPOCHS {
        let loss = trainer.epoch(&adam, &SoftmaxCrossEntropy, &inputs, &targets)?;
        if epoch % 100 == 0 {
            println!("epoch {epoch:3}: loss {loss:.4}");
        }
    }

    let mut accuracy = Accuracy::default();
    trainer.evaluate(&SoftmaxCrossEntropy, &test_inputs, &test_targets, &mut accuracy)?;
    println!("\naccuracy on {} new points: {:.2} %", accuracy.total, 100.0 * accuracy.value());
    let path = picture::path("spirals.svg")?;
    draw(&path, &trainer.network, &inputs, &targets)?;
    println!("decision boundary: {}", path.display());
    assert!(accuracy.value() > 0.98);
    Ok(())
}

/// The side of the picture in cells of the background.
const CELLS: i32 = 160;
/// The side of a cell.
const CELL: i32 = 4;
/// From the middle to the edge.
const EXTENT: f32 = 1.05;
const MARGIN: i32 = 24;
const HEADING: i32 = 60;

fn draw(
    path: &std::path::Path,
    network: &Spirals,
    inputs: &[[f32; 2]],
    targets: &[Class<2>],
) -> Result<(), Box<dyn Error>> {
    let side = CELLS * CELL;
    let area = SVGBackend::new(path, ((side + 2 * MARGIN) as u32, (side + MARGIN + HEADING) as u32));
    let area = area.into_drawing_area();
    area.fill(&WHITE)?;
    let word = (FONT, 22).into_font().color(&TEXT);
    area.draw_text("Two spirals, and what the network makes of the plane", &word, (MARGIN, 22))?;

    let mut scratch = Zeroed::ZEROED;
    for row in 0..CELLS {
        let coordinate = |cell: i32| EXTENT * (2.0 * (cell as f32 + 0.5) / CELLS as f32 - 1.0);
        // How sure the network is, in steps, so that equal neighbours are drawn as one.
        let mut level = |column: i32| {
            let x = Vector::from([coordinate(column), -coordinate(row)]);
            let mut probabilities = *network.predict(&x, &mut scratch).as_array();
            softmax(&mut probabilities);
            (12.0 * probabilities[0]).round() as i32
        };
        let mut start = 0;
        while start < CELLS {
            let here = level(start);
            let mut end = start + 1;
            while end < CELLS && level(end) == here {
                end += 1;
            }
            let corner = |column: i32, row: i32| (MARGIN + CELL * column, HEADING + CELL * row);
            area.draw(&Rectangle::new([corner(start, row), corner(end, row + 1)], shade(here).filled()))?;
            start = end;
        }
    }
    let frame = [(MARGIN, HEADING), (MARGIN + side, HEADING + side)];
    area.draw(&Rectangle::new(frame, GRID))?;

    for ([x, y], target) in inputs.iter().zip(targets) {
        let pixel = |u: f32| ((u / EXTENT + 1.0) / 2.0 * side as f32) as i32;
        let center = (MARGIN + pixel(*x), HEADING + pixel(-y));
        let color = if target.index() == 0 { FIRST } else { SECOND };
        area.draw(&Circle::new(center, 5, WHITE.filled()))?;
        area.draw(&Circle::new(center, 4, color.filled()))?;
    }
    area.present()?;
    Ok(())
}

/// From the second colour (0) over white (6) to the first (12), all of them pale.
fn shade(level: i32) -> RGBColor {
    let (color, strength) = if level < 6 { (SECOND, 6 - level) } else { (FIRST, level - 6) };
    let mix = |c: u8| (255.0 - f64::from(255 - c) * 0.5 * f64::from(strength) / 6.0) as u8;
    RGBColor(mix(color.0), mix(color.1), mix(color.2))
}
