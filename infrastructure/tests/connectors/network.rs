//! What a server, or the address itself, can do to a caller.

use std::time::{Duration, Instant};

use application::ports::services::{Connectors, Conversations, Delivery, Notifier, UpstreamError};
use domain::integration::{AiProvider, IntegrationSettings, SecretName};
use domain::job_run::FailureClass;
use futures::TryStreamExt;
use infrastructure::connectors::{EgressPolicy, HttpOptions};

use super::scripted::{Answer, Scripted};
use super::telegram::notification;
use super::world::{account, assert_no_secret, connectors, quick};

const KEY: &str = "key-0123456789-abcdefghijkl";

fn radist_at(base: &str, options: HttpOptions) -> Result<Box<dyn Conversations>, UpstreamError> {
    let settings = IntegrationSettings::Radist {
        base_url: base.parse().unwrap(),
        company_id: 7,
        requests_per_second: 1_000,
        phone_region: None,
    };
    connectors(options).conversations(account(settings, SecretName::ApiKey, KEY))
}

fn telegram_at(base: &str, options: HttpOptions) -> Box<dyn Notifier> {
    let settings = IntegrationSettings::Telegram { base_url: base.parse().unwrap(), chat_id: "-5".into() };
    connectors(options).notifier(account(settings, SecretName::BotToken, KEY)).unwrap()
}

/// Reads chats from a server that answers like this. Returns the error and the number of calls.
async fn error_of(answers: Vec<Answer>, options: HttpOptions) -> (UpstreamError, usize) {
    let server = Scripted::answering(answers).await;
    let error = radist_at(&server.base, options).unwrap().chats().try_concat().await.unwrap_err();
    assert_no_secret(&error, KEY);
    (error, server.requests().len())
}

fn small() -> HttpOptions {
    HttpOptions { response_limit: 1_000, ..quick() }
}

const NO_CHATS: &str = r#"{"data":[],"response_metadata":{"next_cursor":""}}"#;

#[tokio::test]
async fn the_caller_names_itself_and_sends_its_key_in_a_header_only() {
    let server = Scripted::answering(vec![Answer::json("200 OK", NO_CHATS)]).await;
    radist_at(&format!("{}/v2", server.base), quick()).unwrap().chats().try_concat().await.unwrap();
    let request = server.requests().remove(0);
    assert!(
        request.starts_with("GET /v2/companies/7/messaging/chats/with_contacts/?limit=100 HTTP/1.1\r\n"),
        "{request}"
    );
    let lower = request.to_lowercase();
    assert!(lower.contains(concat!("user-agent: synkro/", env!("CARGO_PKG_VERSION"), "\r\n")), "{request}");
    assert!(lower.contains(&format!("x-api-key: {KEY}\r\n")), "{request}");
    assert_eq!(request.matches(KEY).count(), 1);
}

#[tokio::test]
async fn an_answer_that_says_it_is_too_large_is_not_read() {
    let (error, tries) = error_of(vec![Answer::json("200 OK", &"x".repeat(2_000))], small()).await;
    assert_eq!((error.class, tries), (FailureClass::Permanent, 1));
    assert!(error.message.contains("larger than"), "{}", error.message);
}

#[tokio::test]
async fn an_answer_that_grows_too_large_is_dropped() {
    let chunk = format!("190\r\n{}\r\n", "x".repeat(400));
    let endless = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n{}0\r\n\r\n",
        chunk.repeat(50)
    );
    let (error, tries) = error_of(vec![Answer::Bytes(endless)], small()).await;
    assert_eq!((error.class, tries), (FailureClass::Permanent, 1), "{error}");
    assert!(error.message.contains("larger than"), "{}", error.message);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Scripted::answering(vec![Answer::json("200 OK", NO_CHATS)]).await;
    let location = format!("location: {}/\r\n", elsewhere.base);
    let (error, tries) = error_of(vec![Answer::with_headers("302 Found", &location, "")], quick()).await;
    assert_eq!((error.class, tries), (FailureClass::Permanent, 1));
    assert!(error.message.contains("redirect"), "{}", error.message);
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_server_that_stays_silent_runs_out_of_time() {
    let options = HttpOptions { call_timeout: Duration::from_millis(150), ..quick() };
    let (error, tries) = error_of(vec![Answer::Silence], options.clone()).await;
    assert_eq!((error.class, error.delivery, tries), (FailureClass::Transient, Delivery::Unknown, 3));
    assert!(error.message.contains("did not answer within 0.15 s"), "{}", error.message);

    let server = Scripted::answering(vec![Answer::Silence]).await;
    let error = telegram_at(&server.base, options).send(&notification()).await.unwrap_err();
    assert_eq!((error.delivery, server.requests().len()), (Delivery::Unknown, 1));
}

#[tokio::test]
async fn a_web_page_instead_of_an_answer_is_told_from_broken_json() {
    let page = Answer::with_headers("200 OK", "content-type: text/html\r\n", "<html>Sign in</html>");
    let (error, _) = error_of(vec![page], quick()).await;
    assert!(error.message.contains("something that is not JSON"), "{}", error.message);
    let (error, _) = error_of(vec![Answer::json("200 OK", r#"{"data":[}"#)], quick()).await;
    assert!(error.message.contains("broken JSON (line 1, column 10)"), "{}", error.message);
    let (error, _) = error_of(vec![Answer::json("200 OK", r#"{"dates":[]}"#)], quick()).await;
    assert!(error.message.contains("not the expected fields"), "{}", error.message);
}

#[tokio::test]
async fn the_service_says_how_long_to_wait() {
    let busy = Answer::with_headers("429 Too Many Requests", "retry-after: 1\r\n", "");
    let server = Scripted::answering(vec![busy, Answer::json("200 OK", NO_CHATS)]).await;
    let started = Instant::now();
    radist_at(&server.base, quick()).unwrap().chats().try_concat().await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_service_without_a_rate_limit_is_given_its_time_too() {
    let busy = Answer::with_headers("429 Too Many Requests", "retry-after: 1\r\n", "");
    let server = Scripted::answering(vec![busy, Answer::json("200 OK", r#"{"data":[{"id":"m"}]}"#)]).await;
    let settings = IntegrationSettings::Ai {
        provider: AiProvider::OPENAI_COMPATIBLE,
        base_url: server.base.parse().unwrap(),
        model: "m".into(),
        prompt: String::new(),
        input_token_limit: None,
        prices: domain::integration::TokenPrices::default(),
    };
    let analyst = connectors(quick()).analyst(account(settings, SecretName::ApiKey, KEY)).unwrap();
    let started = Instant::now();
    analyst.check().await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_provider_that_repeats_the_key_is_not_quoted_with_it() {
    let body = format!(r#"{{"message":"The key {KEY} is disabled; see key-01*****ijkl"}}"#);
    let (error, _) = error_of(vec![Answer::json("400 Bad Request", &body)], quick()).await;
    assert!(error.message.contains("is disabled"), "{}", error.message);
    assert!(!format!("{error:?}").contains("ijkl"), "{error:?}");
}

#[tokio::test]
async fn an_endless_list_of_the_same_page_ends() {
    let page = r#"{"data":[],"response_metadata":{"next_cursor":"again"}}"#;
    let (error, tries) = error_of(vec![Answer::json("200 OK", page)], quick()).await;
    assert_eq!((error.class, tries), (FailureClass::Permanent, 2));
}

#[tokio::test]
async fn inner_addresses_are_opened_by_the_operator_only() {
    let server = Scripted::answering(vec![Answer::json("200 OK", NO_CHATS)]).await;
    let host = server.base.trim_start_matches("http://").to_owned();
    let public = |allow_hosts| HttpOptions { egress: EgressPolicy::PublicOnly { allow_hosts }, ..quick() };

    let error = radist_at(&server.base, public(Vec::new())).map(drop).unwrap_err();
    assert_eq!((error.class, error.delivery), (FailureClass::Permanent, Delivery::NotDelivered));
    assert!(error.message.contains("not a public address"), "{}", error.message);
    assert!(error.advice.contains("SYNKRO_ALLOW_HOSTS"), "{}", error.advice);
    let other_port = radist_at(&server.base, public(vec!["127.0.0.1:1".into()])).map(drop);
    assert!(other_port.is_err());
    assert!(server.requests().is_empty());

    radist_at(&server.base, public(vec![host])).unwrap().chats().try_concat().await.unwrap();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_when_it_is_resolved() {
    let options = HttpOptions { egress: EgressPolicy::PublicOnly { allow_hosts: Vec::new() }, ..quick() };
    let error = radist_at("https://localhost:8443", options).unwrap().chats().try_concat().await.unwrap_err();
    assert_eq!((error.class, error.delivery), (FailureClass::Permanent, Delivery::NotDelivered));
    assert!(error.message.contains("not a public address"), "{}", error.message);
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_named() {
    // A label of more than 63 characters is no name, so no name server is asked.
    let name = format!("{}.example", "a".repeat(64));
    let egress = EgressPolicy::PublicOnly { allow_hosts: vec![name.clone()] };
    let error = radist_at(&format!("http://{name}"), HttpOptions { egress, ..quick() })
        .unwrap()
        .chats()
        .try_concat()
        .await
        .unwrap_err();
    assert_eq!((error.class, error.delivery), (FailureClass::Transient, Delivery::NotDelivered));
    assert!(error.message.contains(&format!("{name} of Radist is not known")), "{}", error.message);
}

#[tokio::test]
async fn the_demo_reaches_its_own_machine_by_name_and_nothing_else() {
    let server = Scripted::answering(vec![Answer::json("200 OK", NO_CHATS)]).await;
    let by_name = server.base.replace("127.0.0.1", "localhost");
    radist_at(&by_name, quick()).unwrap().chats().try_concat().await.unwrap();
    let elsewhere = radist_at("https://api.radist.example", quick()).unwrap().chats().try_concat().await.unwrap_err();
    assert!(elsewhere.message.contains("only this machine"), "{}", elsewhere.message);
    assert_eq!(elsewhere.class, FailureClass::Permanent);
}
