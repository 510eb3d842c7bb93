//! Mail: the outbox in PostgreSQL, and what carries a mail.

mod folder;
mod message;
mod outbox;
mod smtp;

pub use folder::FolderMailer;
pub use message::{Sender, SenderError};
pub use outbox::PgOutbox;
pub(crate) use outbox::{Destiny, Sealed, insert};
pub use smtp::{SmtpError, SmtpMailer};
