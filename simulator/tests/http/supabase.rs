use serde_json::{Value, json};

use crate::{Stage, header, json as body};

#[tokio::test]
async fn rows_are_upserted_and_read_back() {
    let stage = Stage::unlimited().await;
    let first = stage.upsert(&json!([{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])).send().await.unwrap();
    assert_eq!(first.status(), 201);
    assert_eq!(header(&first, "preference-applied"), Some("resolution=merge-duplicates, return=minimal"));
    assert!(first.bytes().await.unwrap().is_empty());
    assert_eq!(stage.upsert(&json!([{"id": 2, "name": "c"}])).send().await.unwrap().status(), 200);

    let url = format!("{}/rest/v1/leads?id=eq.2&select=name", stage.simulators.endpoints().supabase);
    let key = stage.accounts.supabase_service_key.expose();
    let rows = body(stage.client.get(&url).header("apikey", key)).await;
    assert_eq!(rows, json!([{"name": "c"}]));
    assert_eq!(stage.simulators.row_count("leads"), 2);
}

#[tokio::test]
async fn head_tells_the_count_without_rows() {
    let stage = Stage::unlimited().await;
    stage.upsert(&json!([{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])).send().await.unwrap();
    let url = format!("{}/rest/v1/leads?limit=1", stage.simulators.endpoints().supabase);
    let key = stage.accounts.supabase_service_key.expose();
    let request = stage.client.head(&url).header("apikey", key).header("Prefer", "count=exact");
    let response = request.send().await.unwrap();
    assert_eq!((response.status().as_u16(), header(&response, "content-range")), (206, Some("0-0/2")));
    assert!(response.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_gateway_guards_the_auth_service_too() {
    let stage = Stage::unlimited().await;
    let url = |path: &str| format!("{}/auth/v1/{path}", stage.simulators.endpoints().supabase);
    let key = stage.accounts.supabase_anon_key.expose();
    assert_eq!(body(stage.client.get(url("health")).header("apikey", key)).await["name"], "GoTrue");
    assert!(body(stage.client.get(url("settings")).header("apikey", key)).await["external"].is_object());
    let refused = stage.client.get(url("settings")).header("apikey", "sb_secret_x").send().await.unwrap();
    assert_eq!(refused.status(), 401);
    let refused: Value = refused.json().await.unwrap();
    assert_eq!((refused["message"].as_str(), refused.get("code")), (Some("Invalid API key"), None));
}

#[tokio::test]
async fn concurrent_upserts_of_the_same_rows_store_them_once() {
    let stage = Stage::unlimited().await;
    let rows = json!((0..50).map(|id| json!({"id": id, "name": "x"})).collect::<Vec<_>>());
    let calls: Vec<_> = (0..8).map(|_| tokio::spawn(stage.upsert(&rows).send())).collect();
    let mut created = 0;
    for call in calls {
        created += usize::from(call.await.unwrap().unwrap().status() == 201);
    }
    assert_eq!((created, stage.simulators.row_count("leads")), (1, 50));
}
