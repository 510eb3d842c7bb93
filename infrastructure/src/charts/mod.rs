//! Charts as PNG, drawn in the process: no browser, no network, no fonts of the machine (ADR 0031).
//!
//! A page is as wide as Telegram shows a picture without scaling it down on most phones, and as high as its panels need. What it
//! costs is bounded: so many panels, bars and letters, and no more pixels than these make.

mod canvas;
mod lettering;
mod page;
mod panel;
mod scale;
#[cfg(test)]
mod tests;

use std::time::Duration;

use application::ports::charts::{Chart, ChartError, Charts, Picture};
use async_trait::async_trait;

/// Longest time for one chart; it takes some hundredths of a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// Draws charts on threads for blocking work.
#[derive(Debug, Default)]
pub struct PngCharts;

/// Why a chart cannot be drawn. None of it depends on what the chart shows.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChartFault {
    #[error("the font that comes with the program cannot be read")]
    Font(#[from] ab_glyph::InvalidFont),
    #[error("the picture cannot be encoded")]
    Png(#[from] png::EncodingError),
    #[error("the picture has no size")]
    Size(#[from] std::num::TryFromIntError),
}

#[async_trait]
impl Charts for PngCharts {
    async fn draw(&self, chart: Chart) -> Result<Picture, ChartError> {
        let drawing = tokio::task::spawn_blocking(move || page::draw(&chart)?.png());
        match tokio::time::timeout(PATIENCE, drawing).await {
            Ok(Ok(Ok(png))) => Ok(Picture { png }),
            Ok(Ok(Err(fault))) => Err(ChartError::Broken(Box::new(fault))),
            Ok(Err(panicked)) => Err(ChartError::Broken(Box::new(panicked))),
            Err(_) => Err(ChartError::TooSlow(PATIENCE.as_secs())),
        }
    }
}
