//! Mails over SMTP (RFC 5321).

use std::time::Duration;

use application::ports::mail::{Letter, MailError, Mailer};
use async_trait::async_trait;
use domain::values::Email;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use uuid::Uuid;

use super::message::Sender;

/// How long one answer of the server may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a server answers that does not accept our sign-in, or wants one (RFC 4954 section 6).
const SIGN_IN_REFUSED: [u16; 4] = [530, 534, 535, 538];

/// Why mail cannot be sent over SMTP.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// The text is no address of a mail server. The cause is left out: it may repeat the password.
    #[error(
        "SMTP_URL must be an address such as smtps://user:password@mail.example:465, or \
         smtp://user:password@mail.example:587?tls=required"
    )]
    Malformed,
    /// Passwords and links would be sent over the network for everybody to read.
    #[error(
        "SMTP_URL names a server on another machine without TLS; write smtps://, or add ?tls=required, or \
         ?tls=opportunistic for a network that you trust"
    )]
    NoTls,
}

/// Hands mails to a mail server, each over a connection of its own.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Sender,
}

impl SmtpMailer {
    /// A mail server by its address, which holds user and password.
    pub fn new(url: &SecretString, sender: Sender) -> Result<Self, SmtpError> {
        let text = url.expose_secret().trim();
        let parsed = Url::parse(text).map_err(|_| SmtpError::Malformed)?;
        let own = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let protected = parsed.scheme() == "smtps" || parsed.query_pairs().any(|(name, _)| name == "tls");
        if !own && !protected {
            return Err(SmtpError::NoTls);
        }
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(text).map_err(|_| SmtpError::Malformed)?;
        let transport = builder.hello_name(ClientId::Domain(sender.host().to_owned())).timeout(Some(PATIENCE)).build();
        Ok(Self { transport, sender })
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, id: Uuid, to: &Email, letter: &Letter) -> Result<(), MailError> {
        let message = self.sender.message(id, to, letter)?;
        self.transport.send(message).await.map(|_| ()).map_err(|error| refused(&error))
    }
}

/// What is left of an error for the log: what the server says in words may name the recipient.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the server answered {0}")]
    Answer(u16),
    #[error("the server did not answer in time")]
    Late,
    #[error("TLS could not be set up")]
    Tls,
    #[error("the server does not offer what is needed to sign in, or to write to this address")]
    Unable,
    #[error("the connection failed")]
    Connection,
}

fn refused(error: &Error) -> MailError {
    let answer = error.status().map(u16::from);
    let refusal = match answer {
        Some(code) => Refusal::Answer(code),
        None if error.is_timeout() => Refusal::Late,
        None if error.is_tls() => Refusal::Tls,
        None if error.is_client() => Refusal::Unable,
        None => Refusal::Connection,
    };
    match answer {
        Some(code) if SIGN_IN_REFUSED.contains(&code) => MailError::Misconfigured(refusal.into()),
        Some(_) if error.is_permanent() => MailError::Never(refusal.into()),
        None if error.is_client() => MailError::Misconfigured(refusal.into()),
        _ => MailError::Later(refusal.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailer(url: &str) -> Result<SmtpMailer, SmtpError> {
        SmtpMailer::new(&SecretString::from(url), "no-reply@synkro.example".parse().unwrap())
    }

    #[test]
    fn another_machine_is_spoken_to_over_tls() {
        for good in [
            "smtps://user:p%40ss@mail.example:465",
            "smtp://user:pass@mail.example:587?tls=required",
            "smtp://relay:25?tls=opportunistic",
            "smtp://127.0.0.1:8025",
            "smtp://localhost:25",
        ] {
            assert!(mailer(good).is_ok(), "{good}");
        }
        assert!(matches!(mailer("smtp://user:pass@mail.example:587"), Err(SmtpError::NoTls)));
        for bad in ["", "mail.example", "https://mail.example", "smtp://mail.example?tls=perhaps"] {
            assert!(mailer(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bad_address_does_not_tell_the_password() {
        let error = mailer("smtp://user:s3cret@:x").err().unwrap();
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }
}
