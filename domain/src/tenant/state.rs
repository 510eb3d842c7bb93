use serde::{Deserialize, Serialize};

use super::{TenantError, TenantEvent};
use crate::ids::TenantId;
use crate::values::{DisplayName, Language, Slug};

/// The situations of a tenant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Tenant {
    /// Never provisioned.
    #[default]
    Absent,
    /// Created; its integrations and users are being set up.
    Provisioning(TenantDetails),
    /// In use.
    Active(TenantDetails),
    /// Kept out for a while.
    Suspended(TenantDetails),
    /// Kept out; its data is handed out before it is closed.
    Offboarding {
        /// What is known of it.
        details: TenantDetails,
        /// Whether its data was handed out since.
        exported: bool,
    },
    /// Gone for good.
    Closed(TenantDetails),
}

/// What is known of a tenant from its first event on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TenantDetails {
    /// Its id.
    pub tenant_id: TenantId,
    /// Its name as people read it.
    pub name: DisplayName,
    /// Its short name in addresses.
    pub slug: Slug,
    /// The language of its reports and messages.
    pub language: Language,
}

impl Tenant {
    /// The details, in every situation but `Absent`.
    pub fn details(&self) -> Option<&TenantDetails> {
        match self {
            Self::Absent => None,
            Self::Provisioning(details)
            | Self::Active(details)
            | Self::Suspended(details)
            | Self::Offboarding { details, .. }
            | Self::Closed(details) => Some(details),
        }
    }

    /// Whether its users, keys, schedules and runs may do anything. They may while it is being set up.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Provisioning(_) | Self::Active(_))
    }

    /// Passes where its users may come in.
    ///
    /// # Errors
    /// [`TenantError::KeptOut`] where it is suspended, being offboarded or closed; [`TenantError::NotFound`] where it was
    /// never provisioned.
    pub fn require_open(&self) -> Result<(), TenantError> {
        match self {
            Self::Absent => Err(TenantError::NotFound),
            Self::Provisioning(_) | Self::Active(_) => Ok(()),
            Self::Suspended(_) | Self::Offboarding { .. } | Self::Closed(_) => Err(TenantError::KeptOut),
        }
    }

    /// Passes where its data can be handed out for good.
    ///
    /// # Errors
    /// [`TenantError`], where its offboarding was not begun or is over.
    pub fn require_offboarding(&self) -> Result<(), TenantError> {
        match self {
            Self::Absent => Err(TenantError::NotFound),
            Self::Closed(_) => Err(TenantError::Closed),
            Self::Provisioning(_) | Self::Active(_) | Self::Suspended(_) => Err(TenantError::NotOffboarding),
            Self::Offboarding { .. } => Ok(()),
        }
    }

    pub(super) fn evolve(self, event: TenantEvent) -> Self {
        match event {
            TenantEvent::TenantProvisioned { tenant_id, name, slug, language, .. } => {
                Self::Provisioning(TenantDetails { tenant_id, name, slug, language })
            }
            TenantEvent::TenantActivated { .. } | TenantEvent::TenantResumed { .. } => self.become_with(Self::Active),
            TenantEvent::TenantRenamed { name, .. } => self.renamed(name),
            TenantEvent::TenantSuspended { .. } => self.become_with(Self::Suspended),
            TenantEvent::TenantOffboardingBegun { .. } => {
                self.become_with(|details| Self::Offboarding { details, exported: false })
            }
            TenantEvent::TenantExported { .. } => {
                self.become_with(|details| Self::Offboarding { details, exported: true })
            }
            TenantEvent::TenantClosed { .. } => self.become_with(Self::Closed),
        }
    }

    fn become_with(self, situation: impl FnOnce(TenantDetails) -> Self) -> Self {
        match self {
            Self::Absent => Self::Absent,
            Self::Provisioning(details)
            | Self::Active(details)
            | Self::Suspended(details)
            | Self::Offboarding { details, .. }
            | Self::Closed(details) => situation(details),
        }
    }

    fn renamed(mut self, new: DisplayName) -> Self {
        match &mut self {
            Self::Absent => {}
            Self::Provisioning(details)
            | Self::Active(details)
            | Self::Suspended(details)
            | Self::Offboarding { details, .. }
            | Self::Closed(details) => details.name = new,
        }
        self
    }
}
