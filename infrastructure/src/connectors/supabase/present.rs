//! Reading back: which rows are there.

use std::collections::{BTreeSet, HashSet};
use std::hash::Hash;

use application::ports::services::{StoredRows, UpstreamError};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Supabase, Table, schema};
use crate::connectors::http::Call;

/// Length of the keys that are asked for in one call: they travel in the address, whose length servers limit, mostly to 8,000.
const KEYS_LENGTH: usize = 4_000;
/// Keys asked for in one call: an answer holds 1,000 rows at most, where the project has left that setting as it was.
const KEYS_PER_CALL: usize = 500;

#[derive(Deserialize)]
struct Id {
    id: i64,
}

#[derive(Deserialize)]
struct MessageRow {
    chat_id: i64,
    message_id: String,
}

/// A chat, and the message's id as it is stored.
type MessageKey = (i64, String);

impl Supabase {
    /// How many of these rows are there.
    pub(super) async fn count_present(&self, rows: StoredRows<'_>) -> Result<u64, UpstreamError> {
        let found = match rows {
            StoredRows::Deals(ids) => self.ids_present(&schema::DEALS, ids).await?,
            StoredRows::Contacts(ids) => self.ids_present(&schema::CONTACTS, ids).await?,
            StoredRows::Chats(ids) => self.ids_present(&schema::CHATS, ids).await?,
            StoredRows::Messages(keys) => self.messages_present(keys).await?,
        };
        Ok(u64::try_from(found).unwrap_or(u64::MAX))
    }

    async fn ids_present(&self, table: &Table, ids: &[i64]) -> Result<usize, UpstreamError> {
        let ids: Vec<i64> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let mut present = 0;
        for ids in calls(&ids, |id| id.to_string().len()) {
            present += self.found(table, ids.to_vec(), ids_call, |row: Id| row.id).await?;
        }
        Ok(present)
    }

    async fn messages_present(&self, keys: &[(i64, &str)]) -> Result<usize, UpstreamError> {
        let keys: BTreeSet<MessageKey> = keys.iter().map(|(chat_id, id)| (*chat_id, stored(id))).collect();
        let keys: Vec<MessageKey> = keys.into_iter().collect();
        let key = |row: MessageRow| (row.chat_id, row.message_id);
        let mut present = 0;
        for keys in calls(&keys, |(chat_id, id)| encoded_length(id) + chat_id.to_string().len()) {
            present += self.found(&schema::MESSAGES, keys.to_vec(), messages_call, key).await?;
        }
        Ok(present)
    }

    /// How many of the keys have a row.
    ///
    /// A project may give fewer rows at a time than there are, so what an answer lacks is asked for again. Only an answer without
    /// any row proves that the keys have none. Rows that nobody asked for may fill an answer; then it is asked in halves, down to
    /// one key, which no other row matches.
    async fn found<K, R>(
        &self,
        table: &Table,
        keys: Vec<K>,
        call: fn(&Table, &[K]) -> Call,
        key: fn(R) -> K,
    ) -> Result<usize, UpstreamError>
    where
        K: Eq + Hash + Send + Sync,
        R: DeserializeOwned + Send,
    {
        let mut present = 0;
        let mut questions = vec![keys];
        while let Some(mut missing) = questions.pop() {
            let call = call(table, &missing);
            let rows: Option<Vec<R>> = self.client.json(&call).await?;
            let rows: HashSet<K> = rows.unwrap_or_default().into_iter().map(key).collect();
            let asked = missing.len();
            missing.retain(|key| !rows.contains(key));
            present += asked - missing.len();
            if rows.is_empty() || missing.is_empty() {
                continue;
            }
            if missing.len() == asked {
                if asked == 1 {
                    continue;
                }
                questions.push(missing.split_off(asked / 2));
            }
            questions.push(missing);
        }
        Ok(present)
    }
}

fn ids_call(table: &Table, ids: &[i64]) -> Call {
    Call::get(["rest", "v1", table.name]).query("select", "id").query("id", any_of(ids.iter().map(ToString::to_string)))
}

/// Asks for chats and messages at once, so that the primary key finds the rows.
fn messages_call(table: &Table, keys: &[MessageKey]) -> Call {
    let chats: BTreeSet<i64> = keys.iter().map(|(chat_id, _)| *chat_id).collect();
    Call::get(["rest", "v1", table.name])
        .query("select", "chat_id,message_id")
        .query("chat_id", any_of(chats.iter().map(ToString::to_string)))
        .query("message_id", any_of(keys.iter().map(|(_, id)| quoted(id))))
}

/// The keys of each call.
fn calls<T>(keys: &[T], length: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let (mut calls, mut rest) = (Vec::new(), keys);
    while !rest.is_empty() {
        let mut sum = 0;
        let fits = rest.iter().take(KEYS_PER_CALL).take_while(|key| {
            sum += length(key) + SEPARATOR_LENGTH;
            sum <= KEYS_LENGTH
        });
        let (call, later) = rest.split_at(fits.count().max(1));
        calls.push(call);
        rest = later;
    }
    calls
}

/// What a key has around it in an address: two encoded quotes and commas.
const SEPARATOR_LENGTH: usize = 12;

fn encoded_length(text: &str) -> usize {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() || b"*-._".contains(&byte) { 1 } else { 3 }).sum()
}

/// The text as it is stored: without the characters that PostgreSQL refuses.
fn stored(text: &str) -> String {
    text.replace('\0', "")
}

fn any_of(keys: impl Iterator<Item = String>) -> String {
    format!("in.({})", keys.collect::<Vec<_>>().join(","))
}

/// A text within a list of PostgREST.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_cannot_end_the_list_that_it_stands_in() {
        assert_eq!(quoted("a,b)"), r#""a,b)""#);
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
    }

    #[test]
    fn keys_are_divided_by_length_and_number_and_none_is_left_out() {
        let lengths =
            |keys: &[&str]| calls(keys, |key| encoded_length(key)).iter().map(|call| call.len()).collect::<Vec<_>>();
        let long = "x".repeat(1_000);
        assert_eq!(lengths(&[&long, &long, &long, &long, &long]), [3, 2]);
        let endless = "ё".repeat(5_000);
        assert_eq!(lengths(&["a", &endless, "b"]), [1, 1, 1]);
        assert_eq!(
            calls(&[7_i64; 1_200], |_| 1).iter().map(|call| call.len()).collect::<Vec<_>>(),
            [307, 307, 307, 279]
        );
        assert!(lengths(&[]).is_empty());
    }
}
