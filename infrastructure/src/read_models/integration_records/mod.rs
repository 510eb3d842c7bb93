//! What happened to integrations: saved versions, and what was tried and written. Secrets appear as ids only.

pub mod entity;
mod reader;
mod writer;

pub use reader::IntegrationRecordsReader;
pub use writer::IntegrationRecordsProjection;
