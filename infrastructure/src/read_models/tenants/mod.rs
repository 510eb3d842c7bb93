//! Tenants.

pub mod entity;
mod reader;
mod writer;

pub use reader::TenantsReader;
pub use writer::TenantsProjection;
