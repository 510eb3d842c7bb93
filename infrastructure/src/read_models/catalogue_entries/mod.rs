//! What companies have added to the built-in services, actions and permissions.

pub mod entity;
mod reader;
mod writer;

pub use reader::CatalogueEntriesReader;
pub use writer::CatalogueEntriesProjection;
