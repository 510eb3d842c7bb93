//! The calls: every method of every port, for each provider that serves it.

use application::ports::services::{
    Chat, ChatMessage, Contact, Deal, StoredReport, StoredRows, StoredTable, UpstreamError,
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{ReportId, RunId};
use domain::metrics::{Outcome, Sender};
use domain::period::Period;
use futures::TryStreamExt;
use futures::future::BoxFuture;
use simulator::Service;

use crate::ai::prompt;
use crate::telegram::{illustrated, notification};
use crate::world::World;

/// One method of a port at one provider.
pub(super) struct Call {
    pub(super) service: Service,
    pub(super) port: &'static str,
    pub(super) method: &'static str,
    /// What it is called with, where that makes another call of it.
    pub(super) with: &'static str,
    /// Rows and messages that it leaves at the service when all goes well.
    pub(super) writes: usize,
    /// Whether making it again changes nothing.
    pub(super) may_be_repeated: bool,
    /// The part of the path by which a later one of its requests is known, where the day befalls that one alone.
    pub(super) at: Option<&'static str>,
    pub(super) make: for<'a> fn(&'a World, i64) -> BoxFuture<'a, Result<(), UpstreamError>>,
}

impl Call {
    pub(super) fn name(&self) -> String {
        format!("{}::{}{}", self.port, self.method, self.with)
    }

    /// The method and who serves it, whatever it is called with.
    pub(super) fn method(&self) -> (Service, &'static str, &'static str) {
        (self.service, self.port, self.method)
    }
}

macro_rules! call {
    ($service:ident $port:ident::$method:ident, |$world:ident, $number:pat_param| $make:expr) => {
        call!($service $port::$method writes 0, |$world, $number| $make)
    };
    ($service:ident $port:ident::$method:ident writes $writes:literal, |$world:ident, $number:pat_param| $make:expr) => {
        Call {
            service: Service::$service,
            port: stringify!($port),
            method: stringify!($method),
            with: "",
            writes: $writes,
            may_be_repeated: true,
            at: None,
            make: |$world, $number| Box::pin(async move { $make.map(drop) }),
        }
    };
}

/// The same call, of which the day befalls only the requests with this in their path.
macro_rules! later {
    ($path:literal, $with:literal, $($call:tt)*) => {
        Call { at: Some($path), with: $with, ..call!($($call)*) }
    };
}

pub(super) const CALLS: [Call; 36] = [
    call!(Amocrm Crm::deals, |world, _| world.crm().deals(day(world)).try_concat().await),
    later!("/contacts?", " (contacts)", Amocrm Crm::deals, |world, _| world.crm().deals(day(world)).try_concat().await),
    later!("/users?", " (users)", Amocrm Crm::deals, |world, _| world.crm().deals(day(world)).try_concat().await),
    call!(Amocrm Crm::latest, |world, _| world.crm().latest(3).await),
    later!("/users?", " (users)", Amocrm Crm::latest, |world, _| world.crm().latest(3).await),
    call!(Amocrm Crm::check, |world, _| world.crm().check().await),
    later!("/users?", " (users)", Amocrm Crm::check, |world, _| world.crm().check().await),
    call!(Radist Conversations::chats, |world, _| world.conversations().chats().try_concat().await),
    later!("cursor=", " (page 2)", Radist Conversations::chats, |world, _| {
        world.conversations().chats().try_concat().await
    }),
    call!(Radist Conversations::messages, |world, _| messages(world).await),
    later!("/messages/?", " (messages)", Radist Conversations::messages, |world, _| messages(world).await),
    call!(Radist Conversations::check, |world, _| world.conversations().check().await),
    later!("/sources/", " (sources)", Radist Conversations::check, |world, _| world.conversations().check().await),
    call!(Supabase TenantStorage::save_deals writes 4, |world, number| save_deals(world, number).await),
    later!("/synkro_deals", " (deals)", Supabase TenantStorage::save_deals writes 4, |world, number| {
        save_deals(world, number).await
    }),
    call!(Supabase TenantStorage::save_chats writes 2, |world, number| {
        world.storage().save_chats(&[chat(number * 10), chat(number * 10 + 1)]).await
    }),
    call!(Supabase TenantStorage::save_messages writes 2, |world, number| {
        world.storage().save_messages(&[message(number, "a"), message(number, "b")]).await
    }),
    call!(Supabase TenantStorage::save_report writes 1, |world, number| {
        world.storage().save_report(&report(world, number)).await
    }),
    call!(Supabase TenantStorage::report, |world, number| world.storage().report(report(world, number).id).await),
    call!(Supabase TenantStorage::present, |world, _| world.storage().present(StoredRows::Deals(&[1, 2])).await),
    call!(Supabase TenantStorage::schema, |world, _| world.storage().schema().await),
    call!(Supabase TenantStorage::count, |world, _| world.storage().count(StoredTable::Deals).await),
    call!(Supabase TenantStorage::check, |world, _| world.storage().check().await),
    later!("/synkro_reports", " (reports)", Supabase TenantStorage::check, |world, _| world.storage().check().await),
    call!(Gemini Analyst::input_token_limit, |world, _| world.analyst(Service::Gemini).input_token_limit().await),
    call!(Gemini Analyst::complete, |world, _| world.analyst(Service::Gemini).complete(&prompt()).await),
    call!(Gemini Analyst::models, |world, _| world.analyst(Service::Gemini).models().await),
    call!(Gemini Analyst::check, |world, _| world.analyst(Service::Gemini).check().await),
    call!(Openai Analyst::input_token_limit, |world, _| world.analyst(Service::Openai).input_token_limit().await),
    call!(Openai Analyst::complete, |world, _| world.analyst(Service::Openai).complete(&prompt()).await),
    call!(Openai Analyst::models, |world, _| world.analyst(Service::Openai).models().await),
    call!(Openai Analyst::check, |world, _| world.analyst(Service::Openai).check().await),
    Call {
        may_be_repeated: false,
        ..call!(Telegram Notifier::send writes 1, |world, _| world.notifier().send(&notification()).await)
    },
    Call {
        may_be_repeated: false,
        with: " (chart)",
        ..call!(Telegram Notifier::send writes 1, |world, _| world.notifier().send(&illustrated().await).await)
    },
    call!(Telegram Notifier::check, |world, _| world.notifier().check().await),
    later!("/getChat?", " (chat)", Telegram Notifier::check, |world, _| world.notifier().check().await),
];

/// The last day of the data: few deals, so few calls.
fn day(world: &World) -> Period {
    let whole = world.whole_period();
    Period { from: whole.to - TimeDelta::days(1), to: whole.to }
}

async fn messages(world: &World) -> Result<Vec<ChatMessage>, UpstreamError> {
    let chats = world.conversations().chats().try_concat().await?;
    let first = chats.iter().map(|chat| chat.id).min().unwrap_or_default();
    world.conversations().messages(first, world.whole_period()).try_concat().await
}

async fn save_deals(world: &World, number: i64) -> Result<(), UpstreamError> {
    world.storage().save_deals(&[deal(number * 10), deal(number * 10 + 1)]).await
}

fn at() -> DateTime<Utc> {
    "2026-06-01T10:00:00Z".parse().unwrap()
}

fn deal(id: i64) -> Deal {
    Deal {
        id,
        name: "A table".into(),
        outcome: Outcome::Open,
        status_id: 1,
        pipeline_id: 1,
        price_minor: 100,
        responsible: None,
        created_at: at(),
        updated_at: at(),
        closed_at: None,
        contacts: vec![Contact { id, name: "Ann".into(), phones: Vec::new() }],
    }
}

fn chat(id: i64) -> Chat {
    Chat { id, contact_name: None, phone: None }
}

fn message(chat_id: i64, id: &str) -> ChatMessage {
    let (id, text, kind) = (id.to_owned(), "Hello".to_owned(), "text".to_owned());
    ChatMessage { id, chat_id, at: at(), from: Sender::Customer, text, kind }
}

fn report(world: &World, number: i64) -> StoredReport {
    let run_id = RunId::from(uuid::Uuid::from_u128(u128::from(number.unsigned_abs())));
    StoredReport { id: ReportId::of(run_id), run_id, ..crate::supabase::report(world) }
}
