//! Mail: the outbox that use cases write into, and what carries a mail to its recipient.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::TenantId;
use domain::values::{Email, Personal};
use secrecy::SecretString;
use uuid::Uuid;

use super::queue::Hints;
use crate::error::{PortError, Source};

/// What a mail says.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Its subject, on one line.
    pub subject: String,
    /// Its text. It may hold a link that works for whoever has it, so it cannot be printed.
    pub text: SecretString,
}

/// A mail to be sent.
#[derive(Debug, Clone)]
pub struct NewMail {
    /// Its id, which also names it to mail servers.
    pub id: Uuid,
    /// Whose mail it is; none for the platform's own.
    pub tenant_id: Option<TenantId>,
    /// Which text it is, by its frozen name.
    pub kind: &'static str,
    /// For whom.
    pub to: Personal<Email>,
    /// What it says.
    pub letter: Letter,
    /// When it is of no use any more.
    pub send_by: DateTime<Utc>,
}

/// A mail that is to be tried now.
#[derive(Debug, Clone)]
pub struct DueMail {
    /// Its id.
    pub id: Uuid,
    /// Which text it is.
    pub kind: String,
    /// How often it was tried, this try included.
    pub tries: u32,
    /// For whom.
    pub to: Personal<Email>,
    /// What it says.
    pub letter: Letter,
    /// When it is of no use any more.
    pub send_by: DateTime<Utc>,
}

/// Where the mails stand.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MailStanding {
    /// How many wait to be sent.
    pub waiting: u64,
    /// The age of the oldest of them, in seconds; 0 where there is none.
    pub oldest_seconds: f64,
    /// How many were given up in the last 30 days.
    pub given_up: u64,
}

/// Mails on their way. One that was put in is sent at least once, or given up.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Puts a mail in.
    async fn put(&self, mail: NewMail, now: DateTime<Utc>) -> Result<(), PortError>;

    /// Mails that are due, for the one who asks alone until that time.
    async fn claim(&self, now: DateTime<Utc>, until: DateTime<Utc>, most: usize) -> Result<Vec<DueMail>, PortError>;

    /// The mail was taken by a mail server; its content is deleted.
    async fn sent(&self, id: Uuid, now: DateTime<Utc>) -> Result<(), PortError>;

    /// The mail is tried again.
    async fn retry(&self, id: Uuid, at: DateTime<Utc>) -> Result<(), PortError>;

    /// The mail is not tried any more; its content is deleted.
    async fn give_up(&self, id: Uuid, now: DateTime<Utc>) -> Result<(), PortError>;

    /// Where they stand.
    async fn standing(&self, now: DateTime<Utc>) -> Result<MailStanding, PortError>;

    /// Hints that this process has put mail in. They save time and may be lost.
    fn hints(&self) -> Box<dyn Hints>;
}

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The same may be taken later.
    #[error("the mail server did not take it for now")]
    Later(#[source] Source),
    /// Nobody takes mail from us until the operator changes something.
    #[error(
        "the mail server refuses us; check the user and the password in SMTP_URL, and the address in SYNKRO_MAIL_FROM"
    )]
    Misconfigured(#[source] Source),
    /// It will never be taken.
    #[error("the mail server refuses this mail for good")]
    Never(#[source] Source),
}

/// Carries mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands a mail over. The id is the same at each try.
    async fn send(&self, id: Uuid, to: &Email, letter: &Letter) -> Result<(), MailError>;
}
