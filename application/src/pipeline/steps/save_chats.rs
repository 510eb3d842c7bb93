//! Step 4: the staged chats and messages into the tenant's storage, part by part, each read back.

use std::collections::HashSet;

use domain::integration::IntegrationKind;
use domain::job_run::{Step, StepOutput};

use crate::pipeline::attempt::StepResult;
use crate::pipeline::package::ChatWithMessages;
use crate::pipeline::work::{Work, expired};
use crate::ports::services::{Chat, ChatMessage};
use crate::ports::staging::{get_value, list_parts};
use crate::read_back::Rows;

pub(super) async fn run(work: &Work<'_>) -> StepResult {
    let account = work.account(IntegrationKind::Supabase).await?;
    let storage = work.pipeline.connectors.storage(account)?;
    let staging = work.pipeline.staging.as_ref();
    let name = work.staged(Step::FetchChats)?;
    let (mut saved_chats, mut saved_messages) = (HashSet::new(), 0);
    for part in list_parts(staging, work.tenant_id(), name).await?.ok_or_else(expired)? {
        let part: Vec<ChatWithMessages> = get_value(staging, work.tenant_id(), &part).await?.ok_or_else(expired)?;
        let (chats, messages): (Vec<Chat>, Vec<Vec<ChatMessage>>) =
            part.into_iter().map(|with| (with.chat, with.messages)).unzip();
        let messages: Vec<ChatMessage> = messages.into_iter().flatten().collect();
        let mut rows = Rows::default();
        rows.chats(storage.as_ref(), &chats, &messages).await?;
        rows.or_lost()?;
        saved_chats.extend(chats.iter().map(|chat| chat.id));
        saved_messages += messages.len();
    }
    Ok(StepOutput::counts([("chats", saved_chats.len()), ("messages", saved_messages)]))
}
