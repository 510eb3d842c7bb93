//! What all use cases with a mailed link share.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::ErrorKind;
use domain::ids::TenantId;
use domain::tenant::{Tenant, TenantDetails};
use domain::user::Membership;
use domain::values::{Email, Language, Personal};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::error::{AppError, PortError};
use crate::mail::{Addressing, Link, LinkPage, Mail, PublicUrl};
use crate::ports::clock::{Clock, Ids};
use crate::ports::commands::Commands;
use crate::ports::links::{LinkKind, NewLink, OneTimeLinks};
use crate::ports::mail::NewMail;

/// A mail that was asked for a while ago is of no use any more.
const LONGEST_IN_OUTBOX: TimeDelta = TimeDelta::days(1);

/// Issues links and writes mails.
pub struct MailedLinks {
    /// Links, and the outbox behind them.
    pub links: Arc<dyn OneTimeLinks>,
    /// The companies, whose language mails are in.
    pub tenants: Arc<dyn Commands<Tenant>>,
    /// Where the pages are that links lead to.
    pub public_url: PublicUrl,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids of mails.
    pub ids: Arc<dyn Ids>,
}

/// Where someone belongs, as mails and passwords go by it.
pub(super) struct Home {
    /// Its name, which is no password.
    pub(super) name: String,
    /// The language of its mails.
    pub(super) language: Language,
}

/// A link that was not issued yet.
pub(super) struct PreparedLink {
    kind: LinkKind,
    token: SecretString,
    /// What goes into the mail.
    pub(super) link: Link,
}

/// What a link is about.
pub(super) struct LinkSubject {
    /// Whose it is; none for staff.
    pub(super) tenant_id: Option<TenantId>,
    /// What it is about; none where the address is nobody's.
    pub(super) subject: Option<Uuid>,
    /// The address that asked for it, which may ask for few within an hour; none where those who run the platform give it out.
    pub(super) asked_by: Option<Email>,
    /// What it carries.
    pub(super) payload: Option<String>,
    /// Until when it works.
    pub(super) expires_at: DateTime<Utc>,
    /// Whether links of its kind about the same subject end with its coming.
    pub(super) supersedes: bool,
}

impl MailedLinks {
    /// The company, where its people may do anything.
    pub(super) async fn open_company(&self, tenant: TenantId) -> Result<Option<TenantDetails>, PortError> {
        let tenant = self.tenants.load(tenant.uuid()).await?;
        Ok(tenant.details().filter(|_| tenant.is_open()).cloned())
    }

    /// Where the user belongs, if people of there may do anything.
    pub(super) async fn home(&self, membership: &Membership) -> Result<Option<Home>, PortError> {
        match membership {
            Membership::Tenant { tenant_id, .. } => {
                let company = self.open_company(*tenant_id).await?;
                Ok(company.map(|company| Home { name: company.name.to_string(), language: company.language }))
            }
            Membership::Platform { .. } => Ok(Some(Home { name: "Synkro".to_owned(), language: Language::English })),
        }
    }

    /// A new link of this kind, which is not issued yet.
    pub(super) fn prepare(&self, kind: LinkKind) -> Result<PreparedLink, PortError> {
        let token = self.links.token()?;
        let page = match kind {
            LinkKind::PasswordReset => LinkPage::ResetPassword,
            LinkKind::Invitation => LinkPage::AcceptInvitation,
            LinkKind::EmailChange => LinkPage::ConfirmEmail,
        };
        let link = self.public_url.link(page, token.expose_secret());
        Ok(PreparedLink { kind, token, link })
    }

    /// Issues a link with its mails; false where an address asked for it that has asked for as many within the hour as it may.
    pub(super) async fn issue(
        &self,
        prepared: PreparedLink,
        about: LinkSubject,
        mails: Vec<NewMail>,
    ) -> Result<bool, PortError> {
        let PreparedLink { kind, token, link: _ } = prepared;
        let LinkSubject { tenant_id, subject, asked_by, payload, expires_at, supersedes } = about;
        let payload = payload.map(Into::into);
        let new = NewLink { token, kind, tenant_id, subject, asked_by, payload, expires_at, supersedes };
        self.links.issue(new, mails, self.clock.now()).await
    }

    /// A mail about something that lasts until then.
    pub(super) fn mail(
        &self,
        mail: &Mail<'_>,
        to: &Personal<Email>,
        tenant: Option<TenantId>,
        language: Language,
        until: DateTime<Utc>,
    ) -> NewMail {
        let send_by = until.min(self.clock.now() + LONGEST_IN_OUTBOX);
        mail.to(self.ids.next(), to, Addressing { tenant_id: tenant, language, send_by })
    }

    /// A mail that tells of something that has happened.
    pub(super) fn notice(
        &self,
        mail: &Mail<'_>,
        to: &Personal<Email>,
        tenant: Option<TenantId>,
        language: Language,
    ) -> NewMail {
        self.mail(mail, to, tenant, language, DateTime::<Utc>::MAX_UTC)
    }
}

/// The refusal of a link that does not work.
pub(super) fn refused() -> AppError {
    let detail = "This link was used, or its time is over; ask for a new one.";
    AppError::new(ErrorKind::Conflict, "link.refused", detail)
}

/// The refusal of one more mail.
pub(super) fn too_many_mails() -> AppError {
    let detail = "Three mails were sent to this address within the hour; look into its spam folder, or wait an hour.";
    let error = AppError::new(ErrorKind::TooMany, "mail.too_many", detail);
    AppError { retry_after: Some(std::time::Duration::from_hours(1)), ..error }
}
