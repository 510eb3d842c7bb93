//! What outlives the process: files in the state directory.

mod file;
mod journal;
mod ports;

pub(crate) use file::AppendFile;
pub use file::StateError;
pub use journal::Call;
pub(crate) use journal::Journal;
pub(crate) use ports::Ports;
