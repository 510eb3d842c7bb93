//! Telegram's Bot API for one bot (Telegram sheet §1, §2, §4, §5).

mod errors;
mod html;
mod outbox;
mod params;
mod photo;

use std::path::Path;

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    accounts::{Accounts, Secret},
    clock,
    http::{Answer, Incoming, Reply},
    limits::Limits,
    state::StateError,
};
use errors::Refusal;
use outbox::Outbox;
pub use outbox::TelegramMessage;
use params::Params;
pub use photo::TelegramPhoto;

/// Longest text after its markup is parsed, in UTF-16 code units (§5).
const TEXT_LIMIT: usize = 4096;
/// Longest caption, counted the same way (§5).
const CAPTION_LIMIT: usize = 1024;
const BOT_NAME: &str = "Synkro demo";
const BOT_USERNAME: &str = "synkro_demo_bot";

/// The bot: its token, the chats that know it, and what it has sent.
pub(crate) struct Telegram {
    token: Secret,
    bot_id: i64,
    chats: Vec<i64>,
    outbox: Outbox,
}

impl Telegram {
    pub(crate) fn open(folder: &Path, accounts: &Accounts, limits: Limits) -> Result<Self, StateError> {
        let token = accounts.telegram_token.clone();
        let bot_id = token.expose().split(':').next().and_then(|id| id.parse().ok()).unwrap_or_default();
        let outbox = Outbox::open(folder, limits)?;
        Ok(Self { token, bot_id, chats: accounts.telegram_chat_ids.clone(), outbox })
    }

    pub(crate) fn messages(&self) -> Vec<TelegramMessage> {
        self.outbox.messages()
    }

    pub(crate) fn photos(&self) -> &Path {
        self.outbox.photos()
    }

    /// The file of a photo as it came.
    pub(crate) fn photo(&self, message_id: i64) -> Option<Vec<u8>> {
        self.outbox.photo(message_id)
    }

    fn route(&self, call: &Incoming) -> Result<Value, Refusal> {
        let segments = call.segments();
        let [bot, method] = segments.as_slice() else { return Err(Refusal::NotFound) };
        let token = bot.strip_prefix("bot").ok_or(Refusal::NotFound)?;
        if token != self.token.expose() {
            return Err(Refusal::Unauthorized);
        }
        if call.method != Method::GET && call.method != Method::POST {
            return Err(Refusal::NotFound);
        }
        match method.to_ascii_lowercase().as_str() {
            "getme" => Ok(self.bot()),
            "getchat" => Ok(full(self.chat(&Params::of(call)?)?)),
            "sendmessage" => self.send_message(&Params::of(call)?),
            "sendphoto" => self.send_photo(&Params::of(call)?),
            _ => Err(Refusal::MethodNotFound),
        }
    }

    fn bot(&self) -> Value {
        json!({
            "id": self.bot_id, "is_bot": true, "first_name": BOT_NAME, "username": BOT_USERNAME,
            "can_join_groups": true, "can_read_all_group_messages": false, "supports_inline_queries": false,
            "can_connect_to_business": false, "has_main_web_app": false,
        })
    }

    fn send_message(&self, params: &Params) -> Result<Value, Refusal> {
        let chat_id = self.chat(params)?;
        let (text, entities) = marked_up(params, "text")?;
        if text.trim().is_empty() {
            return Err(Refusal::TextEmpty);
        }
        if text.encode_utf16().count() > TEXT_LIMIT {
            return Err(Refusal::TextTooLong);
        }
        self.send(chat_id, (text, entities), None)
    }

    fn send_photo(&self, params: &Params) -> Result<Value, Refusal> {
        let chat_id = self.chat(params)?;
        let file = params.file("photo").ok_or(Refusal::NoPhoto)?;
        let (caption, entities) = marked_up(params, "caption")?;
        if caption.encode_utf16().count() > CAPTION_LIMIT {
            return Err(Refusal::CaptionTooLong);
        }
        let photo = TelegramPhoto::of(file)?;
        self.send(chat_id, (caption, entities), Some((photo, file)))
    }

    fn chat(&self, params: &Params) -> Result<i64, Refusal> {
        let chat_id = params.text("chat_id").filter(|chat| !chat.is_empty()).ok_or(Refusal::ChatIdEmpty)?;
        chat_id.parse().ok().filter(|id| self.chats.contains(id)).ok_or(Refusal::ChatNotFound)
    }

    fn send(
        &self,
        chat_id: i64,
        (text, entities): (String, Vec<Value>),
        photo: Option<(TelegramPhoto, &[u8])>,
    ) -> Result<Value, Refusal> {
        let (photo, file) = photo.unzip();
        let make = |message_id| {
            let date = clock::now().timestamp();
            TelegramMessage { message_id, chat_id, date, text, entities, photo }
        };
        Ok(self.shown(&self.outbox.send(make, file)?))
    }

    fn shown(&self, message: &TelegramMessage) -> Value {
        let mut shown = json!({
            "message_id": message.message_id,
            "from": {"id": self.bot_id, "is_bot": true, "first_name": BOT_NAME, "username": BOT_USERNAME},
            "chat": short(message.chat_id), "date": message.date,
        });
        let [text, entities] = if message.photo.is_some() { CAPTION } else { TEXT };
        if !message.text.is_empty() {
            shown[text] = json!(message.text);
        }
        if !message.entities.is_empty() {
            shown[entities] = json!(message.entities);
        }
        if let Some(TelegramPhoto { width, height, bytes }) = message.photo {
            let id = format!("photo-{}", message.message_id);
            shown["photo"] = json!([{
                "file_id": id, "file_unique_id": id, "file_size": bytes, "width": width, "height": height,
            }]);
        }
        shown
    }
}

/// A chat as messages name it.
fn short(chat_id: i64) -> Value {
    if chat_id < 0 {
        json!({"id": chat_id, "title": "Reports", "type": "supergroup"})
    } else {
        json!({"id": chat_id, "first_name": "Reader", "type": "private"})
    }
}

/// A chat as it is told to whoever asks for it.
fn full(chat_id: i64) -> Value {
    let mut chat = short(chat_id);
    chat["accent_color_id"] = json!(0);
    chat["max_reaction_count"] = json!(11);
    chat
}

/// Where an answer has the words of a message and their entities: one of text, one of a photo.
const TEXT: [&str; 2] = ["text", "entities"];
const CAPTION: [&str; 2] = ["caption", "caption_entities"];

/// A parameter's text as its reader sees it, and its entities.
fn marked_up(params: &Params, name: &str) -> Result<(String, Vec<Value>), Refusal> {
    let source = params.text(name).unwrap_or_default();
    match params.text("parse_mode").as_deref() {
        None | Some("") => Ok((source, Vec::new())),
        Some(mode) if mode.eq_ignore_ascii_case("html") => html::parse(&source).map_err(Refusal::Entities),
        Some(_) => Err(Refusal::ParseMode),
    }
}

impl Answer for Telegram {
    fn answer(&self, call: &Incoming) -> Reply {
        match self.route(call) {
            Ok(result) => Reply::json(StatusCode::OK, &json!({"ok": true, "result": result})),
            Err(refusal) => refusal.into_reply(),
        }
    }

    fn shown_path(&self, call: &Incoming) -> String {
        let target = call.target();
        let hidden = |part: &'_ str| if part.starts_with("bot") { "bot***".to_owned() } else { part.to_owned() };
        target.split('/').map(hidden).collect::<Vec<_>>().join("/")
    }
}
