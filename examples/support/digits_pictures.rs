//! The pictures of the example `digits`: the loss curve and the misread digits.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;
use std::path::Path;

/// What an epoch came to.
pub struct Epoch {
    /// From 1 on.
    pub number: u64,
    /// The mean loss over its steps.
    pub training_loss: f32,
    /// The mean loss on the validation part after it.
    pub validation_loss: f32,
}

/// A digit that was taken for another one.
#[derive(Clone)]
pub struct Misread {
    /// From 0 (blank) to 1 (ink).
    pub pixels: [f32; 64],
    /// What it is.
    pub actual: usize,
    /// What it was taken for.
    pub predicted: usize,
    /// How sure the network was.
    pub probability: f32,
}

const FONT: &str = "sans-serif";
const TRAINING: RGBColor = RGBColor(31, 119, 180);
const VALIDATION: RGBColor = RGBColor(230, 120, 20);
const TEXT: RGBColor = RGBColor(50, 50, 50);
const GRID: RGBColor = RGBColor(228, 228, 228);
/// Losses below this are drawn here; zero has no logarithm.
const LEAST_LOSS: f32 = 1e-6;

/// Makes sure that there is a folder for the pictures.
///
/// # Errors
///
/// When it cannot be created: the message names it.
pub fn create_folder(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder)
        .map_err(|cause| format!("{}: expected a folder for pictures, found: {cause}", folder.display()))
}

/// Draws the losses of all epochs on a logarithmic scale.
///
/// # Errors
///
/// When the picture cannot be written.
pub fn draw_loss(path: &Path, history: &[Epoch]) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(path, (840, 500)).into_drawing_area();
    area.fill(&WHITE)?;
    let losses = history.iter().flat_map(|epoch| [epoch.training_loss, epoch.validation_loss]);
    let (lowest, highest) = losses.fold((f32::MAX, f32::MIN), |(low, high), x| (low.min(x), high.max(x)));
    // From a power of ten, so that it has a label.
    let lowest = 10_f32.powf(lowest.max(LEAST_LOSS).log10().floor());
    let [first, last] = [history.first(), history.last()].map(|epoch| epoch.map_or(1, |epoch| epoch.number));
    let mut chart = ChartBuilder::on(&area)
        .caption("Loss while learning to read digits", (FONT, 22, &TEXT))
        .margin(20)
        .x_label_area_size(45)
        .y_label_area_size(60)
        .build_cartesian_2d(first..last.max(first + 1), (lowest..highest * 1.25).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("epoch")
        .y_desc("mean cross-entropy")
        .y_label_formatter(&|loss| format!("{}", (loss * 1e4).round() / 1e4))
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(GRID)
        .label_style((FONT, 14, &TEXT))
        .axis_desc_style((FONT, 15, &TEXT))
        .draw()?;
    let training: Vec<f32> = history.iter().map(|epoch| epoch.training_loss).collect();
    let validation: Vec<f32> = history.iter().map(|epoch| epoch.validation_loss).collect();
    let curves = [("training (varied digits)", TRAINING, training), ("validation", VALIDATION, validation)];
    // Points where they would not run into each other.
    let point_size = if history.len() < 40 { 3 } else { 0 };
    for (name, color, losses) in curves {
        let points = (first..).zip(losses).map(|(number, loss)| (number, loss.max(LEAST_LOSS)));
        chart
            .draw_series(LineSeries::new(points, color.filled().stroke_width(2)).point_size(point_size))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], color.stroke_width(3)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .margin(15)
        .legend_area_size(32)
        .label_font((FONT, 15, &TEXT))
        .background_style(WHITE)
        .border_style(GRID)
        .draw()?;
    area.present()?;
    Ok(())
}

/// The side of a pixel of a digit in the picture.
const PIXEL: i32 = 14;
/// The side of a digit.
const DIGIT: i32 = 8 * PIXEL;
/// The distance from digit to digit.
const CELL: (i32, i32) = (DIGIT + 36, DIGIT + 64);
/// The space above the first row.
const HEADING: i32 = 70;

/// Draws the digits that were misread, each with what it is and what it was taken for.
///
/// # Errors
///
/// When the picture cannot be written.
pub fn draw_misread(path: &Path, misread: &[Misread], total: usize) -> Result<(), Box<dyn Error>> {
    let columns = (misread.len() as i32).clamp(4, 6);
    let rows = (misread.len() as i32 + columns - 1) / columns;
    let (width, height) = (columns * CELL.0 + 36, rows * CELL.1 + HEADING + 10);
    let area = SVGBackend::new(path, (width as u32, height as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    let heading = (FONT, 22).into_font().color(&TEXT).pos(Pos::new(HPos::Center, VPos::Center));
    area.draw_text(&format!("{} of {total} test digits misread", misread.len()), &heading, (width / 2, 35))?;
    for (i, digit) in (0..).zip(misread) {
        let corner = (36 + i % columns * CELL.0, HEADING + i / columns * CELL.1);
        draw_digit(&area, corner, digit)?;
    }
    area.present()?;
    Ok(())
}

fn draw_digit(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    (left, top): (i32, i32),
    digit: &Misread,
) -> Result<(), Box<dyn Error>> {
    for (pixel, ink) in (0..).zip(&digit.pixels) {
        let (x, y) = (left + pixel % 8 * PIXEL, top + pixel / 8 * PIXEL);
        let gray = (255.0 * (1.0 - 0.9 * ink)) as u8;
        let square = Rectangle::new([(x, y), (x + PIXEL, y + PIXEL)], RGBColor(gray, gray, gray).filled());
        area.draw(&square)?;
    }
    area.draw(&Rectangle::new([(left, top), (left + DIGIT, top + DIGIT)], GRID))?;
    let centered =
        |size: i32, color: RGBColor| (FONT, size).into_font().color(&color).pos(Pos::new(HPos::Center, VPos::Top));
    let middle = left + DIGIT / 2;
    let label = format!("{} read as {}", digit.actual, digit.predicted);
    area.draw_text(&label, &centered(17, TEXT), (middle, top + DIGIT + 8))?;
    let sure = format!("{:.0} % sure", 100.0 * digit.probability);
    area.draw_text(&sure, &centered(13, RGBColor(130, 130, 130)), (middle, top + DIGIT + 30))?;
    Ok(())
}
