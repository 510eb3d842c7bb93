//! The tenants' data keys: made once, kept wrapped, opened in memory while the process runs.

use std::collections::HashMap;
use std::sync::Arc;

use application::PortError;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::{hmac, rand};
use domain::ids::TenantId;
use tokio::sync::RwLock;
use zeroize::Zeroizing;

use super::hex;
use super::kek::Kek;
use super::sealing::{KEY_LEN, SealingKey};
use crate::database::Database;
use crate::error::from_sqlx;

/// The keys of one tenant. They cannot be printed.
pub struct TenantKeys {
    sealing: SealingKey,
    naming: hmac::Key,
}

impl TenantKeys {
    fn derive(data_key: &[u8]) -> Result<Self, PortError> {
        let mut sealing = Zeroizing::new([0_u8; KEY_LEN]);
        let mut naming = Zeroizing::new([0_u8; KEY_LEN]);
        expand(data_key, "sealing", sealing.as_mut_slice())?;
        expand(data_key, "naming", naming.as_mut_slice())?;
        Ok(Self { sealing: SealingKey::new(&sealing), naming: hmac::Key::new(hmac::HMAC_SHA256, naming.as_slice()) })
    }

    /// Seals bytes for a place.
    pub fn seal(&self, binding: &str, plain: &[u8]) -> Result<Vec<u8>, PortError> {
        self.sealing.seal(binding, plain)
    }

    /// Opens bytes that were sealed for the place.
    pub fn open(&self, binding: &str, sealed: &[u8]) -> Result<Vec<u8>, PortError> {
        self.sealing.open(binding, sealed)
    }

    /// A name that only the holder of the key can compute, so that it does not let anyone confirm a guess.
    pub fn name(&self, kind: &str, bytes: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.naming);
        context.update(kind.as_bytes());
        context.update(&[0]);
        context.update(bytes);
        hex(context.sign().as_ref())
    }
}

/// The tenants' keys.
pub struct KeyRing {
    database: Database,
    kek: Kek,
    opened: RwLock<HashMap<TenantId, Arc<TenantKeys>>>,
}

impl KeyRing {
    /// Keys in this database, wrapped by `kek`.
    pub fn new(database: Database, kek: Kek) -> Self {
        Self { database, kek, opened: RwLock::default() }
    }

    /// The keys of a tenant; made at the first call.
    pub async fn of(&self, tenant: TenantId) -> Result<Arc<TenantKeys>, PortError> {
        if let Some(keys) = self.opened.read().await.get(&tenant) {
            return Ok(Arc::clone(keys));
        }
        let keys = Arc::new(TenantKeys::derive(&self.data_key(tenant).await?)?);
        self.opened.write().await.insert(tenant, Arc::clone(&keys));
        Ok(keys)
    }

    async fn data_key(&self, tenant: TenantId) -> Result<Zeroizing<Vec<u8>>, PortError> {
        if let Some(wrapped) = self.stored(tenant).await? {
            return self.unwrap(tenant, &wrapped);
        }
        let mut key = Zeroizing::new([0_u8; KEY_LEN]);
        rand::fill(key.as_mut_slice()).map_err(|_| PortError::internal("no randomness"))?;
        let wrapped = self.kek.wrap(&self.binding(tenant), key.as_slice())?;
        sqlx::query("insert into tenant_keys (tenant_id, kek_id, wrapped) values ($1, $2, $3) on conflict do nothing")
            .bind(tenant.uuid())
            .bind(self.kek.id())
            .bind(wrapped)
            .execute(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        // Another process may have been first; what is stored counts.
        let stored = self.stored(tenant).await?.ok_or_else(|| PortError::internal("a new data key is gone"))?;
        self.unwrap(tenant, &stored)
    }

    async fn stored(&self, tenant: TenantId) -> Result<Option<(String, Vec<u8>)>, PortError> {
        sqlx::query_as("select kek_id, wrapped from tenant_keys where tenant_id = $1")
            .bind(tenant.uuid())
            .fetch_optional(self.database.pool())
            .await
            .map_err(from_sqlx)
    }

    fn unwrap(&self, tenant: TenantId, stored: &(String, Vec<u8>)) -> Result<Zeroizing<Vec<u8>>, PortError> {
        let (kek_id, wrapped) = stored;
        if kek_id != self.kek.id() {
            let (have, need) = (self.kek.id(), kek_id);
            return Err(PortError::internal(format!("secrets are wrapped by the key {need}, but the key is {have}")));
        }
        self.kek.unwrap(&self.binding(tenant), wrapped)
    }

    fn binding(&self, tenant: TenantId) -> String {
        format!("tenant-key|{tenant}|{}", self.kek.id())
    }
}

/// HKDF-SHA256 (RFC 5869) with the purpose as its info.
fn expand(data_key: &[u8], purpose: &str, out: &mut [u8]) -> Result<(), PortError> {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    Salt::new(HKDF_SHA256, b"synkro tenant keys")
        .extract(data_key)
        .expand(&[purpose.as_bytes()], Length(out.len()))
        .and_then(|okm| okm.fill(out))
        .map_err(|_| PortError::internal("a tenant's keys could not be derived"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_depend_on_the_key_the_kind_and_the_bytes() {
        let keys = TenantKeys::derive(&[1; 32]).unwrap();
        let name = keys.name("content", b"abc");
        assert_eq!(name.len(), 64);
        assert_eq!(name, TenantKeys::derive(&[1; 32]).unwrap().name("content", b"abc"));
        let others = [
            TenantKeys::derive(&[2; 32]).unwrap().name("content", b"abc"),
            keys.name("answer", b"abc"),
            keys.name("content", b"abd"),
        ];
        assert!(others.iter().all(|other| *other != name));
    }
}
