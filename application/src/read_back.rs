//! Writing to a tenant's storage and reading back: a trigger or a policy there may remove rows without a word.

use std::collections::{BTreeMap, BTreeSet};

use domain::integration::IntegrationKind;
use domain::job_run::FailureClass;

use crate::ports::services::{Chat, ChatMessage, Deal, Delivery, StoredRows, TenantStorage, UpstreamError};

/// What an admin looks for where rows are missing.
pub(crate) const LOOK_FOR: &str =
    "Look for triggers or policies on the tables of the Supabase project that remove or hide rows";

/// Rows by table: how many were written, and how many of them were there afterwards.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// Different rows that were written.
    pub(crate) written: BTreeMap<String, u64>,
    /// Those of them that were found.
    pub(crate) confirmed: BTreeMap<String, u64>,
}

impl Rows {
    /// Writes deals with their contacts, and looks for them.
    pub(crate) async fn deals(&mut self, storage: &dyn TenantStorage, deals: &[Deal]) -> Result<(), UpstreamError> {
        let ids = distinct(deals.iter().map(|deal| deal.id));
        let contacts = distinct(deals.iter().flat_map(|deal| &deal.contacts).map(|contact| contact.id));
        storage.save_deals(deals).await?;
        self.wrote("deals", ids.len());
        self.wrote("contacts", contacts.len());
        self.found("deals", storage.present(StoredRows::Deals(&ids)).await?);
        self.found("contacts", storage.present(StoredRows::Contacts(&contacts)).await?);
        Ok(())
    }

    /// Writes chats and messages of theirs, and looks for them.
    pub(crate) async fn chats(
        &mut self,
        storage: &dyn TenantStorage,
        chats: &[Chat],
        messages: &[ChatMessage],
    ) -> Result<(), UpstreamError> {
        let ids = distinct(chats.iter().map(|chat| chat.id));
        let keys = distinct(messages.iter().map(|message| (message.chat_id, message.id.as_str())));
        storage.save_chats(chats).await?;
        self.wrote("chats", ids.len());
        storage.save_messages(messages).await?;
        self.wrote("messages", keys.len());
        self.found("chats", storage.present(StoredRows::Chats(&ids)).await?);
        self.found("messages", storage.present(StoredRows::Messages(&keys)).await?);
        Ok(())
    }

    /// Whether all rows were there.
    pub(crate) fn are_there(&self) -> bool {
        self.written == self.confirmed
    }

    /// An error where not all rows were there; only a change in the storage mends that.
    pub(crate) fn or_lost(&self) -> Result<(), UpstreamError> {
        if self.are_there() {
            return Ok(());
        }
        Err(UpstreamError {
            service: IntegrationKind::Supabase,
            class: FailureClass::Permanent,
            message: "Supabase took the rows, but not all of them were there when they were read back".into(),
            advice: format!("{LOOK_FOR}, then start again"),
            retry_after: None,
            tokens: None,
            was_turned_away: false,
            delivery: Delivery::Unknown,
        })
    }

    fn wrote(&mut self, table: &str, rows: usize) {
        *self.written.entry(table.to_owned()).or_default() += u64::try_from(rows).unwrap_or(u64::MAX);
    }

    fn found(&mut self, table: &str, rows: u64) {
        *self.confirmed.entry(table.to_owned()).or_default() += rows;
    }
}

fn distinct<T: Ord>(keys: impl Iterator<Item = T>) -> Vec<T> {
    keys.collect::<BTreeSet<_>>().into_iter().collect()
}
