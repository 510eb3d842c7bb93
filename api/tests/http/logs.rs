use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use poem::http::Method;
use serde_json::json;
use tracing::instrument::WithSubscriber;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Api, Memory, OWNER, PASSWORD, request};

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Everything that is logged while the API works.
async fn logged(work: impl Future<Output = ()>) -> String {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .finish();
    work.with_subscriber(subscriber).await;
    String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
}

#[tokio::test]
async fn a_request_is_logged_with_its_template_status_and_id() {
    let api = Api::new();
    let id = "0197b1c0-5f6e-7c3a-9d55-2f6c1a7e4b10";
    let log = logged(async {
        let path = format!("/api/v1/runs/{id}?secret=in-the-query");
        api.send(request(Method::GET, &path, OWNER).header("x-request-id", id).finish()).await;
    })
    .await;
    for part in [id, "method=GET", r#"path="/api/v1/runs/{id}""#, r#"operation="get_run""#, "status=404", "ms="] {
        assert!(log.contains(part), "{part} is missing in {log}");
    }
    assert!(!log.contains("in-the-query"), "{log}");
}

#[tokio::test]
async fn passwords_and_tokens_are_not_logged() {
    let api = Api::new();
    let log = logged(async {
        for password in [PASSWORD, "not-the-password"] {
            let answer =
                api.post("/api/v1/public/users/login", "", &json!({"email": OWNER, "password": password})).await;
            assert!([200, 401].contains(&answer.status));
        }
        api.get("/api/v1/users/me", OWNER).await;
    })
    .await;
    assert!(log.contains("status=200") && log.contains("status=401"), "{log}");
    for secret in [PASSWORD, "not-the-password", "token-of-"] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}

#[tokio::test]
async fn the_cause_of_a_defect_is_logged_under_the_requests_id() {
    let api = Api::new();
    Memory::set(&api.memory.broken);
    let id = "0197b1c0-5f6e-7c3a-9d55-2f6c1a7e4b11";
    let log = logged(async {
        api.send(request(Method::GET, "/api/v1/runs", OWNER).header("x-request-id", id).finish()).await;
    })
    .await;
    let line = log.lines().find(|line| line.contains("refused the connection")).unwrap();
    assert!(line.contains("ERROR") && line.contains(id), "{line}");
}
