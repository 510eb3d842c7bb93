use serde_json::Value;

use super::*;
use crate::faults::FaultKind;
use crate::state::Call;

struct Bench {
    desk: Desk,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = Arc::new(Journal::open(&folder.path().join("calls.ndjson")).unwrap());
        Self { desk: Desk { faults: Faults::default(), journal }, _folder: folder }
    }

    fn ask(&self, method: Method, target: &str, body: &str) -> Reply {
        self.desk.answer(&Incoming::example(method, target, &[("content-type", "application/json")], body))
    }

    fn inject(&self, body: &str) -> Reply {
        self.ask(Method::POST, "/__control/faults", body)
    }
}

#[test]
fn a_fault_is_taken_shown_met_and_taken_back() {
    let bench = Bench::new();
    let body =
        r#"{"service": "amocrm", "route": "GET /api/v4/leads", "kind": "too_many", "retry_after": 2, "times": 1}"#;
    assert_eq!(bench.inject(body).status, StatusCode::CREATED);
    let shown = bench.ask(Method::GET, "/__control/faults", "").value();
    let expected = json!({
        "service": "amocrm", "route": "GET /api/v4/leads", "times": 1, "kind": "status", "status": 429,
    });
    assert_eq!(shown["faults"], json!([expected]));
    let faults = &bench.desk.faults;
    let headers = vec![("retry-after".to_owned(), "2".to_owned())];
    let refusal = FaultKind::Status { status: 429, body: String::new(), headers };
    assert_eq!(faults.take(Service::Amocrm, "GET /api/v4/leads?page=1"), Some(refusal));
    assert_eq!(bench.inject(r#"{"service": "radist", "kind": "reset"}"#).status, StatusCode::CREATED);
    assert_eq!(bench.ask(Method::DELETE, "/__control/faults", "").status, StatusCode::NO_CONTENT);
    assert!(faults.waiting().is_empty());
}

#[test]
fn every_kind_can_be_asked_for() {
    let bench = Bench::new();
    for kind in [
        "latency",
        "slow_drip",
        "too_many",
        "status",
        "malformed",
        "truncated",
        "reset",
        "drop_answer",
        "expired_token",
        "revoked_token",
        "wrong_account",
        "quota_used_up",
    ] {
        assert!(USAGE.contains(kind), "the usage does not tell of {kind}");
        let body = json!({"service": "openai", "kind": kind, "ms": 5, "status": 503}).to_string();
        assert_eq!(bench.inject(&body).status, StatusCode::CREATED, "{kind}");
    }
    assert_eq!(bench.desk.faults.waiting().len(), 12);
}

/// Seen to fail with a reader that stopped at the first bad field.
#[test]
fn every_bad_field_is_told() {
    let bench = Bench::new();
    let refused = bench.inject(r#"{"service": "hubspot", "kind": "latency", "ms": -1, "times": 0, "wen": 1}"#);
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let told = refused.value()["errors"].to_string();
    for field in ["service:", "ms:", "times:", "wen:"] {
        assert!(told.contains(field), "{field} is missing in {told}");
    }
    for (body, field) in [
        (r#"{"service": "radist", "kind": "fire"}"#, "kind:"),
        (r#"{"service": "radist", "kind": "status"}"#, "status:"),
        (r#"{"service": "radist", "kind": "status", "status": 99}"#, "status:"),
        ("[]", "JSON object"),
    ] {
        assert!(bench.inject(body).value()["errors"].to_string().contains(field), "{body}");
    }
    assert!(bench.desk.faults.waiting().is_empty());
}

#[test]
fn a_form_of_a_web_page_is_not_taken() {
    let bench = Bench::new();
    let body = r#"{"service": "radist", "kind": "reset"}"#;
    let form = Incoming::example(Method::POST, "/__control/faults", &[("content-type", "text/plain")], body);
    assert_eq!(bench.desk.answer(&form).status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[test]
fn the_journal_is_shown_by_service_and_cleared() {
    let bench = Bench::new();
    for service in [Service::Radist, Service::Amocrm] {
        let (method, path) = ("GET".into(), "/".into());
        let call = Call { at: chrono::DateTime::UNIX_EPOCH, service, method, path, status: None };
        bench.desk.journal.record(call).unwrap();
    }
    let calls = |query: &str| bench.ask(Method::GET, &format!("/__control/calls{query}"), "").value()["calls"].clone();
    assert_eq!(calls("").as_array().map(Vec::len), Some(2));
    assert_eq!(calls("?service=radist")[0]["service"], json!("radist"));
    assert_eq!(calls("?service=hubspot"), Value::Null);
    assert_eq!(bench.ask(Method::DELETE, "/__control/calls", "").status, StatusCode::NO_CONTENT);
    assert_eq!(calls(""), json!([]));
}
