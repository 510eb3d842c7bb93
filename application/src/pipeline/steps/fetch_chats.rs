//! Step 3: the chats of the deals' contacts, with their messages of the period, into the staging store, page by page.
//!
//! A chat of several pages is staged in several pieces, which may lie apart.

use std::collections::HashSet;

use domain::integration::IntegrationKind;
use domain::job_run::{Step, StepOutput};
use domain::period::Period;
use domain::values::Phone;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};

use crate::pipeline::attempt::StepResult;
use crate::pipeline::package::{ChatWithMessages, chats_of};
use crate::pipeline::work::{StepError, Work, expired};
use crate::ports::services::{Chat, Conversations, Deal, UpstreamError};
use crate::ports::staging::{ListWriter, get_value, list_parts};

/// Chats whose messages are fetched at the same time (Radist sheet, section 4).
const PARALLEL_CHATS: usize = 2;

pub(super) async fn run(work: &Work<'_>) -> StepResult {
    let phones = phones(work).await?;
    let account = work.account(IntegrationKind::Radist).await?;
    let conversations = work.pipeline.connectors.conversations(account)?;
    let wanted = chats_of(conversations.as_ref(), |phone| phones.contains(phone)).await?;
    let mut pieces = pieces(conversations.as_ref(), wanted, work.run.period);
    let mut list = ListWriter::new(work.pipeline.staging.as_ref(), work.tenant_id());
    let (mut chats, mut messages) = (HashSet::new(), 0);
    while let Some(piece) = pieces.try_next().await? {
        if !piece.messages.is_empty() {
            chats.insert(piece.chat.id);
            messages += piece.messages.len();
            list.push(&piece).await?;
        }
    }
    Ok(StepOutput::counts([("chats", chats.len()), ("messages", messages)]).staged(list.finish().await?))
}

/// The chats, a page of messages at a time. While nobody waits for the next piece, a page of messages of each parallel chat is
/// all that is there of them.
fn pieces(
    conversations: &dyn Conversations,
    chats: Vec<Chat>,
    period: Period,
) -> BoxStream<'_, Result<ChatWithMessages, UpstreamError>> {
    let with_messages = move |chat: Chat| {
        let pages = conversations.messages(chat.id, period);
        pages.map_ok(move |messages| ChatWithMessages { chat: chat.clone(), messages }).boxed()
    };
    stream::iter(chats).map(with_messages).flatten_unordered(PARALLEL_CHATS).boxed()
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
