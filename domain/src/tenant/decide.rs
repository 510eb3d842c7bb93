use chrono::{DateTime, Utc};

use super::{ProvisionTenant, Tenant, TenantCommand, TenantDetails, TenantError, TenantEvent, TenantExport};
use crate::values::{DisplayName, Reason};

type Decision = Result<Vec<TenantEvent>, TenantError>;

impl Tenant {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: TenantCommand) -> Decision {
        match command {
            TenantCommand::Provision(tenant) => self.provision(tenant),
            TenantCommand::Activate { at } => self.activate(at),
            TenantCommand::Rename { name, at } => self.rename(name, at),
            TenantCommand::Suspend { reason, at } => self.suspend(reason, at),
            TenantCommand::Resume { at } => self.resume(at),
            TenantCommand::BeginOffboarding { reason, at } => self.begin_offboarding(reason, at),
            TenantCommand::RecordExport(export) => self.record_export(export),
            TenantCommand::Close { at } => self.close(at),
        }
    }

    fn provision(&self, new: ProvisionTenant) -> Decision {
        let ProvisionTenant { tenant_id, name, slug, language, at } = new;
        if let Some(details) = self.details() {
            let same = TenantDetails { tenant_id, name, slug, language };
            return if *details == same { Ok(Vec::new()) } else { Err(TenantError::AlreadyExists) };
        }
        Ok(vec![TenantEvent::TenantProvisioned { tenant_id, name, slug, language, at }])
    }

    fn activate(&self, at: DateTime<Utc>) -> Decision {
        match self {
            Self::Absent => Err(TenantError::NotFound),
            Self::Active(_) | Self::Suspended(_) => Ok(Vec::new()),
            Self::Offboarding { .. } => Err(TenantError::Offboarding),
            Self::Closed(_) => Err(TenantError::Closed),
            Self::Provisioning(details) => Ok(vec![TenantEvent::TenantActivated { tenant_id: details.tenant_id, at }]),
        }
    }

    fn rename(&self, name: DisplayName, at: DateTime<Utc>) -> Decision {
        match self {
            Self::Absent => Err(TenantError::NotFound),
            Self::Closed(_) => Err(TenantError::Closed),
            Self::Provisioning(details)
            | Self::Active(details)
            | Self::Suspended(details)
            | Self::Offboarding { details, .. } => {
                if details.name == name {
                    return Ok(Vec::new());
                }
                Ok(vec![TenantEvent::TenantRenamed { tenant_id: details.tenant_id, name, at }])
            }
        }
    }

    fn suspend(&self, reason: Reason, at: DateTime<Utc>) -> Decision {
        match self {
            Self::Absent => Err(TenantError::NotFound),
            Self::Provisioning(_) => Err(TenantError::NotActive),
            Self::Suspended(_) => Ok(Vec::new()),
            Self::Offboarding { .. } => Err(TenantError::Offboarding),
            Self::Closed(_) => Err(TenantError::Closed),
            Self::Active(details) => {
                Ok(vec![TenantEvent::TenantSuspended { tenant_id: details.tenant_id, reason, at }])
            }
        }
    }

    fn resume(&self, at: DateTime<Utc>) -> Decision {
        match self {
            Self::Absent => Err(TenantError::NotFound),
            Self::Provisioning(_) => Err(TenantError::NotActive),
            Self::Active(_) => Ok(Vec::new()),
            Self::Closed(_) => Err(TenantError::Closed),
            Self::Suspended(details) | Self::Offboarding { details, .. } => {
                Ok(vec![TenantEvent::TenantResumed { tenant_id: details.tenant_id, at }])
            }
        }
    }

    fn begin_offboarding(&self, reason: Reason, at: DateTime<Utc>) -> Decision {
        match self {
            Self::Absent => Err(TenantError::NotFound),
            Self::Offboarding { .. } => Ok(Vec::new()),
            Self::Closed(_) => Err(TenantError::Closed),
            Self::Provisioning(details) | Self::Active(details) | Self::Suspended(details) => {
                Ok(vec![TenantEvent::TenantOffboardingBegun { tenant_id: details.tenant_id, reason, at }])
            }
        }
    }

    fn record_export(&self, export: TenantExport) -> Decision {
        let TenantExport { events, digest, at } = export;
        match self {
            Self::Absent => Err(TenantError::NotFound),
            Self::Closed(_) => Err(TenantError::Closed),
            Self::Provisioning(_) | Self::Active(_) | Self::Suspended(_) => Err(TenantError::NotOffboarding),
            Self::Offboarding { details, .. } => {
                Ok(vec![TenantEvent::TenantExported { tenant_id: details.tenant_id, events, digest, at }])
            }
        }
    }

    fn close(&self, at: DateTime<Utc>) -> Decision {
        match self {
            Self::Absent => Err(TenantError::NotFound),
            Self::Closed(_) => Ok(Vec::new()),
            Self::Provisioning(_) | Self::Active(_) | Self::Suspended(_) => Err(TenantError::NotOffboarding),
            Self::Offboarding { exported: false, .. } => Err(TenantError::NotExported),
            Self::Offboarding { details, exported: true } => {
                let (tenant_id, slug) = (details.tenant_id, details.slug.clone());
                Ok(vec![TenantEvent::TenantClosed { tenant_id, slug, at }])
            }
        }
    }
}
