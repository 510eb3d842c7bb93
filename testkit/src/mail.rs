//! Mail that stays in the test.

#![expect(clippy::missing_panics_doc, reason = "a test fails by panicking; that is what these are for")]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use application::ports::mail::{Letter, MailError, Mailer};
use async_trait::async_trait;
use domain::values::Email;
use secrecy::ExposeSecret;
use tokio::time::Instant;
use uuid::Uuid;

/// How long a mail may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mail that arrived.
#[derive(Debug, Clone)]
pub struct SentMail {
    /// Its id.
    pub id: Uuid,
    /// For whom.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
}

impl SentMail {
    /// The token of the link in it.
    #[track_caller]
    pub fn token(&self) -> String {
        let (_, rest) = self.text.split_once("#token=").expect("a link in the mail");
        rest.split_whitespace().next().expect("a token in the link").to_owned()
    }
}

/// How a mail server behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MailServer {
    /// It takes mail.
    #[default]
    Good,
    /// It does not take any for now.
    Away,
    /// It refuses every recipient.
    Refusing,
}

#[derive(Default)]
struct Inner {
    sent: Vec<SentMail>,
    server: MailServer,
    tries: usize,
}

/// Keeps what is sent.
#[derive(Clone, Default)]
pub struct TestMailer(Arc<Mutex<Inner>>);

impl TestMailer {
    /// What was sent to an address, oldest first.
    pub fn sent_to(&self, address: &str) -> Vec<SentMail> {
        self.with(|inner| inner.sent.iter().filter(|mail| mail.to == address).cloned().collect())
    }

    /// The n-th mail to an address, counted from 1, once it is there.
    pub async fn nth(&self, address: &str, n: usize) -> SentMail {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(mail) = self.sent_to(address).into_iter().nth(n - 1) {
                return mail;
            }
            assert!(Instant::now() < deadline, "no {n}. mail to {address}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The server behaves like this from now on.
    pub fn become_server(&self, server: MailServer) {
        self.with(|inner| inner.server = server);
    }

    /// How often a mail was handed over, taken or not.
    pub fn tries(&self) -> usize {
        self.with(|inner| inner.tries)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Mailer for TestMailer {
    async fn send(&self, id: Uuid, to: &Email, letter: &Letter) -> Result<(), MailError> {
        let (to, subject) = (to.to_string(), letter.subject.clone());
        let mail = SentMail { id, to, subject, text: letter.text.expose_secret().to_owned() };
        self.with(|inner| {
            inner.tries += 1;
            match inner.server {
                MailServer::Good => {
                    inner.sent.push(mail);
                    Ok(())
                }
                MailServer::Away => Err(MailError::Later("away".into())),
                MailServer::Refusing => Err(MailError::Never("no such user".into())),
            }
        })
    }
}
