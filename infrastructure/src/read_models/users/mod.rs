//! Users.

mod changes;
pub mod entity;
mod reader;
mod writer;

pub use reader::UsersReader;
pub use writer::UsersProjection;
