//! The figures, by their stable names.

mod append;
mod bare;
mod http;
mod integration;
mod permission;
mod rebuild;
mod tokens;
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
    ("permission_check", |_, options| Box::pin(permission::check(options))),
    ("token_sign", |server, options| Box::pin(tokens::sign(server, options))),
    ("token_verify", |server, options| Box::pin(tokens::verify(server, options))),
    ("token_verify_again", |server, options| Box::pin(tokens::verify_again(server, options))),
    ("scoped_read", |server, options| Box::pin(http::scoped_read(server, options))),
    ("http_command", |server, options| Box::pin(http::command(server, options))),
    ("sign_in_storm", |server, options| Box::pin(http::storm(server, options))),
    ("visible_p99", |server, options| Box::pin(visible::p99(server, options))),
    ("integration_bulk", |server, options| Box::pin(integration::seconds(server, options))),
    ("integration_bulk_memory", |server, options| Box::pin(integration::memory(server, options))),
];
