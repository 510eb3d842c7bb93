//! Saying what a tenant calls a day and when its pipeline runs.

use std::sync::Arc;

use domain::access::Permission;
use domain::automation::{Automation, AutomationCommand, DefineAutomation, Schedule};
use domain::ids::AutomationId;
use domain::period::DayBorder;

use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};

/// Defines automations.
pub struct DefineTenantAutomation {
    /// The log.
    pub automations: Arc<dyn Commands<Automation>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl DefineTenantAutomation {
    /// Defines or changes the tenant's automation.
    pub async fn define(
        &self,
        context: &RequestContext,
        day: DayBorder,
        schedule: Schedule,
    ) -> Result<Option<LogPosition>, AppError> {
        let scope = context.authorize(Permission::SettingsWrite)?;
        let tenant_id = scope.tenant_id();
        let define = DefineAutomation { tenant_id, day, schedule, at: self.clock.now() };
        let id = AutomationId::of(tenant_id).uuid();
        Ok(self.automations.execute(scope.context(), id, AutomationCommand::Define(define)).await?.position)
    }
}
