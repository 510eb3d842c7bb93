//! The tenants' data keys, as those see them who exchange the key that wraps them, or the keys themselves.

use async_trait::async_trait;
use domain::ids::TenantId;

use crate::error::PortError;

/// Which key-encryption keys wrap data keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapping {
    /// The name of the key that wraps new data keys.
    pub current: String,
    /// Each key that wraps data keys, and how many.
    pub used: Vec<Used>,
}

/// A key-encryption key that wraps data keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// Its name, which does not tell it.
    pub kek_id: String,
    /// How many it wraps.
    pub data_keys: u64,
    /// Whether this process has it.
    pub is_known: bool,
}

impl Wrapping {
    /// The keys other than the current one.
    pub fn others(&self) -> impl Iterator<Item = &Used> {
        self.used.iter().filter(|used| used.kek_id != self.current)
    }
}

/// Wraps data keys anew. What they seal stays as it is.
#[async_trait]
pub trait DataKeys: Send + Sync {
    /// Which keys wrap them now.
    ///
    /// # Errors
    /// Those of the database.
    async fn wrapping(&self) -> Result<Wrapping, PortError>;

    /// Wraps some of those that others wrap with the current key, and says how many; 0 where there is none left.
    ///
    /// # Errors
    /// Those of the database, and where a data key does not open.
    async fn rewrap_some(&self) -> Result<u64, PortError>;
}

/// The keys of a tenant, numbered, and what they seal. The one of the highest number seals what is new.
#[async_trait]
pub trait DataKeyGenerations: Send + Sync {
    /// The highest number; none where the tenant has sealed nothing yet.
    ///
    /// # Errors
    /// Those of the database.
    async fn newest(&self, tenant: TenantId) -> Result<Option<u32>, PortError>;

    /// The names of the key-encryption keys that wrap its keys and that this process does not have.
    ///
    /// # Errors
    /// Those of the database.
    async fn unknown_keks(&self, tenant: TenantId) -> Result<Vec<String>, PortError>;

    /// Makes the key of this number, unless there is one. What wraps the newest one wraps it too: all processes have that.
    ///
    /// # Errors
    /// Those of the database, and where this process does not have what wraps the newest one.
    async fn make(&self, tenant: TenantId, generation: u32) -> Result<(), PortError>;

    /// How many ciphertexts other keys seal.
    ///
    /// # Errors
    /// Those of the database.
    async fn left(&self, tenant: TenantId, generation: u32) -> Result<u64, PortError>;

    /// Seals some of them under this key, and says how many; 0 where there is none left.
    ///
    /// # Errors
    /// Those of the database, and where a ciphertext does not open.
    async fn reseal_some(&self, tenant: TenantId, generation: u32) -> Result<u64, PortError>;

    /// Deletes the keys of lower numbers; false where one of them still seals something, and then none is deleted.
    ///
    /// # Errors
    /// Those of the database.
    async fn retire(&self, tenant: TenantId, generation: u32) -> Result<bool, PortError>;
}
