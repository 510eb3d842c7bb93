//! The API under load: a list that is read under rights and row-level security, commands, and what other requests feel of a
//! storm of sign-ins. The load comes from the same cores.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::RunId;
use domain::job_run::{JobRun, JobRunCommand, RetryPolicy, StartRun};
use domain::period::{DayBorder, Period};
use domain::report::ReportKind;
use infrastructure::identity::PasswordCost;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::bare::Bare;
use super::{Figure, Options, append};
use crate::Failure;
use crate::http::{Connection, request};
use crate::load::{Work, percentile, rates, work};
use crate::server::Server;
use crate::system::{LOGIN, Running};

/// Connections that ask at the same time.
const CONNECTIONS: u64 = 64;

/// Runs that the list is taken from; one page holds 20 of them.
const RUNS: u32 = 100;

/// Attempts to sign in at once.
const STORM: usize = 200;

/// How often others ask meanwhile.
const OTHERS: Duration = Duration::from_millis(5);

/// Hashes that cost next to nothing, where passwords are not what is measured.
pub(super) const CHEAP: PasswordCost = PasswordCost { memory_kib: 8, passes: 1, at_once: 2, waiting: 256 };

/// Pages of runs a second, read by an owner, against the same statement behind a bare handler without rights and row-level
/// security.
pub(crate) async fn scoped_read(server: Server, options: Options) -> Result<Figure, Failure> {
    let running = Running::start(&server, CHEAP).await?;
    let owner = running.owner().await?;
    start_runs(&server, &running).await?;
    let bare = Bare::start(&server, running.tenant_id).await?;
    let page = request("GET", "/api/v1/runs?limit=20", &owner.token, None);
    let (ours, limit) =
        (asks(running.address, page).await?, asks(bare.address, request("GET", "/runs", "", None)).await?);
    let [ours, limit] = rates(options.seconds, [(CONNECTIONS, &ours), (CONNECTIONS, &limit)]).await?;
    Ok(Figure { name: "scoped_read", ours, limit, unit: "requests/s" })
}

async fn start_runs(server: &Server, running: &Running) -> Result<(), Failure> {
    let (runs, tenant_id) = (server.commands::<JobRun>(), running.tenant_id);
    let at: DateTime<Utc> = DateTime::from_timestamp_nanos(1_780_000_000_000_000_000);
    let mut last = None;
    for n in 0..RUNS {
        let run_id = RunId::from(running.system.ids.next());
        let at = at + TimeDelta::minutes(n.into());
        let period = Period { from: at - TimeDelta::hours(25), to: at - TimeDelta::hours(1) };
        let day = DayBorder { time_zone: chrono_tz::UTC, starts_at: "00:00:00".parse()? };
        let (kind, config, policy) = (ReportKind::Daily, Vec::new(), RetryPolicy::default());
        let start = JobRunCommand::Start(StartRun { run_id, tenant_id, kind, period, day, config, policy, at });
        last = runs.execute(&running.context(), run_id.uuid(), start).await?.position;
    }
    running.settled(last).await
}

/// Commands a second (each person changes the own name) that were answered once the read models had followed, against
/// single-row inserts.
pub(crate) async fn command(server: Server, options: Options) -> Result<Figure, Failure> {
    let pool = server.raw(u32::try_from(append::WRITERS)?).await?;
    let limit = append::raw_work(&pool).await?;
    let running = Running::start(&server, CHEAP).await?;
    let (mut people, mut connections) = (Vec::new(), Vec::new());
    for _ in 0..CONNECTIONS {
        people.push(running.owner().await?);
        connections.push(Mutex::new(Connection::to(running.address).await?));
    }
    let shared = Arc::new((people, connections));
    let ours = work(move |worker, n| {
        let shared = Arc::clone(&shared);
        async move {
            let place = usize::try_from(worker)?;
            let person = &shared.0[place];
            let (path, name) = (format!("/api/v1/users/{}", person.id), json!({"name": format!("Ann {n}")}));
            let change = request("PATCH", &path, &person.token, Some(&name.to_string()));
            shared.1[place].lock().await.ask(&change, 204).await?;
            Ok(())
        }
    });
    let [ours, limit] = rates(options.seconds, [(CONNECTIONS, &ours), (append::WRITERS, &limit)]).await?;
    pool.close().await;
    Ok(Figure { name: "http_command", ours, limit, unit: "commands/s" })
}

/// The 99th percentile of what another request takes while 200 people sign in at once, against a quiet time.
pub(crate) async fn storm(server: Server, options: Options) -> Result<Figure, Failure> {
    let running = Running::start(&server, PasswordCost::default()).await?;
    let owner = running.owner().await?;
    let me = request("GET", "/api/v1/users/me", &owner.token, None);
    let quiet = tokio::time::sleep(Duration::from_secs(options.seconds));
    let limit = meanwhile(&running, &me, quiet).await?;
    let login = json!({"email": owner.email, "password": owner.password}).to_string();
    let login = Arc::new(request("POST", LOGIN, "", Some(&login)));
    let mut attempts = JoinSet::new();
    for _ in 0..STORM {
        let (mut connection, login) = (Connection::to(running.address).await?, Arc::clone(&login));
        attempts.spawn(async move { connection.ask(&login, 200).await.map(|_| ()) });
    }
    let mut ended = Vec::new();
    let storm = async {
        while let Some(attempt) = attempts.join_next().await {
            ended.push(attempt);
        }
    };
    let ours = meanwhile(&running, &me, storm).await?;
    for attempt in ended {
        attempt??;
    }
    Ok(Figure { name: "sign_in_storm", ours, limit, unit: "ms, p99" })
}

/// The 99th percentile, in ms, of a request that is sent again and again while something else goes on.
async fn meanwhile(running: &Running, asked: &str, other: impl Future<Output = ()>) -> Result<f64, Failure> {
    let (mut connection, mut times) = (Connection::to(running.address).await?, Vec::new());
    let mut other = std::pin::pin!(other);
    loop {
        let one = async {
            tokio::time::sleep(OTHERS).await;
            let began = Instant::now();
            connection.ask(asked, 200).await?;
            Ok::<_, Failure>(began.elapsed())
        };
        let mut one = std::pin::pin!(one);
        tokio::select! {
            () = &mut other => {
                times.push(one.await?);
                return Ok(percentile(&mut times, 99).as_secs_f64() * 1e3);
            }
            took = &mut one => times.push(took?),
        }
    }
}

/// The request on a connection of each worker, which must be answered with 200.
async fn asks(address: std::net::SocketAddr, request: String) -> Result<Work, Failure> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Mutex::new(Connection::to(address).await?));
    }
    let shared = Arc::new((connections, request));
    Ok(work(move |worker, _| {
        let shared = Arc::clone(&shared);
        async move {
            let (connections, request) = shared.as_ref();
            connections[usize::try_from(worker)?].lock().await.ask(request, 200).await?;
            Ok(())
        }
    }))
}
