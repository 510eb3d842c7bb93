//! Mails as files, where no mail server is named.

use std::path::PathBuf;

use application::ports::mail::{Letter, MailError, Mailer};
use async_trait::async_trait;
use domain::values::Email;
use uuid::Uuid;

use super::message::Sender;
use crate::files::write_private;

/// Writes each mail into a file that only the owner of the folder may read: it holds links that work.
pub struct FolderMailer {
    folder: PathBuf,
    sender: Sender,
}

impl FolderMailer {
    /// Mails into this folder, which is made with the first one.
    pub fn new(folder: PathBuf, sender: Sender) -> Self {
        Self { folder, sender }
    }
}

#[async_trait]
impl Mailer for FolderMailer {
    async fn send(&self, id: Uuid, to: &Email, letter: &Letter) -> Result<(), MailError> {
        let mail = self.sender.message(id, to, letter)?.formatted();
        let path = self.folder.join(format!("{id}.eml"));
        let written = tokio::task::spawn_blocking(move || write_private(&path, &mail)).await;
        written.map_err(|error| MailError::Later(error.into()))?.map_err(|error| MailError::Later(error.into()))
    }
}
