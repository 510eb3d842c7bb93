//! Keeping tenants' secrets sealed.

use async_trait::async_trait;
use domain::ids::{SecretId, TenantId};
use domain::integration::{IntegrationKind, SecretName};
use secrecy::SecretString;

use crate::error::PortError;

/// What a sealed secret belongs to. The ciphertext is bound to it and opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretPlace {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The integration.
    pub kind: IntegrationKind,
    /// The field.
    pub name: SecretName,
}

/// Sealed secrets.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Seals a secret and keeps it under the id.
    async fn store(&self, place: SecretPlace, id: SecretId, secret: &SecretString) -> Result<(), PortError>;

    /// Opens a secret.
    async fn open(&self, place: SecretPlace, id: SecretId) -> Result<SecretString, PortError>;
}
