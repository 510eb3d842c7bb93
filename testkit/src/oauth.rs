//! A company that connects amoCRM by letting Synkro in there.

use std::collections::BTreeMap;

use application::RequestContext;
use application::use_cases::IntegrationInput;
use domain::integration::{CheckOutcome, IntegrationKind, IntegrationSettings, SecretName};
use secrecy::SecretString;

use crate::TestApp;

impl TestApp {
    /// Saves the company's integration in amoCRM, which leads back to this company, instead of its long-lived token.
    ///
    /// # Panics
    /// Where the settings are refused.
    pub async fn prepare_amocrm(&self) {
        self.simulators.amocrm_grants().redirect_to("https://synkro.example/integrations/amocrm/callback/acme");
        let settings = IntegrationSettings::Amocrm {
            base_url: self.simulators.endpoints().amocrm.parse().expect("an address"),
            client_id: Some(self.accounts.amocrm_client_id.clone()),
        };
        let secrets = BTreeMap::from([(SecretName::ClientSecret, SecretString::from(self.amocrm_client_secret()))]);
        let context = self.as_system();
        let input = IntegrationInput { settings, secrets };
        self.system().configure.save(&context, input).await.expect("good settings");
    }

    /// What the company's integration in amoCRM is known by there.
    pub fn amocrm_client_secret(&self) -> &str {
        self.accounts.amocrm_client_secret.expose()
    }

    /// What a check of the company's amoCRM account finds.
    ///
    /// # Panics
    /// Where what it found cannot be recorded.
    pub async fn check_amocrm(&self) -> CheckOutcome {
        let checked = self.system().check.check(&self.as_system(), IntegrationKind::Amocrm).await;
        checked.expect("a check that is recorded").outcome
    }

    fn as_system(&self) -> RequestContext {
        let tenant = self.company.tenant_id;
        RequestContext::for_system("test", tenant, self.system().ids.next(), tenant.uuid())
    }
}
