//! Questions about what is in the log, for those who look into it: by owner, aggregate, name, actor, request and time.
//!
//! Every answer is about a span that ends behind the horizon, so that it stays what it is: a later look at the same span
//! finds the same events.

use std::time::Duration;

use application::ports::commands::LogPosition;
use chrono::{DateTime, Utc};
use domain::ids::TenantId;
use domain::values::Slug;
use sqlx::postgres::PgArguments;
use sqlx::{Arguments, Postgres, QueryBuilder};
use tokio::time::Instant;
use uuid::Uuid;

use super::aggregate::AggregateKey;
use super::horizon::{Horizon, Stall};
use super::position::{Columns, between, of_columns};
use super::reader::LoggedEvent;
use crate::database::Database;

/// How often a look into the log that waits for the horizon looks again.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Which events are asked for. What is none, or empty, does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this tenant.
    pub tenant: Option<TenantId>,
    /// Of this type of aggregate.
    pub aggregate_type: Option<String>,
    /// Of the aggregate with this id.
    pub aggregate_id: Option<String>,
    /// With one of these names.
    pub event_types: Vec<String>,
    /// Caused by this user, or by this part of Synkro.
    pub actor: Option<String>,
    /// Belonging to this request and its consequences.
    pub correlation: Option<Uuid>,
    /// Recorded then or later.
    pub since: Option<DateTime<Utc>>,
    /// Recorded then or earlier.
    pub until: Option<DateTime<Utc>>,
}

/// A part of the log: after one position, up to and with another that lies behind the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it begins; the event there does not belong to it.
    pub after: LogPosition,
    /// Where it ends; the event there belongs to it.
    pub up_to: LogPosition,
}

/// Where a look into the log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEnd {
    /// The last event behind the horizon.
    pub up_to: LogPosition,
    /// Whether all that had been recorded when it was asked for lies behind the horizon, so that nothing is missing.
    pub is_whole: bool,
}

/// From which end of a span events are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The oldest first.
    Forward,
    /// The newest first.
    Backward,
}

/// Looks into the log.
#[derive(Clone)]
pub struct LogQuery {
    database: Database,
}

impl LogQuery {
    /// Of this database's log.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// The last event behind the horizon; the beginning where there is none. Nothing will ever appear before it.
    pub async fn end(&self) -> Result<LogPosition, sqlx::Error> {
        let last: Option<Columns> = sqlx::query_as(
            "select generation, tx::text::bigint, position
             from events
             where (generation, tx)
                 < ((select max(generation) from log_generations), pg_snapshot_xmin(pg_current_snapshot()))
             order by generation desc, events.tx desc, position desc
             limit 1",
        )
        .fetch_optional(self.database.pool())
        .await?;
        Ok(last.map_or(LogPosition::BEGINNING, of_columns))
    }

    /// The end of the log with all that has been recorded by now. What lies beyond the horizon because another
    /// transaction is open is waited for, so long as patience lasts.
    pub async fn whole_end(&self, patience: Duration) -> Result<LogEnd, sqlx::Error> {
        let newest: Option<Columns> = sqlx::query_as(
            "select generation, tx::text::bigint, position
             from events
             order by generation desc, events.tx desc, position desc
             limit 1",
        )
        .fetch_optional(self.database.pool())
        .await?;
        let newest = newest.map_or(LogPosition::BEGINNING, of_columns);
        let deadline = Instant::now() + patience;
        loop {
            let up_to = self.end().await?;
            let is_whole = up_to >= newest;
            if is_whole || Instant::now() >= deadline {
                return Ok(LogEnd { up_to, is_whole });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Who holds the end back, where that has lasted for more than two seconds.
    pub async fn held_by(&self) -> Result<Option<Stall>, sqlx::Error> {
        Horizon::stall(&self.database).await
    }

    /// At most `limit` events of the span that the filter lets through, from one of its ends on.
    pub async fn page(
        &self,
        filter: &EventFilter,
        span: Span,
        direction: Direction,
        limit: i64,
    ) -> Result<Vec<LoggedEvent>, sqlx::Error> {
        let mut query = filter.of(LoggedEvent::SELECT, span)?;
        query.push(match direction {
            Direction::Forward => " order by generation, events.tx, position",
            Direction::Backward => " order by generation desc, events.tx desc, position desc",
        });
        query.push(" limit ").push_bind(limit);
        // Planned anew each time: the best way depends on the values.
        query.build_query_as().persistent(false).fetch_all(self.database.pool()).await
    }

    /// How many events of the span the filter lets through.
    pub async fn count(&self, filter: &EventFilter, span: Span) -> Result<u64, sqlx::Error> {
        let mut query = filter.of("select count(*) from events", span)?;
        let count: i64 = query.build_query_scalar().persistent(false).fetch_one(self.database.pool()).await?;
        Ok(count.cast_unsigned())
    }

    /// The event at this position, behind the horizon or not.
    pub async fn at(&self, position: LogPosition) -> Result<Option<LoggedEvent>, sqlx::Error> {
        sqlx::query_as(&format!(
            "{}
             where generation = $1 and events.tx = $2::text::xid8 and position = $3",
            LoggedEvent::SELECT
        ))
        .bind(position.generation)
        .bind(position.tx.to_string())
        .bind(position.position)
        .fetch_optional(self.database.pool())
        .await
    }

    /// What happened to one aggregate, in its order, or the one event of it with this number. Nothing appears late within
    /// an aggregate, so the horizon does not matter.
    pub async fn history(
        &self,
        aggregate: &AggregateKey,
        sequence: Option<i64>,
    ) -> Result<Vec<LoggedEvent>, sqlx::Error> {
        sqlx::query_as(&format!(
            "{}
             where aggregate_type = $1 and aggregate_id = $2 and ($3::bigint is null or sequence = $3)
             order by sequence",
            LoggedEvent::SELECT
        ))
        .bind(&*aggregate.aggregate_type)
        .bind(&aggregate.aggregate_id)
        .bind(sequence)
        .fetch_all(self.database.pool())
        .await
    }

    /// The tenant that holds this slug.
    pub async fn tenant_with(&self, slug: &Slug) -> Result<Option<TenantId>, sqlx::Error> {
        let found: Option<Uuid> = sqlx::query_scalar(
            "select aggregate_id::uuid from claims where tenant_id = $1 and kind = 'slug' and value = $2",
        )
        .bind(Uuid::nil())
        .bind(slug.as_str())
        .fetch_optional(self.database.pool())
        .await?;
        Ok(found.map(TenantId::from))
    }

    /// The slugs of these tenants, as far as the read model has come.
    pub async fn slugs(&self, tenants: &[Uuid]) -> Result<Vec<(Uuid, String)>, sqlx::Error> {
        sqlx::query_as("select id, slug from tenants where id = any($1)")
            .bind(tenants)
            .fetch_all(self.database.pool())
            .await
    }

    /// The time of the clock that events are recorded by.
    pub async fn now(&self) -> Result<DateTime<Utc>, sqlx::Error> {
        sqlx::query_scalar("select clock_timestamp()").fetch_one(self.database.pool()).await
    }
}

impl EventFilter {
    /// A statement with the conditions that matter and no others, so that each question gets the index that is right for
    /// it.
    fn of<'a>(&'a self, select: &str, span: Span) -> Result<QueryBuilder<'a, Postgres>, sqlx::Error> {
        let mut borders = PgArguments::default();
        for at in [span.after, span.up_to] {
            borders.add(at.generation).map_err(sqlx::Error::Encode)?;
            borders.add(at.tx.to_string()).map_err(sqlx::Error::Encode)?;
            borders.add(at.position).map_err(sqlx::Error::Encode)?;
        }
        let span = between((span.after, span.up_to), 1);
        let mut query = QueryBuilder::with_arguments(format!("{select} where {span}"), borders);
        if let Some(tenant) = self.tenant {
            query.push(" and tenant_id = ").push_bind(tenant.uuid());
        }
        let texts = [
            (" and aggregate_type = ", &self.aggregate_type),
            (" and aggregate_id = ", &self.aggregate_id),
            (" and metadata->>'actor_id' = ", &self.actor),
        ];
        for (condition, value) in texts {
            if let Some(value) = value {
                query.push(condition).push_bind(value);
            }
        }
        if !self.event_types.is_empty() {
            query.push(" and event_type = any(").push_bind(&self.event_types).push(")");
        }
        if let Some(correlation) = self.correlation {
            query.push(" and metadata->>'correlation_id' = ").push_bind(correlation.to_string());
        }
        for (condition, time) in [(" and recorded_at >= ", self.since), (" and recorded_at <= ", self.until)] {
            if let Some(time) = time {
                query.push(condition).push_bind(time);
            }
        }
        Ok(query)
    }
}
