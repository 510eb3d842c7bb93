//! What companies connect: saving, checking and trying it out.

use std::sync::Arc;

use api::Integrations;
use application::use_cases::{
    CheckIntegration, ConfigureIntegration, DefineTenantAutomation, ReadIntegrations, SaveIntegration, TryIntegration,
    WriteFindings,
};
use infrastructure::read_models::integration_records::IntegrationRecordsReader;
use infrastructure::read_models::integrations::IntegrationsReader;

use super::{Base, clock, ids};

impl Base {
    pub(super) fn configure(&self) -> ConfigureIntegration {
        ConfigureIntegration {
            integrations: Arc::clone(&self.log.integrations),
            vault: Arc::clone(&self.vault),
            clock: clock(),
            ids: ids(),
        }
    }

    pub(super) fn check(&self) -> CheckIntegration {
        CheckIntegration {
            integrations: Arc::clone(&self.log.integrations),
            accounts: Arc::clone(&self.accounts),
            connectors: Arc::clone(&self.connectors),
            clock: clock(),
        }
    }

    pub(super) fn automation(&self) -> DefineTenantAutomation {
        DefineTenantAutomation { automations: Arc::clone(&self.log.automations), clock: clock() }
    }

    pub(super) fn integrations(&self) -> Integrations {
        let check = Arc::new(self.check());
        Integrations {
            automation: self.automation(),
            read: ReadIntegrations {
                integrations: Arc::new(IntegrationsReader::new(&self.database)),
                records: Arc::new(IntegrationRecordsReader::new(&self.database)),
                automations: Arc::clone(&self.log.automations),
                accounts: Arc::clone(&self.accounts),
                connectors: Arc::clone(&self.connectors),
                clock: clock(),
            },
            save: SaveIntegration {
                integrations: Arc::clone(&self.log.integrations),
                configure: self.configure(),
                check: Arc::clone(&check),
                connectors: Arc::clone(&self.connectors),
            },
            check,
            test: TryIntegration {
                integrations: Arc::clone(&self.log.integrations),
                tenants: Arc::clone(&self.log.tenants),
                accounts: Arc::clone(&self.accounts),
                connectors: Arc::clone(&self.connectors),
                staging: Arc::clone(&self.staging) as _,
                clock: clock(),
                under_way: Arc::default(),
            },
            write: WriteFindings {
                integrations: Arc::clone(&self.log.integrations),
                accounts: Arc::clone(&self.accounts),
                connectors: Arc::clone(&self.connectors),
                staging: Arc::clone(&self.staging) as _,
                clock: clock(),
            },
        }
    }
}
