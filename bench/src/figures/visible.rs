//! From a recorded event to its row in the largest read model.

use std::sync::Arc;
use std::time::{Duration, Instant};

use application::ports::read_models::Progress;
use domain::integration::IntegrationConfig;
use infrastructure::projections::{Checkpoints, ProjectionRunner};
use infrastructure::read_models;
use infrastructure::signals::Signal;
use sqlx::PgPool;
use tokio::task::JoinSet;

use super::{Figure, Options};
use crate::Failure;
use crate::load::{command, percentile};
use crate::server::Server;

/// Events a second.
const RATE: u64 = 500;

/// Events at first that do not count: projections take their leases, and connections are opened.
const WARM_UP: u64 = RATE;

/// How long one event may take before the measurement gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// The 99th percentile of the time from the command's answer to the moment when every read model has the event, while
/// all projections run; against inserting event and row in one transaction at the same rate.
pub(crate) async fn p99(server: Server, options: Options) -> Result<Figure, Failure> {
    let raw = server.raw(4).await?;
    sqlx::raw_sql(
        "create table raw_events (like events including all);
         create table raw_rows (like audit_entries including all)",
    )
    .execute(&raw)
    .await?;
    let limit = paced(options.seconds, move |n| insert_both(raw.clone(), n)).await?;

    let projections = read_models::all();
    let progressed = Signal::default();
    let checkpoints = Arc::new(Checkpoints::new(server.database.clone(), progressed, &projections));
    let runner = ProjectionRunner::new(server.database.clone(), checkpoints.as_ref().clone(), server.log.clone());
    let background = tokio::spawn(async move { runner.run(&projections).await });
    let commands = server.commands::<IntegrationConfig>();
    let ours = paced(options.seconds, move |n| {
        let (commands, checkpoints) = (Arc::clone(&commands), Arc::clone(&checkpoints));
        async move {
            let next = command(n % 64, n / 64);
            let recorded = commands.execute(&next.context, next.id, next.asked).await?;
            let began = Instant::now();
            let position = recorded.position.ok_or("every command causes an event")?;
            if !checkpoints.passed(position, PATIENCE).await? {
                return Err("an event did not become visible".into());
            }
            Ok(began.elapsed())
        }
    })
    .await;
    background.abort();
    Ok(Figure { name: "visible_p99", ours: ours?, limit, unit: "ms" })
}

/// Does the work at the rate, whatever each takes, and gives the 99th percentile of what it says it took, in ms. The warm-up
/// comes before it.
async fn paced<W, F>(seconds: u64, work: W) -> Result<f64, Failure>
where
    W: Fn(u64) -> F,
    F: Future<Output = Result<Duration, Failure>> + Send + 'static,
{
    let mut ticks = tokio::time::interval(Duration::from_nanos(1_000_000_000 / RATE));
    let mut running = JoinSet::new();
    for n in 0..WARM_UP + seconds * RATE {
        ticks.tick().await;
        let done = work(n);
        running.spawn(async move { Ok::<_, Failure>((n, done.await?)) });
    }
    let mut times = Vec::new();
    while let Some(ended) = running.join_next().await {
        let (n, took) = ended??;
        if n >= WARM_UP {
            times.push(took);
        }
    }
    Ok(percentile(&mut times, 99).as_secs_f64() * 1e3)
}

async fn insert_both(pool: PgPool, n: u64) -> Result<Duration, Failure> {
    let began = Instant::now();
    let mut transaction = pool.begin().await?;
    let (tx, position): (i64, i64) = sqlx::query_as(
        "insert into raw_events
            (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
         values ('bench', $1, 1, 'Event', '1', '{}', '{}')
         returning tx::text::bigint, position",
    )
    .bind(n.to_string())
    .fetch_one(&mut *transaction)
    .await?;
    sqlx::query(
        "insert into raw_rows
            (generation, tx, position, recorded_at, actor_kind, actor_id, event_type, aggregate_type, aggregate_id, sequence)
         values (1, $1, $2, now(), 'system', 'bench', 'Event', 'bench', $3, 1)",
    )
    .bind(tx)
    .bind(position)
    .bind(n.to_string())
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(began.elapsed())
}
