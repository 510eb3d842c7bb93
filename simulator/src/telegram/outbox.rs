//! What the bot has sent: kept in a file, at the pace that chats bear.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{errors::Refusal, photo::TelegramPhoto};
use crate::{
    limits::{Limits, Window, whole_seconds},
    state::{AppendFile, StateError},
};

/// A message that the bot has sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TelegramMessage {
    pub message_id: i64,
    /// Negative for a group.
    pub chat_id: i64,
    /// Unix seconds.
    pub date: i64,
    /// As its reader sees it: the markup has become entities. With a photo it is the caption.
    pub text: String,
    /// `{"type","offset","length"}` in UTF-16 code units; links also have a `url`.
    pub entities: Vec<Value>,
    /// Its photo, whose file lies in the folder `telegram-photos` under the message's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo: Option<TelegramPhoto>,
}

/// All messages of the bot, oldest first.
pub(super) struct Outbox {
    file: AppendFile,
    photos: PathBuf,
    sent: Mutex<Vec<TelegramMessage>>,
    per_chat: Window<i64>,
    per_group: Window<i64>,
}

impl Outbox {
    pub(super) fn open(folder: &Path, limits: Limits) -> Result<Self, StateError> {
        let (file, sent) = AppendFile::open(&folder.join("telegram.ndjson"))?;
        let photos = folder.join("telegram-photos");
        fs::create_dir_all(&photos).map_err(StateError::io(&photos))?;
        Ok(Self {
            file,
            photos,
            sent: Mutex::new(sent),
            per_chat: Window::new(limits.telegram_per_second_per_chat, Duration::from_secs(1)),
            per_group: Window::new(limits.telegram_per_minute_per_group, Duration::from_mins(1)),
        })
    }

    pub(super) fn messages(&self) -> Vec<TelegramMessage> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The file of a message's photo.
    pub(super) fn photo(&self, message_id: i64) -> Option<Vec<u8>> {
        fs::read(self.photo_path(message_id)).ok()
    }

    /// Where the photos lie.
    pub(super) fn photos(&self) -> &Path {
        &self.photos
    }

    fn photo_path(&self, message_id: i64) -> PathBuf {
        self.photos.join(format!("{message_id}.png"))
    }

    /// Sends the message that is made for the next id, with its photo: it is in the file before this returns.
    pub(super) fn send(
        &self,
        make: impl FnOnce(i64) -> TelegramMessage,
        photo: Option<&[u8]>,
    ) -> Result<TelegramMessage, Refusal> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let message = make(sent.last().map_or(1, |last| last.message_id + 1));
        let now = Instant::now();
        if let Some(wait) = self.wait(message.chat_id, now) {
            return Err(Refusal::TooMany { retry_after: whole_seconds(wait) });
        }
        let kept = photo.map_or(Ok(()), |file| fs::write(self.photo_path(message.message_id), file));
        kept.and_then(|()| self.file.append(&message)).map_err(|error| {
            tracing::error!(%error, "a Telegram message cannot be stored");
            Refusal::Storage
        })?;
        self.per_chat.count(message.chat_id, now);
        self.per_group.count(message.chat_id, now);
        sent.push(message.clone());
        Ok(message)
    }

    fn wait(&self, chat_id: i64, now: Instant) -> Option<Duration> {
        let in_chat = self.per_chat.wait(&chat_id, now);
        let in_group = if chat_id < 0 { self.per_group.wait(&chat_id, now) } else { None };
        in_chat.max(in_group)
    }
}
