//! API keys.

pub mod entity;
mod reader;
mod writer;

pub use reader::ApiKeysReader;
pub use writer::ApiKeysProjection;
