//! Step 5: the numbers, and the material for the AI.

use std::collections::HashMap;

use domain::job_run::{Step, StepOutput};
use domain::metrics::compute;

use crate::pipeline::attempt::StepResult;
use crate::pipeline::package::{ChatWithMessages, Package, deals_by_phone, dialogue, newest_versions};
use crate::pipeline::work::{Work, expired};
use crate::ports::services::{Chat, ChatMessage, Deal, in_order};
use crate::ports::staging::{get_value, list_parts};

pub(super) async fn run(work: &Work<'_>) -> StepResult {
    let (staging, tenant) = (work.pipeline.staging.as_ref(), work.tenant_id());
    let mut deals: Vec<Deal> = Vec::new();
    for part in list_parts(staging, tenant, work.staged(Step::FetchDeals)?).await?.ok_or_else(expired)? {
        deals.extend(get_value::<Vec<Deal>>(staging, tenant, &part).await?.ok_or_else(expired)?);
    }
    let deals = newest_versions(deals);
    let by_phone = deals_by_phone(&deals);
    let mut pieces: HashMap<i64, (Chat, Vec<Vec<ChatMessage>>)> = HashMap::new();
    for part in list_parts(staging, tenant, work.staged(Step::FetchChats)?).await?.ok_or_else(expired)? {
        let chats: Vec<ChatWithMessages> = get_value(staging, tenant, &part).await?.ok_or_else(expired)?;
        for ChatWithMessages { chat, messages } in chats {
            pieces.entry(chat.id).or_insert_with(|| (chat, Vec::new())).1.push(messages);
        }
    }
    let whole = |(chat, pages)| ChatWithMessages { chat, messages: in_order(pages) };
    let mut dialogues: Vec<_> = pieces.into_values().filter_map(|pieces| dialogue(whole(pieces), &by_phone)).collect();
    dialogues.sort_by(|a, b| (first_at(a), &a.id).cmp(&(first_at(b), &b.id)));
    let package = Package { metrics: compute(&dialogues, work.run.day.time_zone), dialogues };
    let counts = StepOutput::counts([
        ("dialogues", package.dialogues.len()),
        ("messages", package.dialogues.iter().map(|dialogue| dialogue.messages.len()).sum()),
    ]);
    Ok(counts.staged(package.stage(staging, tenant).await?))
}

fn first_at(dialogue: &domain::metrics::Dialogue) -> Option<chrono::DateTime<chrono::Utc>> {
    dialogue.messages.first().map(|message| message.at)
}
