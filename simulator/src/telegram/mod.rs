//! Telegram's Bot API for one bot (Telegram sheet §1, §2, §4, §5).

mod errors;
mod html;
mod outbox;
mod params;

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

/// Longest text after its markup is parsed, in UTF-16 code units (§5).
const TEXT_LIMIT: usize = 4096;
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
        let outbox = Outbox::open(&folder.join("telegram.ndjson"), limits)?;
        Ok(Self { token, bot_id, chats: accounts.telegram_chat_ids.clone(), outbox })
    }

    pub(crate) fn messages(&self) -> Vec<TelegramMessage> {
        self.outbox.messages()
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
            "sendmessage" => self.send(&Params::of(call)?),
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

    fn send(&self, params: &Params) -> Result<Value, Refusal> {
        let chat_id = params.text("chat_id").filter(|chat| !chat.is_empty()).ok_or(Refusal::ChatIdEmpty)?;
        let chat_id = chat_id.parse().ok().filter(|id| self.chats.contains(id)).ok_or(Refusal::ChatNotFound)?;
        let source = params.text("text").unwrap_or_default();
        let (text, entities) = match params.text("parse_mode").as_deref() {
            None | Some("") => (source, Vec::new()),
            Some(mode) if mode.eq_ignore_ascii_case("html") => html::parse(&source).map_err(Refusal::Entities)?,
            Some(_) => return Err(Refusal::ParseMode),
        };
        if text.trim().is_empty() {
            return Err(Refusal::TextEmpty);
        }
        if text.encode_utf16().count() > TEXT_LIMIT {
            return Err(Refusal::TextTooLong);
        }
        let message = self.outbox.send(|message_id| TelegramMessage {
            message_id,
            chat_id,
            date: clock::now().timestamp(),
            text,
            entities,
        })?;
        Ok(self.shown(&message))
    }

    fn shown(&self, message: &TelegramMessage) -> Value {
        let chat = if message.chat_id < 0 {
            json!({"id": message.chat_id, "title": "Reports", "type": "supergroup"})
        } else {
            json!({"id": message.chat_id, "first_name": "Reader", "type": "private"})
        };
        let mut shown = json!({
            "message_id": message.message_id,
            "from": {"id": self.bot_id, "is_bot": true, "first_name": BOT_NAME, "username": BOT_USERNAME},
            "chat": chat, "date": message.date, "text": message.text,
        });
        if !message.entities.is_empty() {
            shown["entities"] = json!(message.entities);
        }
        shown
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
