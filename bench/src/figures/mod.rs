//! The figures, by their stable names.

mod append;
mod rebuild;
mod visible;

use std::pin::Pin;

use crate::Failure;
use crate::server::Server;

/// A measured figure.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) ours: f64,
    pub(crate) limit: f64,
    pub(crate) unit: &'static str,
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) seconds: u64,
    pub(crate) events: i64,
}

type Measured = Pin<Box<dyn Future<Output = Result<Figure, Failure>> + Send>>;

/// Measures one figure on a fresh schema.
type Measure = fn(Server, Options) -> Measured;

/// Every figure.
pub(crate) const FIGURES: &[(&str, Measure)] = &[
    ("append_vs_stock", |server, options| Box::pin(append::vs_stock(server, options))),
    ("append_vs_raw", |server, options| Box::pin(append::vs_raw(server, options))),
    ("lone_append", |server, options| Box::pin(append::lone(server, options))),
    ("rebuild", |server, options| Box::pin(rebuild::rate(server, options))),
    ("rebuild_memory", |server, options| Box::pin(rebuild::memory(server, options))),
    ("visible_p99", |server, options| Box::pin(visible::p99(server, options))),
];
