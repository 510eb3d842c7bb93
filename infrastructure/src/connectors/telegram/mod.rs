//! Telegram, Bot API: one message to the tenant's group. Written against the Telegram sheet.

mod text;

use std::sync::Arc;
use std::time::Duration;

use application::ports::services::{Account, Notification, Notifier, UpstreamError};
use async_trait::async_trait;
use domain::integration::{IntegrationKind, SecretName};
use domain::job_run::FailureClass;
use domain::values::BaseUrl;
use serde::Deserialize;
use serde_json::{Value, json};

use super::http::{AccountClient, Call, Dialect, HttpClient, Refusal, Verdict, nonsense};
use crate::limits::Rate;

static DIALECT: Dialect = Dialect {
    service: IntegrationKind::Telegram,
    title: "Telegram",
    name: "Telegram",
    credential: "the bot token",
    renew: "Get the bot's token from @BotFather and save it in Settings → Telegram",
    refine,
};

/// One message a second to a chat (sheet §5), and a little more: messages may come closer together than they were sent.
const RATE: Rate = Rate::every(Duration::from_millis(1_100));

/// A tenant's bot and the chat that it writes to.
pub(super) struct Telegram {
    client: AccountClient,
    chat_id: Value,
}

#[derive(Debug, Deserialize)]
struct Envelope {
    ok: bool,
    #[serde(default)]
    result: Value,
}

impl Telegram {
    pub(super) fn open(
        http: &Arc<HttpClient>,
        account: &Account,
        base_url: &BaseUrl,
        chat_id: &str,
    ) -> Result<Self, UpstreamError> {
        let client = AccountClient::open(http, &DIALECT, account, base_url, SecretName::BotToken)?
            .with_key_in_path("bot")
            .with_rate(RATE, chat_id);
        let chat_id = chat_id.parse::<i64>().map_or_else(|_| json!(chat_id), |number| json!(number));
        Ok(Self { client, chat_id })
    }

    async fn call(&self, call: &Call) -> Result<Value, UpstreamError> {
        match self.client.json::<Envelope>(call).await? {
            Some(envelope) if envelope.ok => Ok(envelope.result),
            _ => Err(nonsense(&DIALECT, "neither a result nor an error")),
        }
    }
}

#[async_trait]
impl Notifier for Telegram {
    async fn send(&self, message: &Notification) -> Result<String, UpstreamError> {
        let body = json!({
            "chat_id": self.chat_id,
            "text": text::html(message),
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": true},
        });
        let sent = self.call(&Call::post(["sendMessage"], &body).has_effect()).await?;
        let id = sent.get("message_id").and_then(Value::as_i64);
        id.map(|id| id.to_string()).ok_or_else(|| nonsense(&DIALECT, "a sent message without its number"))
    }

    async fn check(&self) -> Result<(), UpstreamError> {
        self.call(&Call::get(["getMe"])).await.map(drop)
    }
}

/// Telegram's words decide, compared in lower case: its codes are few (sheet §4).
fn refine(refusal: &Refusal) -> Option<Verdict> {
    let parameters = &refusal.body["parameters"];
    if let Some(moved) = parameters["migrate_to_chat_id"].as_i64() {
        return Some(Verdict::permanent(
            "The Telegram group became a supergroup and has a new number",
            format!("Enter {moved} as the chat in Settings → Telegram"),
        ));
    }
    let words = refusal.words.to_lowercase();
    let verdict = match refusal.status.as_u16() {
        404 => Verdict::new(FailureClass::Auth, "Telegram did not accept the bot token", DIALECT.renew),
        429 => {
            let wait = parameters["retry_after"].as_u64().map(Duration::from_secs).max(refusal.retry_after);
            Verdict::new(
                FailureClass::Transient,
                "Telegram refuses further messages to this chat for now",
                "Synkro tries again by itself when Telegram allows it",
            )
            .after(wait)
        }
        403 => Verdict::permanent(
            format!("The bot may not write to the chat: {}", refusal.words),
            "Add the bot to the group again and let it write there",
        ),
        400 if words.contains("chat not found") || words.contains("chat_id is empty") => Verdict::permanent(
            "Telegram does not know the chat",
            "Check the chat's number in Settings → Telegram and that the bot is a member of the group",
        ),
        _ => return None,
    };
    Some(verdict)
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn verdict(status: u16, description: &str, parameters: &Value) -> Option<Verdict> {
        refine(&Refusal {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            body: json!({"ok": false, "error_code": status, "description": description, "parameters": parameters}),
            words: description.to_owned(),
        })
    }

    #[test]
    fn a_moved_group_is_told_with_its_new_number() {
        let text = "Bad Request: group chat was upgraded to a supergroup chat";
        let moved = verdict(400, text, &json!({"migrate_to_chat_id": -1_001_234_567_890_i64})).unwrap();
        assert_eq!(moved.class, FailureClass::Permanent);
        assert!(moved.advice.contains("-1001234567890"), "{}", moved.advice);
    }

    #[test]
    fn refusals_are_told_apart() {
        let none = Value::Null;
        let throttled = verdict(429, "Too Many Requests: retry after 7", &json!({"retry_after": 7})).unwrap();
        assert_eq!((throttled.class, throttled.retry_after), (FailureClass::Transient, Some(Duration::from_secs(7))));
        assert_eq!(verdict(404, "Not Found", &none).unwrap().class, FailureClass::Auth);
        let kicked = verdict(403, "Forbidden: bot was kicked from the supergroup chat", &none).unwrap();
        assert_eq!(kicked.class, FailureClass::Permanent);
        assert!(verdict(400, "Bad Request: chat not found", &none).unwrap().advice.contains("member"));
        assert_eq!(verdict(500, "Internal Server Error", &none), None);
    }
}
