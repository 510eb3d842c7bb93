//! Pixels.

use super::ChartFault;

/// A colour as red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Color(pub(super) [u8; 3]);

/// A rectangle in pixels, from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

impl Area {
    pub(super) fn right(self) -> i32 {
        self.x + self.width
    }

    pub(super) fn bottom(self) -> i32 {
        self.y + self.height
    }
}

/// A picture in the making. What lies outside of it is not drawn.
pub(super) struct Canvas {
    width: i32,
    height: i32,
    pixels: Vec<[u8; 3]>,
}

impl Canvas {
    pub(super) fn new(width: i32, height: i32, paper: Color) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        let count = usize::try_from(width).unwrap_or(1) * usize::try_from(height).unwrap_or(1);
        Self { width, height, pixels: vec![paper.0; count] }
    }

    pub(super) fn fill(&mut self, area: Area, color: Color) {
        let index = |from: i32| usize::try_from(from).unwrap_or_default();
        let (left, right) = (index(area.x.clamp(0, self.width)), index(area.right().clamp(0, self.width)));
        let (top, bottom) = (index(area.y), index(area.bottom()));
        for row in self.pixels.chunks_mut(index(self.width)).take(bottom).skip(top) {
            row[left..right.max(left)].fill(color.0);
        }
    }

    /// Lays the colour over a pixel; `coverage` is how much of the pixel it takes, 0 to 1.
    pub(super) fn blend(&mut self, x: i32, y: i32, color: Color, coverage: f32) {
        let inside = (0..self.width).contains(&x) && (0..self.height).contains(&y);
        let at = usize::try_from(y * self.width + x).ok().filter(|_| inside);
        if let Some(pixel) = at.and_then(|at| self.pixels.get_mut(at)) {
            for (under, over) in pixel.iter_mut().zip(color.0) {
                *under = mixed(*under, over, coverage.clamp(0.0, 1.0));
            }
        }
    }

    /// The picture as PNG.
    pub(super) fn png(&self) -> Result<Vec<u8>, ChartFault> {
        let (width, height) = (u32::try_from(self.width)?, u32::try_from(self.height)?);
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(self.pixels.as_flattened())?;
        writer.finish()?;
        Ok(file)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a mean of two bytes, weighted between 0 and 1, is a byte"
)]
fn mixed(under: u8, over: u8, part: f32) -> u8 {
    (f32::from(over).mul_add(part, f32::from(under) * (1.0 - part))).round() as u8
}
