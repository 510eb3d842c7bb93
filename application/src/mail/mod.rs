//! What Synkro mails, in the language of the company, and how it gets there.
//!
//! To add a mail: a variant of [`Mail`]; then the compiler asks for its text in each language.

mod courier;
mod en;
mod ru;

use std::fmt;

use chrono::{DateTime, Utc};
use domain::ids::TenantId;
use domain::values::{DisplayName, Email, Language, Personal};
use secrecy::SecretString;
use uuid::Uuid;

pub use courier::Courier;

use crate::ports::mail::{Letter, NewMail};

/// A link that works for whoever has it. It cannot be printed by accident.
#[derive(Clone)]
pub struct Link(SecretString);

/// Where the pages are that links lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

/// The text is no address of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an address such as https://synkro.example, with https unless it is this machine's own")]
pub struct NoPublicUrl;

/// A page that a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPage {
    /// Choosing a new password.
    ResetPassword,
    /// Accepting an invitation.
    AcceptInvitation,
    /// Confirming a new e-mail address.
    ConfirmEmail,
}

/// What is said in a mail.
#[derive(Debug, Clone)]
pub enum Mail<'a> {
    /// Someone asked for a new password.
    PasswordReset {
        /// Where to choose it.
        link: &'a Link,
        /// For how many minutes the link works.
        minutes: i64,
    },
    /// The password was changed by such a link.
    PasswordWasReset,
    /// Someone may join a company.
    Invitation {
        /// The company.
        company: &'a DisplayName,
        /// Where to join.
        link: &'a Link,
        /// For how many days the link works.
        days: i64,
    },
    /// Someone is on the platform's staff and has no password yet.
    StaffInvitation {
        /// Where to choose one.
        link: &'a Link,
        /// For how many days the link works.
        days: i64,
    },
    /// The authenticator app and the password of someone on the platform's staff were taken away.
    SecondFactorReset {
        /// Where to choose a new password.
        link: &'a Link,
        /// For how many days the link works.
        days: i64,
    },
    /// A new address is to be confirmed. Sent to it.
    EmailConfirmation {
        /// Where to confirm it.
        link: &'a Link,
        /// For how many minutes the link works.
        minutes: i64,
    },
    /// Someone asked for another address. Sent to the one of before.
    EmailChangeRequested {
        /// The address that was asked for.
        new: &'a Email,
    },
    /// The address is another one now. Sent to the one of before.
    EmailChanged {
        /// The address of now.
        new: &'a Email,
    },
}

impl Mail<'_> {
    /// The frozen name, as the outbox, logs and metrics show it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::PasswordReset { .. } => "password_reset",
            Self::PasswordWasReset => "password_was_reset",
            Self::Invitation { .. } => "invitation",
            Self::StaffInvitation { .. } => "staff_invitation",
            Self::SecondFactorReset { .. } => "second_factor_reset",
            Self::EmailConfirmation { .. } => "email_confirmation",
            Self::EmailChangeRequested { .. } => "email_change_requested",
            Self::EmailChanged { .. } => "email_changed",
        }
    }

    /// The mail in a language.
    pub fn letter(&self, language: Language) -> Letter {
        let (subject, text) = match language {
            Language::English => en::text(self),
            Language::Russian => ru::text(self),
        };
        Letter { subject, text: text.into() }
    }

    /// The mail, ready for the outbox.
    pub fn to(&self, id: Uuid, to: &Personal<Email>, address: Addressing) -> NewMail {
        let Addressing { tenant_id, language, send_by } = address;
        NewMail { id, tenant_id, kind: self.kind(), to: to.clone(), letter: self.letter(language), send_by }
    }
}

/// What all mails of one occasion share.
#[derive(Debug, Clone, Copy)]
pub struct Addressing {
    /// Whose mail it is; none for the platform's own.
    pub tenant_id: Option<TenantId>,
    /// The language to write in.
    pub language: Language,
    /// When it is of no use any more.
    pub send_by: DateTime<Utc>,
}

impl LinkPage {
    fn path(self) -> &'static str {
        match self {
            Self::ResetPassword => "/reset-password",
            Self::AcceptInvitation => "/accept-invitation",
            Self::ConfirmEmail => "/confirm-email",
        }
    }
}

impl PublicUrl {
    /// The address of a page. The token comes after `#`, which browsers keep to themselves.
    pub fn link(&self, page: LinkPage, token: &str) -> Link {
        Link(format!("{}{}#token={token}", self.0, page.path()).into())
    }

    /// Where a service sends people back to that they let Synkro into, in the company of that short name.
    pub fn callback(&self, service: &str, slug: &str) -> String {
        format!("{}/integrations/{service}/callback/{slug}", self.0)
    }

    /// The host.
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        let end = rest.find('/').unwrap_or(rest.len());
        let authority = &rest[..end];
        let host = authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        host.map_or(authority, |(host, _)| host)
    }
}

impl std::str::FromStr for PublicUrl {
    type Err = NoPublicUrl;

    fn from_str(text: &str) -> Result<Self, NoPublicUrl> {
        let url = Self(text.trim().trim_end_matches('/').to_owned());
        let plain = url.0.starts_with("http://") || url.0.starts_with("https://");
        let clean = !url.0.contains(|c: char| c.is_whitespace() || matches!(c, '?' | '#' | '@'));
        let own = matches!(url.host(), "localhost" | "127.0.0.1" | "[::1]");
        let good = plain && clean && !url.host().is_empty() && (own || url.0.starts_with("https://"));
        if good { Ok(url) } else { Err(NoPublicUrl) }
    }
}

impl Link {
    /// The address, for whoever it was made for.
    pub fn reveal(&self) -> &str {
        secrecy::ExposeSecret::expose_secret(&self.0)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn every_mail_says_what_it_is_about_in_every_language() {
        let base: PublicUrl = "https://synkro.example/".parse().unwrap();
        let link = base.link(LinkPage::ResetPassword, "TOKEN");
        let (company, new) = ("Acme".parse().unwrap(), "new@acme.example".parse().unwrap());
        let mails = [
            (Mail::PasswordReset { link: &link, minutes: 30 }, "https://synkro.example/reset-password#token=TOKEN"),
            (Mail::PasswordWasReset, ""),
            (Mail::Invitation { company: &company, link: &link, days: 7 }, "Acme"),
            (Mail::Invitation { company: &company, link: &link, days: 7 }, "#token=TOKEN"),
            (Mail::StaffInvitation { link: &link, days: 7 }, "#token=TOKEN"),
            (Mail::SecondFactorReset { link: &link, days: 7 }, "#token=TOKEN"),
            (Mail::EmailConfirmation { link: &link, minutes: 30 }, "#token=TOKEN"),
            (Mail::EmailChangeRequested { new: &new }, "new@acme.example"),
            (Mail::EmailChanged { new: &new }, "new@acme.example"),
        ];
        for (mail, said) in mails {
            for language in [Language::English, Language::Russian] {
                let letter = mail.letter(language);
                let text = letter.text.expose_secret();
                assert!(text.contains(said), "{}", mail.kind());
                assert!(!letter.subject.is_empty() && !letter.subject.contains('\n'), "{}", mail.kind());
                assert!(text.lines().all(|line| line.chars().count() <= 200), "{}", mail.kind());
                let cyrillic = text.chars().any(|c| ('а'..='я').contains(&c));
                assert_eq!(cyrillic, language == Language::Russian, "{}", mail.kind());
            }
        }
        assert_eq!(format!("{link:?}"), "***");
    }

    #[test]
    fn links_lead_over_tls_unless_they_stay_on_the_machine() {
        for good in
            ["https://synkro.example", "https://a.example:8443/synkro/", "http://127.0.0.1:8080", "http://localhost"]
        {
            assert!(good.parse::<PublicUrl>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "synkro.example",
            "http://synkro.example",
            "https://",
            "https://a.example/?x",
            "ftp://a",
            "https://u@a",
        ] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }
}
