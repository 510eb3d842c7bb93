//! Exchanging a company's data key: all that it has sealed is sealed anew under another one, while all goes on.

use std::sync::Arc;

use domain::ErrorKind;
use domain::data_key_rotation::{DataKeyRotation, DataKeyRotationCommand};
use domain::ids::{DataKeyRotationId, TenantId};

use super::exchange_kek::require_none_unknown;
use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::Commands;
use crate::ports::data_keys::DataKeyGenerations;

/// How far an exchange has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataKeyProgress {
    /// Ciphertexts that are sealed anew.
    pub done: u64,
    /// Ciphertexts that were to be sealed anew when it began.
    pub all: u64,
}

/// What an exchange came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataKeyExchanged {
    /// The number of the key under which everything is now.
    pub generation: u32,
    /// Ciphertexts that were sealed anew.
    pub sealed_anew: u64,
}

/// Exchanges companies' data keys.
pub struct DataKeyExchange {
    /// The log.
    pub rotations: Arc<dyn Commands<DataKeyRotation>>,
    /// The data keys.
    pub data_keys: Arc<dyn DataKeyGenerations>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl DataKeyExchange {
    /// Makes the company another data key, seals all that it has sealed under that one, and deletes the former. Beginning and
    /// end are in the log; one that is cut off goes on where it was. Nothing where the company has sealed nothing yet.
    ///
    /// # Errors
    /// `forbidden` for all but support staff; `conflict` where the company's keys are wrapped by a key-encryption key that this
    /// process does not have, before anything is done, and where processes go on sealing under the former key.
    pub async fn exchange(
        &self,
        context: &RequestContext,
        tenant: TenantId,
        show: &(dyn Fn(DataKeyProgress) + Send + Sync),
    ) -> Result<Option<DataKeyExchanged>, AppError> {
        let context = context.require_support(Some(tenant))?;
        // Before anything is recorded: a key that only this process can open would end all sealing of the company.
        require_none_unknown(&self.data_keys.unknown_keks(tenant).await?)?;
        let Some(generation) = self.begin(&context, tenant).await? else { return Ok(None) };
        self.data_keys.make(tenant, generation).await?;
        let all = self.data_keys.left(tenant, generation).await?;
        let mut done = 0;
        loop {
            show(DataKeyProgress { done, all });
            match self.data_keys.reseal_some(tenant, generation).await? {
                0 if self.data_keys.retire(tenant, generation).await? => break,
                // Somebody has sealed under the former key meanwhile.
                0 => done += 1,
                some => done += some,
            }
            // Twice as much as there was comes from somebody who does not stop.
            if done > 2 * all + MOST_NEW {
                return Err(AppError::new(ErrorKind::Conflict, "data_key.still_used", STILL_USED));
            }
        }
        let complete = DataKeyRotationCommand::Complete { sealed_anew: done, at: self.clock.now() };
        self.rotations.execute(&context, DataKeyRotationId::of(tenant).uuid(), complete).await?;
        Ok(Some(DataKeyExchanged { generation, sealed_anew: done }))
    }

    /// The number of the key that everything is to come under: that of an exchange that was cut off, or the next one.
    async fn begin(&self, context: &RequestContext, tenant: TenantId) -> Result<Option<u32>, AppError> {
        let id = DataKeyRotationId::of(tenant).uuid();
        if let DataKeyRotation::Running { generation, .. } = self.rotations.load(id).await? {
            return Ok(Some(generation));
        }
        let Some(newest) = self.data_keys.newest(tenant).await? else { return Ok(None) };
        let begin = DataKeyRotationCommand::Begin { tenant_id: tenant, generation: newest + 1, at: self.clock.now() };
        self.rotations.execute(context, id, begin).await?;
        // Of two who begin at once the second goes on with the first one's key.
        match self.rotations.load(id).await? {
            DataKeyRotation::Running { generation, .. } => Ok(Some(generation)),
            DataKeyRotation::Absent | DataKeyRotation::Completed { .. } => Ok(Some(newest + 1)),
        }
    }
}

const STILL_USED: &str = "Processes go on sealing under the company's former key. Update and restart all of them, and repeat \
    this. Nothing is lost: what is sealed opens under both.";

/// What may be sealed under the former key while the rest is sealed anew.
const MOST_NEW: u64 = 10_000;
