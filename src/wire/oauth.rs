//! Accounts into which people let Synkro at the service itself.

use std::sync::Arc;

use application::PortError;
use application::mail::PublicUrl;
use application::ports::vault::Vault;
use application::use_cases::{AuthorizeIntegration, KeepTokens, OpenAccount};
use infrastructure::connectors::AmocrmOauth;
use infrastructure::crypto::KeyRing;
use infrastructure::database::Database;
use infrastructure::oauth::{PgAuthorizationStates, PgTokenExchanges};

use super::log::Log;
use super::{Base, clock, ids};

/// What keeps tokens, and how they come.
pub(super) struct Oauth {
    tokens: Arc<KeepTokens>,
    vault: Arc<dyn Vault>,
    states: Arc<PgAuthorizationStates>,
    exchanges: Arc<PgTokenExchanges>,
}

impl Oauth {
    pub(super) fn new(
        database: &Database,
        keys: &Arc<KeyRing>,
        vault: &Arc<dyn Vault>,
        log: &Log,
        provider: AmocrmOauth,
        public_url: PublicUrl,
    ) -> Self {
        let exchanges = Arc::new(PgTokenExchanges::new(database.clone(), Arc::clone(keys)));
        let tokens = Arc::new(KeepTokens {
            integrations: Arc::clone(&log.integrations),
            tenants: Arc::clone(&log.tenants),
            vault: Arc::clone(vault),
            exchanges: exchanges.clone(),
            provider: Arc::new(provider),
            public_url,
            clock: clock(),
            ids: ids(),
        });
        let states = Arc::new(PgAuthorizationStates::new(database.clone(), Arc::clone(keys)));
        Self { tokens, vault: Arc::clone(vault), states, exchanges }
    }

    /// Opens accounts, with tokens that are good.
    pub(super) fn accounts(&self) -> Arc<OpenAccount> {
        Arc::new(OpenAccount { tokens: Arc::clone(&self.tokens), vault: Arc::clone(&self.vault) })
    }

    pub(super) fn authorize(&self, base: &Base) -> AuthorizeIntegration {
        AuthorizeIntegration {
            tokens: Arc::clone(&self.tokens),
            check: Arc::new(base.check()),
            states: self.states.clone(),
            sessions: Arc::clone(&base.log.sessions),
            users: Arc::clone(&base.log.users),
            tenants: Arc::clone(&base.log.tenants),
            matrix: Arc::clone(&base.matrix) as _,
        }
    }

    /// Deletes what has outlived its time.
    pub(super) async fn purge(&self) -> Result<u64, PortError> {
        let now = clock().now();
        Ok(self.states.purge(now).await? + self.exchanges.purge(now).await?)
    }
}
