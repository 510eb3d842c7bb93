use std::collections::HashSet;

use serde_json::Value;
use simulator::Limits;

use crate::{Stage, json, status, unlimited};

async fn contacts(stage: &Stage, limit: usize) -> (Vec<Value>, usize) {
    let company = stage.accounts.radist_company_id;
    let (mut contacts, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let path = format!("/companies/{company}/messaging/chats/with_contacts/?limit={limit}&cursor={cursor}");
        let page = json(stage.radist(&path)).await;
        contacts.extend(page["data"].as_array().unwrap().iter().cloned());
        pages += 1;
        page["response_metadata"]["next_cursor"].as_str().unwrap().clone_into(&mut cursor);
        if cursor.is_empty() {
            return (contacts, pages);
        }
    }
}

#[tokio::test]
async fn the_cursor_leads_through_all_chats_newest_first() {
    let stage = Stage::unlimited().await;
    let (contacts, pages) = contacts(&stage, 100).await;
    assert_eq!((contacts.len(), pages), (300, 3));
    let chats: HashSet<i64> = contacts.iter().map(|contact| contact["chats"][0]["chat_id"].as_i64().unwrap()).collect();
    assert_eq!(chats.len(), 300);
    let times = contacts.iter().map(|contact| contact["last_chat_updated_at"].as_str().unwrap());
    assert!(times.rev().is_sorted());
    assert!(contacts[0]["chats"][0]["phone"].as_str().unwrap().bytes().all(|byte| byte.is_ascii_digit()));
}

#[tokio::test]
async fn paging_back_by_time_gives_every_message_of_every_chat() {
    let stage = Stage::unlimited().await;
    let company = stage.accounts.radist_company_id;
    let (contacts, _) = contacts(&stage, 100).await;
    let mut ids = HashSet::new();
    for contact in contacts {
        let chat = &contact["chats"][0]["chat_id"];
        let mut until = String::new();
        loop {
            let path = format!("/companies/{company}/messaging/messages/?chat_id={chat}&limit=10{until}");
            let page = json(stage.radist(&path)).await;
            let page = page.as_array().unwrap();
            assert!(page.is_sorted_by(|one, other| one["created_at"].as_str() >= other["created_at"].as_str()));
            let new = page.iter().filter(|message| ids.insert(message["message_id"].to_string())).count();
            if page.len() < 10 || new == 0 {
                break;
            }
            until = format!("&until={}", page[9]["created_at"].as_str().unwrap().replace('+', "%2B"));
        }
    }
    assert_eq!(ids.len(), 4_363);
}

#[tokio::test]
async fn directions_follow_the_speakers() {
    let stage = Stage::unlimited().await;
    let company = stage.accounts.radist_company_id;
    let path = format!("/companies/{company}/messaging/messages/?chat_id=770001&limit=100");
    let messages = json(stage.radist(&path)).await;
    let oldest = messages.as_array().unwrap().last().unwrap().clone();
    assert_eq!(oldest["direction"], "inbound");
    assert_eq!(oldest["created_at"], "2026-06-13T10:40:46.000+00:00");
    assert_eq!(oldest["text"]["text"], "Я ищу дешевый ресторан в северной части города.");
}

#[tokio::test]
async fn the_check_of_a_connection_answers() {
    let stage = Stage::unlimited().await;
    let company = stage.accounts.radist_company_id;
    assert_eq!(json(stage.radist("/companies/?limit=1")).await["companies"][0]["id"], company);
    let sources = json(stage.radist(&format!("/companies/{company}/messaging/chats/sources/"))).await;
    assert_eq!(sources[0]["type"], "whatsapp");
    let connections = json(stage.radist(&format!("/companies/{company}/connections/"))).await;
    assert_eq!(connections["connections"][0]["id"], sources[0]["connection_id"]);
}

#[tokio::test]
async fn strangers_and_wrong_addresses_are_refused() {
    let stage = Stage::unlimited().await;
    let company = stage.accounts.radist_company_id;
    let bare = stage.client.get(format!("{}/companies/", stage.simulators.endpoints().radist));
    assert_eq!(status(bare).await, 401);
    assert_eq!(status(stage.radist("/companies/1/connections/")).await, 403);
    assert_eq!(status(stage.radist(&format!("/companies/{company}/nothing/"))).await, 404);
    let messages = format!("/companies/{company}/messaging/messages/");
    assert_eq!(status(stage.radist(&format!("{messages}?chat_id=1"))).await, 404);
    assert_eq!(status(stage.radist(&messages)).await, 400);
    assert_eq!(status(stage.radist(&format!("{messages}?chat_id=770001&until=now"))).await, 400);
}

#[tokio::test]
async fn a_configured_rate_is_kept() {
    let stage = Stage::with(Limits { radist_per_second: 3, ..unlimited() }).await;
    for _ in 0..3 {
        assert_eq!(status(stage.radist("/companies/")).await, 200);
    }
    let refused = stage.radist("/companies/").send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "1"));
}
