//! Lines over a logarithmic axis, as an SVG that is read on light and dark pages alike.

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

const SIZE: (u32, u32) = (840, 460);
const FONT: &str = "sans-serif";
const TEXT: RGBColor = RGBColor(60, 60, 60);
/// Told apart by colour-blind eyes too (Okabe and Ito).
const COLORS: [RGBColor; 3] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115)];

pub struct Line {
    pub name: String,
    /// Of three, or grey.
    pub color: usize,
    pub dashed: bool,
    pub points: Vec<(f64, f64)>,
}

pub struct Plot<'a> {
    pub title: &'a str,
    pub x: &'a str,
    pub y: &'a str,
    pub log_y: bool,
    pub top: Option<f64>,
}

impl Plot<'_> {
    pub fn write(&self, file: &str, lines: &[Line]) {
        let all = || lines.iter().flat_map(|line| &line.points);
        let x = all().fold(f64::INFINITY..0.0_f64, |range, p| range.start.min(p.0)..range.end.max(p.0));
        let y = all().fold(f64::INFINITY..0.0_f64, |range, p| range.start.min(p.1)..range.end.max(p.1));
        let root = SVGBackend::new(file, SIZE).into_drawing_area();
        root.fill(&WHITE).unwrap();
        let ticks: Vec<f64> = lines[0].points.iter().map(|p| p.0).collect();
        let x = (x.start * 0.94..x.end * 1.06).log_scale().base(2.0).with_key_points(ticks);
        if self.log_y {
            let y = (y.start * 0.7..y.end * 1.4).log_scale();
            self.draw(ChartBuilder::on(&root), x, y, lines);
        } else {
            self.draw(ChartBuilder::on(&root), x, 0.0..self.top.unwrap_or(y.end), lines);
        }
        root.present().unwrap();
    }

    fn draw<X, Y>(&self, mut chart: ChartBuilder<'_, '_, SVGBackend<'_>>, x: X, y: Y, lines: &[Line])
    where
        X: AsRangedCoord<Value = f64>,
        Y: AsRangedCoord<Value = f64>,
        X::CoordDescType: ValueFormatter<f64> + Ranged<ValueType = f64>,
        Y::CoordDescType: ValueFormatter<f64> + Ranged<ValueType = f64>,
    {
        let font = |size: u32| (FONT, size).into_font().color(&TEXT);
        let mut chart = chart
            .caption(self.title, font(20))
            .margin(14)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .build_cartesian_2d(x, y)
            .unwrap();
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RGBColor(225, 225, 225))
            .axis_style(RGBColor(150, 150, 150))
            .x_desc(self.x)
            .y_desc(self.y)
            .label_style(font(14))
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_label_formatter(&|y| if *y < 1.0 && *y > 0.0 { format!("{y}") } else { format!("{y:.0}") })
            .draw()
            .unwrap();
        for line in lines {
            let color = COLORS.get(line.color).copied().unwrap_or(RGBColor(120, 120, 120));
            let style = color.stroke_width(if line.dashed { 1 } else { 2 });
            let points = line.points.iter().copied();
            let series = if line.dashed {
                chart.draw_series(DashedLineSeries::new(points, 6, 4, style))
            } else {
                chart.draw_series(LineSeries::new(points, style))
            };
            let series = series.unwrap();
            if !line.name.is_empty() {
                series.label(&line.name).legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], style));
            }
            if line.color < COLORS.len() {
                let dots = line.points.iter().map(|point| Circle::new(*point, 3, color.filled()));
                chart.draw_series(dots).unwrap();
            }
        }
        if lines.len() > 1 {
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::LowerRight)
                .background_style(WHITE.mix(0.85))
                .border_style(RGBColor(200, 200, 200))
                .label_font(font(13))
                .draw()
                .unwrap();
        }
    }
}
