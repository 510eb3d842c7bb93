//! One row per event: who did what, when, by which right.

pub mod entity;
mod writer;

pub use writer::AuditProjection;
