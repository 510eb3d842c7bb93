//! The central part of reports. The full text lies in the tenant's own storage.

pub mod entity;
mod reader;
mod writer;

pub use reader::ReportsReader;
pub use writer::ReportsProjection;
