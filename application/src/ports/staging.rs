//! Data that one step leaves for the next: sealed, named by its content, with a time to live.

use async_trait::async_trait;
use domain::ids::TenantId;
use domain::values::ContentHash;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::PortError;

/// The staging store. Names are keyed hashes, so that they tell nothing about what they name.
#[async_trait]
pub trait Staging: Send + Sync {
    /// Keeps bytes under the name of their content.
    async fn put(&self, tenant: TenantId, bytes: &[u8]) -> Result<ContentHash, PortError>;

    /// The bytes of a name; none where their time to live is over.
    async fn get(&self, tenant: TenantId, name: &ContentHash) -> Result<Option<Vec<u8>>, PortError>;

    /// Keeps the answer to a question, so that a repeated step need not ask (and pay) again.
    async fn remember(&self, tenant: TenantId, question: &[u8], answer: &[u8]) -> Result<(), PortError>;

    /// The answer to a question that was asked before.
    async fn recall(&self, tenant: TenantId, question: &[u8]) -> Result<Option<Vec<u8>>, PortError>;
}

/// Size at which a list is cut into the next part, in bytes of JSON.
const PART_BYTES: usize = 512 * 1024;

/// Stages one value.
pub async fn put_value<T: Serialize + Sync>(
    staging: &dyn Staging,
    tenant: TenantId,
    value: &T,
) -> Result<ContentHash, PortError> {
    let bytes = serde_json::to_vec(value).map_err(|error| PortError::Internal(error.into()))?;
    staging.put(tenant, &bytes).await
}

/// Reads one staged value back.
pub async fn get_value<T: DeserializeOwned>(
    staging: &dyn Staging,
    tenant: TenantId,
    name: &ContentHash,
) -> Result<Option<T>, PortError> {
    let Some(bytes) = staging.get(tenant, name).await? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| PortError::Internal(error.into()))
}

/// A list staged in parts, so that no part grows beyond what the database moves well.
pub struct ListWriter<'a> {
    staging: &'a dyn Staging,
    tenant: TenantId,
    part: Vec<u8>,
    parts: Vec<ContentHash>,
}

impl<'a> ListWriter<'a> {
    /// An empty list.
    pub fn new(staging: &'a dyn Staging, tenant: TenantId) -> Self {
        Self { staging, tenant, part: Vec::new(), parts: Vec::new() }
    }

    /// Adds an item.
    pub async fn push<T: Serialize + Sync>(&mut self, item: &T) -> Result<(), PortError> {
        self.part.push(if self.part.is_empty() { b'[' } else { b',' });
        serde_json::to_writer(&mut self.part, item).map_err(|error| PortError::Internal(error.into()))?;
        if self.part.len() >= PART_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    /// Ends the list; the name finds it again.
    pub async fn finish(mut self) -> Result<ContentHash, PortError> {
        self.flush().await?;
        put_value(self.staging, self.tenant, &self.parts).await
    }

    async fn flush(&mut self) -> Result<(), PortError> {
        if !self.part.is_empty() {
            self.part.push(b']');
            self.parts.push(self.staging.put(self.tenant, &self.part).await?);
            self.part.clear();
        }
        Ok(())
    }
}

/// The parts of a staged list; none where its time to live is over.
pub async fn list_parts(
    staging: &dyn Staging,
    tenant: TenantId,
    name: &ContentHash,
) -> Result<Option<Vec<ContentHash>>, PortError> {
    get_value(staging, tenant, name).await
}
