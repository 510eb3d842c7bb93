//! Every call of every connector on every bad day: what it comes to, how often the service is asked, what is kept there,
//! and what is said. One reviewed table for each provider, which `UPDATE_MATRIX=1` writes.
//!
//! After each bad day the same call is made on a good one, and everything must be there once. A call of several requests
//! has another row for days that befall only a later one of them.

mod calls;
mod days;
mod ports;
mod providers;

use std::fmt::Write as _;
use std::time::Duration;

use application::ports::services::{Delivery, UpstreamError};
use futures::future::join_all;
use infrastructure::connectors::HttpOptions;
use infrastructure::connectors::supabase::TABLES;
use simulator::{Fault, Limits, Service};

use self::calls::{CALLS, Call};
use self::days::{DAYS, Day};
use super::logs::Captured;
use super::world::{World, connectors, quick};

/// No answer takes that long on a good day, and the late ones take longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a call came to.
struct Cell {
    call: &'static Call,
    day: &'static Day,
    outcome: Result<(), UpstreamError>,
    asked: usize,
    kept: usize,
}

fn impatient() -> HttpOptions {
    HttpOptions { call_timeout: PATIENCE, model_timeout: PATIENCE, ..quick() }
}

fn options(day: &Day) -> HttpOptions {
    if day.tries_patience { impatient() } else { quick() }
}

/// All that was ever written to the services.
fn kept(world: &World) -> usize {
    let rows = TABLES.iter().map(|table| world.simulators.row_count(table.name));
    rows.sum::<usize>() + world.simulators.telegram_messages().len()
}

/// All days of one call, one after another against the same services. The number makes each cell's data its own.
async fn row(call: &'static Call, log: &Captured) -> Vec<Cell> {
    let none = Limits::NONE;
    let limits = Limits { amocrm_per_second: none, telegram_per_second_per_chat: none, ..Limits::default() };
    let mut world = World::start_with(Limits { telegram_per_minute_per_group: none, ..limits }, TABLES).await;
    let mut cells = Vec::new();
    for (number, day) in (1..).zip(&DAYS) {
        world.connectors = connectors(options(day));
        world.simulators.clear_calls().unwrap();
        let before = kept(&world);
        if let Some(kind) = (day.kind)() {
            let path_contains = call.at.map(str::to_owned);
            let fault = Fault { service: call.service, path_contains, kind, times: day.times };
            world.simulators.faults().inject(fault);
        }
        let outcome = (call.make)(&world, number).await;
        let (asked, left) = (world.answers(call.service).len(), kept(&world) - before);
        world.simulators.faults().clear();
        if let Err(error) = &outcome {
            world.assert_keeps_secrets(error);
        }
        if call.may_be_repeated {
            world.connectors = connectors(quick());
            let again = (call.make)(&world, number).await;
            assert!(again.is_ok(), "{} after {}: {again:?}", call.name(), day.name);
            assert_eq!(kept(&world) - before, call.writes, "{} after {}: half-written", call.name(), day.name);
        }
        cells.push(Cell { call, day, outcome, asked, kept: left });
    }
    for record in world.simulators.calls() {
        world.assert_no_secret_in(&record.path);
    }
    world.assert_no_secret_in(&log.text());
    cells
}

impl Cell {
    fn line(&self) -> String {
        let (call, day, asked, kept) = (self.call.name(), self.day.name, self.asked, self.kept);
        let wrote = format!("{kept}/{}", self.call.writes);
        let Err(error) = &self.outcome else {
            return format!("{call:<27} {day:<22} ok        {asked:>2} {wrote:>5}");
        };
        let class = format!("{:?}", error.class).to_lowercase();
        let delivery = match error.delivery {
            Delivery::NotDelivered => "no effect",
            Delivery::Unknown => "unknown",
        };
        let after = error.retry_after.map_or_else(|| "-".to_owned(), |wait| format!("{} s", wait.as_secs()));
        let message = &error.message;
        format!("{call:<27} {day:<22} {class:<9} {asked:>2} {wrote:>5} {delivery:<9} {after:>6}  {message}")
    }
}

fn table(cells: &[Cell]) -> String {
    let mut text = format!(
        "{:<27} {:<22} {:<9} {:>2} {:>5} {:<9} {:>6}  {}\n",
        "call", "day", "class", "asked", "kept", "effect", "after", "message"
    );
    for cell in cells {
        writeln!(text, "{}", cell.line().trim_end()).unwrap();
    }
    text
}

/// Fails where a call of several requests has no row for a later one of them, and where such a row meets no request.
fn assert_later_requests_are_met(cells: &[Cell]) {
    for cell in cells.iter().filter(|cell| cell.day.name == "good" && cell.asked > 1) {
        let has_later = CALLS.iter().any(|call| call.at.is_some() && call.method() == cell.call.method());
        assert!(has_later, "{} makes {} requests: add a row for the last one", cell.call.name(), cell.asked);
    }
    for call in cells.iter().map(|cell| cell.call).filter(|call| call.at.is_some()) {
        let fails = cells.iter().any(|cell| cell.call.name() == call.name() && cell.outcome.is_err());
        assert!(fails, "{}: no request has {:?} in its path", call.name(), call.at);
    }
}

/// The file of a provider's reviewed table.
fn reviewed(service: Service) -> String {
    format!("{}/tests/connectors/matrix/{}.txt", env!("CARGO_MANIFEST_DIR"), service.name())
}

/// Compares the table of a provider with the reviewed one.
async fn review(service: Service) {
    let log = Captured::default();
    let _guard = log.capture();
    let rows = join_all(CALLS.iter().filter(|call| call.service == service).map(|call| row(call, &log))).await;
    let cells: Vec<Cell> = rows.into_iter().flatten().collect();
    assert_later_requests_are_met(&cells);
    let shown = table(&cells);
    assert!(log.text().contains("call failed"), "nothing was captured");
    let path = reviewed(service);
    if testkit::settings::setting("UPDATE_MATRIX").is_some() {
        std::fs::write(&path, &shown).unwrap();
    }
    let reviewed = std::fs::read_to_string(&path).expect("run with UPDATE_MATRIX=1 and read what was written");
    assert_eq!(shown, reviewed, "{path} differs; read the change, then UPDATE_MATRIX=1");
}

#[tokio::test]
async fn amocrm() {
    review(Service::Amocrm).await;
}

#[tokio::test]
async fn radist() {
    review(Service::Radist).await;
}

#[tokio::test]
async fn supabase() {
    review(Service::Supabase).await;
}

#[tokio::test]
async fn gemini() {
    review(Service::Gemini).await;
}

#[tokio::test]
async fn openai() {
    review(Service::Openai).await;
}

#[tokio::test]
async fn telegram() {
    review(Service::Telegram).await;
}
