//! The application's port for recording decisions: load, decide, commit, and decide anew after a lost race.

use std::time::Duration;

use application::ports::commands::{Commands, EventLog, Recorded};
use application::{CommandError, PortError, RequestContext};
use async_trait::async_trait;
use cqrs_es::event_sink::EventSink;
use cqrs_es::{AggregateError, EventStore};
use domain::EventSourced;
use domain::ids::TenantId;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::append::AppendError;
use super::appender::Appender;
use super::store::LogStore;
use crate::database::Database;
use crate::error::{from_boxed, from_sqlx, internal};

/// How often a command that keeps losing races is decided anew.
const MOST_RACES: u32 = 5;

/// Commands of one kind of aggregate.
pub struct LogCommands<A: EventSourced> {
    store: LogStore<A>,
}

impl<A: EventSourced> LogCommands<A> {
    /// Commands over the log.
    pub fn new(database: &Database, appender: Appender) -> Self {
        Self { store: LogStore::new(database, appender) }
    }

    /// Loads, decides and commits once; `None` after a lost race.
    async fn attempt(
        &self,
        context: &RequestContext,
        id: &str,
        command: A::Command,
    ) -> Result<Option<Recorded<A::Event>>, CommandError<A::Error>> {
        let mut loaded = self.store.load_aggregate(id).await.map_err(load_error::<A>)?;
        let foreign = |tenant: Option<TenantId>| context.tenant().is_some() && tenant != context.tenant();
        if loaded.aggregate.exists() && foreign(loaded.aggregate.tenant()) {
            return Err(CommandError::Foreign);
        }
        let sink = EventSink::default();
        loaded.aggregate.handle(command, &(), &sink).await.map_err(CommandError::Rule)?;
        let events = sink.collect().await;
        if events.is_empty() {
            return Ok(Some(Recorded { position: None, events }));
        }
        if foreign(loaded.aggregate.tenant()) {
            return Err(CommandError::Foreign);
        }
        match self.store.record(&events, &loaded, metadata(context)).await {
            Ok(appended) => Ok(Some(Recorded { position: Some(appended.position), events })),
            Err(AppendError::LostRace) => Ok(None),
            Err(AppendError::Taken { kind }) => Err(CommandError::Taken { field: kind }),
            Err(AppendError::Database(error)) => Err(CommandError::Log(from_sqlx(error))),
        }
    }
}

#[async_trait]
impl<A: EventSourced> Commands<A> for LogCommands<A> {
    async fn execute(
        &self,
        context: &RequestContext,
        id: Uuid,
        command: A::Command,
    ) -> Result<Recorded<A::Event>, CommandError<A::Error>> {
        let id = id.to_string();
        for race in 0..=MOST_RACES {
            if let Some(recorded) = self.attempt(context, &id, command.clone()).await? {
                return Ok(recorded);
            }
            tokio::time::sleep(Duration::from_millis(u64::from(race) * 3)).await;
        }
        Err(CommandError::LostRace)
    }

    async fn load(&self, id: Uuid) -> Result<A, PortError> {
        let loaded = self.store.load_aggregate(&id.to_string()).await;
        loaded.map(|loaded| loaded.aggregate).map_err(load_port_error::<A>)
    }
}

fn metadata(context: &RequestContext) -> Value {
    let entries = context.metadata().into_iter().map(|(name, value)| (name.to_owned(), Value::String(value)));
    Value::Object(entries.collect::<Map<_, _>>())
}

fn load_error<A: EventSourced>(error: AggregateError<A::Error>) -> CommandError<A::Error> {
    CommandError::Log(load_port_error::<A>(error))
}

fn load_port_error<A: EventSourced>(error: AggregateError<A::Error>) -> PortError {
    match error {
        AggregateError::DatabaseConnectionError(error) => PortError::Unavailable(error),
        AggregateError::UnexpectedError(error) | AggregateError::DeserializationError(error) => from_boxed(error),
        error @ (AggregateError::UserError(_) | AggregateError::AggregateConflict) => internal(error.to_string()),
    }
}

/// Questions about the log itself.
pub struct LogStatistics {
    database: Database,
}

impl LogStatistics {
    /// Over the log of this database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl EventLog for LogStatistics {
    async fn count(&self, tenant: TenantId) -> Result<u64, PortError> {
        let count: i64 = sqlx::query_scalar("select count(*) from events where tenant_id = $1")
            .bind(tenant.uuid())
            .fetch_one(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        Ok(count.cast_unsigned())
    }
}
