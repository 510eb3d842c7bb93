//! The tenants' data keys: kept wrapped, opened in memory while the process runs, exchanged now and then.
//!
//! A ciphertext begins with the number of the key that seals it, its *generation*. The newest one seals; the database lets no key
//! go while a ciphertext names it (ADR 0029).

use std::collections::HashMap;
use std::sync::Arc;

use application::PortError;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::{hmac, rand};
use domain::ids::TenantId;
use tokio::sync::RwLock;
use zeroize::Zeroizing;

use super::hex;
use super::kek::Keks;
use super::sealing::{KEY_LEN, SealingKey};
use crate::database::Database;
use crate::error::{KeyGone, from_sqlx};

/// The generation of the key that a tenant begins with.
const FIRST: u32 = 1;

/// Length of the generation in front of a ciphertext.
const GENERATION_LEN: usize = 4;

/// One generation of a tenant's keys. They cannot be printed.
pub struct TenantKeys {
    generation: u32,
    sealing: SealingKey,
    naming: hmac::Key,
}

impl TenantKeys {
    fn derive(generation: u32, data_key: &[u8]) -> Result<Self, PortError> {
        let mut sealing = Zeroizing::new([0_u8; KEY_LEN]);
        let mut naming = Zeroizing::new([0_u8; KEY_LEN]);
        expand(data_key, "sealing", sealing.as_mut_slice())?;
        expand(data_key, "naming", naming.as_mut_slice())?;
        let naming = hmac::Key::new(hmac::HMAC_SHA256, naming.as_slice());
        Ok(Self { generation, sealing: SealingKey::new(&sealing), naming })
    }

    /// Seals bytes for a place.
    pub fn seal(&self, binding: &str, plain: &[u8]) -> Result<Vec<u8>, PortError> {
        Ok([self.generation.to_be_bytes().as_slice(), &self.sealing.seal(binding, plain)?].concat())
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
    keks: Arc<Keks>,
    opened: RwLock<HashMap<(TenantId, u32), Arc<TenantKeys>>>,
}

impl KeyRing {
    /// Keys in this database, wrapped by the current one of `keks`.
    pub fn new(database: Database, keks: Arc<Keks>) -> Self {
        Self { database, keks, opened: RwLock::default() }
    }

    /// The keys under which a tenant's data is sealed and named now; made at the first call. It asks the database each time,
    /// because another process may have exchanged them.
    pub async fn of(&self, tenant: TenantId) -> Result<Arc<TenantKeys>, PortError> {
        let newest = if let Some(newest) = self.newest(tenant).await? {
            newest
        } else {
            self.make(tenant, FIRST).await?;
            // Another process may have been first; what is stored counts.
            self.newest(tenant).await?.ok_or_else(|| PortError::internal("a new data key is gone"))?
        };
        self.generation(tenant, newest).await
    }

    /// Opens what was sealed for the place, under whichever of the tenant's keys.
    pub async fn open(&self, tenant: TenantId, binding: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, PortError> {
        let (generation, sealed) = parts(sealed)?;
        self.generation(tenant, generation).await?.sealing.open(binding, sealed)
    }

    /// The number of the tenant's newest key; none where there is none yet.
    pub(super) async fn newest(&self, tenant: TenantId) -> Result<Option<u32>, PortError> {
        let newest: Option<i32> = sqlx::query_scalar("select max(generation) from tenant_keys where tenant_id = $1")
            .bind(tenant.uuid())
            .fetch_one(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        let Some(newest) = newest.map(i32::unsigned_abs) else { return Ok(None) };
        let is_old = |(of, generation): &(TenantId, u32)| *of == tenant && *generation < newest;
        if self.opened.read().await.keys().any(is_old) {
            self.opened.write().await.retain(|key, _| !is_old(key));
        }
        Ok(Some(newest))
    }

    /// Makes a key of this number, unless there is one. What wraps the tenant's newest key wraps it, which all processes have; the
    /// current key-encryption key may be known to this one alone.
    pub(super) async fn make(&self, tenant: TenantId, generation: u32) -> Result<(), PortError> {
        let mut transaction = self.database.pool().begin().await.map_err(from_sqlx)?;
        // Locked until the new one is there, so that who wraps all keys anew meanwhile does not miss it.
        let newest = "select kek_id from tenant_keys where tenant_id = $1 order by generation desc limit 1 for share";
        let kek_id: Option<String> = sqlx::query_scalar(newest)
            .bind(tenant.uuid())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(from_sqlx)?;
        let kek_id = kek_id.as_deref().unwrap_or(self.keks.current());
        let mut key = Zeroizing::new([0_u8; KEY_LEN]);
        rand::fill(key.as_mut_slice()).map_err(|_| PortError::internal("no randomness"))?;
        let wrapped = self.keks.wrap(tenant, generation, kek_id, key.as_slice())?;
        sqlx::query(
            "insert into tenant_keys (tenant_id, generation, kek_id, wrapped) values ($1, $2, $3, $4)
             on conflict do nothing",
        )
        .bind(tenant.uuid())
        .bind(number(generation))
        .bind(kek_id)
        .bind(wrapped)
        .execute(&mut *transaction)
        .await
        .map_err(from_sqlx)?;
        transaction.commit().await.map_err(from_sqlx)
    }

    /// The names of the key-encryption keys that wrap the tenant's keys and are not here.
    pub(super) async fn unknown_keks(&self, tenant: TenantId) -> Result<Vec<String>, PortError> {
        let used: Vec<String> =
            sqlx::query_scalar("select distinct kek_id from tenant_keys where tenant_id = $1 order by kek_id")
                .bind(tenant.uuid())
                .fetch_all(self.database.pool())
                .await
                .map_err(from_sqlx)?;
        Ok(used.into_iter().filter(|kek_id| !self.keks.holds(kek_id)).collect())
    }

    /// The tenant's keys of this number.
    pub(super) async fn generation(&self, tenant: TenantId, generation: u32) -> Result<Arc<TenantKeys>, PortError> {
        if let Some(keys) = self.opened.read().await.get(&(tenant, generation)) {
            return Ok(Arc::clone(keys));
        }
        let stored: Option<(String, Vec<u8>)> =
            sqlx::query_as("select kek_id, wrapped from tenant_keys where tenant_id = $1 and generation = $2")
                .bind(tenant.uuid())
                .bind(number(generation))
                .fetch_optional(self.database.pool())
                .await
                .map_err(from_sqlx)?;
        let Some((kek_id, wrapped)) = stored else { return Err(PortError::Unavailable(Box::new(KeyGone))) };
        let data_key = self.keks.unwrap(tenant, generation, &kek_id, &wrapped)?;
        let keys = Arc::new(TenantKeys::derive(generation, &data_key)?);
        self.opened.write().await.insert((tenant, generation), Arc::clone(&keys));
        Ok(keys)
    }
}

/// The bytes of a ciphertext, sealed for the same place under the key of this number.
pub(super) fn reseal(
    keys: &HashMap<u32, Arc<TenantKeys>>,
    generation: u32,
    binding: &str,
    sealed: &[u8],
) -> Result<Vec<u8>, PortError> {
    let of = |number| keys.get(&number).ok_or_else(|| PortError::Unavailable(Box::new(KeyGone)));
    let (former, ciphertext) = parts(sealed)?;
    let plain = of(former)?.sealing.open(binding, ciphertext)?;
    of(generation)?.seal(binding, &plain)
}

/// The number of the key that seals it, and the ciphertext itself.
fn parts(sealed: &[u8]) -> Result<(u32, &[u8]), PortError> {
    let broken = || PortError::internal("a ciphertext does not say which key seals it");
    let (generation, ciphertext) = sealed.split_first_chunk::<GENERATION_LEN>().ok_or_else(broken)?;
    Ok((u32::from_be_bytes(*generation), ciphertext))
}

/// As the database holds it. A generation beyond its range belongs to no key.
pub(super) fn number(generation: u32) -> i32 {
    i32::try_from(generation).unwrap_or(i32::MAX)
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
        let keys = TenantKeys::derive(1, &[1; 32]).unwrap();
        let name = keys.name("content", b"abc");
        assert_eq!(name.len(), 64);
        assert_eq!(name, TenantKeys::derive(1, &[1; 32]).unwrap().name("content", b"abc"));
        let others = [
            TenantKeys::derive(1, &[2; 32]).unwrap().name("content", b"abc"),
            keys.name("answer", b"abc"),
            keys.name("content", b"abd"),
        ];
        assert!(others.iter().all(|other| *other != name));
    }
}
