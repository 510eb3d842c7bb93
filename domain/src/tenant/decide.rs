use chrono::{DateTime, Utc};

use super::{ProvisionTenant, Tenant, TenantCommand, TenantDetails, TenantError, TenantEvent};

impl Tenant {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: TenantCommand) -> Result<Vec<TenantEvent>, TenantError> {
        match command {
            TenantCommand::Provision(tenant) => self.provision(tenant),
            TenantCommand::Activate { at } => self.activate(at),
        }
    }

    fn provision(&self, new: ProvisionTenant) -> Result<Vec<TenantEvent>, TenantError> {
        let ProvisionTenant { tenant_id, name, slug, language, at } = new;
        if let Some(details) = self.details() {
            let same = TenantDetails { tenant_id, name, slug, language };
            return if *details == same { Ok(Vec::new()) } else { Err(TenantError::AlreadyExists) };
        }
        Ok(vec![TenantEvent::TenantProvisioned { tenant_id, name, slug, language, at }])
    }

    fn activate(&self, at: DateTime<Utc>) -> Result<Vec<TenantEvent>, TenantError> {
        match self {
            Self::Absent => Err(TenantError::NotFound),
            Self::Active(_) => Ok(Vec::new()),
            Self::Provisioning(details) => Ok(vec![TenantEvent::TenantActivated { tenant_id: details.tenant_id, at }]),
        }
    }
}
