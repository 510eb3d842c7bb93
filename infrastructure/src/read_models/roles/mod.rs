//! Roles as those who manage them see them. Requests are not decided by this table, but by the matrix in memory.

pub mod entity;
mod reader;
mod writer;

pub use reader::RolesReader;
pub use writer::RolesProjection;
