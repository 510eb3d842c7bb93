//! Letters: DejaVu Sans, which has Latin, Cyrillic and more, and comes with the program.

use ab_glyph::{Font, FontRef, PxScale, ScaleFont};

use super::ChartFault;
use super::canvas::{Canvas, Color};

/// No text is laid out beyond this many characters; none that long fits on a line.
const LONGEST: usize = 160;

const CUT: char = '…';

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) bold: bool,
    /// Height of a line in pixels.
    pub(super) height: u16,
    pub(super) color: Color,
}

impl Style {
    pub(super) fn height(self) -> i32 {
        i32::from(self.height)
    }
}

/// The two fonts.
pub(super) struct Lettering {
    regular: FontRef<'static>,
    bold: FontRef<'static>,
}

impl Lettering {
    pub(super) fn new() -> Result<Self, ChartFault> {
        let regular = FontRef::try_from_slice(dejavu::sans::regular())?;
        let bold = FontRef::try_from_slice(dejavu::sans::bold())?;
        Ok(Self { regular, bold })
    }

    /// Width in pixels.
    pub(super) fn width(&self, text: &str, style: Style) -> i32 {
        whole(self.steps(text, style).last().map_or(0.0, |(_, end)| end))
    }

    /// The text on one line, or as much of its beginning as fits, with a sign that it was cut.
    pub(super) fn fitted(&self, text: &str, style: Style, width: i32) -> String {
        let text = one_line(text);
        if text.chars().count() <= LONGEST && self.width(&text, style) <= width {
            return text;
        }
        let room = width - self.width(&CUT.to_string(), style);
        let steps = self.steps(&text, style);
        let kept: String = steps.take_while(|(_, end)| whole(*end) <= room).map(|(letter, _)| letter).collect();
        format!("{}{CUT}", kept.trim_end())
    }

    /// The style, in smaller letters where the text does not fit otherwise; never smaller than half.
    pub(super) fn shrunk(&self, text: &str, style: Style, width: i32) -> Style {
        let text = one_line(text);
        let smaller = (style.height / 2..=style.height).rev().map(|height| Style { height, ..style });
        let least = Style { height: style.height / 2, ..style };
        smaller.into_iter().find(|&style| self.width(&text, style) <= width).unwrap_or(least)
    }

    /// Writes the text with its upper left corner there.
    pub(super) fn write(&self, canvas: &mut Canvas, (x, y): (i32, i32), text: &str, style: Style) {
        let font = self.font(style).as_scaled(PxScale::from(f32::from(style.height)));
        let baseline = exact(y) + font.ascent();
        let mut begin = exact(x);
        for (letter, end) in self.steps(text, style) {
            let glyph = font.glyph_id(letter).with_scale_and_position(font.scale(), ab_glyph::point(begin, baseline));
            if let Some(outlined) = self.font(style).outline_glyph(glyph) {
                let corner = outlined.px_bounds().min;
                let (left, top) = (whole(corner.x), whole(corner.y));
                outlined.draw(|dx, dy, coverage| {
                    let at = |from: i32, step: u32| from + i32::try_from(step).unwrap_or_default();
                    canvas.blend(at(left, dx), at(top, dy), style.color, coverage);
                });
            }
            begin = exact(x) + end;
        }
    }

    fn font(&self, style: Style) -> &FontRef<'static> {
        if style.bold { &self.bold } else { &self.regular }
    }

    /// The letters, each with where the next one begins.
    fn steps<'a>(&'a self, text: &'a str, style: Style) -> impl Iterator<Item = (char, f32)> + 'a {
        let font = self.font(style).as_scaled(PxScale::from(f32::from(style.height)));
        let shown = text.chars().filter(|letter| !letter.is_control()).take(LONGEST);
        shown.scan(0.0, move |end, letter| {
            *end += font.h_advance(font.glyph_id(letter));
            Some((letter, *end))
        })
    }
}

/// The text with single spaces between its words. Spaces that do not break are letters of a word, and keep their width.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{202f}'));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[expect(clippy::cast_possible_truncation, reason = "a picture is some thousand pixels wide")]
fn whole(length: f32) -> i32 {
    length.ceil() as i32
}

#[expect(clippy::cast_precision_loss, reason = "a picture is some thousand pixels wide")]
fn exact(length: i32) -> f32 {
    length as f32
}
