use application::ports::services::{Connectors, Delivery, Notification, Notifier};
use domain::integration::{IntegrationSettings, SecretName};
use domain::job_run::FailureClass;
use simulator::Service;

use super::scripted::{Answer, Scripted};
use super::world::{World, account, assert_no_secret, connectors, quick};

pub(crate) fn notification() -> Notification {
    Notification { title: "Report <ready> & new".into(), lines: vec!["300 chats".into(), "a < b".into()] }
}

#[tokio::test]
async fn a_message_arrives_as_it_was_meant() {
    let world = World::start().await;
    world.notifier().check().await.unwrap();
    let id = world.notifier().send(&notification()).await.unwrap();

    let sent = world.simulators.telegram_messages();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].message_id.to_string(), id);
    assert_eq!(sent[0].text, "Report <ready> & new\n300 chats\na < b");
    assert_eq!((&sent[0].entities[0]["type"], &sent[0].entities[0]["length"]), (&"bold".into(), &20.into()));
}

#[tokio::test]
async fn a_message_that_is_too_long_is_cut_and_arrives() {
    let world = World::start().await;
    let long = Notification { title: "Report".into(), lines: vec!["<&😀".repeat(2_000)] };
    world.notifier().send(&long).await.unwrap();
    assert!(world.simulators.telegram_messages()[0].text.ends_with('…'));
}

#[tokio::test]
async fn two_messages_keep_the_chats_pace() {
    let world = World::start().await;
    let (one, other) = (world.notifier(), world.notifier());
    one.send(&notification()).await.unwrap();
    other.send(&notification()).await.unwrap();
    assert_eq!(world.answers(Service::Telegram), [Some(200), Some(200)]);
}

#[tokio::test]
async fn an_unknown_chat_is_a_matter_of_the_settings() {
    let world = World::start().await;
    let mut account = world.account(Service::Telegram);
    if let IntegrationSettings::Telegram { chat_id, .. } = &mut account.settings {
        *chat_id = "-100999".into();
    }
    let error = world.connectors.notifier(account).unwrap().send(&notification()).await.unwrap_err();
    assert_eq!((error.class, error.delivery), (FailureClass::Permanent, Delivery::NotDelivered));
    assert!(error.advice.contains("chat"), "{}", error.advice);
    world.assert_keeps_secrets(&error);
}

#[tokio::test]
async fn a_moved_group_is_reported_with_its_new_number() {
    let server = Scripted::answering(vec![Answer::json(
        "400 Bad Request",
        r#"{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat",
            "parameters":{"migrate_to_chat_id":-1001234567890}}"#,
    )])
    .await;
    let settings = IntegrationSettings::Telegram { base_url: server.base.parse().unwrap(), chat_id: "-5".into() };
    let token = "123456:ABC-DEF-hjklqwxyz";
    let bot: Box<dyn Notifier> = connectors(quick()).notifier(account(settings, SecretName::BotToken, token)).unwrap();
    let error = bot.send(&notification()).await.unwrap_err();
    assert_eq!(error.delivery, Delivery::NotDelivered);
    assert!(error.advice.contains("-1001234567890"), "{}", error.advice);
    assert_no_secret(&error, token);
    assert!(server.first_lines()[0].starts_with("POST /bot123456:ABC-DEF-hjklqwxyz/sendMessage "));
}
