//! Sharing out due steps among workers, with row locks that are skipped instead of waited for.

use std::time::Duration;

use application::PortError;
use application::ports::commands::LogPosition;
use application::ports::queue::{AbandonedAttempt, ClaimLimits, DueStep, Hints, QueuedRun, StepQueue, WorkerIdentity};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{RunId, TenantId};
use uuid::Uuid;

use crate::database::Database;
use crate::error::from_sqlx;
use crate::projections::Checkpoints;
use crate::read_models::step_queue::StepQueueProjection;
use crate::read_models::text::from_text;
use crate::signals::{Signal, Waiter};

/// How long a claim is held for the queue to see what became of it.
const LAG_PATIENCE: Duration = Duration::from_secs(2);

/// A hint comes when the queue has moved, or never; whoever waits has its own interval.
const HINT_PATIENCE: Duration = Duration::from_mins(1);

/// The queue in PostgreSQL.
pub struct PgStepQueue {
    database: Database,
    checkpoints: Checkpoints,
    progressed: Signal,
}

impl PgStepQueue {
    /// The queue of this database; `progressed` hints that read models have moved.
    pub fn new(database: Database, checkpoints: Checkpoints, progressed: Signal) -> Self {
        Self { database, checkpoints, progressed }
    }
}

#[async_trait]
impl StepQueue for PgStepQueue {
    async fn beat(&self, worker: &WorkerIdentity, until: DateTime<Utc>) -> Result<(), PortError> {
        sqlx::query(
            "with dead as (
                delete from workers
                where (name = $2 and id <> $1) or alive_until < $3 - interval '1 day'
                returning id
             ), unclaimed as (
                delete from step_claims where worker in (select id from dead)
             )
             insert into workers (id, name, alive_until) values ($1, $2, $3)
             on conflict (id) do update set alive_until = excluded.alive_until",
        )
        .bind(worker.id)
        .bind(&worker.name)
        .bind(until)
        .execute(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        Ok(())
    }

    async fn claim(
        &self,
        worker: &WorkerIdentity,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limits: ClaimLimits,
    ) -> Result<Vec<DueStep>, PortError> {
        let claimed: Vec<(Uuid, Uuid, String)> = sqlx::query_as(CLAIM)
            .bind(worker.id)
            .bind(now)
            .bind(until)
            .bind(i64::try_from(limits.steps).unwrap_or(i64::MAX))
            .bind(i64::try_from(limits.per_tenant).unwrap_or(i64::MAX))
            .bind(limits.tenant.map(TenantId::uuid))
            .fetch_all(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        let due = |(tenant, run, step): (Uuid, Uuid, String)| {
            let step = from_text("step_queue", "step", &step)?;
            Ok(DueStep { tenant_id: tenant.into(), run_id: run.into(), step })
        };
        claimed.into_iter().map(due).collect()
    }

    async fn release(&self, worker: &WorkerIdentity, run: RunId, after: Option<LogPosition>) -> Result<(), PortError> {
        if let Some(position) = after {
            self.checkpoints.wait(&[StepQueueProjection::NAME], position, LAG_PATIENCE).await?;
        }
        sqlx::query("delete from step_claims where run_id = $1 and worker = $2")
            .bind(run.uuid())
            .bind(worker.id)
            .execute(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        self.progressed.notify();
        Ok(())
    }

    async fn abandoned(
        &self,
        now: DateTime<Utc>,
        tenant: Option<TenantId>,
    ) -> Result<Vec<AbandonedAttempt>, PortError> {
        let rows: Vec<(Uuid, Uuid, Uuid)> = sqlx::query_as(
            "select q.tenant_id, q.run_id, q.attempt_id
             from step_queue q
             left join workers w on w.id = q.worker and w.alive_until > $1
             where q.state = 'running' and q.attempt_id is not null and w.id is null
               and ($2::uuid is null or q.tenant_id = $2)",
        )
        .bind(now)
        .bind(tenant.map(TenantId::uuid))
        .fetch_all(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        Ok(rows.into_iter().map(attempt).collect())
    }

    async fn in_progress_at(&self, worker: &WorkerIdentity) -> Result<Vec<AbandonedAttempt>, PortError> {
        let rows = sqlx::query_as(
            "select tenant_id, run_id, attempt_id from step_queue
             where state = 'running' and attempt_id is not null and worker = $1",
        )
        .bind(worker.id)
        .fetch_all(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        Ok(rows.into_iter().map(attempt).collect())
    }

    async fn kept_out(&self) -> Result<Vec<QueuedRun>, PortError> {
        let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "select q.tenant_id, q.run_id
             from tenants t join step_queue q on q.tenant_id = t.id
             where t.status in ('suspended', 'offboarding', 'closed')
             order by q.tenant_id, q.run_id
             limit 1000",
        )
        .fetch_all(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        let queued = |(tenant, run): (Uuid, Uuid)| QueuedRun { tenant_id: tenant.into(), run_id: run.into() };
        Ok(rows.into_iter().map(queued).collect())
    }

    fn hints(&self) -> Box<dyn Hints> {
        Box::new(Progressed(self.progressed.subscribe()))
    }
}

/// The read models have moved, the queue perhaps among them.
struct Progressed(Waiter);

#[async_trait]
impl Hints for Progressed {
    async fn next(&mut self) {
        self.0.wait(HINT_PATIENCE).await;
    }
}

fn attempt((tenant, run, attempt): (Uuid, Uuid, Uuid)) -> AbandonedAttempt {
    AbandonedAttempt { tenant_id: tenant.into(), run_id: run.into(), attempt_id: attempt.into() }
}

/// `busy` counts what each tenant has in progress; a step's place is how many of its tenant's would be in progress
/// with it. Lower places go first, so that every tenant gets its first step before any gets its second.
const CLAIM: &str = "
with live as (
    select run_id from step_claims where until > $2
), busy as (
    select tenant_id, count(*) as steps
    from step_queue
    where state = 'running' or run_id in (select run_id from live)
    group by tenant_id
), ranked as (
    select q.run_id, q.ready_at,
           coalesce(busy.steps, 0) + row_number() over (partition by q.tenant_id order by q.ready_at, q.run_id) as place
    from step_queue q left join busy using (tenant_id)
    where q.state = 'waiting' and q.ready_at <= $2 and q.run_id not in (select run_id from live)
), due as (
    select q.tenant_id, q.run_id, q.step
    from step_queue q join ranked using (run_id)
    where ranked.place <= $5 and ($6::uuid is null or q.tenant_id = $6)
    order by ranked.place, ranked.ready_at, q.run_id
    limit $4
    for update of q skip locked
), claimed as (
    insert into step_claims (run_id, worker, until)
    select run_id, $1, $3 from due
    on conflict (run_id) do update set worker = excluded.worker, until = excluded.until
        where step_claims.until <= $2
    returning run_id
)
select due.tenant_id, due.run_id, due.step from due join claimed using (run_id)";
