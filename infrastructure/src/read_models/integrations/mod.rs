//! Configured integrations. Secrets appear as ids only.

pub mod entity;
mod reader;
mod writer;

pub use reader::IntegrationsReader;
pub use writer::IntegrationsProjection;
