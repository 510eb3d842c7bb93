//! The application's port for recording decisions: load, decide, commit, and decide anew after a lost race.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use application::ports::commands::{Commands, EventLog, Expect, Recorded};
use application::{CommandError, PortError, RequestContext};
use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBuilder};
use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::EventStoreAggregateContext as AggregateState;
use cqrs_es::{AggregateError, EventStore};
use domain::EventSourced;
use domain::ids::TenantId;
use quick_cache::sync::Cache;
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use super::appender::Appender;
use super::commit::AppendError;
use super::connections::Epoch;
use super::receipts::{NewReceipt, Receipts};
use super::store::LogStore;
use crate::database::Database;
use crate::error::{from_boxed, from_shared, from_sqlx, internal};

/// How long to wait before a command that lost its race is decided anew, and how often.
const RACE_PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(1))
    .with_max_delay(Duration::from_millis(50))
    .with_max_times(5)
    .with_jitter();

/// Aggregates of one kind that are kept in memory between commands (ADR 0012).
const MOST_CACHED: usize = 10_000;

/// Commands of one kind of aggregate.
pub struct LogCommands<A: EventSourced> {
    store: LogStore<A>,
    receipts: Receipts,
    recent: Cache<String, Arc<Recent<A>>>,
}

/// An aggregate as it was after a commit of this process. Nothing is decided on it in a later epoch.
struct Recent<A> {
    aggregate: A,
    sequence: usize,
    epoch: Epoch,
}

/// What deciding once came to.
enum Attempt<A: EventSourced> {
    Done(Recorded<A::Event>),
    LostRace,
}

impl<A: EventSourced> LogCommands<A> {
    /// Commands over the log.
    pub fn new(database: &Database, appender: Appender) -> Self {
        let receipts = Receipts::new(database.clone());
        Self { store: LogStore::new(database, appender), receipts, recent: Cache::new(MOST_CACHED) }
    }

    /// Decides and commits on the aggregate as this process last left it, which may be behind the log. A commit on an
    /// old state loses its race; a refusal or a command without effect is not believed: `None`, decide on the log.
    async fn attempt_recent(
        &self,
        context: &RequestContext,
        id: Uuid,
        expect: Expect,
        command: &A::Command,
    ) -> Option<Result<Attempt<A>, CommandError<A::Error>>> {
        let id = id.to_string();
        let recent = self.recent.get(&id)?;
        let mut loaded = AggregateState {
            aggregate_id: id,
            aggregate: recent.aggregate.clone(),
            current_sequence: recent.sequence,
            current_snapshot: None,
        };
        let events = decide(context, &mut loaded, expect, command.clone()).await.ok()?;
        if events.is_empty() {
            return None;
        }
        Some(self.commit(context, loaded, Some(recent.epoch), events).await)
    }

    /// Loads, decides and commits.
    async fn attempt(
        &self,
        context: &RequestContext,
        id: Uuid,
        expect: Expect,
        command: A::Command,
    ) -> Result<Attempt<A>, CommandError<A::Error>> {
        let mut loaded = self.store.load_aggregate(&id.to_string()).await.map_err(load_error::<A>)?;
        let events = decide(context, &mut loaded, expect, command).await?;
        if events.is_empty() {
            return Ok(Attempt::Done(Recorded { id, position: None, events, replayed: false }));
        }
        self.commit(context, loaded, None, events).await
    }

    async fn commit(
        &self,
        context: &RequestContext,
        state: AggregateState<A>,
        remembered: Option<Epoch>,
        events: Vec<A::Event>,
    ) -> Result<Attempt<A>, CommandError<A::Error>> {
        match self.store.record(&events, &state, remembered, metadata(context)?, NewReceipt::of(context)).await {
            Ok(appended) => {
                let id = Uuid::try_parse(&state.aggregate_id).map_err(internal)?;
                let sequence = state.current_sequence + events.len();
                let recent = Recent { aggregate: state.aggregate, sequence, epoch: appended.epoch };
                self.recent.insert(state.aggregate_id, Arc::new(recent));
                Ok(Attempt::Done(Recorded { id, position: Some(appended.position), events, replayed: false }))
            }
            Err(error) => {
                self.recent.remove(&state.aggregate_id);
                match error {
                    AppendError::LostRace => Ok(Attempt::LostRace),
                    error => Err(refused(error)),
                }
            }
        }
    }

    /// Decides and commits, anew as long as others are first.
    async fn decide_and_commit(
        &self,
        context: &RequestContext,
        id: Uuid,
        expect: Expect,
        command: A::Command,
    ) -> Result<Recorded<A::Event>, CommandError<A::Error>> {
        match self.attempt_recent(context, id, expect, &command).await {
            Some(Ok(Attempt::Done(recorded))) => return Ok(recorded),
            // What an old state led to is decided again on the log.
            Some(Ok(Attempt::LostRace) | Err(CommandError::Taken { .. })) | None => {}
            Some(Err(error)) => return Err(error),
        }
        let mut pauses = RACE_PAUSES.build();
        loop {
            if let Attempt::Done(recorded) = self.attempt(context, id, expect, command.clone()).await? {
                return Ok(recorded);
            }
            match pauses.next() {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(CommandError::LostRace),
            }
        }
    }
}

/// What a refused commit means to the one who asked, unless it can be decided anew.
fn refused<E: std::error::Error>(error: AppendError) -> CommandError<E> {
    match error {
        // A repeat that was under way at the same time; its first outcome is looked up.
        AppendError::LostRace | AppendError::Duplicate => CommandError::LostRace,
        AppendError::Taken { kind } => CommandError::Taken { field: kind },
        AppendError::Busy => CommandError::Log(PortError::Unavailable(error.into())),
        AppendError::Unanswered(_) => CommandError::Log(PortError::Unanswered(error.into())),
        AppendError::Unavailable(error) | AppendError::Database(error) => CommandError::Log(from_shared(error)),
    }
}

/// The events that the command causes; the state is as after them.
async fn decide<A: EventSourced>(
    context: &RequestContext,
    state: &mut AggregateState<A>,
    expect: Expect,
    command: A::Command,
) -> Result<Vec<A::Event>, CommandError<A::Error>> {
    let foreign = |tenant: Option<TenantId>| tenant != context.tenant();
    if state.aggregate.exists() && foreign(state.aggregate.tenant()) {
        return Err(CommandError::Rule(A::absent()));
    }
    let current = state.current_sequence as u64;
    if state.aggregate.exists() && expect != Expect::Any && expect != Expect::Version(current) {
        return Err(CommandError::Changed { current });
    }
    let sink = EventSink::default();
    state.aggregate.handle(command, &(), &sink).await.map_err(CommandError::Rule)?;
    let events = sink.collect().await;
    if !events.is_empty() && foreign(state.aggregate.tenant()) {
        return Err(CommandError::Rule(A::absent()));
    }
    Ok(events)
}

#[async_trait]
impl<A: EventSourced> Commands<A> for LogCommands<A> {
    async fn execute_expecting(
        &self,
        context: &RequestContext,
        id: Uuid,
        expect: Expect,
        command: A::Command,
    ) -> Result<Recorded<A::Event>, CommandError<A::Error>> {
        if let Some(first) = self.receipts.first_outcome::<A>(context).await? {
            return Ok(first);
        }
        let outcome = self.decide_and_commit(context, id, expect, command).await;
        // Where nothing was recorded, the same request may have been first at the same time, and be the reason.
        let overtaken = match &outcome {
            Ok(recorded) => recorded.events.is_empty(),
            Err(error) => !matches!(error, CommandError::Log(_)),
        };
        if overtaken && let Some(first) = self.receipts.first_outcome::<A>(context).await? {
            return Ok(first);
        }
        outcome
    }

    async fn first_outcome(
        &self,
        context: &RequestContext,
    ) -> Result<Option<Recorded<A::Event>>, CommandError<A::Error>> {
        self.receipts.first_outcome::<A>(context).await
    }

    async fn load(&self, id: Uuid) -> Result<A, PortError> {
        let loaded = self.store.load_aggregate(&id.to_string()).await;
        loaded.map(|loaded| loaded.aggregate).map_err(load_port_error::<A>)
    }
}

fn metadata(context: &RequestContext) -> Result<Box<RawValue>, PortError> {
    let entries: BTreeMap<&str, String> = context.metadata().into_iter().collect();
    to_raw_value(&entries).map_err(internal)
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
