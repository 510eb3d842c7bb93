use serde_json::json;

use crate::support::{Api, Memory, READER, STRANGER};

fn path() -> String {
    format!("/api/v1/reports/{}", Memory::report_id())
}

#[tokio::test]
async fn a_report_is_read_with_its_text_from_the_companys_storage() {
    let api = Api::new();
    let answer = api.get(&path(), READER).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let body = answer.json();
    assert_eq!((&body["body"], &body["report"]["headline"]), (&json!("# A quiet day\n"), &json!("A quiet day")));
    assert_eq!(body["narrative"]["recommendations"], json!(["Write first."]));
    assert_eq!(body["report"]["metrics"]["hours"].as_array().map(Vec::len), Some(24));
    let list = api.get("/api/v1/reports", READER).await.json();
    assert_eq!((&list["items"][0], &list["next"]), (&body["report"], &json!(null)));
}

#[tokio::test]
async fn a_text_that_the_storage_has_lost_is_its_failure_not_ours() {
    let api = Api::new();
    Memory::set(&api.memory.text_lost);
    let answer = api.get(&path(), READER).await;
    assert_eq!(answer.problem(502), "report.text_missing");
    assert!(answer.text.contains("synkro_reports"), "the advice is shown: {}", answer.text);
}

#[tokio::test]
async fn a_storage_that_is_not_set_up_says_what_to_do() {
    let api = Api::new();
    Memory::set(&api.memory.not_set_up);
    let answer = api.get(&path(), READER).await;
    assert_eq!(answer.problem(502), "upstream.failed");
    assert!(answer.text.contains("Set up Supabase"), "{}", answer.text);
}

#[tokio::test]
async fn another_companys_report_does_not_exist() {
    let api = Api::new();
    assert_eq!(api.get(&path(), STRANGER).await.problem(404), "report.not_found");
}
