//! The tables about people that are on their way into a company.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::access::RoleName;
use domain::ids::{InvitationId, UserId};
use domain::values::Personal;

use super::read_models::{Found, Page, PageRequest};
use crate::context::TenantScope;
use crate::error::PortError;

/// Where an invitation stands. Whether its time is over is told by its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationStatus {
    /// The platform's staff have proposed it, and the company has not sent it.
    Proposed,
    /// It can be accepted in its time.
    Open,
    /// Its user is registered.
    Accepted,
    /// It was taken back.
    Revoked,
}

impl InvitationStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Proposed, Self::Open, Self::Accepted, Self::Revoked];

    /// The frozen name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Revoked => "revoked",
        }
    }
}

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationView {
    /// Its id.
    pub id: InvitationId,
    /// The address that is invited.
    pub email: Personal<String>,
    /// What the person will be in the company.
    pub role: RoleName,
    /// Where it stands.
    pub status: InvitationStatus,
    /// When it was made.
    pub invited_at: DateTime<Utc>,
    /// When it can no longer be accepted.
    pub expires_at: DateTime<Utc>,
    /// Who it made, once it was accepted.
    pub user_id: Option<UserId>,
}

/// The read model of invitations.
#[async_trait]
pub trait Invitations: Send + Sync {
    /// One invitation of the tenant.
    async fn get(&self, scope: &TenantScope, id: InvitationId) -> Result<Found<Option<InvitationView>>, PortError>;

    /// The tenant's invitations, newest first.
    async fn list(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<InvitationView>, PortError>;
}
