//! The work that is measured: saving an integration's settings, one event a command, ten commands an aggregate.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
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
        asked: IntegrationCommand::Configure(Configure { tenant_id, settings, secrets, expected: None, at }),
    }
}

/// What a worker does again and again; it is told who it is and how often it has been done.
pub(crate) type Work = Arc<dyn Fn(u64, u64) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>> + Send + Sync>;

/// The work that a function does.
pub(crate) fn work<W, F>(once: W) -> Work
where
    W: Fn(u64, u64) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    Arc::new(move |worker, n| Box::pin(once(worker, n)))
}

/// What numbers of the next turn lie behind those of the one before.
const TURN: u64 = 1_000_000_000;

/// Works that are done in turns, a second each, so that what slows the machine for a while slows all of them: how many times
/// a second each was done, by so many workers at once, each as fast as it can.
pub(crate) async fn rates<const N: usize>(seconds: u64, works: [(u64, &Work); N]) -> Result<[f64; N], Failure> {
    let mut all = [(0, Duration::ZERO); N];
    for turn in 0..seconds {
        for ((done, took), (workers, work)) in all.iter_mut().zip(works) {
            let began = Instant::now();
            *done += done_in_a_second(workers, turn * TURN, work).await?;
            *took += began.elapsed();
        }
    }
    Ok(all.map(|(done, took)| count(done) / took.as_secs_f64()))
}

async fn done_in_a_second(workers: u64, first: u64, work: &Work) -> Result<u64, Failure> {
    let deadline = Instant::now() + Duration::from_secs(1);
    let mut running = JoinSet::new();
    for worker in 0..workers {
        let work = Arc::clone(work);
        running.spawn(async move {
            let mut n = first;
            while Instant::now() < deadline {
                work(worker, n).await?;
                n += 1;
            }
            Ok::<u64, Failure>(n - first)
        });
    }
    let mut done = 0;
    while let Some(ended) = running.join_next().await {
        done += ended??;
    }
    Ok(done)
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
