//! The same bad day for every service: what a reading call does, and what its error says.

use std::time::{Duration, Instant};

use application::ports::services::{Account, Connectors, UpstreamError};
use domain::ids::{ReportId, RunId};
use domain::integration::IntegrationSettings;
use domain::job_run::FailureClass;
use futures::TryStreamExt;
use infrastructure::connectors::{AwaitedOptions, HttpOptions, RetryOptions};
use simulator::{Fault, FaultKind, Service};

use super::world::{World, connectors, quick};

/// One call that reads and repeats harmlessly.
async fn read(world: &World, service: Service) -> Result<(), UpstreamError> {
    read_as(world, service, world.account(service)).await
}

async fn read_as(world: &World, service: Service, account: Account) -> Result<(), UpstreamError> {
    let report = ReportId::of(RunId::from(uuid::Uuid::from_u128(1)));
    let connectors = &world.connectors;
    match service {
        Service::Amocrm => connectors.crm(account)?.deals(world.whole_period()).try_concat().await.map(drop),
        Service::Radist => connectors.conversations(account)?.chats().try_concat().await.map(drop),
        Service::Supabase => connectors.storage(account)?.report(report).await.map(drop),
        Service::Gemini | Service::Openai => connectors.analyst(account)?.check().await,
        Service::Telegram => connectors.notifier(account)?.check().await,
    }
}

fn inject(world: &World, service: Service, kind: FaultKind, times: Option<u32>) {
    world.simulators.faults().inject(Fault { service, path_contains: None, kind, times });
}

fn status(status: u16, headers: &[(&str, &str)]) -> FaultKind {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    FaultKind::Status { status, body: "<html>busy</html>".into(), headers }
}

/// A storm: the service answers like this until the end. Returns the error and the number of tries.
async fn storm(kind: FaultKind) -> Vec<(Service, UpstreamError, usize)> {
    let world = World::start().await;
    let mut outcomes = Vec::new();
    for service in Service::ALL {
        inject(&world, service, kind.clone(), None);
        let error = read(&world, service).await.unwrap_err();
        world.assert_keeps_secrets(&error);
        outcomes.push((service, error, world.answers(service).len()));
    }
    outcomes
}

#[tokio::test]
async fn one_refusal_for_too_many_requests_is_waited_out() {
    let world = World::start().await;
    for service in Service::ALL {
        inject(&world, service, status(429, &[]), Some(1));
        read(&world, service).await.unwrap();
        let answers = world.answers(service);
        assert_eq!((answers[0], answers[1]), (Some(429), Some(200)), "{service:?}");
    }
}

#[tokio::test]
async fn a_storm_of_refusals_ends_after_three_tries() {
    for (service, error, tries) in storm(status(429, &[])).await {
        assert_eq!((error.class, tries), (FailureClass::Transient, 3), "{service:?}");
        assert!(error.message.contains("for now"), "{}", error.message);
        assert!(error.advice.contains("tries again by itself"), "{}", error.advice);
    }
}

#[tokio::test]
async fn a_long_wait_is_handed_on_instead_of_waited_out() {
    for (service, error, tries) in storm(status(429, &[("retry-after", "600")])).await {
        assert_eq!((error.class, tries), (FailureClass::Transient, 1), "{service:?}");
        assert_eq!(error.retry_after.map(|wait| wait.as_secs()), Some(600), "{service:?}");
    }
}

/// A check on a screen: a minute's silence is taken for a failure of Synkro's.
#[tokio::test]
async fn somebody_who_waits_is_told_what_passes_by_itself() {
    let mut world = World::start().await;
    let (call_timeout, longest_wait) = (Duration::from_secs(2), Duration::from_millis(500));
    let awaited = AwaitedOptions { call_timeout, longest_wait, tries: 2 };
    world.connectors = connectors(HttpOptions { awaited, retry: RetryOptions::default(), ..quick() });
    let check = async || {
        let account = Account { is_awaited: true, ..world.account(Service::Radist) };
        let began = Instant::now();
        let checked = world.connectors.conversations(account).unwrap().check().await;
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        checked.unwrap_err()
    };
    inject(&world, Service::Radist, FaultKind::Delay(Duration::from_mins(1)), None);
    let slow = check().await;
    assert!(slow.advice.starts_with("Try again;") && world.answers(Service::Radist).len() == 2, "{slow:?}");
    world.simulators.faults().clear();
    inject(&world, Service::Radist, status(429, &[("retry-after", "30")]), None);
    let refused = check().await;
    assert!(refused.advice.starts_with("Try again in 30 s;"), "{refused:?}");
    world.simulators.faults().clear();
    let in_turn = check().await;
    assert!(in_turn.was_turned_away && in_turn.advice.starts_with("Try again in 1 s;"), "{in_turn:?}");
}

#[tokio::test]
async fn a_failing_service_is_tried_three_times() {
    for (service, error, tries) in storm(status(503, &[])).await {
        assert_eq!((error.class, tries), (FailureClass::Transient, 3), "{service:?}");
        assert!(error.message.contains("HTTP 503"), "{}", error.message);
    }
}

#[tokio::test]
async fn broken_json_is_not_asked_for_again() {
    for (service, error, tries) in storm(FaultKind::MalformedBody).await {
        assert_eq!((error.class, tries), (FailureClass::Permanent, 1), "{service:?}: {error}");
        assert!(error.message.contains("JSON"), "{}", error.message);
        assert!(error.advice.contains("Settings"), "{}", error.advice);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again() {
    for (service, error, tries) in storm(FaultKind::TruncatedBody).await {
        assert_eq!((error.class, tries), (FailureClass::Transient, 3), "{service:?}: {error}");
        assert!(error.message.contains("broke off"), "{}", error.message);
    }
}

#[tokio::test]
async fn a_cut_connection_is_tried_again() {
    for (service, error, tries) in storm(FaultKind::Reset).await {
        assert_eq!((error.class, tries), (FailureClass::Transient, 3), "{service:?}: {error}");
        assert!(error.message.contains("closed the connection"), "{}", error.message);
    }
    let world = World::start().await;
    for service in Service::ALL {
        inject(&world, service, FaultKind::Reset, Some(2));
        read(&world, service).await.unwrap();
    }
}

#[tokio::test]
async fn a_wrong_key_is_not_tried_again_and_says_what_to_renew() {
    let world = World::start().await;
    for service in Service::ALL {
        let error = read_as(&world, service, world.account_with_wrong_key(service)).await.unwrap_err();
        assert_eq!((error.class, world.answers(service).len()), (FailureClass::Auth, 1), "{service:?}: {error}");
        assert!(error.message.contains("did not accept"), "{service:?}: {}", error.message);
        assert!(error.advice.contains("Settings →"), "{service:?}: {}", error.advice);
        world.assert_keeps_secrets(&error);
        let wrong = world.account_with_wrong_key(service);
        let secret = wrong.secrets.values().next().unwrap();
        super::world::assert_no_secret(&error, secrecy::ExposeSecret::expose_secret(secret));
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_named_with_its_address() {
    let world = World::start().await;
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    for service in Service::ALL {
        let mut account = world.account(service);
        let moved = format!("http://{closed}").parse().unwrap();
        match &mut account.settings {
            IntegrationSettings::Supabase { base_url }
            | IntegrationSettings::Amocrm { base_url, .. }
            | IntegrationSettings::Radist { base_url, .. }
            | IntegrationSettings::Ai { base_url, .. }
            | IntegrationSettings::Telegram { base_url, .. } => *base_url = moved,
        }
        let error = read_as(&world, service, account).await.unwrap_err();
        assert_eq!(error.class, FailureClass::Transient, "{service:?}");
        assert!(error.message.contains(&format!("cannot be reached at {closed}")), "{}", error.message);
        assert!(error.advice.contains("Settings →"), "{}", error.advice);
        world.assert_keeps_secrets(&error);
    }
}

#[tokio::test]
async fn an_account_without_its_key_is_not_called() {
    let world = World::start().await;
    for service in Service::ALL {
        let mut account = world.account(service);
        account.secrets.clear();
        let error = read_as(&world, service, account).await.unwrap_err();
        assert_eq!(error.class, FailureClass::Auth);
        assert!(error.message.contains("is not saved"), "{}", error.message);
    }
    assert!(world.simulators.calls().is_empty());
}

#[tokio::test]
async fn a_service_cannot_take_another_ones_place() {
    let world = World::start().await;
    let error = world.connectors.crm(world.account(Service::Telegram)).map(drop).unwrap_err();
    assert_eq!(error.class, FailureClass::Permanent);
    assert!(error.message.contains("CRM"), "{}", error.message);
}
