//! What the pictures of the examples have in common.

use plotters::style::RGBColor;
use std::error::Error;
use std::path::{Path, PathBuf};

/// The font of all words.
pub const FONT: &str = "sans-serif";
/// The colour of all words.
pub const TEXT: RGBColor = RGBColor(50, 50, 50);
/// The colour of grids and frames.
pub const GRID: RGBColor = RGBColor(228, 228, 228);
/// The first of two things.
pub const FIRST: RGBColor = RGBColor(31, 119, 180);
/// The second.
pub const SECOND: RGBColor = RGBColor(230, 120, 20);

/// Where the picture `name` goes: into the folder `out`, which is created.
///
/// # Errors
///
/// When the folder cannot be created.
pub fn path(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let folder = Path::new("out");
    std::fs::create_dir_all(folder).map_err(|cause| format!("out: expected a folder for pictures, found: {cause}"))?;
    Ok(folder.join(name))
}
