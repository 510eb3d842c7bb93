//! The step in turn of every active run. Workers find due steps here; the log decides who begins one.

pub mod entity;
mod writer;

pub use writer::StepQueueProjection;
