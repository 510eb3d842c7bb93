//! The outside services of the test system, of which the API asks for stored reports only.

use application::ports::circuits::{CallStanding, CircuitCount, CircuitState, Circuits};
use application::ports::providers::{Provider, StorageSchema};
use application::ports::services::{
    Account, Analyst, Chat, ChatMessage, Connectors, Conversations, Crm, Deal, Notifier, StoredReport, StoredRows,
    StoredTable, TablesVersion, TenantStorage, UpstreamError,
};
use async_trait::async_trait;
use domain::ids::{ReportId, TenantId};
use domain::integration::IntegrationKind;

use super::memory::{Memory, metrics, narrative, period, report, tenant};

impl Circuits for Memory {
    fn circuit(&self, _tenant: TenantId, _service: IntegrationKind) -> CircuitState {
        CircuitState::Closed
    }

    fn standing(&self) -> CallStanding {
        let open = CircuitCount { service: IntegrationKind::Amocrm, state: "open", accounts: 2 };
        CallStanding { circuits: vec![open], in_flight: 7 }
    }
}

impl Connectors for Memory {
    fn providers(&self) -> &'static [&'static Provider] {
        &[]
    }

    fn storage_schema(&self) -> StorageSchema {
        StorageSchema { version: 1, sql: String::new() }
    }

    fn crm(&self, account: Account) -> Result<Box<dyn Crm>, UpstreamError> {
        unused(&account)
    }

    fn conversations(&self, account: Account) -> Result<Box<dyn Conversations>, UpstreamError> {
        unused(&account)
    }

    fn storage(&self, account: Account) -> Result<Box<dyn TenantStorage>, UpstreamError> {
        Ok(Box::new(Storage { tenant: account.tenant_id, text_lost: Self::is(&self.text_lost) }))
    }

    fn analyst(&self, account: Account) -> Result<Box<dyn Analyst>, UpstreamError> {
        unused(&account)
    }

    fn notifier(&self, account: Account) -> Result<Box<dyn Notifier>, UpstreamError> {
        unused(&account)
    }
}

fn unused<T>(account: &Account) -> T {
    panic!("the API calls no {}", account.settings.kind().title())
}

struct Storage {
    tenant: TenantId,
    text_lost: bool,
}

#[async_trait]
impl TenantStorage for Storage {
    async fn save_deals(&self, _deals: &[Deal]) -> Result<(), UpstreamError> {
        panic!("the API saves no deals")
    }

    async fn save_chats(&self, _chats: &[Chat]) -> Result<(), UpstreamError> {
        panic!("the API saves no chats")
    }

    async fn save_messages(&self, _messages: &[ChatMessage]) -> Result<(), UpstreamError> {
        panic!("the API saves no messages")
    }

    async fn save_report(&self, _report: &StoredReport) -> Result<(), UpstreamError> {
        panic!("the API saves no report")
    }

    async fn report(&self, id: ReportId) -> Result<Option<StoredReport>, UpstreamError> {
        let kept = self.tenant == tenant(1) && !self.text_lost;
        Ok(kept.then(|| StoredReport {
            id,
            run_id: report().run_id,
            period: period(),
            headline: report().headline,
            body: "# A quiet day\n".into(),
            metrics: metrics(),
            narrative: narrative(),
        }))
    }

    async fn present(&self, _rows: StoredRows<'_>) -> Result<u64, UpstreamError> {
        panic!("the API counts no rows")
    }

    async fn schema(&self) -> Result<TablesVersion, UpstreamError> {
        Ok(TablesVersion { version: None, current: 1, upgrade: None })
    }

    async fn count(&self, _table: StoredTable) -> Result<u64, UpstreamError> {
        panic!("the API counts no rows")
    }

    async fn check(&self) -> Result<(), UpstreamError> {
        Ok(())
    }
}
