//! Runs and their steps.

mod reader;
pub mod run_entity;
pub mod step_entity;
mod writer;

pub use reader::RunsReader;
pub use writer::RunsProjection;
