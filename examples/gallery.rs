//! Every activation of the library and its derivative as one picture, `out/gallery.svg`.
//!
//! ```text
//! cargo run --release --example gallery
//! ```
//!
//! A new activation appears here by itself. Beside the picture it prints the range of each over the inputs shown, and
//! asserts that the hand-written derivative is that of the value, which dual numbers carry along.

mod support {
    pub mod picture;
}

use chainrule::{Activation, Dual, Point, VisitActivation, visit_activations};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;
use support::picture::{self, FIRST, FONT, GRID, SECOND, TEXT};

/// Inputs from −4 to 4.
const RANGE: f64 = 4.0;
const STEPS: i32 = 800;
/// Outputs that are drawn: from −2 to 3.
const HEIGHT: (f64, f64) = (-2.0, 3.0);

/// A function, as it will be drawn.
struct Curve {
    name: &'static str,
    value: Vec<(f64, f64)>,
    derivative: Vec<(f64, f64)>,
}

#[derive(Default)]
struct Curves(Vec<Curve>);

impl VisitActivation for Curves {
    fn visit<A: Activation>(&mut self, name: &'static str) {
        let mut curve = Curve { name, value: Vec::new(), derivative: Vec::new() };
        for step in 0..=STEPS {
            let z = RANGE * (f64::from(2 * step) / f64::from(STEPS) - 1.0);
            let y = A::value(z);
            // Some derivatives are cheaper from the value, others need the input.
            let at = if A::At::KEEPS_INPUT { z } else { y };
            let slope = A::derivative(at);
            let exact = A::value(Dual::variable(z)).derivative;
            assert!((slope - exact).abs() < 1e-12, "{name}: at {z} expected the slope {exact}, found {slope}");
            curve.value.push((z, y));
            curve.derivative.push((z, slope));
        }
        self.0.push(curve);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut curves = Curves::default();
    visit_activations(&mut curves);
    println!("for z from -{RANGE} to {RANGE}   σ(z)              σ′(z)");
    for Curve { name, value, derivative } in &curves.0 {
        let (value, derivative) = (span(value), span(derivative));
        println!("{name:19}   {:6.3} to {:6.3}  {:6.3} to {:6.3}", value.0, value.1, derivative.0, derivative.1);
    }
    let path = picture::path("gallery.svg")?;
    draw(&path, &curves.0)?;
    println!("\n{} activations: {}", curves.0.len(), path.display());
    Ok(())
}

/// The lowest and the highest.
fn span(points: &[(f64, f64)]) -> (f64, f64) {
    points.iter().fold((f64::MAX, f64::MIN), |(low, high), (_, y)| (low.min(*y), high.max(*y)))
}

const COLUMNS: usize = 4;
const PANEL: (usize, usize) = (250, 230);
const HEADING: i32 = 64;

fn draw(path: &std::path::Path, curves: &[Curve]) -> Result<(), Box<dyn Error>> {
    let rows = curves.len().div_ceil(COLUMNS);
    let (width, height) = ((COLUMNS * PANEL.0) as u32, (rows * PANEL.1) as u32 + HEADING as u32);
    let area = SVGBackend::new(path, (width, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let (heading, panels) = area.split_vertically(HEADING);

    let word = |size: i32| (FONT, size).into_font().color(&TEXT).pos(Pos::new(HPos::Left, VPos::Center));
    heading.draw_text("Activations", &word(24), (24, HEADING / 2 + 4))?;
    let legend = [("σ(z)", FIRST), ("σ′(z)", SECOND)];
    for (i, (name, color)) in (0..).zip(legend) {
        let (x, y) = (190 + 110 * i, HEADING / 2 + 4);
        heading.draw(&PathElement::new([(x, y), (x + 28, y)], color.stroke_width(3)))?;
        heading.draw_text(name, &word(16), (x + 36, y))?;
    }

    for (panel, curve) in panels.split_evenly((rows, COLUMNS)).iter().zip(curves) {
        let mut chart = ChartBuilder::on(panel)
            .caption(curve.name, (FONT, 16, &TEXT))
            .margin(10)
            .x_label_area_size(20)
            .y_label_area_size(26)
            .build_cartesian_2d(-RANGE..RANGE, HEIGHT.0..HEIGHT.1)?;
        chart
            .configure_mesh()
            .x_labels(5)
            .y_labels(6)
            .x_label_formatter(&|z| format!("{z:.0}"))
            .y_label_formatter(&|y| format!("{y:.0}"))
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(GRID)
            .label_style((FONT, 12, &TEXT))
            .draw()?;
        // The axes through the origin, so that the eye finds zero.
        for axis in [[(-RANGE, 0.0), (RANGE, 0.0)], [(0.0, HEIGHT.0), (0.0, HEIGHT.1)]] {
            chart.draw_series(LineSeries::new(axis, RGBColor(170, 170, 170)))?;
        }
        for (points, color) in [(&curve.derivative, SECOND), (&curve.value, FIRST)] {
            let inside = points.iter().copied().filter(|(_, y)| (HEIGHT.0..=HEIGHT.1).contains(y));
            chart.draw_series(LineSeries::new(inside, color.stroke_width(2)))?;
        }
    }
    area.present()?;
    Ok(())
}
