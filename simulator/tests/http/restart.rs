use std::{fs::OpenOptions, io::Write, net::TcpListener};

use serde_json::json;
use simulator::{SimulatorError, Simulators};

use crate::{Stage, json as body, options, unlimited};

#[tokio::test]
async fn a_restart_keeps_ports_rows_messages_and_calls() {
    let stage = Stage::unlimited().await;
    let endpoints = stage.simulators.endpoints().clone();
    stage.upsert(&json!([{"id": 1, "name": "a"}])).send().await.unwrap();
    let message = json!({"chat_id": stage.accounts.telegram_chat_ids[0], "text": "x"});
    body(stage.telegram("sendMessage").json(&message)).await;
    let (calls, messages) = (stage.simulators.calls(), stage.simulators.telegram_messages());

    let stage = stage.restarted().await;
    assert_eq!(*stage.simulators.endpoints(), endpoints);
    assert_eq!(stage.simulators.rows("leads"), [json!({"id": 1, "name": "a"})]);
    assert_eq!(stage.simulators.telegram_messages(), messages);
    assert_eq!(stage.simulators.calls(), calls);
    let next = body(stage.telegram("sendMessage").json(&message)).await;
    assert_eq!(next["result"]["message_id"], 2);
    assert_eq!(stage.upsert(&json!([{"id": 1, "name": "b"}])).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_torn_record_of_a_killed_process_is_forgotten() {
    let Stage { simulators, accounts, folder, .. } = Stage::unlimited().await;
    simulators.stop().await;
    for name in ["supabase.ndjson", "telegram.ndjson", "calls.ndjson"] {
        let mut file = OpenOptions::new().append(true).open(folder.path().join(name)).unwrap();
        file.write_all(b"{\"table\":\"leads\",\"rows\":[{\"id\"").unwrap();
    }
    let simulators = Simulators::start(options(folder.path(), &accounts, unlimited())).await.unwrap();
    assert_eq!((simulators.row_count("leads"), simulators.calls().len()), (0, 0));
}

#[tokio::test]
async fn a_taken_port_is_replaced_and_the_new_one_kept() {
    let Stage { simulators, accounts, folder, .. } = Stage::unlimited().await;
    let before = simulators.endpoints().clone();
    simulators.stop().await;
    let taken = TcpListener::bind(before.amocrm.strip_prefix("http://").unwrap()).unwrap();
    let simulators = Simulators::start(options(folder.path(), &accounts, unlimited())).await.unwrap();
    let moved = simulators.endpoints().clone();
    assert_ne!(moved.amocrm, before.amocrm);
    assert_eq!(moved.radist, before.radist);
    simulators.stop().await;
    drop(taken);
    let simulators = Simulators::start(options(folder.path(), &accounts, unlimited())).await.unwrap();
    assert_eq!(*simulators.endpoints(), moved);
}

#[tokio::test]
async fn a_folder_serves_one_at_a_time() {
    let stage = Stage::unlimited().await;
    let second = Simulators::start(options(stage.folder.path(), &stage.accounts, unlimited())).await;
    assert!(matches!(second.err(), Some(SimulatorError::InUse(_))));
    let stage = stage.restarted().await;
    assert!(stage.simulators.calls().is_empty());
}
