//! Variations of the training digits, new ones in every epoch, so that a small network learns digits and not the
//! samples: each is shifted by up to half a pixel in both directions, and every pixel gets a little noise.

use super::samples::Samples;
use chainrule::Random;

/// The side of an image.
const SIDE: usize = 8;

/// Shifts are uniform in ± this, in pixels.
const SHIFT: f64 = 0.5;

/// The standard deviation of the noise; ink is 1.
const NOISE: f64 = 0.1;

/// Makes the training samples of each epoch.
pub struct Augmentation<'a> {
    originals: &'a Samples<64, 10>,
    varied: Samples<64, 10>,
    seed: u64,
}

impl<'a> Augmentation<'a> {
    /// Varies these samples, at random by the seed.
    pub fn new(originals: &'a Samples<64, 10>, seed: u64) -> Self {
        Self { originals, varied: originals.clone(), seed }
    }

    /// One variation of each sample, in their order: in an epoch of this number always the same.
    pub fn epoch(&mut self, epoch: u64) -> &Samples<64, 10> {
        // Stream 0 has split the samples.
        let mut random = Random::new(self.seed, 1 + epoch);
        for (varied, original) in self.varied.inputs.iter_mut().zip(&self.originals.inputs) {
            let mut draw_shift = || SHIFT * (2.0 * random.uniform() - 1.0);
            *varied = shift(original, draw_shift() as f32, draw_shift() as f32);
            for pixel in varied {
                *pixel += (NOISE * random.normal()) as f32;
            }
        }
        &self.varied
    }
}

/// The image moved by less than a pixel either way, each new pixel being the mean of the four that it covers, weighted
/// by area. What comes in from outside is blank.
fn shift(image: &[f32; 64], down: f32, right: f32) -> [f32; 64] {
    let ink = |row: isize, column: isize| {
        let inside = (0..SIDE as isize).contains(&row) && (0..SIDE as isize).contains(&column);
        if inside { image[row as usize * SIDE + column as usize] } else { 0.0 }
    };
    // Where a pixel's content comes from: the nearer and the farther row and column.
    let (up, left) = (-down.signum() as isize, -right.signum() as isize);
    let (down, right) = (down.abs(), right.abs());
    std::array::from_fn(|pixel| {
        let (row, column) = ((pixel / SIDE) as isize, (pixel % SIDE) as isize);
        let across = |row| (1.0 - right) * ink(row, column) + right * ink(row, column + left);
        (1.0 - down) * across(row) + down * across(row + up)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chainrule::Class;

    fn with_pixels(pixels: &[(usize, usize, f32)]) -> [f32; 64] {
        let mut image = [0.0; 64];
        for (row, column, ink) in pixels {
            image[row * SIDE + column] = *ink;
        }
        image
    }

    #[test]
    fn ink_moves_by_parts_of_a_pixel() {
        let image = with_pixels(&[(3, 4, 1.0)]);
        assert_eq!(shift(&image, 0.0, 0.0), image);
        assert_eq!(shift(&image, 0.25, 0.0), with_pixels(&[(3, 4, 0.75), (4, 4, 0.25)]));
        assert_eq!(shift(&image, -0.25, 0.0), with_pixels(&[(3, 4, 0.75), (2, 4, 0.25)]));
        assert_eq!(shift(&image, 0.0, 0.5), with_pixels(&[(3, 4, 0.5), (3, 5, 0.5)]));
        assert_eq!(shift(&image, 0.0, -0.5), with_pixels(&[(3, 4, 0.5), (3, 3, 0.5)]));
        let corners = [(3, 4, 0.375), (4, 4, 0.125), (3, 3, 0.375), (4, 3, 0.125)];
        assert_eq!(shift(&image, 0.25, -0.5), with_pixels(&corners));
    }

    #[test]
    fn ink_leaves_at_the_edge() {
        assert_eq!(shift(&with_pixels(&[(0, 4, 1.0)]), -0.5, 0.0), with_pixels(&[(0, 4, 0.5)]));
        assert_eq!(shift(&with_pixels(&[(7, 7, 1.0)]), 0.5, 0.5), with_pixels(&[(7, 7, 0.25)]));
    }

    #[test]
    fn epochs_differ_and_the_seed_decides() {
        let mut originals = Samples::<64, 10>::new();
        originals.push(with_pixels(&[(2, 2, 1.0)]), Class::new(1).unwrap());
        let (mut one, mut same, mut other) =
            (Augmentation::new(&originals, 1), Augmentation::new(&originals, 1), Augmentation::new(&originals, 2));
        let first = one.epoch(0).clone();
        assert_eq!(&first, same.epoch(0));
        assert_ne!(&first, other.epoch(0));
        assert_ne!(&first, one.epoch(1));
        assert_eq!(&first, one.epoch(0));
        assert_eq!(first.targets, originals.targets);
    }
}
