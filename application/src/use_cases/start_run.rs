//! Starting a run by hand.

use std::sync::Arc;

use chrono::NaiveDate;
use domain::access::Permission;
use domain::automation::Automation;
use domain::ids::{AutomationId, RunId};
use domain::integration::IntegrationKind;
use domain::job_run::{ConfigVersion, JobRun, JobRunCommand, RetryPolicy, StartRun};
use domain::period::DayBorder;
use domain::report::ReportKind;
use domain::tenant::Tenant;
use domain::{ErrorKind, FieldError};

use crate::context::{RequestContext, TenantScope};
use crate::error::AppError;
use crate::ports::clock::{Clock, Ids};
use crate::ports::commands::Commands;
use crate::ports::read_models::Integrations;
use crate::use_cases::RunOutcome;

/// What the run shall be about.
#[derive(Debug, Clone, Copy)]
pub struct RunRequest {
    /// The run's id, where the caller wants a repeat to find the same run.
    pub id: Option<RunId>,
    /// First day, as the tenant counts days.
    pub first_day: NaiveDate,
    /// Last day, included.
    pub last_day: NaiveDate,
}

/// Starts runs.
pub struct RunStarter {
    /// The log of runs.
    pub runs: Arc<dyn Commands<JobRun>>,
    /// The log of automations.
    pub automations: Arc<dyn Commands<Automation>>,
    /// Which integrations are set up.
    pub integrations: Arc<dyn Integrations>,
    /// The log of tenants. The read model may not know yet that one was suspended.
    pub tenants: Arc<dyn Commands<Tenant>>,
    /// How new runs deal with transient failures.
    pub policy: RetryPolicy,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids of new runs.
    pub ids: Arc<dyn Ids>,
}

impl RunStarter {
    /// Starts a run over the tenant's days.
    ///
    /// # Errors
    /// `invalid` for days that make no period; `conflict` where the tenant is not in use or something is not set up
    /// yet, naming all that is missing.
    pub async fn start(&self, context: &RequestContext, request: RunRequest) -> Result<RunOutcome, AppError> {
        let scope = context.authorize(Permission::RunsStart)?;
        // What the company has set up by now is no matter of a run that was started before.
        if let Some(first) = self.runs.first_outcome(scope.context()).await? {
            return Ok(first.into());
        }
        let tenant_id = scope.tenant_id();
        let day = self.day_border(&scope).await?;
        let RunRequest { id, first_day, last_day } = request;
        let period = day.days(first_day, last_day).map_err(AppError::invalid)?;
        let config = self.config_versions(&scope).await?;
        let kind = if first_day == last_day { ReportKind::Daily } else { ReportKind::Custom };
        let run_id = id.unwrap_or_else(|| RunId::from(self.ids.next()));
        let (policy, at) = (self.policy, self.clock.now());
        let start = StartRun { run_id, tenant_id, kind, period, day, config, policy, at };
        Ok(self.runs.execute(scope.context(), run_id.uuid(), JobRunCommand::Start(start)).await?.into())
    }

    async fn day_border(&self, scope: &TenantScope) -> Result<DayBorder, AppError> {
        let automation = self.automations.load(AutomationId::of(scope.tenant_id()).uuid()).await?;
        automation.defined().map(|defined| defined.day).ok_or_else(|| {
            let detail = "The company's time zone is not set yet; set it in Settings → Automation.";
            AppError::new(ErrorKind::Conflict, "run.automation_missing", detail)
        })
    }

    async fn config_versions(&self, scope: &TenantScope) -> Result<Vec<ConfigVersion>, AppError> {
        if !matches!(self.tenants.load(scope.tenant_id().uuid()).await?, Tenant::Active(_)) {
            let detail = "The company's account is not active, so no run can start.";
            return Err(AppError::new(ErrorKind::Conflict, "run.tenant_not_active", detail));
        }
        let configured = self.integrations.list(scope).await?;
        let missing: Vec<FieldError> = IntegrationKind::ALL
            .into_iter()
            .filter(|kind| !configured.iter().any(|integration| integration.kind == *kind))
            .map(|kind| FieldError::new(kind.name(), format!("{} is not set up; set it up in Settings", kind.title())))
            .collect();
        if !missing.is_empty() {
            let detail = "Some integrations are not set up yet.";
            let error = AppError::new(ErrorKind::Conflict, "run.integrations_missing", detail);
            return Err(AppError { fields: missing, ..error });
        }
        let version = |integration: &crate::ports::read_models::IntegrationView| ConfigVersion {
            kind: integration.kind,
            version: integration.version,
        };
        Ok(configured.iter().map(version).collect())
    }
}
