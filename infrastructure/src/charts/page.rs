//! A page: title, figures, panels.

use application::ports::charts::{Chart, Figure, Panel, Tone};

use super::ChartFault;
use super::canvas::{Area, Canvas, Color};
use super::lettering::{Lettering, Style};
use super::panel;

/// Width of a page in pixels.
pub(super) const WIDTH: i32 = 1_080;

/// Pixels that stay free at each side.
pub(super) const MARGIN: i32 = 48;

/// Where the figures begin, and how much room each row of them has.
const FIGURES_AT: i32 = 176;
const FIGURES_HEIGHT: i32 = 138;
const MOST_FIGURES: usize = 4;
const MOST_PANELS: usize = 3;

pub(super) const PAPER: Color = Color([255, 255, 255]);
pub(super) const INK: Color = Color([27, 36, 48]);
pub(super) const PALE_INK: Color = Color([92, 105, 121]);
pub(super) const LINE: Color = Color([225, 230, 236]);
const TILE: Color = Color([244, 246, 249]);

const TITLE: Style = Style { bold: true, height: 58, color: INK };
const SUBTITLE: Style = Style { bold: false, height: 38, color: PALE_INK };
const VALUE: Style = Style { bold: true, height: 56, color: INK };
const LABEL: Style = Style { bold: false, height: 29, color: PALE_INK };

/// Colours that people who see no difference between red and green can tell apart.
pub(super) fn color(tone: Tone) -> Color {
    Color(match tone {
        Tone::Customers => [37, 99, 176],
        Tone::Agents => [142, 190, 235],
        Tone::Won => [20, 140, 110],
        Tone::Lost => [217, 95, 2],
        Tone::Open => [176, 184, 196],
    })
}

/// Draws the chart.
pub(super) fn draw(chart: &Chart) -> Result<Canvas, ChartFault> {
    let letters = Lettering::new()?;
    let panels: Vec<&Panel> = chart.panels.iter().take(MOST_PANELS).collect();
    let below_figures = FIGURES_AT + if chart.figures.is_empty() { 0 } else { FIGURES_HEIGHT };
    let height = below_figures + panels.iter().map(|panel| panel::height(panel) + MARGIN).sum::<i32>() + MARGIN;
    let mut canvas = Canvas::new(WIDTH, height, PAPER);
    let width = WIDTH - 2 * MARGIN;
    letters.write(&mut canvas, (MARGIN, 44), &letters.fitted(&chart.title, TITLE, width), TITLE);
    letters.write(&mut canvas, (MARGIN, 108), &letters.fitted(&chart.subtitle, SUBTITLE, width), SUBTITLE);
    figures(&mut canvas, &letters, &chart.figures);
    let mut y = below_figures + MARGIN;
    for panel in panels {
        let area = Area { x: MARGIN, y, width, height: panel::height(panel) };
        panel::draw(&mut canvas, &letters, area, panel);
        y = area.bottom() + MARGIN;
    }
    Ok(canvas)
}

fn figures(canvas: &mut Canvas, letters: &Lettering, figures: &[Figure]) {
    const GAP: i32 = 16;
    const INSET: i32 = 20;
    let shown = figures.iter().take(MOST_FIGURES);
    let count = i32::try_from(shown.len()).unwrap_or(1).max(1);
    let width = (WIDTH - 2 * MARGIN - (count - 1) * GAP) / count;
    let mut x = MARGIN;
    for figure in shown {
        canvas.fill(Area { x, y: FIGURES_AT, width, height: FIGURES_HEIGHT }, TILE);
        let room = width - 2 * INSET;
        for (text, style, y) in [(&figure.value, VALUE, FIGURES_AT + 18), (&figure.label, LABEL, FIGURES_AT + 88)] {
            let small = letters.shrunk(text, style, room);
            let text = letters.fitted(text, small, room);
            letters.write(canvas, (x + INSET, y + (style.height() - small.height()) / 2), &text, small);
        }
        x += width + GAP;
    }
}
