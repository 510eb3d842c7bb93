use serde_json::json;

use crate::support::{Api, Memory};

#[tokio::test]
async fn the_process_says_that_it_is_up_whatever_its_dependencies_do() {
    let api = Api::new();
    Memory::set(&api.memory.down);
    for path in ["/health", "/api/v1/public/healthcheck"] {
        let answer = api.get(path, "").await;
        assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("ok")), "{path}");
    }
}

#[tokio::test]
async fn readiness_is_that_of_all_dependencies() {
    let api = Api::new();
    let answer = api.get("/ready", "").await;
    assert_eq!((answer.status, &answer.json()["ready"]), (200, &json!(true)));
    Memory::set(&api.memory.down);
    let answer = api.get("/ready", "").await;
    let expected = json!({
        "ready": false,
        "dependencies": [
            {"name": "database", "state": "down", "reason": "it does not answer"},
            {"name": "read_models", "state": "up"},
        ],
    });
    assert_eq!((answer.status, answer.json()), (503, expected));
}
