//! The answers of Radist, as far as they are read. The vendor publishes no schema, so everything but ids and times may
//! be missing or unknown (sheet, head note).

use application::ports::services::{Chat, ChatMessage};
use chrono::{DateTime, NaiveDateTime, Utc};
use domain::metrics::Sender;
use domain::values::Phone;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::connectors::phones::{self, Country};

#[derive(Debug, Default, Deserialize)]
pub(super) struct CompanyPage {
    #[serde(default)]
    pub(super) companies: Vec<Company>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Company {
    pub(super) id: i64,
}

#[derive(Debug, Deserialize)]
pub(super) struct ChatPage {
    data: Vec<ContactDto>,
    #[serde(default)]
    response_metadata: Option<PageMetadata>,
}

#[derive(Debug, Default, Deserialize)]
struct PageMetadata {
    #[serde(default)]
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ContactDto {
    #[serde(default)]
    contact_name: Option<String>,
    #[serde(default)]
    chats: Vec<ChatDto>,
}

#[derive(Debug, Deserialize)]
struct ChatDto {
    chat_id: i64,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    source_chat_id: Option<String>,
}

impl ChatPage {
    /// Where the next page begins; an empty cursor is the end (sheet §2).
    pub(super) fn next_cursor(&self) -> Option<String> {
        let metadata = self.response_metadata.as_ref()?;
        metadata.next_cursor.clone().filter(|cursor| !cursor.is_empty())
    }

    /// One contact may own several chats. Numbers without a country code are read as numbers of `region`.
    pub(super) fn chats(self, region: Option<Country>) -> impl Iterator<Item = Chat> {
        self.data.into_iter().flat_map(move |contact| {
            let name = contact.contact_name;
            contact.chats.into_iter().map(move |chat| Chat {
                id: chat.chat_id,
                contact_name: name.clone(),
                phone: chat.number(region),
            })
        })
    }
}

impl ChatDto {
    /// WhatsApp's id of a chat is the whole number itself; other messengers' ids are digits too, and no country's.
    fn number(&self, region: Option<Country>) -> Option<Phone> {
        if let Some(phone) = self.phone.as_deref().filter(|phone| !phone.is_empty()) {
            return phones::of_messenger(phone, region);
        }
        let digits = |id: &&str| !id.is_empty() && id.chars().all(|c| c.is_ascii_digit());
        phones::of_messenger(self.source_chat_id.as_deref().filter(digits)?, None)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct MessageDto {
    #[serde(deserialize_with = "opaque")]
    message_id: String,
    #[serde(deserialize_with = "lenient_time")]
    created_at: DateTime<Utc>,
    direction: Direction,
    #[serde(default)]
    message_type: String,
    /// The content sits under the name of its type.
    #[serde(flatten)]
    content: serde_json::Map<String, Value>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    Inbound,
    Outbound,
}

impl MessageDto {
    /// The chat is the one that was asked for; messages do not reliably name it (sheet §2).
    pub(super) fn into_message(self, chat_id: i64) -> ChatMessage {
        ChatMessage {
            chat_id,
            at: self.created_at,
            from: match self.direction {
                Direction::Inbound => Sender::Customer,
                Direction::Outbound => Sender::Agent,
            },
            text: self.text().unwrap_or_default().to_owned(),
            id: self.message_id,
            kind: self.message_type,
        }
    }

    /// What was written: the text, a form's body, or the caption of a file.
    fn text(&self) -> Option<&str> {
        let content = self.content.get(&self.message_type).or_else(|| self.content.get("text"))?;
        let places = [&["text"][..], &["body", "text"][..], &["caption"][..]];
        places.into_iter().find_map(|path| path.iter().try_fold(content, |value, key| value.get(key))?.as_str())
    }
}

fn opaque<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(id) if !id.is_empty() => Ok(id),
        Value::Number(id) => Ok(id.to_string()),
        _ => Err(D::Error::custom("an id was expected")),
    }
}

fn lenient_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_time(&text).ok_or_else(|| D::Error::custom("a time in ISO 8601 was expected"))
}

/// ISO 8601 with or without a fraction; offset with or without a colon, `Z`, or none, which means UTC (sheet §6).
fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let with_offset = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%#z").map(|time| time.to_utc());
    let without = || NaiveDateTime::parse_from_str(text.trim_end_matches('Z'), "%Y-%m-%dT%H:%M:%S%.f");
    with_offset.or_else(|_| without().map(|time| time.and_utc())).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_instant_in_all_its_spellings() {
        for text in [
            "2026-11-20T08:15:30.123+00:00",
            "2026-11-20T08:15:30.123+0000",
            "2026-11-20T08:15:30.123Z",
            "2026-11-20T08:15:30.123",
            "2026-11-20T13:15:30.123+05:00",
        ] {
            assert_eq!(parse_time(text).unwrap().timestamp_millis(), 1_795_162_530_123, "{text}");
        }
        assert_eq!(parse_time("2026-11-20T08:10:02+00:00").unwrap().timestamp(), 1_795_162_202);
        assert_eq!(parse_time("yesterday"), None);
    }

    #[test]
    fn text_is_found_in_every_kind_of_message() {
        let text = |message: Value| serde_json::from_value::<MessageDto>(message).unwrap().into_message(7).text;
        let base = |kind: &str, content: Value| {
            json!({"message_id": "a", "created_at": "2026-11-20T08:15:30Z", "direction": "inbound", "message_type": kind,
                   kind: content})
        };
        assert_eq!(text(base("text", json!({"text": "Salom"}))), "Salom");
        assert_eq!(text(base("image", json!({"caption": "Price list", "name": "price.png"}))), "Price list");
        assert_eq!(text(base("waba_interactive", json!({"body": {"text": "Choose"}}))), "Choose");
        assert_eq!(text(base("voice", json!({"url": "https://files.example/1"}))), "");
        assert_eq!(text(base("something_new", Value::Null)), "");
    }

    #[test]
    fn a_contact_may_own_several_chats() {
        let page: ChatPage = serde_json::from_value(json!({
            "data": [{"contact_id": 1, "contact_name": "Ann", "chats": [
                {"chat_id": 10, "phone": "998901234567"}, {"chat_id": 11, "source_chat_id": "ann_on_telegram"},
                {"chat_id": 12, "phone": null, "source_chat_id": "12015550100"}]},
                {"contact_id": 2, "is_group": true, "chats": [{"chat_id": 20}]}],
            "response_metadata": {"next_cursor": ""}
        }))
        .unwrap();
        assert_eq!(page.next_cursor(), None);
        let chats: Vec<_> = page.chats(None).map(|chat| (chat.id, chat.phone.map(String::from))).collect();
        let phone = |text: &str| Some(text.to_owned());
        assert_eq!(chats, [(10, phone("+998901234567")), (11, None), (12, phone("+12015550100")), (20, None)]);
    }

    #[test]
    fn a_message_without_id_or_time_is_no_message() {
        for broken in [
            json!({"created_at": "2026-11-20T08:15:30Z", "direction": "inbound"}),
            json!({"message_id": "", "created_at": "2026-11-20T08:15:30Z", "direction": "inbound"}),
            json!({"message_id": "a", "created_at": "soon", "direction": "inbound"}),
        ] {
            assert!(serde_json::from_value::<MessageDto>(broken).is_err());
        }
    }
}
