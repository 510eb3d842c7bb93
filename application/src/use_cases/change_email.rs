//! Changing one's own e-mail address: asked for in a session, confirmed at the new address, told to the old one.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::FieldError;
use domain::user::{User, UserCommand, UserError};
use domain::values::{Email, Personal};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::mailed_links::{LinkSubject, MailedLinks, refused, too_many_mails};
use super::own_password::OwnPassword;
use crate::context::{Origin, RequestContext};
use crate::error::{AppError, PortError};
use crate::mail::Mail;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::links::LinkKind;

/// How long a link works.
const LIFE: TimeDelta = TimeDelta::minutes(30);

/// Changes e-mail addresses.
pub struct ChangeEmail {
    /// The users as the log knows them.
    pub accounts: Arc<dyn Commands<User>>,
    /// Links and mails.
    pub mailed: Arc<MailedLinks>,
    /// Asking for the password.
    pub password: Arc<OwnPassword>,
}

/// What a link carries: both addresses, so that confirming can be repeated after it was cut off.
#[derive(Serialize, Deserialize)]
struct Change {
    former: Email,
    new: Email,
}

impl ChangeEmail {
    /// Mails a link to the new address, and tells the old one. A link of before does not work any more.
    ///
    /// # Errors
    /// `invalid` for the address of now and for a wrong password; `too_many` after failed attempts, and after three mails to
    /// the address within an hour.
    pub async fn request(&self, context: &RequestContext, new: Email, password: &SecretString) -> Result<(), AppError> {
        let account = context.own_account()?;
        let User::Active(user) = self.accounts.load(account.user_id.uuid()).await? else {
            return Err(UserError::NotFound.into());
        };
        if *user.email.reveal() == new {
            return Err(AppError::invalid(vec![FieldError::new("email", "is your address already")]));
        }
        self.password.require(account.context(), &user, "password", password).await?;
        let (tenant, kind) = (user.tenant(), LinkKind::EmailChange);
        let home = self.mailed.home(&user.membership).await?.ok_or(UserError::NotFound)?;
        let told = Mail::EmailChangeRequested { new: &new };
        let told = self.mailed.notice(&told, &user.email, tenant, home.language);
        let change = Change { former: user.email.reveal().clone(), new: new.clone() };
        let payload = serde_json::to_string(&change).map_err(|error| PortError::Internal(error.into()))?;
        let (prepared, expires_at) = (self.mailed.prepare(kind)?, self.mailed.clock.now() + LIFE);
        let mail = Mail::EmailConfirmation { link: &prepared.link, minutes: LIFE.num_minutes() };
        let mail = self.mailed.mail(&mail, &Personal::new(new.clone()), tenant, home.language, expires_at);
        let (subject, payload) = (Some(user.user_id.uuid()), Some(payload));
        let about =
            LinkSubject { tenant_id: tenant, subject, asked_by: Some(new), payload, expires_at, supersedes: true };
        let issued = self.mailed.issue(prepared, about, vec![told, mail]).await?;
        if issued { Ok(()) } else { Err(too_many_mails()) }
    }

    /// Makes the address of the link the user's.
    ///
    /// # Errors
    /// `conflict` for a link that does not work; `taken` where the address belongs to another user.
    pub async fn confirm(&self, origin: Origin, token: &SecretString) -> Result<Option<LogPosition>, AppError> {
        let (links, now, kind) = (&self.mailed.links, self.mailed.clock.now(), LinkKind::EmailChange);
        let link = links.find(kind, token, now).await?.ok_or_else(refused)?;
        let User::Active(user) = self.accounts.load(link.subject).await? else { return Err(refused()) };
        let home = self.mailed.home(&user.membership).await?.ok_or_else(refused)?;
        let payload = link.payload.ok_or_else(refused)?;
        let Change { former, new } = serde_json::from_str(payload.expose_secret())
            .map_err(|_| PortError::internal("a link does not carry what it was given"))?;
        let current = user.email.reveal();
        if *current != former && *current != new {
            // The address was changed by another link since.
            return Err(refused());
        }
        let context =
            RequestContext::for_system("email_change", user.tenant(), self.mailed.ids.next(), origin.request_id);
        let change = UserCommand::ChangeEmail { email: Personal::new(new.clone()), at: now };
        let recorded =
            self.accounts.execute(&context.from_client(origin.client), user.user_id.uuid(), change).await?.position;
        let told = Mail::EmailChanged { new: &new };
        let told = self.mailed.notice(&told, &Personal::new(former), user.tenant(), home.language);
        links.use_up(kind, token, vec![told], self.mailed.clock.now()).await?;
        Ok(recorded)
    }
}
