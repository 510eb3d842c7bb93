//! Rebuilding the largest read model from a million events.

use std::time::{Duration, Instant};

use domain::ids::TenantId;
use infrastructure::projections::Rebuild;
use infrastructure::read_models;
use sqlx::PgPool;
use uuid::Uuid;

use super::{Figure, Options};
use crate::Failure;
use crate::load::count;
use crate::server::Server;

/// The read model with a row for every event.
const LARGEST: &str = "audit_entries";

/// How often the memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Events a second of a rebuild with its keys, indexes and exchange, against `CREATE TABLE AS SELECT`, which makes none of
/// them. Comparing the generations is not in it.
pub(crate) async fn rate(server: Server, options: Options) -> Result<Figure, Failure> {
    let raw = server.raw(1).await?;
    fill(&raw, options.events).await?;
    let events = count(options.events.cast_unsigned());
    let began = Instant::now();
    sqlx::query(
        "create table in_sql_alone as
         select generation, tx::text::bigint as tx, position, tenant_id, recorded_at,
                coalesce(metadata ->> 'actor_kind', '') as actor_kind, coalesce(metadata ->> 'actor_id', '') as actor_id,
                metadata ->> 'right' as granted_by, event_type, aggregate_type, aggregate_id, sequence,
                metadata ->> 'request_id' as request_id, metadata ->> 'correlation_id' as correlation_id,
                metadata ->> 'ip' as ip, metadata ->> 'user_agent' as user_agent
         from events",
    )
    .execute(&raw)
    .await?;
    let limit = events / began.elapsed().as_secs_f64();
    let began = Instant::now();
    rebuild(&server).await?;
    Ok(Figure { name: "rebuild", ours: events / began.elapsed().as_secs_f64(), limit, unit: "events/s" })
}

/// The most memory that this process holds during a rebuild, against the bar of 300 MB.
pub(crate) async fn memory(server: Server, options: Options) -> Result<Figure, Failure> {
    fill(&server.raw(1).await?, options.events).await?;
    let mut ours = 0.0_f64;
    let mut rebuilding = std::pin::pin!(rebuild(&server));
    loop {
        tokio::select! {
            rebuilt = &mut rebuilding => break rebuilt?,
            () = tokio::time::sleep(LOOK_EVERY) => ours = ours.max(resident_megabytes().unwrap_or_default()),
        }
    }
    Ok(Figure { name: "rebuild_memory", ours, limit: 300.0, unit: "MB" })
}

async fn rebuild(server: &Server) -> Result<(), Failure> {
    let projections = read_models::all();
    let projection = projections.iter().find(|projection| projection.name() == LARGEST).ok_or("no such read model")?;
    // Where the live tables stand is where a rebuild ends.
    sqlx::query("insert into projection_checkpoints (name) values ($1) on conflict do nothing")
        .bind(LARGEST)
        .execute(server.database.pool())
        .await?;
    sqlx::query(
        "update projection_checkpoints set (generation, tx, position) =
            (select generation, tx, position from events order by generation desc, tx desc, position desc limit 1)
         where name = $1",
    )
    .bind(LARGEST)
    .execute(server.database.pool())
    .await?;
    let rebuild = Rebuild::of(&server.database, projection.as_ref()).await?;
    rebuild.build(|_| ()).await?;
    rebuild.exchange().await?;
    Ok(())
}

/// Events like the product's, by the database itself: a thousand tenants, a thousand transactions.
async fn fill(pool: &PgPool, events: i64) -> Result<(), Failure> {
    let tenant = TenantId::from(Uuid::from_u64_pair(1, 1));
    let batch = (events / 1_000).max(1);
    for n in 0..events / batch {
        sqlx::query(
            "insert into events
                (tenant_id, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
             select $1, 'job_run', gen_random_uuid()::text, 1, 'StepCompleted', '1',
                    jsonb_build_object('type', 'StepCompleted', 'run_id', gen_random_uuid(), 'tenant_id', $1,
                        'step', 'fetch_chats', 'attempt_id', gen_random_uuid(), 'at', now(),
                        'output', jsonb_build_object('counts', jsonb_build_object('chats', i, 'messages', i * 14))),
                    jsonb_build_object('actor_kind', 'system', 'actor_id', 'pipeline', 'right', 'system',
                        'request_id', gen_random_uuid(), 'correlation_id', gen_random_uuid())
             from generate_series(1, $2) i",
        )
        .bind(Uuid::from_u64_pair(n.cast_unsigned(), tenant.uuid().as_u64_pair().1))
        .bind(batch)
        .execute(pool)
        .await?;
    }
    sqlx::query("vacuum analyze events").execute(pool).await?;
    Ok(())
}

/// What the process holds in memory now.
pub(super) fn resident_megabytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: f64 = line.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024.0)
}
