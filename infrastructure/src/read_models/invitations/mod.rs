//! Invitations.

pub mod entity;
mod reader;
mod writer;

pub use reader::InvitationsReader;
pub use writer::InvitationsProjection;
