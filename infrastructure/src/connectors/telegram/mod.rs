//! Telegram, Bot API: a notification to the tenant's group, with or without a picture. Written against the Telegram sheet.

mod provider;
mod text;

use std::sync::Arc;
use std::time::Duration;

use application::ports::services::{
    AGAIN, Account, Delivery, Illustration, Notification, Notifier, Sent, UpstreamError,
};
use async_trait::async_trait;
use domain::ids::TenantId;
use domain::integration::{IntegrationKind, SecretName};
use domain::job_run::FailureClass;
use domain::values::BaseUrl;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::http::{AccountClient, Call, Dialect, HttpClient, Part, Refusal, Verdict, nonsense};
use crate::limits::Rate;
pub(super) use provider::PROVIDER;

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
    /// Takes no turns: only what is sent to the chat counts against its pace.
    reader: AccountClient,
    tenant_id: TenantId,
    chat_id: Value,
}

#[derive(Debug, Default, Deserialize)]
struct Envelope {
    ok: bool,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    description: String,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Debug, Default, Deserialize)]
struct Parameters {
    #[serde(default)]
    migrate_to_chat_id: Option<i64>,
}

/// One message, in Telegram's HTML.
#[derive(Clone, Copy)]
enum Content<'a> {
    Text(&'a str),
    Photo { png: &'a [u8], caption: &'a str },
}

/// What became of one call.
enum Posted {
    Sent(String),
    /// The group has another number; nothing was sent.
    Moved(i64),
    /// Telegram may take the text; nothing was sent.
    PictureRefused(UpstreamError),
}

/// What became of one message.
enum Delivered {
    Whole,
    PictureRefused(UpstreamError),
}

impl Content<'_> {
    fn call(&self, chat_id: &Value) -> Call {
        match self {
            Self::Text(html) => {
                let body = json!({
                    "chat_id": chat_id,
                    "text": html,
                    "parse_mode": "HTML",
                    "link_preview_options": {"is_disabled": true},
                });
                Call::post(["sendMessage"], &body)
            }
            Self::Photo { png, caption } => {
                let chat_id = in_words(chat_id);
                let parts = [
                    Part::Text("chat_id", &chat_id),
                    Part::Text("caption", caption),
                    Part::Text("parse_mode", "HTML"),
                    Part::File { name: "photo", file_name: "chart.png", media_type: "image/png", content: png },
                ];
                Call::post_form(["sendPhoto"], &parts)
            }
        }
    }
}

/// What a request that is too large (status 413) is told as, and known by: a gateway may say so in HTML, which is never an answer
/// to a call.
const TOO_LARGE: &str = "Telegram does not take a request of this size";

impl Telegram {
    pub(super) fn open(
        http: &Arc<HttpClient>,
        account: &Account,
        base_url: &BaseUrl,
        chat_id: &str,
    ) -> Result<Self, UpstreamError> {
        let open = || AccountClient::open(http, &DIALECT, account, base_url, SecretName::BotToken);
        let client = open()?.with_key_in_path("bot").with_rate(RATE, chat_id);
        let reader = open()?.with_key_in_path("bot");
        Ok(Self { client, reader, chat_id: chat(chat_id), tenant_id: account.tenant_id })
    }

    async fn read(&self, call: &Call) -> Result<(), UpstreamError> {
        match self.reader.json::<Envelope>(call).await? {
            Some(envelope) if envelope.ok => Ok(()),
            _ => Err(nonsense(&DIALECT, "neither a result nor an error")),
        }
    }

    /// Makes one call. Why a picture is refused is not read out of Telegram's words, which change: unless the chat itself is the
    /// reason, the text is worth a try.
    async fn post(&self, chat_id: &Value, content: Content<'_>) -> Result<Posted, UpstreamError> {
        let is_photo = matches!(content, Content::Photo { .. });
        let call = content.call(chat_id).has_effect().accept(StatusCode::BAD_REQUEST);
        let reply = match self.client.send(&call).await {
            Err(refusal) if is_photo && refusal.message == TOO_LARGE => return Ok(Posted::PictureRefused(refusal)),
            reply => reply?,
        };
        let answer = self.client.parse::<Envelope>(&reply);
        if reply.status == StatusCode::BAD_REQUEST {
            let Envelope { description, parameters, .. } = answer.ok().flatten().unwrap_or_default();
            let refusal = self.client.refusal(&reply);
            return match parameters.migrate_to_chat_id {
                Some(moved) => Ok(Posted::Moved(moved)),
                None if is_photo && !is_unknown_chat(&description) => Ok(Posted::PictureRefused(refusal)),
                None => Err(refusal),
            };
        }
        match answer? {
            Some(Envelope { ok: true, result, .. }) => match result.get("message_id").and_then(Value::as_i64) {
                Some(id) => Ok(Posted::Sent(id.to_string())),
                None => Err(nonsense(&DIALECT, "a sent message without its number")),
            },
            _ => Err(nonsense(&DIALECT, "neither a result nor an error")),
        }
    }

    /// Sends one message to where the group is now.
    async fn deliver(&self, sent: &mut Sent, content: Content<'_>) -> Result<Delivered, UpstreamError> {
        let mut chat_id = sent.moved_to.as_deref().map_or_else(|| self.chat_id.clone(), chat);
        for _ in 0..=MOST_MOVES {
            match self.post(&chat_id, content).await? {
                Posted::Sent(id) => {
                    sent.message_ids.push(id);
                    return Ok(Delivered::Whole);
                }
                Posted::PictureRefused(refusal) => return Ok(Delivered::PictureRefused(refusal)),
                Posted::Moved(to) => {
                    sent.moved_to = Some(to.to_string());
                    chat_id = json!(to);
                }
            }
        }
        Err(DIALECT.error(moved(&chat_id), Delivery::NotDelivered))
    }

    /// Sends the picture, and answers with the texts that are to follow. Where Telegram refuses the picture, nothing was sent,
    /// and all of the text follows.
    async fn illustrate(
        &self,
        sent: &mut Sent,
        message: &Notification,
        illustration: &Illustration,
    ) -> Result<Vec<String>, UpstreamError> {
        let (caption, rest) = text::captioned(message);
        let photo = Content::Photo { png: &illustration.picture.png, caption: &caption };
        match self.deliver(sent, photo).await? {
            Delivered::Whole => {
                sent.illustrated = true;
                Ok(rest)
            }
            Delivered::PictureRefused(refusal) => {
                tracing::info!(tenant = %self.tenant_id, %refusal, "Telegram refused a picture, its text follows");
                let mut plain = message.clone();
                plain.lines.extend([String::new(), illustration.otherwise.clone()]);
                Ok(text::messages(&plain))
            }
        }
    }
}

/// A group moves once, when it becomes a supergroup; an answer that sends us on and on is none to follow.
const MOST_MOVES: usize = 2;

/// A chat as the Bot API takes it.
fn chat(id: &str) -> Value {
    id.parse::<i64>().map_or_else(|_| json!(id), |number| json!(number))
}

/// A chat as queries and forms hold it.
fn in_words(chat_id: &Value) -> String {
    chat_id.as_str().map_or_else(|| chat_id.to_string(), str::to_owned)
}

/// Whether a refusal in these words is about the chat, so that it meets whatever is sent there.
fn is_unknown_chat(words: &str) -> bool {
    let words = words.to_lowercase();
    words.contains("chat not found") || words.contains("chat_id is empty")
}

fn moved(chat_id: &Value) -> Verdict {
    Verdict::permanent(
        "The Telegram group became a supergroup and has a new number",
        format!("Enter {chat_id} as the chat in Settings → Telegram"),
    )
}

/// Part of the notification is in the group already: sending it again would double that part.
fn in_part(error: UpstreamError, arrived: usize, all: usize) -> UpstreamError {
    if arrived == 0 {
        return error;
    }
    let message = format!("{arrived} of {all} messages arrived in Telegram, then: {}", error.message);
    UpstreamError { message, delivery: Delivery::Unknown, ..error }
}

#[async_trait]
impl Notifier for Telegram {
    async fn send(&self, message: &Notification) -> Result<Sent, UpstreamError> {
        let mut sent = Sent { message_ids: Vec::new(), moved_to: None, illustrated: false };
        let texts = match &message.illustration {
            Some(illustration) => self.illustrate(&mut sent, message, illustration).await?,
            None => text::messages(message),
        };
        let all = sent.message_ids.len() + texts.len();
        for html in &texts {
            match self.deliver(&mut sent, Content::Text(html)).await {
                Ok(Delivered::Whole) => {}
                Ok(Delivered::PictureRefused(error)) | Err(error) => {
                    return Err(in_part(error, sent.message_ids.len(), all));
                }
            }
        }
        Ok(sent)
    }

    async fn check(&self) -> Result<(), UpstreamError> {
        self.read(&Call::get(["getMe"])).await?;
        // A good token says nothing of the chat, which may be another bot's.
        self.read(&Call::get(["getChat"]).query("chat_id", in_words(&self.chat_id))).await
    }
}

/// Telegram's words decide, compared in lower case: its codes are few (sheet §4).
fn refine(refusal: &Refusal) -> Option<Verdict> {
    let parameters = &refusal.body["parameters"];
    if let Some(to) = parameters["migrate_to_chat_id"].as_i64() {
        return Some(moved(&json!(to)));
    }
    let verdict = match refusal.status.as_u16() {
        404 => Verdict::new(FailureClass::Auth, "Telegram did not accept the bot token", DIALECT.renew),
        429 => {
            let wait = parameters["retry_after"].as_u64().map(Duration::from_secs).max(refusal.retry_after);
            Verdict::new(
                FailureClass::Transient,
                "Telegram refuses further messages to this chat for now",
                format!("{AGAIN} when Telegram allows it"),
            )
            .after(wait)
        }
        403 => Verdict::permanent(
            format!("The bot may not write to the chat: {}", refusal.words),
            "Add the bot to the group again and let it write there",
        ),
        400 if is_unknown_chat(&refusal.words) => Verdict::permanent(
            "Telegram does not know the chat",
            "Make the bot a member of the group, then enter the group's own number, such as -1001234567890, \
             or @channelname as the chat in Settings → Telegram",
        ),
        413 => Verdict::permanent(
            TOO_LARGE,
            "Check the address of the Bot API in Settings → Telegram; if it is right, tell Synkro's support",
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
        assert_eq!(verdict(413, "Request Entity Too Large", &none).unwrap().message, TOO_LARGE);
        assert_eq!(verdict(500, "Internal Server Error", &none), None);
    }
}
