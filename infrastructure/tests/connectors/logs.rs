//! Nothing that the connectors log, at any level, holds a secret.

use std::io;
use std::sync::{Arc, Mutex};

use application::ports::services::Connectors;
use simulator::{Fault, FaultKind, Service};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::ai::prompt;
use super::telegram::notification;
use super::world::World;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Captured {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn good_and_bad_calls_are_logged_without_secrets() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(captured.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let world = World::start().await;
    for service in Service::ALL {
        let kind = FaultKind::Status { status: 429, body: String::new(), headers: Vec::new() };
        world.simulators.faults().inject(Fault { service, path_contains: None, kind, times: Some(1) });
    }
    world.crm().check().await.unwrap();
    world.conversations().check().await.unwrap();
    world.storage().check().await.unwrap();
    for service in [Service::Gemini, Service::Openai] {
        world.analyst(service).complete(&prompt()).await.unwrap();
    }
    world.notifier().send(&notification()).await.unwrap();
    let wrong = world.account_with_wrong_key(Service::Telegram);
    world.connectors.notifier(wrong).unwrap().check().await.unwrap_err();

    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    for service in Service::ALL {
        let name = if matches!(service, Service::Gemini | Service::Openai) { "ai" } else { service.name() };
        assert!(log.contains(&format!("service=\"{name}\"")), "{name} is not in the log");
    }
    assert!(log.contains("call is repeated"));
    world.assert_no_secret_in(&log);
}
