//! Commands against stock cqrs-es with postgres-es, and against plain inserts of the same row.

use std::sync::Arc;

use cqrs_es::{Aggregate, DomainEvent};
use domain::integration::IntegrationConfig;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Figure, Options};
use crate::Failure;
use crate::load::{Work, command, median, rates, work};
use crate::server::Server;

/// Concurrent writers.
pub(super) const WRITERS: u64 = 32;

/// The stock table in the form that the library documents.
const STOCK_TABLE: &str = "
create table stock_events (
    aggregate_type text not null,
    aggregate_id   text not null,
    sequence       bigint not null check (sequence >= 0),
    event_type     text not null,
    event_version  text not null,
    payload        json not null,
    metadata       json not null,
    primary key (aggregate_type, aggregate_id, sequence)
)";

/// Commands a second (load, decide, commit) against the same commands through the stock library.
pub(crate) async fn vs_stock(server: Server, options: Options) -> Result<Figure, Failure> {
    let pool = server.raw(u32::try_from(WRITERS)?).await?;
    let works = [(WRITERS, &our_work(&server)), (WRITERS, &stock_work(&pool).await?)];
    let [ours, limit] = rates(options.seconds, works).await?;
    pool.close().await;
    Ok(Figure { name: "append_vs_stock", ours, limit, unit: "commands/s" })
}

/// Commands a second against single-row inserts of the same row, each its own transaction.
pub(crate) async fn vs_raw(server: Server, options: Options) -> Result<Figure, Failure> {
    let pool = server.raw(u32::try_from(WRITERS)?).await?;
    let works = [(WRITERS, &our_work(&server)), (WRITERS, &raw_work(&pool).await?)];
    let [ours, limit] = rates(options.seconds, works).await?;
    pool.close().await;
    Ok(Figure { name: "append_vs_raw", ours, limit, unit: "commands/s" })
}

/// The median time of a lone command against that of a lone insert.
pub(crate) async fn lone(server: Server, options: Options) -> Result<Figure, Failure> {
    let raw = server.raw(1).await?;
    create_raw_table(&raw).await?;
    let limit = median(options.seconds, |n| insert_raw(raw.clone(), 0, n)).await?;
    let commands = server.commands::<IntegrationConfig>();
    let ours = median(options.seconds, |n| {
        let commands = Arc::clone(&commands);
        async move {
            let next = command(1_000, n);
            commands.execute(&next.context, next.id, next.asked).await?;
            Ok(())
        }
    })
    .await?;
    Ok(Figure { name: "lone_append", ours, limit, unit: "µs, median" })
}

fn our_work(server: &Server) -> Work {
    let commands = server.commands::<IntegrationConfig>();
    work(move |worker, n| {
        let commands = Arc::clone(&commands);
        async move {
            let next = command(worker, n);
            commands.execute(&next.context, next.id, next.asked).await?;
            Ok(())
        }
    })
}

async fn stock_work(pool: &PgPool) -> Result<Work, Failure> {
    sqlx::query(STOCK_TABLE).execute(pool).await?;
    let repository =
        postgres_es::PostgresEventRepository::new(pool.clone()).with_tables("stock_events", "stock_snapshots");
    let store = cqrs_es::persist::PersistedEventStore::<_, IntegrationConfig>::new_event_store(repository);
    let framework = Arc::new(cqrs_es::CqrsFramework::new(store, vec![], ()));
    Ok(work(move |worker, n| {
        let framework = Arc::clone(&framework);
        async move {
            let next = command(worker, n);
            let metadata = next.context.metadata().into_iter().map(|(name, value)| (name.to_owned(), value));
            framework.execute_with_metadata(&next.id.to_string(), next.asked, metadata.collect()).await?;
            Ok(())
        }
    }))
}

/// Single-row inserts of the events that [`command`] causes.
pub(super) async fn raw_work(pool: &PgPool) -> Result<Work, Failure> {
    create_raw_table(pool).await?;
    let pool = pool.clone();
    Ok(work(move |worker, n| insert_raw(pool.clone(), worker, n)))
}

/// The log's own table, without its trigger.
async fn create_raw_table(pool: &PgPool) -> Result<(), Failure> {
    sqlx::query("create table raw_events (like events including all)").execute(pool).await?;
    Ok(())
}

async fn insert_raw(pool: PgPool, worker: u64, n: u64) -> Result<(), Failure> {
    let next = command(worker, n);
    let events = IntegrationConfig::default().decide(next.asked)?;
    let event = events.first().ok_or("the command causes an event")?;
    sqlx::query(
        "insert into raw_events
            (tenant_id, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(next.id)
    .bind(IntegrationConfig::TYPE)
    .bind(next.id.to_string())
    .bind(i64::try_from(n)? + 1)
    .bind(event.event_type())
    .bind(event.event_version())
    .bind(serde_json::to_value(event)?)
    .bind(metadata(&next.context))
    .execute(&pool)
    .await?;
    Ok(())
}

fn metadata(context: &application::RequestContext) -> Value {
    let entries = context.metadata().into_iter().map(|(name, value)| (name.to_owned(), json!(value)));
    Value::Object(entries.collect())
}
