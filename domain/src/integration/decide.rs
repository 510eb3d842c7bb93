use chrono::{DateTime, Utc};

use super::{
    CheckOutcome, Configure, IntegrationCommand, IntegrationConfig, IntegrationError, IntegrationEvent, SecretRef,
};
use crate::error::FieldError;

impl IntegrationConfig {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: IntegrationCommand) -> Result<Vec<IntegrationEvent>, IntegrationError> {
        match command {
            IntegrationCommand::Configure(config) => self.configure(config),
            IntegrationCommand::RecordCheck { version, outcome, at } => self.record_check(version, outcome, at),
        }
    }

    fn configure(&self, new: Configure) -> Result<Vec<IntegrationEvent>, IntegrationError> {
        let Configure { tenant_id, settings, secrets: changed, at } = new;
        let kind = settings.kind();
        let kept = self.configured().map(|current| current.secrets.as_slice()).unwrap_or_default();
        let is_changed = |name| changed.iter().any(|secret| secret.name == name);
        let mut secrets: Vec<SecretRef> = kept.iter().filter(|secret| !is_changed(secret.name)).copied().collect();
        secrets.extend(&changed);
        if self.configured().is_some_and(|current| current.settings.kind() != kind) {
            return Err(IntegrationError::KindIsFixed);
        }
        let mut problems = settings.problems();
        for needed in kind.required_secrets() {
            if !secrets.iter().any(|secret| secret.name == *needed) {
                problems.push(FieldError::new(format!("secrets.{}", needed.name()), "must be given"));
            }
        }
        for secret in &secrets {
            if !kind.required_secrets().contains(&secret.name) {
                let message = format!("{} has no such secret", kind.title());
                problems.push(FieldError::new(format!("secrets.{}", secret.name.name()), message));
            }
        }
        if !problems.is_empty() {
            return Err(IntegrationError::Invalid(problems));
        }
        let version = match self.configured() {
            Some(current) if current.settings == settings && current.secrets == secrets => return Ok(Vec::new()),
            Some(current) => current.version + 1,
            None => 1,
        };
        Ok(vec![IntegrationEvent::IntegrationConfigured { tenant_id, version, settings, secrets, at }])
    }

    fn record_check(
        &self,
        version: u32,
        outcome: CheckOutcome,
        at: DateTime<Utc>,
    ) -> Result<Vec<IntegrationEvent>, IntegrationError> {
        let current = self.configured().ok_or(IntegrationError::NotConfigured)?;
        if current.version != version {
            return Ok(Vec::new());
        }
        let (tenant_id, kind) = (current.tenant_id, current.settings.kind());
        Ok(vec![IntegrationEvent::IntegrationChecked { tenant_id, kind, version, outcome, at }])
    }
}
