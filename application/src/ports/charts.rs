//! Port to what draws charts. What a chart shows is decided here, how it looks there.

use std::fmt;

use async_trait::async_trait;

use crate::error::Source;

/// A chart on one page: a title, a few figures, and panels of bars under each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// What it is about.
    pub title: String,
    /// More on that, in smaller letters.
    pub subtitle: String,
    /// The numbers to see first.
    pub figures: Vec<Figure>,
    /// The panels, from top to bottom.
    pub panels: Vec<Panel>,
}

/// A number with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The number as people read it.
    pub value: String,
    /// What it counts.
    pub label: String,
}

/// Stacked bars on one scale, with a legend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panel {
    /// What the bars are.
    pub title: String,
    /// How they stand.
    pub form: Form,
    /// What each bar is made of, in the order of its values.
    pub series: Vec<Series>,
    /// The bars in their order.
    pub bars: Vec<Bar>,
    /// What stands in place of bars that are all nought.
    pub empty: String,
}

/// How bars stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Upright, side by side, with an axis at their left: many bars with short names.
    Columns,
    /// Lying, one under the other, each with its sum: few bars with long names.
    Rows,
}

/// A part that every bar of a panel has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Its sum, beside the name.
    pub sum: u64,
    /// Its colour, by what it means.
    pub tone: Tone,
}

/// What a colour stands for, the same in every chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// What customers did.
    Customers,
    /// What agents did.
    Agents,
    /// Sold.
    Won,
    /// Not sold.
    Lost,
    /// Not decided yet.
    Open,
}

/// A bar with one value for each series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// Its name.
    pub label: String,
    /// Its parts.
    pub values: Vec<u64>,
}

/// A picture as a PNG file.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// The file's bytes.
    pub png: Vec<u8>,
}

impl fmt::Debug for Picture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Picture({} bytes)", self.png.len())
    }
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// It took longer than a chart may.
    #[error("the chart took longer than {0} s to draw")]
    TooSlow(u64),
    /// It could not be drawn.
    #[error("the chart could not be drawn")]
    Broken(#[source] Source),
}

/// What draws charts.
#[async_trait]
pub trait Charts: Send + Sync {
    /// The chart as a picture, in a bounded time. The same chart gives the same picture. Texts, bars and panels for which there
    /// is no room are cut or left out.
    async fn draw(&self, chart: Chart) -> Result<Picture, ChartError>;
}

/// A count as charts show it: its digits in groups of three, apart by a narrow space that does not break.
pub fn grouped(count: u128) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn digits_stand_in_groups_of_three() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
    }
}
