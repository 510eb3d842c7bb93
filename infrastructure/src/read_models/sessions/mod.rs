//! Sessions. When they were last seen is kept beside this table, outside of the log.

pub mod entity;
mod reader;
mod writer;

pub use reader::SessionsReader;
pub use writer::SessionsProjection;
