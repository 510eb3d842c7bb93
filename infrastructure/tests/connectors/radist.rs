use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use application::ports::services::{ChatMessage, Connectors, Delivery};
use chrono::TimeDelta;
use domain::integration::IntegrationSettings;
use domain::job_run::FailureClass;
use domain::metrics::Sender;
use domain::period::Period;
use futures::StreamExt;
use simulator::{Service, Speaker};

use super::world::World;

async fn all_messages(world: &World, period: Period) -> Vec<ChatMessage> {
    let radist = world.conversations();
    let chats = radist.chats().await.unwrap();
    let reads = chats.iter().map(|chat| radist.messages(chat.id, period));
    let pages: Vec<_> = futures::stream::iter(reads).buffered(4).collect().await;
    pages.into_iter().flat_map(Result::unwrap).collect()
}

#[tokio::test]
async fn all_chats_come_with_their_phones() {
    let world = World::start().await;
    let chats = world.conversations().chats().await.unwrap();

    assert_eq!(chats.len(), 300);
    let phones: BTreeSet<_> = chats.iter().filter_map(|chat| chat.phone.as_ref()).map(ToString::to_string).collect();
    let expected: BTreeSet<_> = world.dialogues.dialogues().iter().map(|dialogue| dialogue.phone.clone()).collect();
    assert_eq!(phones, expected);
    assert_eq!(world.answers(Service::Radist).len(), 3);
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
    let chats = radist.chats().await.unwrap();
    let chat = chats.iter().find(|chat| chat.phone.as_ref().is_some_and(|it| it.as_str() == phone)).unwrap();
    let read = radist.messages(chat.id, period).await.unwrap();
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
    assert!(world.conversations().messages(987_654_321, period).await.unwrap().is_empty());
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
    let (first, second) = tokio::join!(one.chats(), other.chats());
    assert_eq!((first.unwrap().len(), second.unwrap().len()), (300, 300));
    // Six calls at ten a second: the last one starts half a second after the first.
    assert!(started.elapsed() >= Duration::from_millis(490), "{:?}", started.elapsed());
}
