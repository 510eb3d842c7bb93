//! Calls whose repetition would double something: a Telegram message, a paid answer of a model.

use application::ports::services::{Connectors, Delivery, UpstreamError};
use domain::job_run::FailureClass;
use simulator::{Fault, FaultKind, Service};

use super::ai::prompt;
use super::telegram::notification;
use super::world::World;

const WITH_EFFECT: [Service; 3] = [Service::Telegram, Service::Gemini, Service::Openai];

async fn act(world: &World, service: Service) -> Result<(), UpstreamError> {
    match service {
        Service::Telegram => world.notifier().send(&notification()).await.map(drop),
        _ => world.analyst(service).complete(&prompt()).await.map(drop),
    }
}

/// The error, and how often the service was asked.
async fn failing(kind: FaultKind) -> Vec<(Service, UpstreamError, usize)> {
    let world = World::start().await;
    let mut outcomes = Vec::new();
    for service in WITH_EFFECT {
        world.simulators.faults().inject(Fault { service, path_contains: None, kind: kind.clone(), times: None });
        let error = act(&world, service).await.unwrap_err();
        world.assert_keeps_secrets(&error);
        outcomes.push((service, error, world.answers(service).len()));
    }
    outcomes
}

fn status(status: u16) -> FaultKind {
    FaultKind::Status { status, body: String::new(), headers: Vec::new() }
}

#[tokio::test]
async fn what_may_have_happened_is_not_done_again() {
    for kind in
        [FaultKind::Reset, FaultKind::DropAnswer, FaultKind::TruncatedBody, status(500), status(504), status(408)]
    {
        for (service, error, tries) in failing(kind.clone()).await {
            assert_eq!((error.delivery, tries), (Delivery::Unknown, 1), "{service:?} {kind:?}: {error}");
            assert_eq!(error.class, FailureClass::Transient, "{service:?} {kind:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_leaves_the_delivery_open() {
    for (service, error, tries) in failing(FaultKind::MalformedBody).await {
        assert_eq!((error.delivery, tries), (Delivery::Unknown, 1), "{service:?}");
        assert_eq!(error.class, FailureClass::Permanent, "{service:?}");
    }
}

#[tokio::test]
async fn what_was_refused_is_done_again() {
    for (service, error, tries) in failing(status(429)).await {
        assert_eq!((error.delivery, tries), (Delivery::NotDelivered, 3), "{service:?}");
    }
    let world = World::start().await;
    for service in WITH_EFFECT {
        world.simulators.faults().inject(Fault { service, path_contains: None, kind: status(429), times: Some(2) });
        act(&world, service).await.unwrap();
        assert_eq!(world.answers(service), [Some(429), Some(429), Some(200)], "{service:?}");
    }
    assert_eq!(world.simulators.telegram_messages().len(), 1);
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_was_sent_once() {
    let world = World::start().await;
    let lost = Fault { service: Service::Telegram, path_contains: None, kind: FaultKind::DropAnswer, times: Some(1) };
    world.simulators.faults().inject(lost);
    let error = act(&world, Service::Telegram).await.unwrap_err();
    assert_eq!(error.delivery, Delivery::Unknown);
    assert_eq!(world.simulators.telegram_messages().len(), 1);
}

#[tokio::test]
async fn a_refusal_certainly_had_no_effect() {
    let world = World::start().await;
    let wrong = world.connectors.notifier(world.account_with_wrong_key(Service::Telegram)).unwrap();
    let error = wrong.send(&notification()).await.unwrap_err();
    assert_eq!((error.class, error.delivery), (FailureClass::Auth, Delivery::NotDelivered));
    assert!(world.simulators.telegram_messages().is_empty());
}
