//! The ports of the test system, all held by one memory.

use std::sync::atomic::Ordering;
use std::time::Duration;

use application::ports::clock::{Clock, Ids};
use application::ports::commands::{Commands, Expect, LogPosition, Recorded};
use application::ports::health::{Dependency, DependencyState, Health};
use application::ports::limits::{Budget, LimitClass, LimitSubject, RateLimits, Verdict};
use application::ports::projections::{Lease, Standing, Standings};
use application::ports::read_models::{
    Cursor, Found, IntegrationView, Integrations, Page, PageRequest, Progress, ReportView, Reports, RunView, Runs,
};
use application::ports::vault::{SecretPlace, Vault};
use application::{CommandError, PortError, RequestContext, TenantScope};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::EventSourced;
use domain::automation::{Automation, AutomationCommand, AutomationError, AutomationEvent, Defined, Schedule};
use domain::ids::{IntegrationId, ReportId, RunId, SecretId};
use domain::integration::{
    Access, Configured, IntegrationCommand, IntegrationConfig, IntegrationError, IntegrationEvent, IntegrationKind,
    IntegrationSettings, SecretName, SecretRef,
};
use domain::job_run::{JobRun, JobRunCommand, JobRunError, JobRunEvent};
use domain::tenant::{Tenant, TenantCommand, TenantDetails, TenantError, TenantEvent};
use domain::values::Language;
use secrecy::SecretString;
use uuid::Uuid;

use super::memory::{Memory, day, now, report, tenant};

pub(super) type Outcome<T> = Result<T, PortError>;

impl Clock for Memory {
    fn now(&self) -> DateTime<Utc> {
        now()
    }
}

impl Ids for Memory {
    fn next(&self) -> Uuid {
        Uuid::from_u128(self.ids.fetch_add(1, Ordering::SeqCst).into())
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

#[async_trait]
impl Commands<JobRun> for Memory {
    async fn execute_expecting(
        &self,
        context: &RequestContext,
        id: Uuid,
        expect: Expect,
        command: JobRunCommand,
    ) -> Result<Recorded<JobRunEvent>, CommandError<JobRunError>> {
        let mut runs = self.runs.lock().unwrap();
        let run = runs.entry(id).or_default();
        if run.exists() && run.tenant() != context.tenant() {
            return Err(CommandError::Rule(JobRunError::NotFound));
        }
        let current = self.version(id);
        if run.exists() && expect != Expect::Any && expect != Expect::Version(current) {
            return Err(CommandError::Changed { current });
        }
        let events = run.decide(command).map_err(CommandError::Rule)?;
        for event in &events {
            apply(run, event.clone());
            if let Some(tenant) = context.tenant() {
                self.project(tenant, event);
            }
        }
        *self.recorded.lock().unwrap() = context.metadata().into_iter().collect();
        let position = (!events.is_empty()).then(|| {
            let tx = self.log.fetch_add(1, Ordering::SeqCst) + 1;
            LogPosition { generation: 1, tx, position: i64::try_from(tx * 10).unwrap() }
        });
        Ok(Recorded { id, position, events, replayed: false })
    }

    async fn first_outcome(
        &self,
        _context: &RequestContext,
    ) -> Result<Option<Recorded<JobRunEvent>>, CommandError<JobRunError>> {
        Ok(None)
    }

    async fn load(&self, id: Uuid) -> Outcome<JobRun> {
        Ok(self.runs.lock().unwrap().get(&id).cloned().unwrap_or_default())
    }
}

fn apply<A: EventSourced>(aggregate: &mut A, event: A::Event) {
    aggregate.apply(event);
}

#[async_trait]
impl Commands<Automation> for Memory {
    async fn execute_expecting(
        &self,
        _context: &RequestContext,
        _id: Uuid,
        _expect: Expect,
        _command: AutomationCommand,
    ) -> Result<Recorded<AutomationEvent>, CommandError<AutomationError>> {
        Err(PortError::internal("no test defines an automation").into())
    }

    async fn first_outcome(
        &self,
        _context: &RequestContext,
    ) -> Result<Option<Recorded<AutomationEvent>>, CommandError<AutomationError>> {
        Ok(None)
    }

    async fn load(&self, _id: Uuid) -> Outcome<Automation> {
        Ok(Automation::Defined(Defined { tenant_id: tenant(1), day: day(), schedule: Schedule::Manual }))
    }
}

fn supabase() -> IntegrationSettings {
    IntegrationSettings::Supabase { base_url: "https://project.supabase.example".parse().unwrap() }
}

#[async_trait]
impl Commands<IntegrationConfig> for Memory {
    async fn execute_expecting(
        &self,
        _context: &RequestContext,
        _id: Uuid,
        _expect: Expect,
        _command: IntegrationCommand,
    ) -> Result<Recorded<IntegrationEvent>, CommandError<IntegrationError>> {
        Err(PortError::internal("no test configures an integration").into())
    }

    async fn first_outcome(
        &self,
        _context: &RequestContext,
    ) -> Result<Option<Recorded<IntegrationEvent>>, CommandError<IntegrationError>> {
        Ok(None)
    }

    async fn load(&self, id: Uuid) -> Outcome<IntegrationConfig> {
        if id != IntegrationId::of(tenant(1), IntegrationKind::Supabase).uuid() || Self::is(&self.not_set_up) {
            return Ok(IntegrationConfig::Absent);
        }
        let secret = SecretRef { name: SecretName::ServiceKey, secret_id: SecretId::from(Uuid::from_u128(41)) };
        let (tenant_id, settings, secrets, access) = (tenant(1), supabase(), vec![secret], Access::Given);
        let configured = Configured { tenant_id, version: 1, decided: 1, settings, secrets, tried: None, access };
        Ok(IntegrationConfig::Configured(configured))
    }
}

#[async_trait]
impl Integrations for Memory {
    async fn found(&self, _scope: &TenantScope) -> Outcome<Found<Vec<IntegrationView>>> {
        let view = |kind| IntegrationView {
            kind,
            version: 1,
            settings: supabase(),
            secrets: Vec::new(),
            checked: None,
            attention: None,
            checked_at: None,
            configured_at: now(),
        };
        let missing = Self::is(&self.not_set_up);
        Ok(Found { item: IntegrationKind::ALL.into_iter().filter(|_| !missing).map(view).collect(), parked: 0 })
    }
}

#[async_trait]
impl Commands<Tenant> for Memory {
    async fn execute_expecting(
        &self,
        _context: &RequestContext,
        _id: Uuid,
        _expect: Expect,
        _command: TenantCommand,
    ) -> Result<Recorded<TenantEvent>, CommandError<TenantError>> {
        Err(PortError::internal("no test changes this tenant").into())
    }

    async fn first_outcome(
        &self,
        _context: &RequestContext,
    ) -> Result<Option<Recorded<TenantEvent>>, CommandError<TenantError>> {
        Ok(None)
    }

    async fn load(&self, id: Uuid) -> Outcome<Tenant> {
        let (name, slug) = ("Acme".parse().unwrap(), "acme".parse().unwrap());
        Ok(Tenant::Active(TenantDetails { tenant_id: id.into(), name, slug, language: Language::English }))
    }
}

impl Memory {
    fn found<T>(&self, item: T) -> Found<T> {
        Found { item, parked: self.parked.load(Ordering::SeqCst) }
    }
}

#[async_trait]
impl Standings for Memory {
    async fn standings(&self) -> Outcome<Vec<Standing>> {
        if Self::is(&self.down) {
            return Err(PortError::internal("the database does not answer"));
        }
        let lease = Lease { holder: Uuid::from_u128(7), until: now() };
        let runs = Standing {
            name: "runs".into(),
            position: LogPosition { generation: 1, tx: 7431, position: 205 },
            behind: 12,
            behind_seconds: 1.5,
            events_per_second: 0.25,
            parked: self.parked.load(Ordering::SeqCst),
            lease: Some(lease),
        };
        Ok(vec![runs.clone(), Standing { name: "reports".into(), lease: None, ..runs }])
    }
}

#[async_trait]
impl Runs for Memory {
    async fn get(&self, scope: &TenantScope, id: RunId) -> Outcome<Found<Option<RunView>>> {
        let views = self.views.lock().unwrap();
        let own = views.iter().find(|(tenant, view)| *tenant == scope.tenant_id() && view.id == id);
        let shown = own.filter(|_| !Self::is(&self.parking));
        Ok(self.found(shown.map(|(_, view)| view.clone())))
    }

    async fn list(&self, scope: &TenantScope, page: PageRequest) -> Outcome<Page<RunView>> {
        if Self::is(&self.broken) {
            return Err(PortError::internal("postgres://synkro:hunter2@db refused the connection"));
        }
        let views = self.views.lock().unwrap();
        let own = views.iter().filter(|(tenant, _)| *tenant == scope.tenant_id()).map(|(_, view)| view.clone());
        let mut rows: Vec<RunView> = own.collect();
        rows.sort_by_key(|run| std::cmp::Reverse((run.started_at, run.id)));
        let after =
            |run: &RunView| page.after.is_none_or(|cursor| (run.started_at, run.id.uuid()) < (cursor.at, cursor.id));
        rows.retain(after);
        let limit = usize::try_from(page.limit).unwrap();
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|run| Cursor { at: run.started_at, id: run.id.uuid() });
        Ok(Page { items: rows, next, parked: self.parked.load(Ordering::SeqCst) })
    }
}

#[async_trait]
impl Reports for Memory {
    async fn get(&self, scope: &TenantScope, id: ReportId) -> Outcome<Found<Option<ReportView>>> {
        Ok(self.found((scope.tenant_id() == tenant(1) && id == Self::report_id()).then(report)))
    }

    async fn list(&self, scope: &TenantScope, _page: PageRequest) -> Outcome<Page<ReportView>> {
        assert!(!Self::is(&self.panicking), "the list of reports panics with hunter2");
        let items = if scope.tenant_id() == tenant(1) { vec![report()] } else { Vec::new() };
        Ok(Page { items, next: None, parked: self.parked.load(Ordering::SeqCst) })
    }
}

#[async_trait]
impl Progress for Memory {
    async fn passed(&self, _position: LogPosition, _patience: Duration) -> Outcome<bool> {
        Ok(!Self::is(&self.lagging))
    }

    async fn holds(&self, _position: LogPosition) -> Outcome<bool> {
        Ok(true)
    }
}

#[async_trait]
impl Health for Memory {
    async fn dependencies(&self) -> Vec<Dependency> {
        let down = DependencyState::Down { reason: "it does not answer".into() };
        let state = if Self::is(&self.down) { down } else { DependencyState::Up };
        let read_models = Dependency { name: "read_models", state: DependencyState::Up };
        let mut dependencies = vec![Dependency { name: "database", state }, read_models];
        if Self::is(&self.alone) {
            let state = DependencyState::Degraded { reason: "it does not answer".into() };
            dependencies.push(Dependency { name: "redis", state });
        }
        dependencies
    }
}

#[async_trait]
impl RateLimits for Memory {
    async fn take(&self, class: LimitClass, subjects: &[LimitSubject]) -> Verdict {
        self.counted.lock().unwrap().push((class, subjects.to_vec()));
        let exhausted = *self.exhausted.lock().unwrap();
        let remaining = if exhausted.is_some() { 0 } else { 99 };
        let (window, full_in) = (Duration::from_mins(1), Duration::from_millis(600));
        let budget =
            |subject: &LimitSubject| Budget { class, subject: *subject, limit: 100, window, remaining, full_in };
        let budgets = subjects.iter().map(budget).collect();
        match exhausted {
            Some(wait) => Verdict::Refused { budgets, wait },
            None => Verdict::Granted(budgets),
        }
    }
}

#[async_trait]
impl Vault for Memory {
    async fn store(&self, _place: SecretPlace, _id: SecretId, _secret: &SecretString) -> Outcome<()> {
        Err(PortError::internal("no test stores a secret"))
    }

    async fn open(&self, _place: SecretPlace, _id: SecretId) -> Outcome<SecretString> {
        Ok(SecretString::from("service-key"))
    }
}
