//! Mails in the form that mail servers take (RFC 5322).

use application::ports::mail::{Letter, MailError};
use domain::values::Email;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use secrecy::ExposeSecret;
use uuid::Uuid;

/// The text is no sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the sender of mails must be an address such as no-reply@synkro.example or \"Synkro <no-reply@synkro.example>\""
)]
pub struct SenderError;

/// Who mails are from.
#[derive(Debug, Clone)]
pub struct Sender(Mailbox);

impl Sender {
    /// The host of the address.
    pub(super) fn host(&self) -> &str {
        self.0.email.domain()
    }

    /// The mail as it is handed over, under an id that stays the same at each try.
    pub(super) fn message(&self, id: Uuid, to: &Email, letter: &Letter) -> Result<Message, MailError> {
        let to = to.as_str().parse().map_err(|_| MailError::Never("the address cannot be written in a mail".into()))?;
        Message::builder()
            .from(self.0.clone())
            .to(Mailbox::new(None, to))
            .subject(&letter.subject)
            .message_id(Some(format!("<{id}@{}>", self.host())))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.expose_secret().to_owned())
            .map_err(|error| MailError::Never(error.into()))
    }
}

impl std::str::FromStr for Sender {
    type Err = SenderError;

    fn from_str(text: &str) -> Result<Self, SenderError> {
        text.trim().parse().map(Self).map_err(|_| SenderError)
    }
}

/// Asks automatic answers to stay away (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_whole_and_keeps_its_id() {
        let sender: Sender = "Synkro <no-reply@synkro.example>".parse().unwrap();
        let letter = Letter {
            subject: "Новый пароль".into(), text: "Здравствуйте!\n\n.\nhttps://x/#token=AB".into()
        };
        let to: Email = "ann@acme.example".parse().unwrap();
        let text =
            |id| String::from_utf8(sender.message(Uuid::from_u128(id), &to, &letter).unwrap().formatted()).unwrap();
        let mail = text(7);
        for line in [
            "From: Synkro <no-reply@synkro.example>\r\n",
            "To: ann@acme.example\r\n",
            "Message-ID: <00000000-0000-0000-0000-000000000007@synkro.example>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Subject: =?utf-8?b?",
            "Content-Type: text/plain; charset=utf-8\r\n",
        ] {
            assert!(mail.contains(line), "{line} in {mail}");
        }
        assert!("no address".parse::<Sender>().is_err());
    }

    #[test]
    fn a_recipient_cannot_add_lines() {
        let sender: Sender = "no-reply@synkro.example".parse().unwrap();
        let letter = Letter { subject: "Hello\r\nBcc: eve@evil.example".into(), text: "Hello".into() };
        let to: Email = "ann@acme.example".parse().unwrap();
        let mail = sender.message(Uuid::nil(), &to, &letter).map(|message| message.formatted());
        assert!(mail.is_err() || !String::from_utf8(mail.unwrap()).unwrap().contains("\nBcc:"));
    }
}
