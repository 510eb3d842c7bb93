//! How people are reached by mail.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use application::mail::{NoPublicUrl, PublicUrl};
use application::ports::mail::Mailer;
use application::use_cases::SelfService;
use clap::{Args, ValueEnum};
use infrastructure::mail::{FolderMailer, Sender, SenderError, SmtpError, SmtpMailer};
use secrecy::{ExposeSecret, SecretString};

use super::secret;
use crate::wire::PeopleOptions;

/// The sender where mails are only written into files.
const NOBODY: &str = "Synkro <no-reply@synkro.invalid>";

/// Mail, the links in it, and who may come by themselves.
#[derive(Debug, Clone, Args)]
pub struct MailArgs {
    /// Mail server, as `smtps://user:password@mail.example:465`. Without it mails are written into the data folder.
    #[arg(long, env = "SMTP_URL", hide_env_values = true, value_parser = secret, value_name = "URL")]
    pub smtp_url: Option<SecretString>,

    /// Who mails are from, as "Synkro <no-reply@synkro.example>". Needed with a mail server.
    #[arg(long, env = "SYNKRO_MAIL_FROM", value_name = "SENDER")]
    pub mail_from: Option<String>,

    /// Where people reach this installation; links in mails begin with it. Needed with a mail server.
    #[arg(long, env = "SYNKRO_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    /// Whether companies may register themselves.
    #[arg(long, env = "SYNKRO_SELF_SERVICE", default_value = "off", value_name = "ON|OFF")]
    pub self_service: Switch,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Yes.
    On,
    /// No.
    Off,
}

/// Why mail cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum MailSetupError {
    /// The mail server's address is not one.
    #[error(transparent)]
    Smtp(#[from] SmtpError),
    /// The sender is none.
    #[error(transparent)]
    Sender(#[from] SenderError),
    /// The address of the pages is not one.
    #[error("SYNKRO_PUBLIC_URL {0}")]
    PublicUrl(#[from] NoPublicUrl),
    /// A mail server was named without what mails need.
    #[error(
        "SMTP_URL is set, so {0} must be too: without it mails would name no sender that exists, or links lead nowhere"
    )]
    Missing(&'static str),
}

impl MailArgs {
    /// Mails over SMTP, or into files in this folder. Links lead to the address that is named, else to this machine.
    pub fn options(&self, folder: PathBuf, bind: SocketAddr) -> Result<PeopleOptions, MailSetupError> {
        let named = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let server = self.server();
        let (from, public_url) = (named(&self.mail_from), named(&self.public_url));
        let mailer: Arc<dyn Mailer> = match server {
            Some(url) => {
                let from = from.ok_or(MailSetupError::Missing("SYNKRO_MAIL_FROM"))?;
                if public_url.is_none() {
                    return Err(MailSetupError::Missing("SYNKRO_PUBLIC_URL"));
                }
                Arc::new(SmtpMailer::new(url, from.parse()?)?)
            }
            None => Arc::new(FolderMailer::new(folder, from.as_deref().unwrap_or(NOBODY).parse::<Sender>()?)),
        };
        let own = || format!("http://localhost:{}", bind.port());
        let public_url = public_url.unwrap_or_else(own).parse::<PublicUrl>()?;
        let self_service = if self.self_service == Switch::On { SelfService::On } else { SelfService::Off };
        Ok(PeopleOptions { mailer, public_url, self_service })
    }

    /// The mail server, if one is named; an empty variable names none.
    pub fn server(&self) -> Option<&SecretString> {
        self.smtp_url.as_ref().filter(|url| !url.expose_secret().trim().is_empty())
    }
}
