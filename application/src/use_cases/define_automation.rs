//! Saying what a tenant calls a day and when its pipeline runs.

use std::sync::Arc;

use domain::access::Permission;
use domain::automation::{Automation, AutomationCommand, DefineAutomation, Defined, Schedule};
use domain::ids::{AutomationId, TenantId};
use domain::period::DayBorder;

use crate::context::RequestContext;
use crate::error::{AppError, PortError};
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};

/// What became of a definition.
#[derive(Debug)]
pub struct AutomationOutcome {
    /// What is in force now; after a request that was repeated, perhaps what was defined since.
    pub automation: Option<Defined>,
    /// The place of the event in the log; none where the same was defined already.
    pub position: Option<LogPosition>,
    /// True where the request was a repeat, and this is its first outcome.
    pub replayed: bool,
}

/// Defines automations.
pub struct DefineTenantAutomation {
    /// The log.
    pub automations: Arc<dyn Commands<Automation>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl DefineTenantAutomation {
    /// The tenant's automation; none where it was never defined. Read from the log, so that it is never out of date.
    pub async fn get(&self, context: &RequestContext) -> Result<Option<Defined>, AppError> {
        let scope = context.authorize_to_see(Permission::SettingsWrite)?;
        Ok(self.in_force(scope.tenant_id()).await?)
    }

    /// Defines or changes the tenant's automation.
    pub async fn define(
        &self,
        context: &RequestContext,
        day: DayBorder,
        schedule: Schedule,
    ) -> Result<Option<LogPosition>, AppError> {
        Ok(self.save(context, Ok((day, schedule))).await?.position)
    }

    /// The same with what somebody filled in. A form that could not be read is refused after the question for the
    /// right.
    ///
    /// # Errors
    /// `invalid` with every bad field, `forbidden` without the right to change settings.
    pub async fn save(
        &self,
        context: &RequestContext,
        form: Result<(DayBorder, Schedule), AppError>,
    ) -> Result<AutomationOutcome, AppError> {
        let scope = context.authorize(Permission::SettingsWrite)?;
        let (tenant_id, (day, schedule)) = (scope.tenant_id(), form?);
        let define = DefineAutomation { tenant_id, day, schedule, at: self.clock.now() };
        let id = AutomationId::of(tenant_id).uuid();
        let recorded = self.automations.execute(scope.context(), id, AutomationCommand::Define(define)).await?;
        let automation = self.in_force(tenant_id).await?;
        Ok(AutomationOutcome { automation, position: recorded.position, replayed: recorded.replayed })
    }

    async fn in_force(&self, tenant_id: TenantId) -> Result<Option<Defined>, PortError> {
        let automation = self.automations.load(AutomationId::of(tenant_id).uuid()).await?;
        Ok(automation.defined().cloned())
    }
}
