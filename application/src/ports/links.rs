//! Links that are mailed and work once, and tokens of the same make.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{SessionId, TenantId};
use domain::values::Email;
use secrecy::SecretString;
use uuid::Uuid;

use super::identity::PasswordHash;
use super::mail::NewMail;
use crate::error::PortError;

/// What a link is for. One kind's token is none of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// Choosing a new password; about a user.
    PasswordReset,
    /// Joining a company; about an invitation.
    Invitation,
    /// Confirming a new e-mail address; about a user.
    EmailChange,
}

impl LinkKind {
    /// The frozen name.
    pub fn name(self) -> &'static str {
        match self {
            Self::PasswordReset => "password_reset",
            Self::Invitation => "invitation",
            Self::EmailChange => "email_change",
        }
    }
}

/// A link to be issued.
pub struct NewLink {
    /// Its token.
    pub token: SecretString,
    /// What it is for.
    pub kind: LinkKind,
    /// Whose it is; none for the platform's own.
    pub tenant_id: Option<TenantId>,
    /// What it is about; none where the address is nobody's: the link then never works.
    pub subject: Option<Uuid>,
    /// The address that asked for it, where links are counted by address.
    pub asked_by: Option<Email>,
    /// What whoever has the link must not choose, such as the address that it confirms.
    pub payload: Option<SecretString>,
    /// Until when it works.
    pub expires_at: DateTime<Utc>,
    /// Whether links of its kind about the same subject end with its coming.
    pub supersedes: bool,
}

/// A link that works now.
pub struct Link {
    /// Whose it is.
    pub tenant_id: Option<TenantId>,
    /// What it is about.
    pub subject: Uuid,
    /// What it carries.
    pub payload: Option<SecretString>,
    /// Until when it works.
    pub expires_at: DateTime<Utc>,
}

/// Links, kept as hashes of their tokens.
#[async_trait]
pub trait OneTimeLinks: Send + Sync {
    /// A new token of 256 random bits.
    fn token(&self) -> Result<SecretString, PortError>;

    /// Records the link, ends those that it supersedes, and puts its mails into the outbox, all or nothing; false where the
    /// address has asked for as many within the hour as it may.
    async fn issue(&self, link: NewLink, mails: Vec<NewMail>, now: DateTime<Utc>) -> Result<bool, PortError>;

    /// The link of a token, where it works now.
    async fn find(&self, kind: LinkKind, token: &SecretString, now: DateTime<Utc>) -> Result<Option<Link>, PortError>;

    /// Uses the link up and puts mails into the outbox, both or neither; false where it does not work any more.
    async fn use_up(
        &self,
        kind: LinkKind,
        token: &SecretString,
        mails: Vec<NewMail>,
        now: DateTime<Utc>,
    ) -> Result<bool, PortError>;

    /// Whether there is a link of this kind about the subject whose time is not over.
    async fn is_issued(
        &self,
        kind: LinkKind,
        tenant: Option<TenantId>,
        subject: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, PortError>;

    /// Ends all links of this kind about the subject.
    async fn revoke(
        &self,
        kind: LinkKind,
        tenant: Option<TenantId>,
        subject: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), PortError>;

    /// Uses the link up, keeps the new password of its user, forgets all refresh tokens of that user, and puts mails into
    /// the outbox; all or nothing. Answers with the sessions that are to be ended; none where the link does not work any more.
    async fn reset_password(
        &self,
        token: &SecretString,
        new: PasswordHash,
        mails: Vec<NewMail>,
        now: DateTime<Utc>,
    ) -> Result<Option<Vec<SessionId>>, PortError>;
}
