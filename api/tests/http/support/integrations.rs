//! What a company connects, as far as the API's own tests ask for it: only who may ask.

use std::sync::Arc;

use api::Integrations;
use application::ports::read_models::{IntegrationRecord, IntegrationRecords, Page, PageRequest, RecordFilter};
use application::ports::staging::Staging;
use application::use_cases::{
    CheckIntegration, ConfigureIntegration, DefineTenantAutomation, OpenAccount, ReadIntegrations, SaveIntegration,
    TryIntegration, WriteFindings,
};
use application::{PortError, TenantScope};
use async_trait::async_trait;
use domain::ids::TenantId;
use domain::integration::IntegrationKind;
use domain::values::ContentHash;

use super::access::Untouched;
use super::memory::Memory;

pub(super) fn integrations(memory: &Arc<Memory>) -> Integrations {
    let accounts = || Arc::new(OpenAccount { tokens: super::oauth::tokens(memory), vault: memory.clone() });
    let check = Arc::new(CheckIntegration {
        integrations: memory.clone(),
        accounts: accounts(),
        connectors: memory.clone(),
        clock: memory.clone(),
    });
    Integrations {
        automation: DefineTenantAutomation { automations: memory.clone(), clock: memory.clone() },
        read: ReadIntegrations {
            integrations: memory.clone(),
            records: Arc::new(Untouched),
            automations: memory.clone(),
            accounts: accounts(),
            connectors: memory.clone(),
            clock: memory.clone(),
        },
        save: SaveIntegration {
            integrations: memory.clone(),
            configure: ConfigureIntegration {
                integrations: memory.clone(),
                vault: memory.clone(),
                clock: memory.clone(),
                ids: memory.clone(),
            },
            check: Arc::clone(&check),
            connectors: memory.clone(),
        },
        check,
        test: TryIntegration {
            integrations: memory.clone(),
            tenants: memory.clone(),
            accounts: accounts(),
            connectors: memory.clone(),
            staging: Arc::new(Untouched),
            clock: memory.clone(),
            under_way: Arc::default(),
        },
        write: WriteFindings {
            integrations: memory.clone(),
            accounts: accounts(),
            connectors: memory.clone(),
            staging: Arc::new(Untouched),
            clock: memory.clone(),
        },
    }
}

#[async_trait]
impl IntegrationRecords for Untouched {
    async fn list(
        &self,
        _scope: &TenantScope,
        _kind: IntegrationKind,
        _filter: RecordFilter,
        _page: PageRequest,
    ) -> Result<Page<IntegrationRecord>, PortError> {
        Ok(Page { items: Vec::new(), next: None, parked: 0 })
    }
}

#[async_trait]
impl Staging for Untouched {
    async fn put(&self, _tenant: TenantId, _bytes: &[u8]) -> Result<ContentHash, PortError> {
        Err(PortError::internal("nothing is staged here"))
    }

    async fn get(&self, _tenant: TenantId, _name: &ContentHash) -> Result<Option<Vec<u8>>, PortError> {
        Ok(None)
    }

    async fn remember(&self, _tenant: TenantId, _question: &[u8], _answer: &[u8]) -> Result<(), PortError> {
        Err(PortError::internal("nothing is staged here"))
    }

    async fn recall(&self, _tenant: TenantId, _question: &[u8]) -> Result<Option<Vec<u8>>, PortError> {
        Ok(None)
    }
}
