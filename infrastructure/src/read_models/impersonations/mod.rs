//! When staff acted in the name of companies' users.

pub mod entity;
mod reader;
mod writer;

pub use reader::ImpersonationsReader;
pub use writer::ImpersonationsProjection;
