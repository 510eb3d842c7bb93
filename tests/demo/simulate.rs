//! `synkro simulate` as its users start it.

use std::io::{BufRead as _, BufReader};
use std::process::Command;

use reqwest::Client;
use serde_json::{Value, json};
use testkit::program::{Running, program};

/// The program at work on a folder, and what it printed.
fn start(folder: &std::path::Path) -> (Running, Value) {
    let mut command = program(env!("CARGO_BIN_EXE_synkro"));
    command.args(["simulate", "--json", "--state-dir"]).arg(folder);
    let mut running = Running::spawn(command);
    let mut line = String::new();
    BufReader::new(running.take_output().unwrap()).read_line(&mut line).unwrap();
    (running, serde_json::from_str(&line).unwrap())
}

fn interrupt(running: Running) {
    let sent = Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    assert!(sent.success());
    assert_eq!(running.end().code, Some(0));
}

#[tokio::test]
async fn the_services_answer_faults_befall_them_and_ctrl_c_ends_them() {
    let folder = tempfile::tempdir().unwrap();
    let (running, told) = start(folder.path());
    let (http, amocrm) = (Client::new(), &told["services"]["amocrm"]);
    let leads = format!("{}/api/v4/leads?limit=1", amocrm["base_url"].as_str().unwrap());
    let ask = async || {
        let call = http.get(&leads).bearer_auth(amocrm["access_token"].as_str().unwrap());
        call.send().await.unwrap().status().as_u16()
    };
    let control = told["control"].as_str().unwrap();
    let fault = json!({"service": "amocrm", "route": "GET /api/v4/leads", "kind": "status", "status": 503, "times": 1});
    let injected = http.post(format!("{control}/__control/faults")).json(&fault).send().await.unwrap();
    assert_eq!(injected.status(), 201);
    assert_eq!((ask().await, ask().await), (503, 200));

    let calls = http.get(format!("{control}/__control/calls?service=amocrm")).send().await.unwrap();
    let calls: Value = calls.json().await.unwrap();
    assert_eq!((&calls["calls"][0]["status"], &calls["calls"][1]["status"]), (&json!(503), &json!(200)));
    let at_a_service = format!("{}/__control/calls", amocrm["base_url"].as_str().unwrap());
    let bearer = amocrm["access_token"].as_str().unwrap();
    assert_eq!(http.get(at_a_service).bearer_auth(bearer).send().await.unwrap().status(), 404);
    interrupt(running);

    let (again, retold) = start(folder.path());
    assert_eq!(retold["services"], told["services"], "a new start goes on with the same accounts");
    interrupt(again);
}
