use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use application::ports::services::{ChatMessage, Connectors, Conversations, Delivery, in_order};
use chrono::TimeDelta;
use domain::integration::{IntegrationSettings, SecretName};
use domain::job_run::FailureClass;
use domain::metrics::Sender;
use domain::period::Period;
use futures::{StreamExt, TryStreamExt};
use simulator::{Service, Speaker};

use super::scripted::{Answer, Scripted};
use super::world::{World, account, connectors, quick};

async fn all_messages(world: &World, period: Period) -> Vec<ChatMessage> {
    let radist = world.conversations();
    let chats = radist.chats().try_concat().await.unwrap();
    let reads = chats.iter().map(|chat| messages_of(radist.as_ref(), chat.id, period));
    let chats: Vec<_> = futures::stream::iter(reads).buffered(4).collect().await;
    chats.concat()
}

async fn messages_of(radist: &dyn Conversations, chat: i64, period: Period) -> Vec<ChatMessage> {
    in_order(radist.messages(chat, period).try_collect().await.unwrap())
}

#[tokio::test]
async fn all_chats_come_with_their_phones() {
    let world = World::start().await;
    let chats = world.conversations().chats().try_concat().await.unwrap();

    assert_eq!(chats.len(), 300);
    let phones: BTreeSet<_> = chats.iter().filter_map(|chat| chat.phone.as_ref()).map(ToString::to_string).collect();
    let expected: BTreeSet<_> = world.dialogues.dialogues().iter().map(|dialogue| dialogue.phone.clone()).collect();
    assert_eq!(phones, expected);
    // Three pages, and the first one again.
    assert_eq!(world.answers(Service::Radist).len(), 4);
}

#[tokio::test]
async fn all_messages_come_once_in_order_and_unchanged() {
    let world = World::start().await;
    let messages = all_messages(&world, world.whole_period()).await;

    assert_eq!(messages.len(), 4_363);
    assert_eq!(messages.iter().map(|message| &message.id).collect::<BTreeSet<_>>().len(), 4_363);
    assert!(sorted_within_chats(&messages));
    let sorted = |mut texts: Vec<(bool, String)>| {
        texts.sort();
        texts
    };
    let said = messages.iter().map(|message| (message.from == Sender::Agent, message.text.clone())).collect();
    let source = world.dialogues.dialogues().iter().flat_map(|dialogue| &dialogue.messages);
    let expected = source.map(|message| (message.from == Speaker::Agent, message.text.clone())).collect();
    assert_eq!(sorted(said), sorted(expected));
}

fn sorted_within_chats(messages: &[ChatMessage]) -> bool {
    messages.chunk_by(|a, b| a.chat_id == b.chat_id).all(|chat| chat.is_sorted_by_key(|message| message.at))
}

#[tokio::test]
async fn a_period_cuts_messages_exactly() {
    let world = World::start().await;
    let dialogue = world.dialogues.dialogues().iter().max_by_key(|dialogue| dialogue.messages.len()).unwrap();
    let (second, last) = (dialogue.messages[1].at, dialogue.last_at());
    let period = Period { from: second, to: last };
    let phone = dialogue.phone.as_str();

    let radist = world.conversations();
    let chats = radist.chats().try_concat().await.unwrap();
    let chat = chats.iter().find(|chat| chat.phone.as_ref().is_some_and(|it| it.as_str() == phone)).unwrap();
    let read = messages_of(radist.as_ref(), chat.id, period).await;
    let expected: Vec<_> = dialogue
        .messages
        .iter()
        .filter(|message| period.contains(message.at))
        .map(|message| message.text.clone())
        .collect();
    assert_eq!(read.into_iter().map(|message| message.text).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_chat_that_is_gone_has_no_messages() {
    let world = World::start().await;
    let period = Period { from: world.whole_period().from, to: world.whole_period().from + TimeDelta::days(1) };
    assert!(messages_of(world.conversations().as_ref(), 987_654_321, period).await.is_empty());
}

#[tokio::test]
async fn the_check_finds_a_company_that_the_key_does_not_have() {
    let world = World::start().await;
    world.conversations().check().await.unwrap();

    let mut other = world.account(Service::Radist);
    if let IntegrationSettings::Radist { company_id, .. } = &mut other.settings {
        *company_id += 1;
    }
    let error = world.connectors.conversations(other).unwrap().check().await.unwrap_err();
    assert_eq!((error.class, error.delivery), (FailureClass::Permanent, Delivery::NotDelivered));
    assert!(error.message.contains("company"), "{}", error.message);
}

#[tokio::test]
async fn all_workers_share_the_accounts_rate() {
    let world = World::start().await;
    let slow = || {
        let mut account = world.account(Service::Radist);
        if let IntegrationSettings::Radist { requests_per_second, .. } = &mut account.settings {
            *requests_per_second = 10;
        }
        world.connectors.conversations(account).unwrap()
    };
    let (one, other) = (slow(), slow());
    let started = Instant::now();
    let (first, second) = tokio::join!(one.chats().try_concat(), other.chats().try_concat());
    assert_eq!((first.unwrap().len(), second.unwrap().len()), (300, 300));
    // Eight calls at ten a second: the last one starts 0.7 seconds after the first.
    assert!(started.elapsed() >= Duration::from_millis(690), "{:?}", started.elapsed());
}

/// A page of the list, with these chats.
fn page(chats: &[i64], cursor: &str) -> Answer {
    let data: Vec<_> = chats.iter().map(|id| format!(r#"{{"chats":[{{"chat_id":{id}}}]}}"#)).collect();
    let metadata = format!(r#"{{"next_cursor":"{cursor}"}}"#);
    Answer::json("200 OK", &format!(r#"{{"data":[{}],"response_metadata":{metadata}}}"#, data.join(",")))
}

/// The chats that come from a list of these pages, and whether each call began at the front.
async fn listed(pages: Vec<Answer>) -> (Vec<i64>, Vec<bool>) {
    let server = Scripted::answering(pages).await;
    let settings = IntegrationSettings::Radist {
        base_url: server.base.parse().unwrap(),
        company_id: 7,
        requests_per_second: 1_000,
        phone_region: None,
    };
    let radist = connectors(quick()).conversations(account(settings, SecretName::ApiKey, "key-0123456789")).unwrap();
    let chats = radist.chats().try_concat().await.unwrap();
    let calls = server.first_lines();
    (chats.iter().map(|chat| chat.id).collect(), calls.iter().map(|line| !line.contains("cursor=")).collect())
}

#[tokio::test]
async fn a_chat_that_is_pushed_onto_the_next_page_comes_once() {
    let pages = vec![page(&[1, 2], "c2"), page(&[2, 3], "c3"), page(&[4], ""), page(&[1, 2], "c2")];
    let (chats, at_the_front) = listed(pages).await;
    assert_eq!(chats, [1, 2, 3, 4]);
    assert_eq!(at_the_front, [true, false, false, true]);
}

/// Chat 6 is on the third page until the second one is read, and chat 7 moves while the front is read again.
#[tokio::test]
async fn a_chat_that_moves_to_the_front_while_the_list_is_read_comes_once() {
    let list = [page(&[1, 2], "c2"), page(&[3, 4], "c3"), page(&[5], "")];
    let again = [page(&[6, 1], "c2"), page(&[2, 3], "c3")];
    let at_rest = [page(&[7, 6], "c2"), page(&[1, 2], "c3"), page(&[7, 6], "c2")];
    let (chats, at_the_front) = listed([&list[..], &again[..], &at_rest[..]].concat()).await;
    assert_eq!(chats, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(at_the_front, [true, false, false, true, false, true, false, true]);
}

#[tokio::test]
async fn a_list_of_one_page_is_read_once() {
    assert_eq!(listed(vec![page(&[1, 2], "")]).await, (vec![1, 2], vec![true]));
}

#[tokio::test]
async fn a_list_that_never_rests_ends() {
    let restless = (1..=50).flat_map(|id| [page(&[id, 0], "c2"), page(&[0], "")]).collect();
    let (chats, at_the_front) = listed(restless).await;
    assert_eq!(chats, [1, 0, 2, 3, 4, 5, 6]);
    assert_eq!(at_the_front.len(), 12);
}
