//! The work that is measured: saving an integration's settings, one event a command, ten commands an aggregate.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use application::RequestContext;
use chrono::DateTime;
use domain::ids::{IntegrationId, SecretId, TenantId};
use domain::integration::{Configure, IntegrationCommand, IntegrationKind, IntegrationSettings, SecretName, SecretRef};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::Failure;

/// Commands of one aggregate; then the next one begins. Most aggregates of the product are as short.
const COMMANDS: u64 = 10;

/// The n-th command of a worker: its aggregate and what is asked of it.
pub(crate) struct Command {
    pub(crate) id: Uuid,
    pub(crate) context: RequestContext,
    pub(crate) asked: IntegrationCommand,
}

/// The n-th command of a worker.
pub(crate) fn command(worker: u64, n: u64) -> Command {
    let tenant_id = TenantId::from(Uuid::from_u64_pair(worker + 1, n / COMMANDS + 1));
    let settings = IntegrationSettings::Telegram {
        base_url: "https://api.telegram.example".parse().expect("a constant address"),
        chat_id: format!("-{}", n + 1),
    };
    let secrets = vec![SecretRef { name: SecretName::BotToken, secret_id: SecretId::from(Uuid::nil()) }];
    let at = DateTime::from_timestamp_nanos(1_780_000_000_000_000_000);
    Command {
        id: IntegrationId::of(tenant_id, IntegrationKind::Telegram).uuid(),
        context: RequestContext::for_system("bench", tenant_id, Uuid::from_u64_pair(worker, n), Uuid::nil()),
        asked: IntegrationCommand::Configure(Configure { tenant_id, settings, secrets, at }),
    }
}

/// How many times a second `workers` together do the work, each as fast as it can.
pub(crate) async fn rate<W, F>(workers: u64, seconds: u64, work: W) -> Result<f64, Failure>
where
    W: Fn(u64, u64) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let (work, done) = (Arc::new(work), Arc::new(AtomicU64::new(0)));
    let began = Instant::now();
    let deadline = began + Duration::from_secs(seconds);
    let mut running = JoinSet::new();
    for worker in 0..workers {
        let (work, done) = (Arc::clone(&work), Arc::clone(&done));
        running.spawn(async move {
            let mut n = 0;
            while Instant::now() < deadline {
                work(worker, n).await?;
                done.fetch_add(1, Ordering::Relaxed);
                n += 1;
            }
            Ok::<(), Failure>(())
        });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(count(done.load(Ordering::Relaxed)) / began.elapsed().as_secs_f64())
}

/// The median time of one of the works, done one after the other, in microseconds.
pub(crate) async fn median<W, F>(seconds: u64, work: W) -> Result<f64, Failure>
where
    W: Fn(u64) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let mut times = Vec::new();
    let mut n = 0;
    while Instant::now() < deadline {
        let began = Instant::now();
        work(n).await?;
        times.push(began.elapsed());
        n += 1;
    }
    Ok(percentile(&mut times, 50).as_secs_f64() * 1e6)
}

/// Nearest-rank percentile.
pub(crate) fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    let rank = (times.len() * percent).div_ceil(100).max(1);
    times.get(rank - 1).copied().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "counts lie far below 2^52")]
pub(crate) fn count(count: u64) -> f64 {
    count as f64
}
