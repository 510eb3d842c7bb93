//! The package: everything that the analysis and the report need, put together once and staged.

use std::collections::{BTreeMap, HashMap};

use domain::ids::TenantId;
use domain::metrics::{Dialogue, Metrics, Utterance};
use domain::values::{ContentHash, Phone};
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};

use super::work::{StepError, expired};
use crate::error::PortError;
pub(super) use crate::ports::findings::ChatWithMessages;
use crate::ports::services::{Chat, ChatMessage, Conversations, Deal, UpstreamError};
use crate::ports::staging::{ListWriter, Staging, get_value, list_parts, put_value};

/// Dialogues of a period with their numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Package {
    pub(super) metrics: Metrics,
    pub(super) dialogues: Vec<Dialogue>,
}

/// The package as it is staged: the dialogues apart, so that who needs only the numbers does not read them.
#[derive(Serialize, Deserialize)]
struct Staged {
    metrics: Metrics,
    dialogues: ContentHash,
}

impl Package {
    /// Stages the package; the name finds it again.
    pub(super) async fn stage(&self, staging: &dyn Staging, tenant: TenantId) -> Result<ContentHash, PortError> {
        let mut list = ListWriter::new(staging, tenant);
        for dialogue in &self.dialogues {
            list.push(dialogue).await?;
        }
        let staged = Staged { metrics: self.metrics.clone(), dialogues: list.finish().await? };
        put_value(staging, tenant, &staged).await
    }

    /// The numbers of the staged package.
    pub(super) async fn metrics(
        staging: &dyn Staging,
        tenant: TenantId,
        name: &ContentHash,
    ) -> Result<Metrics, StepError> {
        let staged: Staged = get_value(staging, tenant, name).await?.ok_or_else(expired)?;
        Ok(staged.metrics)
    }

    /// The whole staged package.
    pub(super) async fn load(staging: &dyn Staging, tenant: TenantId, name: &ContentHash) -> Result<Self, StepError> {
        let Staged { metrics, dialogues: list } = get_value(staging, tenant, name).await?.ok_or_else(expired)?;
        let mut dialogues: Vec<Dialogue> = Vec::new();
        for part in list_parts(staging, tenant, &list).await?.ok_or_else(expired)? {
            dialogues.extend(get_value::<Vec<Dialogue>>(staging, tenant, &part).await?.ok_or_else(expired)?);
        }
        Ok(Self { metrics, dialogues })
    }
}

/// Every deal once, as it was after its last change: one that changed while the list was read is staged in two versions, the
/// newer one later.
pub(super) fn newest_versions(staged: impl IntoIterator<Item = Deal>) -> Vec<Deal> {
    let mut newest: BTreeMap<i64, Deal> = BTreeMap::new();
    for deal in staged {
        if newest.get(&deal.id).is_none_or(|known| known.updated_at <= deal.updated_at) {
            newest.insert(deal.id, deal);
        }
    }
    newest.into_values().collect()
}

/// The deal that each phone belongs to: of several, the one that changed last.
pub(super) fn deals_by_phone(deals: &[Deal]) -> HashMap<&Phone, &Deal> {
    let mut by_phone: HashMap<&Phone, &Deal> = HashMap::new();
    for deal in deals {
        for phone in deal.contacts.iter().flat_map(|contact| &contact.phones) {
            let newest = by_phone.entry(phone).or_insert(deal);
            if (deal.updated_at, deal.id) > (newest.updated_at, newest.id) {
                *newest = deal;
            }
        }
    }
    by_phone
}

/// The dialogue of a chat and the deal that its phone belongs to; none where they do not meet.
pub(super) fn dialogue(with: ChatWithMessages, deals: &HashMap<&Phone, &Deal>) -> Option<Dialogue> {
    let ChatWithMessages { chat, messages } = with;
    let deal = deals.get(&chat.phone?)?;
    let language = language(&messages);
    let messages =
        messages.into_iter().map(|ChatMessage { at, from, text, .. }| Utterance { at, from, text }).collect();
    Some(Dialogue {
        id: chat.id.to_string(),
        // It goes into the log, whose JSON cannot keep a NUL.
        agent: deal.responsible.as_ref().map(|name| name.replace('\0', "")),
        outcome: deal.outcome,
        language,
        messages,
    })
}

/// ISO 639-1 code of the language that most of the text is written in; `und` where it is too short to tell.
fn language(messages: &[ChatMessage]) -> String {
    let text: Vec<&str> = messages.iter().map(|message| message.text.as_str()).collect();
    let known = [whatlang::Lang::Eng, whatlang::Lang::Rus, whatlang::Lang::Ukr, whatlang::Lang::Uzb];
    let detector = whatlang::Detector::with_allowlist(known.to_vec());
    match detector.detect_lang(&text.join("\n")) {
        Some(whatlang::Lang::Eng) => "en",
        Some(whatlang::Lang::Rus) => "ru",
        Some(whatlang::Lang::Ukr) => "uk",
        Some(whatlang::Lang::Uzb) => "uz",
        _ => "und",
    }
    .to_owned()
}

/// The chats with one of the phones. The list moves while it is read, and messages take minutes, so it is read to its end before
/// the first message is asked for. The phones are those of some deals' contacts, so the company's other chats are not kept.
pub(super) async fn chats_of(
    conversations: &dyn Conversations,
    is_wanted: impl Fn(&Phone) -> bool + Send,
) -> Result<Vec<Chat>, UpstreamError> {
    let mut pages = conversations.chats();
    let mut chats = Vec::new();
    while let Some(page) = pages.try_next().await? {
        chats.extend(page.into_iter().filter(|chat| chat.phone.as_ref().is_some_and(&is_wanted)));
    }
    Ok(chats)
}

#[cfg(test)]
mod tests {
    use domain::metrics::{Outcome, Sender};

    use super::*;
    use crate::ports::services::{Chat, Contact};

    fn phone() -> Phone {
        "+12015550100".parse().unwrap()
    }

    fn deal(id: i64, updated_at: &str) -> Deal {
        Deal {
            id,
            name: "Deal".into(),
            outcome: Outcome::Open,
            status_id: 1,
            pipeline_id: 1,
            price_minor: 0,
            responsible: Some(format!("Agent {id}")),
            created_at: updated_at.parse().unwrap(),
            updated_at: updated_at.parse().unwrap(),
            closed_at: None,
            contacts: vec![Contact { id: 1, name: "Ann".into(), phones: vec![phone()] }],
        }
    }

    fn chat(text: &str, phone: Option<Phone>) -> ChatWithMessages {
        let message = ChatMessage {
            id: "m1".into(),
            chat_id: 7,
            at: "2026-06-01T09:00:00Z".parse().unwrap(),
            from: Sender::Customer,
            text: text.into(),
            kind: "text".into(),
        };
        ChatWithMessages { chat: Chat { id: 7, contact_name: None, phone }, messages: vec![message] }
    }

    #[test]
    fn a_phone_belongs_to_the_deal_that_changed_last() {
        let deals = [deal(1, "2026-06-02T00:00:00Z"), deal(2, "2026-06-03T00:00:00Z"), deal(3, "2026-06-01T00:00:00Z")];
        let dialogue = dialogue(chat("Hello", Some(phone())), &deals_by_phone(&deals)).unwrap();
        assert_eq!(dialogue.agent.as_deref(), Some("Agent 2"));
    }

    #[test]
    fn a_deal_counts_as_it_was_after_its_last_change() {
        let before = deal(1, "2026-06-02T00:00:00Z");
        let without_phone = |updated_at| Deal { contacts: Vec::new(), ..deal(1, updated_at) };
        for after in [without_phone("2026-06-03T00:00:00Z"), without_phone("2026-06-02T00:00:00Z")] {
            let deals = newest_versions([before.clone(), after.clone()]);
            assert_eq!(deals, [after]);
            assert!(deals_by_phone(&deals).is_empty());
        }
        let other = deal(2, "2026-06-01T00:00:00Z");
        let stale = without_phone("2026-06-01T00:00:00Z");
        assert_eq!(newest_versions([other.clone(), before.clone(), stale]), [before, other]);
    }

    #[test]
    fn a_chat_without_a_deal_is_no_dialogue() {
        let deals = [deal(1, "2026-06-02T00:00:00Z")];
        let by_phone = deals_by_phone(&deals);
        assert!(dialogue(chat("Hello", Some("+12015550199".parse().unwrap())), &by_phone).is_none());
        assert!(dialogue(chat("Hello", None), &by_phone).is_none());
    }

    #[test]
    fn the_language_comes_from_the_text() {
        let of = |text: &str| language(&chat(text, None).messages);
        assert_eq!(of("Good morning, I would like to book a table for two people this evening."), "en");
        assert_eq!(of("Здравствуйте, я хочу забронировать столик на двоих сегодня вечером."), "ru");
        assert_eq!(of("123"), "und");
    }
}
