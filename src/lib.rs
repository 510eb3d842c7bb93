//! The composition root of Synkro: configuration, wiring and command line.
//!
//! [`wire`] is the only place that names concrete adapters; everything else sees ports.

pub mod access_report;
pub mod cli;
pub mod config;
pub mod wire;
