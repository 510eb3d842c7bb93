//! `cqrs_es::EventStore` over the log: loading from `postgres-es`, committing by the appender.

use std::collections::HashMap;
use std::sync::Arc;

use cqrs_es::persist::{EventStoreAggregateContext, PersistedEventStore};
use cqrs_es::{AggregateError, EventEnvelope, EventStore};
use domain::EventSourced;
use postgres_es::PostgresEventRepository;
use serde_json::value::{RawValue, to_raw_value};

use super::appender::Appender;
use super::commit::{AppendError, Appended, Commit, NewEvent};
use super::connections::Epoch;
use super::receipts::NewReceipt;
use crate::database::Database;

/// The log as the store of one kind of aggregate.
pub struct LogStore<A: EventSourced> {
    loader: PersistedEventStore<PostgresEventRepository, A>,
    appender: Appender,
}

impl<A: EventSourced> LogStore<A> {
    /// A store that appends through `appender`.
    pub fn new(database: &Database, appender: Appender) -> Self {
        let repository = PostgresEventRepository::new(database.pool().clone());
        Self { loader: PersistedEventStore::new_event_store(repository), appender }
    }

    /// Commits events that were decided on a state that was remembered or, without an epoch, loaded.
    pub(super) async fn record(
        &self,
        events: &[A::Event],
        context: &EventStoreAggregateContext<A>,
        remembered: Option<Epoch>,
        metadata: Box<RawValue>,
        receipt: Option<NewReceipt>,
    ) -> Result<Appended, AppendError> {
        let new: Result<Vec<NewEvent>, _> = events.iter().map(NewEvent::of).collect();
        let new = new.map_err(not_json)?;
        let commit = Commit {
            tenant: context.aggregate.tenant().map(domain::ids::TenantId::uuid),
            aggregate_type: A::TYPE,
            aggregate_id: context.aggregate_id.clone(),
            expected: context.current_sequence,
            remembered,
            events: new,
            claims: events.iter().flat_map(A::claims).collect(),
            metadata,
            receipt,
        };
        self.appender.append(commit).await
    }
}

fn not_json(error: serde_json::Error) -> AppendError {
    AppendError::Database(Arc::new(sqlx::Error::Encode(error.into())))
}

impl<A: EventSourced> EventStore<A> for LogStore<A> {
    type AC = EventStoreAggregateContext<A>;

    async fn load_events(&self, aggregate_id: &str) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        self.loader.load_events(aggregate_id).await
    }

    async fn load_aggregate(&self, aggregate_id: &str) -> Result<Self::AC, AggregateError<A::Error>> {
        self.loader.load_aggregate(aggregate_id).await
    }

    async fn commit(
        &self,
        events: Vec<A::Event>,
        mut context: Self::AC,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        if !context.aggregate.exists() {
            // The tenant of a new aggregate is known from its first event.
            events.iter().cloned().for_each(|event| context.aggregate.apply(event));
        }
        let json = to_raw_value(&metadata).map_err(not_json);
        let recorded = async { self.record(&events, &context, None, json?, None).await };
        recorded.await.map_err(|error| match error {
            AppendError::LostRace => AggregateError::AggregateConflict,
            other => AggregateError::UnexpectedError(other.into()),
        })?;
        let first = context.current_sequence + 1;
        let envelope = |(sequence, payload)| EventEnvelope {
            aggregate_id: context.aggregate_id.clone(),
            sequence,
            payload,
            metadata: metadata.clone(),
        };
        Ok((first..).zip(events).map(envelope).collect())
    }
}
