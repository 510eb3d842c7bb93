//! Reading the log in its global order.

use application::ports::commands::LogPosition;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, RuntimeErr, Statement};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};
use uuid::Uuid;

use super::position::{between, of_columns, parameters};
use crate::database::Database;

/// An event as the log holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedEvent {
    /// Its place in the global order.
    pub position: LogPosition,
    /// The owner; none for the platform's own.
    pub tenant_id: Option<Uuid>,
    /// The aggregate's type name.
    pub aggregate_type: String,
    /// The aggregate's id.
    pub aggregate_id: String,
    /// Its number within the aggregate, from 1.
    pub sequence: i64,
    /// Its frozen name.
    pub event_type: String,
    /// The version of its form.
    pub event_version: String,
    /// Its fields.
    pub payload: Value,
    /// Its circumstances.
    pub metadata: Value,
    /// When the database recorded it.
    pub recorded_at: DateTime<Utc>,
}

impl LoggedEvent {
    /// How every statement begins that reads events; conditions and order follow.
    pub(crate) const SELECT: &str = "
        select generation, tx::text::bigint as tx, position, tenant_id, aggregate_type, aggregate_id, sequence,
               event_type, event_version, payload, metadata, recorded_at
        from events";

    /// The event as its aggregate's type.
    pub fn decode<E: DeserializeOwned>(&self) -> Result<E, serde_json::Error> {
        E::deserialize(&self.payload)
    }

    /// The event in a row of sea-orm.
    pub(crate) fn from_result(row: &QueryResult) -> Result<Self, DbErr> {
        let row = row.try_as_pg_row().ok_or_else(|| DbErr::Type("not a PostgreSQL row".into()))?;
        Self::from_row(row).map_err(|error| DbErr::Query(RuntimeErr::SqlxError(error)))
    }

    /// An entry of its circumstances.
    pub fn circumstance(&self, name: &str) -> Option<String> {
        self.metadata.get(name).and_then(Value::as_str).map(str::to_owned)
    }
}

impl FromRow<'_, PgRow> for LoggedEvent {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            position: of_columns((row.try_get("generation")?, row.try_get("tx")?, row.try_get("position")?)),
            tenant_id: row.try_get("tenant_id")?,
            aggregate_type: row.try_get("aggregate_type")?,
            aggregate_id: row.try_get("aggregate_id")?,
            sequence: row.try_get("sequence")?,
            event_type: row.try_get("event_type")?,
            event_version: row.try_get("event_version")?,
            payload: row.try_get("payload")?,
            metadata: row.try_get("metadata")?,
            recorded_at: row.try_get("recorded_at")?,
        })
    }
}

/// Reads the log behind the snapshot horizon.
#[derive(Clone)]
pub struct LogReader {
    database: Database,
}

impl LogReader {
    /// A reader of this database's log.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// The next events after a position, oldest first.
    ///
    /// The gate and the rows come from one statement, so from one snapshot: a transaction that is still open has a
    /// number at or above the horizon, and events at or above it are not read yet. So no event can appear later at a
    /// place that was already passed. Everything of an earlier generation has ended before the log was restored.
    pub async fn after(&self, position: LogPosition, limit: i64) -> Result<Vec<LoggedEvent>, sqlx::Error> {
        sqlx::query_as(&format!(
            "{}
             where (generation, tx, position) > ($1, $2::text::xid8, $3)
               and (generation, tx)
                 < ((select max(generation) from log_generations), pg_snapshot_xmin(pg_current_snapshot()))
             order by generation, events.tx, position
             limit $4",
            LoggedEvent::SELECT
        ))
        .bind(position.generation)
        .bind(position.tx.to_string())
        .bind(position.position)
        .bind(limit)
        .fetch_all(self.database.pool())
        .await
    }

    /// The place up to which every event that will ever be there is there now.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn horizon(&self) -> Result<LogPosition, sqlx::Error> {
        Ok(self.horizon_of_server().await?.0)
    }

    /// The horizon, and since when its server runs. One that was not there before may lack what another one told.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn horizon_of_server(&self) -> Result<(LogPosition, DateTime<Utc>), sqlx::Error> {
        let (generation, open, started): (i32, i64, DateTime<Utc>) = sqlx::query_as(
            "select max(generation), pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_postmaster_start_time()
             from log_generations",
        )
        .fetch_one(self.database.pool())
        .await?;
        Ok((LogPosition { generation, tx: open.cast_unsigned() - 1, position: i64::MAX }, started))
    }

    /// The next events of these kinds of aggregates after a position, on either side of the horizon: others may still
    /// appear before them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn committed(
        &self,
        aggregate_types: &[&str],
        position: LogPosition,
        limit: i64,
    ) -> Result<Vec<LoggedEvent>, sqlx::Error> {
        sqlx::query_as(&format!(
            "{}
             where (generation, tx, position) > ($1, $2::text::xid8, $3)
               and aggregate_type = any($4)
             order by generation, events.tx, position
             limit $5",
            LoggedEvent::SELECT
        ))
        .bind(position.generation)
        .bind(position.tx.to_string())
        .bind(position.position)
        .bind(aggregate_types)
        .bind(limit)
        .fetch_all(self.database.pool())
        .await
    }

    /// The events after one position up to another that the caller knows to lie behind the horizon, where they also meet
    /// a condition, which begins with `and` or is empty.
    pub(crate) async fn between(
        connection: &impl ConnectionTrait,
        (from, to): (LogPosition, LogPosition),
        condition: &str,
    ) -> Result<Vec<LoggedEvent>, DbErr> {
        let sql = format!(
            "{}
             where {} {condition}
             order by generation, events.tx, position",
            LoggedEvent::SELECT,
            between((from, to), 1)
        );
        let values = [parameters(from), parameters(to)].concat();
        let rows = connection.query_all(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await?;
        rows.iter().map(LoggedEvent::from_result).collect()
    }
}
