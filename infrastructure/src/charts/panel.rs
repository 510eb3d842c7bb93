//! A panel: its title, its legend, its bars.

use application::ports::charts::{Bar, Form, Panel, grouped};

use super::canvas::{Area, Canvas};
use super::lettering::{Lettering, Style};
use super::page::{INK, LINE, PALE_INK, color};
use super::scale::{Scale, part};

/// Room for title and legend.
pub(super) const HEAD: i32 = 108;

/// The most bars of each form, and series of a bar.
const MOST_COLUMNS: usize = 31;
const MOST_ROWS: usize = 10;
const MOST_SERIES: usize = 4;

/// A panel of columns: the bars, and the room for their names below.
pub(super) const COLUMNS: i32 = 280;
const NAMES: i32 = 44;

/// A row with its distance to the next one, and its bar.
pub(super) const ROW: i32 = 58;
pub(super) const BAR: i32 = 38;

/// Room for the names of rows, and for their sums.
pub(super) const ROW_NAMES: i32 = 300;
const ROW_SUMS: i32 = 130;

const TITLE: Style = Style { bold: true, height: 38, color: INK };
const LEGEND: Style = Style { bold: false, height: 31, color: INK };
const MARK: Style = Style { bold: false, height: 27, color: PALE_INK };
const NAME: Style = Style { bold: false, height: 32, color: INK };
const SUM: Style = Style { bold: true, height: 32, color: INK };
const EMPTY: Style = Style { bold: false, height: 34, color: PALE_INK };

/// Height in pixels.
pub(super) fn height(panel: &Panel) -> i32 {
    HEAD + match panel.form {
        Form::Columns => COLUMNS + NAMES,
        Form::Rows => ROW * i32::try_from(panel.bars.len().clamp(1, MOST_ROWS)).unwrap_or(1),
    }
}

/// Draws the panel into its area.
pub(super) fn draw(canvas: &mut Canvas, letters: &Lettering, area: Area, panel: &Panel) {
    letters.write(canvas, (area.x, area.y), &letters.fitted(&panel.title, TITLE, area.width), TITLE);
    legend(canvas, letters, area, panel);
    let body = Area { y: area.y + HEAD, height: area.height - HEAD, ..area };
    if panel.bars.iter().all(|bar| sum(bar) == 0) {
        let text = letters.fitted(&panel.empty, EMPTY, body.width);
        let x = body.x + (body.width - letters.width(&text, EMPTY)) / 2;
        letters.write(canvas, (x, body.y + (body.height - EMPTY.height()) / 2), &text, EMPTY);
        return;
    }
    match panel.form {
        Form::Columns => columns(canvas, letters, body, panel),
        Form::Rows => rows(canvas, letters, body, panel),
    }
}

fn legend(canvas: &mut Canvas, letters: &Lettering, area: Area, panel: &Panel) {
    const SWATCH: i32 = 24;
    const GAP: i32 = 40;
    let shown = panel.series.iter().take(MOST_SERIES);
    let count = i32::try_from(shown.len()).unwrap_or(1).max(1);
    let room = (area.width - (count - 1) * GAP) / count - SWATCH - 10;
    let (mut x, y) = (area.x, area.y + 52);
    for series in shown {
        canvas
            .fill(Area { x, y: y + (LEGEND.height() - SWATCH) / 2, width: SWATCH, height: SWATCH }, color(series.tone));
        let text = letters.fitted(&format!("{} {}", series.name, grouped(series.sum.into())), LEGEND, room);
        letters.write(canvas, (x + SWATCH + 10, y), &text, LEGEND);
        x += SWATCH + 10 + letters.width(&text, LEGEND) + GAP;
    }
}

fn columns(canvas: &mut Canvas, letters: &Lettering, body: Area, panel: &Panel) {
    let bars = &panel.bars[..panel.bars.len().min(MOST_COLUMNS)];
    let scale = Scale::up_to(bars.iter().map(sum).max().unwrap_or_default());
    let plot = axis(canvas, letters, Area { height: COLUMNS, ..body }, scale);
    let count = i32::try_from(bars.len()).unwrap_or(1).max(1);
    let place = |number: i32| plot.x + plot.width * number / count;
    let widest = bars.iter().map(|bar| letters.width(&bar.label, MARK)).max().unwrap_or_default();
    let every = (widest + 10) * count / plot.width.max(1) + 1;
    for (number, bar) in (0..).zip(bars) {
        let (left, right) = (place(number), place(number + 1));
        let gap = ((right - left) / 6).max(1);
        let column = |from: i32, to: i32| Area {
            x: left + gap,
            y: plot.bottom() - to,
            width: right - left - 2 * gap,
            height: to - from,
        };
        let mut below = 0;
        for (part, series) in bar.values.iter().zip(&panel.series).take(MOST_SERIES) {
            let above = below + u128::from(*part);
            let area = column(scale.length(below, plot.height), scale.length(above, plot.height));
            canvas.fill(area, color(series.tone));
            below = above;
        }
        if number % every == 0 {
            let name = letters.fitted(&bar.label, MARK, plot.width);
            let width = letters.width(&name, MARK);
            let x = ((left + right - width) / 2).clamp(plot.x, (plot.right() - width).max(plot.x));
            letters.write(canvas, (x, plot.bottom() + 10), &name, MARK);
        }
    }
}

/// Draws the axis at the left, and answers with what is right of it.
fn axis(canvas: &mut Canvas, letters: &Lettering, area: Area, scale: Scale) -> Area {
    const WIDEST: i32 = 150;
    const GAP: i32 = 12;
    let marks: Vec<(u128, String)> = scale.marks().map(|mark| (mark, grouped(mark))).collect();
    let style = marks.last().map_or(MARK, |(_, text)| letters.shrunk(text, MARK, WIDEST));
    let marks: Vec<_> = marks.into_iter().map(|(mark, text)| (mark, letters.fitted(&text, style, WIDEST))).collect();
    let widest = marks.iter().map(|(_, text)| letters.width(text, style)).max().unwrap_or_default();
    let plot = Area { x: area.x + widest + GAP, width: area.width - widest - GAP, ..area };
    for (mark, text) in marks {
        let y = plot.bottom() - scale.length(mark, plot.height);
        canvas.fill(Area { x: plot.x, y: y - 1, width: plot.width, height: 2 }, LINE);
        let x = area.x + widest - letters.width(&text, style);
        letters.write(canvas, (x, y - style.height() / 2), &text, style);
    }
    plot
}

fn rows(canvas: &mut Canvas, letters: &Lettering, body: Area, panel: &Panel) {
    let bars = &panel.bars[..panel.bars.len().min(MOST_ROWS)];
    let longest = bars.iter().map(sum).max().unwrap_or_default();
    let line = body.width - ROW_NAMES - ROW_SUMS;
    for (number, bar) in (0..).zip(bars) {
        let y = body.y + ROW * number;
        let name = letters.fitted(&bar.label, NAME, ROW_NAMES - 20);
        letters.write(canvas, (body.x, y + (BAR - NAME.height()) / 2), &name, NAME);
        let left = body.x + ROW_NAMES;
        let mut before = 0;
        for (value, series) in bar.values.iter().zip(&panel.series).take(MOST_SERIES) {
            let after = before + u128::from(*value);
            let (from, to) = (part(before, longest, line), part(after, longest, line));
            canvas.fill(Area { x: left + from, y, width: to - from, height: BAR }, color(series.tone));
            before = after;
        }
        let text = grouped(before);
        let style = letters.shrunk(&text, SUM, ROW_SUMS - 14);
        let text = letters.fitted(&text, style, ROW_SUMS - 14);
        let x = left + part(before, longest, line) + 14;
        letters.write(canvas, (x, y + (BAR - style.height()) / 2), &text, style);
    }
}

fn sum(bar: &Bar) -> u128 {
    bar.values.iter().take(MOST_SERIES).map(|value| u128::from(*value)).sum()
}
