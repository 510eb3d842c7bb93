//! A service that is out of order is left alone, tried again, and says so meanwhile.

use std::time::Duration;

use application::ports::circuits::{CircuitState, Circuits};
use application::ports::services::{Connectors, Delivery, UpstreamError};
use domain::ids::TenantId;
use domain::integration::IntegrationKind;
use domain::job_run::FailureClass;
use infrastructure::connectors::{CircuitOptions, ConcurrencyOptions, HttpConnectors, HttpOptions};
use simulator::{Fault, FaultKind, Service};

use super::world::{World, connectors, quick};

fn with_pause(pause: Duration) -> HttpConnectors {
    let circuit = CircuitOptions { outages: 4, first_pause: pause, longest_pause: pause };
    connectors(HttpOptions { circuit, ..quick() })
}

fn status(status: u16) -> FaultKind {
    FaultKind::Status { status, body: String::new(), headers: Vec::new() }
}

async fn world(pause: Duration, kind: FaultKind) -> World {
    let mut world = World::start().await;
    world.connectors = with_pause(pause);
    let fault = Fault { service: Service::Radist, path_contains: None, kind, times: None };
    world.simulators.faults().inject(fault);
    world
}

async fn ask(world: &World) -> UpstreamError {
    world.conversations().check().await.unwrap_err()
}

fn state(world: &World) -> CircuitState {
    world.connectors.circuit(world.account(Service::Radist).tenant_id, IntegrationKind::Radist)
}

/// Seen to fail with a client that did not ask the breaker before a call.
#[tokio::test]
async fn a_service_that_is_down_is_left_alone_and_the_error_says_until_when() {
    let world = world(Duration::from_mins(1), status(503)).await;
    let first = ask(&world).await;
    assert_eq!((first.retry_after, world.answers(Service::Radist).len()), (None, 3));
    let opening = ask(&world).await;
    assert!(opening.message.contains("HTTP 503"), "{}", opening.message);
    assert!(opening.retry_after.is_some_and(|wait| wait > Duration::from_secs(50)), "{:?}", opening.retry_after);
    assert_eq!(world.answers(Service::Radist).len(), 4, "the tries end where the circuit opens");

    let refused = ask(&world).await;
    assert_eq!(world.answers(Service::Radist).len(), 4);
    assert_eq!((refused.class, refused.delivery), (FailureClass::Transient, Delivery::NotDelivered));
    assert!(refused.retry_after.is_some_and(|wait| wait > Duration::from_secs(50)), "{:?}", refused.retry_after);
    assert!(refused.message.contains("does not call it for now: Radist has a failure"), "{}", refused.message);
    world.assert_keeps_secrets(&refused);
    assert!(matches!(state(&world), CircuitState::Open { reason, .. } if reason.contains("HTTP 503")));
}

#[tokio::test]
async fn it_is_the_accounts_own() {
    let world = world(Duration::from_mins(1), status(503)).await;
    ask(&world).await;
    ask(&world).await;
    let stranger = TenantId::from(uuid::Uuid::from_u128(8));
    assert_eq!(world.connectors.circuit(stranger, IntegrationKind::Radist), CircuitState::Closed);
    let mut account = world.account(Service::Radist);
    account.tenant_id = stranger;
    let theirs = world.connectors.conversations(account).unwrap().check().await.unwrap_err();
    assert!(theirs.message.contains("HTTP 503"), "their own call was not made: {}", theirs.message);
    world.crm().check().await.unwrap();
    let standing = world.connectors.standing();
    let open = standing.circuits.iter().filter(|count| count.state == "open");
    assert_eq!(open.map(|count| count.accounts).sum::<usize>(), 1);
    assert_eq!(standing.in_flight, 0);
}

#[tokio::test]
async fn the_first_call_after_the_pause_closes_it() {
    let world = world(Duration::from_millis(50), FaultKind::Reset).await;
    ask(&world).await;
    ask(&world).await;
    world.simulators.faults().clear();
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(state(&world).name(), "half_open");
    world.conversations().check().await.unwrap();
    assert_eq!(state(&world), CircuitState::Closed);
}

/// Seen to fail with every failure counted as an outage.
#[tokio::test]
async fn a_bad_key_and_a_full_budget_are_no_outages() {
    for kind in [status(401), status(429), status(403), FaultKind::RevokedToken] {
        let world = world(Duration::from_mins(1), kind.clone()).await;
        for _ in 0..7 {
            ask(&world).await;
        }
        assert_eq!(state(&world), CircuitState::Closed, "{kind:?}");
        assert!(world.answers(Service::Radist).len() >= 7, "{kind:?}");
    }
}

/// Seen to fail with calls that took no place.
#[tokio::test]
async fn calls_of_an_account_are_made_few_at_a_time() {
    let mut world = World::start().await;
    let concurrency = ConcurrencyOptions { of_account: 2, in_all: 64 };
    world.connectors = connectors(HttpOptions { concurrency, ..quick() });
    let pause = Duration::from_millis(200);
    let fault = Fault { service: Service::Gemini, path_contains: None, kind: FaultKind::Delay(pause), times: None };
    world.simulators.faults().inject(fault);
    let started = std::time::Instant::now();
    let analyst = world.analyst(Service::Gemini);
    futures::future::try_join_all((0..6).map(|_| analyst.check())).await.unwrap();
    assert!(started.elapsed() >= 3 * pause, "{:?}", started.elapsed());
}
