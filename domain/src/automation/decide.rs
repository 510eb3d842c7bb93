use chrono::{DateTime, Utc};

use super::{Automation, AutomationError, AutomationEvent, Defined, Schedule};
use crate::ids::TenantId;
use crate::period::DayBorder;

/// What can be asked of a tenant's automation.
#[derive(Debug, Clone)]
pub enum AutomationCommand {
    /// Define or change it.
    Define(DefineAutomation),
}

/// A definition.
#[derive(Debug, Clone)]
pub struct DefineAutomation {
    /// The owner.
    pub tenant_id: TenantId,
    /// What the tenant calls a day.
    pub day: DayBorder,
    /// When runs start.
    pub schedule: Schedule,
    /// Now.
    pub at: DateTime<Utc>,
}

impl Automation {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: AutomationCommand) -> Result<Vec<AutomationEvent>, AutomationError> {
        match command {
            AutomationCommand::Define(new) => self.define(&new),
        }
    }

    fn define(&self, new: &DefineAutomation) -> Result<Vec<AutomationEvent>, AutomationError> {
        let DefineAutomation { tenant_id, day, schedule, at } = *new;
        match self.defined() {
            Some(current) if current.tenant_id != tenant_id => Err(AutomationError::NotFound),
            Some(current) if *current == (Defined { tenant_id, day, schedule }) => Ok(Vec::new()),
            _ => Ok(vec![AutomationEvent::AutomationDefined { tenant_id, day, schedule, at }]),
        }
    }
}
