//! Step 3: the chats of the deals' contacts, with their messages of the period, into the staging store.

use std::collections::HashSet;

use domain::integration::IntegrationKind;
use domain::job_run::{Step, StepOutput};
use domain::values::Phone;
use futures::StreamExt;

use crate::pipeline::attempt::StepResult;
use crate::pipeline::package::ChatWithMessages;
use crate::pipeline::work::{StepError, Work, expired};
use crate::ports::services::{Chat, Conversations, Deal, UpstreamError};
use crate::ports::staging::{ListWriter, get_value, list_parts};

/// Chats whose messages are fetched at the same time (Radist sheet, section 4).
const PARALLEL_CHATS: usize = 2;

pub(super) async fn run(work: &Work<'_>) -> StepResult {
    let phones = phones(work).await?;
    let account = work.account(IntegrationKind::Radist).await?;
    let conversations = work.pipeline.connectors.conversations(account)?;
    let wanted = |chat: &Chat| chat.phone.as_ref().is_some_and(|phone| phones.contains(phone));
    let chats: Vec<Chat> = conversations.chats().await?.into_iter().filter(wanted).collect();

    let mut fetched = futures::stream::iter(chats)
        .map(|chat| with_messages(conversations.as_ref(), work, chat))
        .buffered(PARALLEL_CHATS);
    let mut list = ListWriter::new(work.pipeline.staging.as_ref(), work.tenant_id());
    let (mut chats, mut messages) = (0, 0);
    while let Some(chat) = fetched.next().await {
        let chat = chat?;
        if !chat.messages.is_empty() {
            chats += 1;
            messages += chat.messages.len();
            list.push(&chat).await?;
        }
    }
    drop(fetched);
    Ok(StepOutput::counts([("chats", chats), ("messages", messages)]).staged(list.finish().await?))
}

async fn with_messages(
    conversations: &dyn Conversations,
    work: &Work<'_>,
    chat: Chat,
) -> Result<ChatWithMessages, UpstreamError> {
    let messages = conversations.messages(chat.id, work.run.period).await?;
    Ok(ChatWithMessages { chat, messages })
}

/// The phones of all contacts of the staged deals.
async fn phones(work: &Work<'_>) -> Result<HashSet<Phone>, StepError> {
    let staging = work.pipeline.staging.as_ref();
    let name = work.staged(Step::FetchDeals)?;
    let mut phones = HashSet::new();
    for part in list_parts(staging, work.tenant_id(), name).await?.ok_or_else(expired)? {
        let deals: Vec<Deal> = get_value(staging, work.tenant_id(), &part).await?.ok_or_else(expired)?;
        phones.extend(deals.into_iter().flat_map(|deal| deal.contacts).flat_map(|contact| contact.phones));
    }
    Ok(phones)
}
