//! The tables that answer questions. They follow the log with a small delay.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{ReportId, RunId, TenantId, UserId};
use domain::integration::{CheckOutcome, IntegrationEvent, IntegrationKind, IntegrationSettings, SecretRef};
use domain::job_run::{AiUse, Step};
use domain::metrics::Metrics;
use domain::period::Period;
use domain::report::ReportKind;
use domain::user::Membership;
use domain::values::{Language, Personal};

use crate::context::{PlatformScope, TenantScope};
use crate::error::{AppError, PortError};
use crate::ports::commands::LogPosition;

/// One page of a list, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins; none on the last one.
    pub next: Option<Cursor>,
    /// Events of the tenant that the read model could not apply yet, so that rows may be missing or out of date.
    pub parked: u64,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    /// The row.
    pub item: T,
    /// Events of the tenant that the read model could not apply yet, so that the row may be out of date or missing.
    pub parked: u64,
}

impl<T> Found<Option<T>> {
    /// The row that is there.
    ///
    /// # Errors
    /// `missing` where there is none. It says how many events are parked, because one of them may be what makes the row.
    pub fn or_missing(self, missing: AppError) -> Result<Found<T>, AppError> {
        let parked = self.parked;
        self.item.map(|item| Found { item, parked }).ok_or_else(|| missing.with_parked(parked))
    }
}

/// Where a page begins: after the row of this time and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The time that the list is ordered by.
    pub at: DateTime<Utc>,
    /// The row.
    pub id: uuid::Uuid,
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// Where to begin; the newest row where absent.
    pub after: Option<Cursor>,
    /// How many rows at most.
    pub limit: u64,
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantView {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// Its short name.
    pub slug: String,
    /// The language of its reports.
    pub language: Language,
    /// Its situation.
    pub status: TenantStatus,
    /// When it was provisioned.
    pub provisioned_at: DateTime<Utc>,
}

/// The situation of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantStatus {
    /// It is being set up.
    Provisioning,
    /// It is in use.
    Active,
    /// It is kept out for a while.
    Suspended,
    /// It is kept out and will be closed.
    Offboarding,
    /// It is gone for good.
    Closed,
}

impl TenantStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Provisioning, Self::Active, Self::Suspended, Self::Offboarding, Self::Closed];

    /// The frozen name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Offboarding => "offboarding",
            Self::Closed => "closed",
        }
    }
}

/// Which tenants are asked for. What is none does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantFilter {
    /// Those in this situation.
    pub status: Option<TenantStatus>,
    /// Those whose name or slug has this part, in whatever case.
    pub text: Option<String>,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserView {
    /// The user's id.
    pub id: UserId,
    /// Where the user belongs, and what the user is there.
    pub membership: Membership,
    /// The address that the user signs in with.
    pub email: Personal<String>,
    /// The user's name.
    pub name: Personal<String>,
    /// False where the user may not sign in.
    pub active: bool,
    /// When the user was registered.
    pub registered_at: DateTime<Utc>,
}

/// A configured integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrationView {
    /// Its kind.
    pub kind: IntegrationKind,
    /// Counts the changes from 1.
    pub version: u32,
    /// The settings.
    pub settings: IntegrationSettings,
    /// The stored secrets, by id.
    pub secrets: Vec<SecretRef>,
    /// What the last check of this version found, or a trial that shows as much.
    pub checked: Option<CheckOutcome>,
    /// What is to be done although it works.
    pub attention: Option<String>,
    /// When that was found.
    pub checked_at: Option<DateTime<Utc>>,
    /// When this version was saved.
    pub configured_at: DateTime<Utc>,
}

/// Something that happened to an integration.
#[derive(Debug, Clone, PartialEq)]
pub struct IntegrationRecord {
    /// Its number among all that happened to the integration.
    pub sequence: u64,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// What happened.
    pub event: IntegrationEvent,
}

/// What of an integration's records is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordFilter {
    /// Saved versions.
    Versions,
    /// What was tried, and what of it was written.
    Trials,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// A step is waiting or in progress.
    Running,
    /// All steps are done.
    Completed,
    /// A step failed for good.
    Failed,
    /// Someone stopped it.
    Cancelled,
}

impl RunStatus {
    /// The frozen name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStatus {
    /// Not in turn yet, or between two attempts.
    Waiting,
    /// An attempt is in progress.
    Running,
    /// Done.
    Completed,
    /// Failed for good.
    Failed,
    /// Its effect may or may not have happened.
    Uncertain,
    /// The run was stopped before it.
    Cancelled,
}

impl StepStatus {
    /// The frozen name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Uncertain => "uncertain",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    /// Its id.
    pub id: RunId,
    /// What period its report is about.
    pub kind: ReportKind,
    /// The time it covers.
    pub period: Period,
    /// Where it stands.
    pub status: RunStatus,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// The sequence of the run's last event that this view has seen.
    pub version: u64,
    /// What the AI did for it so far; none before its first answer, and in runs of earlier releases.
    pub ai: Option<AiUse>,
    /// Its eight steps, in order.
    pub steps: Vec<StepView>,
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StepView {
    /// Which step.
    pub step: Step,
    /// Where it stands.
    pub status: StepStatus,
    /// Attempts begun.
    pub attempts: u32,
    /// How long the last attempt took, in milliseconds.
    pub elapsed_ms: Option<u64>,
    /// What it did.
    pub counts: BTreeMap<String, u64>,
    /// Why the last attempt failed, and what to do.
    pub failure: Option<FailureView>,
    /// When the next attempt may begin.
    pub retry_at: Option<DateTime<Utc>>,
}

/// A failure as users see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureView {
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub advice: String,
}

/// A report's central part.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportView {
    /// Its id.
    pub id: ReportId,
    /// The run that made it.
    pub run_id: RunId,
    /// What period it is about.
    pub kind: ReportKind,
    /// The time it covers.
    pub period: Period,
    /// Its first line.
    pub headline: String,
    /// A paragraph.
    pub summary: String,
    /// The numbers.
    pub metrics: Metrics,
    /// The AI model that wrote the narrative.
    pub model: String,
    /// The version of the AI's settings, and so of the prompt; none in reports of earlier releases.
    pub prompt_version: Option<u32>,
    /// When it was published.
    pub published_at: DateTime<Utc>,
}

/// Tenants.
#[async_trait]
pub trait Tenants: Send + Sync {
    /// One tenant.
    async fn get(&self, scope: &PlatformScope, id: TenantId) -> Result<Found<Option<TenantView>>, PortError>;

    /// All tenants that the filter lets through, newest first.
    async fn list(
        &self,
        scope: &PlatformScope,
        filter: &TenantFilter,
        page: PageRequest,
    ) -> Result<Page<TenantView>, PortError>;
}

/// Users.
#[async_trait]
pub trait Users: Send + Sync {
    /// One user of the tenant.
    async fn get(&self, scope: &TenantScope, id: UserId) -> Result<Found<Option<UserView>>, PortError>;

    /// The tenant's users, newest first.
    async fn list(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<UserView>, PortError>;

    /// The platform's staff, newest first.
    async fn staff(&self, scope: &PlatformScope, page: PageRequest) -> Result<Page<UserView>, PortError>;
}

/// Integrations.
#[async_trait]
pub trait Integrations: Send + Sync {
    /// The tenant's configured integrations, by kind.
    async fn found(&self, scope: &TenantScope) -> Result<Found<Vec<IntegrationView>>, PortError>;

    /// The same, without what could not be applied yet.
    async fn list(&self, scope: &TenantScope) -> Result<Vec<IntegrationView>, PortError> {
        Ok(self.found(scope).await?.item)
    }
}

/// What happened to integrations.
#[async_trait]
pub trait IntegrationRecords: Send + Sync {
    /// What happened to the tenant's integration of this kind, newest first.
    async fn list(
        &self,
        scope: &TenantScope,
        kind: IntegrationKind,
        filter: RecordFilter,
        page: PageRequest,
    ) -> Result<Page<IntegrationRecord>, PortError>;
}

/// Runs.
#[async_trait]
pub trait Runs: Send + Sync {
    /// One run of the tenant, if it is to be seen.
    async fn get(&self, scope: &TenantScope, id: RunId) -> Result<Found<Option<RunView>>, PortError>;

    /// The tenant's runs, newest first.
    async fn list(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<RunView>, PortError>;
}

/// Reports.
#[async_trait]
pub trait Reports: Send + Sync {
    /// One report of the tenant, if it is to be seen.
    async fn get(&self, scope: &TenantScope, id: ReportId) -> Result<Found<Option<ReportView>>, PortError>;

    /// The tenant's reports, newest first.
    async fn list(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<ReportView>, PortError>;
}

/// How far the read models have come.
#[async_trait]
pub trait Progress: Send + Sync {
    /// Waits until every read model has passed the position; false where `patience` ran out first.
    async fn passed(&self, position: LogPosition, patience: Duration) -> Result<bool, PortError>;

    /// Whether the log holds an event at the position. One that a failover lost, or a log of another installation, does not.
    async fn holds(&self, position: LogPosition) -> Result<bool, PortError>;
}
