//! Tokens of an account that a person let Synkro into, against the simulator over HTTP: kept through crashes, and renewed once
//! for all workers.

use std::sync::Arc;

use application::PortError;
use application::ports::clock::Clock;
use application::ports::commands::Commands;
use application::ports::oauth::{Exchange, ExchangeFor, KeptTokens, OauthApp, TokenExchanges, TokenPair};
use application::ports::vault::{SecretPlace, Vault};
use application::use_cases::KeepTokens;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{IntegrationId, SecretId, TenantId};
use domain::integration::{
    Access, Configure, Configured, IntegrationCommand, IntegrationConfig, IntegrationKind, IntegrationSettings,
    SecretName, SecretRef,
};
use domain::job_run::FailureClass;
use domain::tenant::Tenant;
use infrastructure::connectors::{EgressPolicy, HttpConnectors, HttpOptions, RetryOptions};
use infrastructure::database::Database;
use infrastructure::oauth::PgTokenExchanges;
use infrastructure::system::SystemClock;
use secrecy::{ExposeSecret, SecretString};
use simulator::{
    Accounts, DEMO_DIALOGUES, DialogueSet, Fault, FaultKind, Limits, Service, SimulatorOptions, Simulators,
};
use tempfile::TempDir;
use testkit::TestDatabase;
use uuid::Uuid;

use crate::fixtures::{at, context, provision, tenant, user};

const AMOCRM: IntegrationKind = IntegrationKind::Amocrm;
const REDIRECT: &str = "https://synkro.example/integrations/amocrm/callback/acme";

/// A company whose amoCRM account somebody has let Synkro into.
struct Stage {
    test: TestDatabase,
    simulators: Simulators,
    accounts: Accounts,
    _folder: TempDir,
}

/// Where a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Begun,
    Exchanged,
    Kept,
    Recorded,
}

/// Exchanges of a process that ends at one place: nothing it would do after it is done.
struct Dying {
    inner: PgTokenExchanges,
    cut: Cut,
}

fn died() -> PortError {
    PortError::internal("the process was killed")
}

#[async_trait]
impl TokenExchanges for Dying {
    async fn begin(
        &self,
        tenant: TenantId,
        kind: IntegrationKind,
        what: ExchangeFor,
    ) -> Result<Option<Exchange>, PortError> {
        let begun = self.inner.begin(tenant, kind, what).await?;
        if self.cut == Cut::Begun { Err(died()) } else { Ok(begun) }
    }

    async fn keep(
        &self,
        exchange: &Exchange,
        pair: &TokenPair,
        now: DateTime<Utc>,
    ) -> Result<Option<KeptTokens>, PortError> {
        if self.cut == Cut::Exchanged {
            return Err(died());
        }
        let kept = self.inner.keep(exchange, pair, now).await?;
        if self.cut == Cut::Kept { Err(died()) } else { Ok(kept) }
    }

    async fn left_behind(&self, tenant: TenantId, kind: IntegrationKind) -> Result<Option<Exchange>, PortError> {
        self.inner.left_behind(tenant, kind).await
    }

    async fn release(&self, exchange: &Exchange) -> Result<(), PortError> {
        self.inner.release(exchange).await
    }

    async fn end(&self, exchange: &Exchange) -> Result<(), PortError> {
        if self.cut == Cut::Recorded { Err(died()) } else { self.inner.end(exchange).await }
    }
}

impl Stage {
    /// The app is saved; nobody has let Synkro in yet.
    async fn prepared() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let accounts = Accounts::generate();
        let few: Vec<&str> = DEMO_DIALOGUES.lines().take(3).collect();
        let simulators = Simulators::start(SimulatorOptions {
            state_dir: folder.path().to_owned(),
            dialogues: Arc::new(DialogueSet::parse(few.join("\n").as_bytes()).unwrap()),
            accounts: accounts.clone(),
            supabase_tables: Vec::new(),
            limits: Limits::default(),
        });
        let simulators = simulators.await.unwrap();
        simulators.amocrm_grants().redirect_to(REDIRECT);
        let stage = Self { test: TestDatabase::new().await, simulators, accounts, _folder: folder };
        let (test, home) = (&stage.test, tenant(1));
        test.commands::<Tenant>().execute(&context(home), home.uuid(), provision(home, "acme")).await.unwrap();
        let secret_id = SecretId::from(Uuid::from_u128(0x51));
        let place = SecretPlace { tenant_id: home, kind: AMOCRM, name: SecretName::ClientSecret };
        let client_secret = SecretString::from(stage.accounts.amocrm_client_secret.expose());
        test.vault().store(place, secret_id, &client_secret).await.unwrap();
        let settings = IntegrationSettings::Amocrm {
            base_url: stage.simulators.endpoints().amocrm.parse().unwrap(),
            client_id: Some(stage.accounts.amocrm_client_id.clone()),
        };
        let secrets = vec![SecretRef { name: SecretName::ClientSecret, secret_id }];
        let configure = Configure { tenant_id: home, settings, secrets, expected: None, at: at(1) };
        let commands = test.commands::<IntegrationConfig>();
        let id = IntegrationId::of(home, AMOCRM).uuid();
        commands.execute(&context(home), id, IntegrationCommand::Configure(configure)).await.unwrap();
        stage
    }

    /// Somebody has let Synkro in.
    async fn connected() -> Self {
        let stage = Self::prepared().await;
        stage.kept_code().await;
        stage.process().fresh(tenant(1), AMOCRM, None).await.unwrap().unwrap();
        stage
    }

    /// A person's code is exchanged and its tokens are stored; the log was not told.
    async fn kept_code(&self) -> Exchange {
        let process = self.process();
        let what = ExchangeFor::Code { client_id: self.accounts.amocrm_client_id.clone(), authorized_by: user(1) };
        let exchange = process.exchanges.begin(tenant(1), AMOCRM, what).await.unwrap().unwrap();
        let (app, account) = (self.app(), self.simulators.endpoints().amocrm.parse().unwrap());
        let pair = process.provider.exchange(&app, &account, &self.code().await.into()).await;
        let pair = pair.unwrap_or_else(|refused| panic!("{refused:?}"));
        process.exchanges.keep(&exchange, &pair, SystemClock.now()).await.unwrap().unwrap();
        exchange
    }

    /// A code, as the browser brings it back.
    async fn code(&self) -> String {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let page = format!("{}/oauth", self.simulators.endpoints().amocrm);
        let query = [("client_id", self.accounts.amocrm_client_id.as_str()), ("state", "s")];
        let answer = client.get(page).query(&query).send().await.unwrap();
        let back = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
    }

    fn app(&self) -> OauthApp {
        OauthApp {
            tenant_id: tenant(1),
            client_id: self.accounts.amocrm_client_id.clone(),
            client_secret: self.accounts.amocrm_client_secret.expose().into(),
            redirect_uri: REDIRECT.into(),
        }
    }

    fn exchanges(&self, database: &Database) -> PgTokenExchanges {
        PgTokenExchanges::new(database.clone(), self.test.key_ring())
    }

    fn process(&self) -> KeepTokens {
        self.process_with(Arc::new(self.exchanges(self.test.database())))
    }

    fn process_that_ends(&self, cut: Cut) -> KeepTokens {
        self.process_with(Arc::new(Dying { inner: self.exchanges(self.test.database()), cut }))
    }

    fn process_with(&self, exchanges: Arc<dyn TokenExchanges>) -> KeepTokens {
        let options = HttpOptions {
            retry: RetryOptions { tries: 1, ..RetryOptions::default() },
            egress: EgressPolicy::LoopbackOnly,
            ..HttpOptions::default()
        };
        KeepTokens {
            integrations: Arc::new(self.test.commands::<IntegrationConfig>()),
            tenants: Arc::new(self.test.commands::<Tenant>()),
            vault: Arc::new(self.test.vault()),
            exchanges,
            provider: Arc::new(HttpConnectors::new(options, Arc::new(SystemClock)).unwrap().amocrm_oauth()),
            public_url: "https://synkro.example".parse().unwrap(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(infrastructure::system::SystemIds),
        }
    }

    async fn config(&self) -> Configured {
        let commands = self.test.commands::<IntegrationConfig>();
        let config = commands.load(IntegrationId::of(tenant(1), AMOCRM).uuid()).await.unwrap();
        config.configured().unwrap().clone()
    }

    /// Whether amoCRM takes the access token that is stored.
    async fn is_let_in(&self, config: &Configured) -> bool {
        let place = SecretPlace { tenant_id: tenant(1), kind: AMOCRM, name: SecretName::AccessToken };
        let id = config.secret(SecretName::AccessToken).unwrap();
        let token = self.test.vault().open(place, id).await.unwrap();
        let account = format!("{}/api/v4/account", config.settings.base_url());
        let answer = reqwest::Client::new().get(account).bearer_auth(token.expose_secret()).send().await.unwrap();
        answer.status() == 200
    }

    fn asked_for_tokens(&self) -> usize {
        let calls = self.simulators.calls();
        calls.iter().filter(|call| call.path.starts_with("/oauth2/access_token")).count()
    }

    /// The next call of this path comes to this.
    fn fault(&self, path: &str, kind: FaultKind) {
        let path_contains = Some(path.to_owned());
        self.simulators.faults().inject(Fault { service: Service::Amocrm, path_contains, kind, times: Some(1) });
    }

    async fn leases_end(&self) {
        self.test.as_owner("update token_exchanges set held_until = clock_timestamp()").await;
    }
}

fn answer(status: u16) -> FaultKind {
    FaultKind::Status { status, body: String::new(), headers: Vec::new() }
}

/// The access token that is used, which shall be renewed.
fn used(config: &Configured) -> Option<SecretId> {
    config.secret(SecretName::AccessToken)
}

/// Seen to fail where nobody looks for what was left behind.
#[tokio::test]
async fn tokens_of_a_code_survive_the_process_that_kept_them() {
    let stage = Stage::prepared().await;
    stage.kept_code().await;
    assert_eq!(stage.config().await.access, Access::Awaited);
    let config = stage.process().fresh(tenant(1), AMOCRM, None).await.unwrap().unwrap();
    assert!(matches!(config.access, Access::Granted { .. }));
    assert!(stage.is_let_in(&config).await);
    assert_eq!(stage.asked_for_tokens(), 1, "the code is exchanged once");
}

#[tokio::test]
async fn a_renewal_goes_on_wherever_the_process_ended() {
    for (cut, asked) in [(Cut::Begun, 1), (Cut::Exchanged, 2), (Cut::Kept, 1), (Cut::Recorded, 1)] {
        let stage = Stage::connected().await;
        let (before, asked_before) = (stage.config().await, stage.asked_for_tokens());
        let former = used(&before);
        stage.process_that_ends(cut).fresh(tenant(1), AMOCRM, former).await.unwrap_err();
        stage.leases_end().await;
        let after = stage.process().fresh(tenant(1), AMOCRM, former).await.unwrap().unwrap();
        assert_ne!(used(&after), former, "{cut:?}");
        assert!(stage.is_let_in(&after).await, "{cut:?}");
        assert_eq!(stage.asked_for_tokens() - asked_before, asked, "{cut:?}");
        assert_eq!(used(&stage.config().await), used(&after), "{cut:?}");
    }
}

/// Seen to fail with a right to exchange that everybody gets.
#[tokio::test]
async fn two_workers_renew_once() {
    let stage = Stage::connected().await;
    let former = used(&stage.config().await);
    let asked_before = stage.asked_for_tokens();
    let (one, other) = (stage.process(), stage.process());
    let (one, other) = tokio::join!(one.fresh(tenant(1), AMOCRM, former), other.fresh(tenant(1), AMOCRM, former));
    let (one, other) = (one.unwrap().unwrap(), other.unwrap().unwrap());
    assert_eq!(stage.asked_for_tokens() - asked_before, 1);
    assert_eq!(used(&one), used(&other));
    assert!(used(&one) != former && stage.is_let_in(&one).await);
}

/// Seen to fail with a right that is taken over at once.
#[tokio::test]
async fn a_dead_workers_renewal_is_waited_for_until_its_time_is_over() {
    let stage = Stage::connected().await;
    let former = used(&stage.config().await);
    stage.process_that_ends(Cut::Begun).fresh(tenant(1), AMOCRM, former).await.unwrap_err();
    let asked_before = stage.asked_for_tokens();
    let process = stage.process();
    let waiting = process.fresh(tenant(1), AMOCRM, former);
    tokio::pin!(waiting);
    let early = tokio::time::timeout(std::time::Duration::from_millis(400), &mut waiting).await;
    assert!(early.is_err() && stage.asked_for_tokens() == asked_before);
    stage.leases_end().await;
    assert!(stage.is_let_in(&waiting.await.unwrap().unwrap()).await);
}

/// amoCRM's Russian page says that a token is exchanged once: then a pair that is lost on the way is lost for good.
#[tokio::test]
async fn what_cannot_be_recovered_is_said_and_asked_no_more() {
    let stage = Stage::connected().await;
    stage.simulators.amocrm_grants().exchange_once_only();
    let former = used(&stage.config().await);
    stage.process_that_ends(Cut::Exchanged).fresh(tenant(1), AMOCRM, former).await.unwrap_err();
    stage.leases_end().await;
    let error = stage.process().fresh(tenant(1), AMOCRM, former).await.unwrap().unwrap_err();
    assert_eq!(error.class, FailureClass::Auth);
    assert!(error.advice.contains("Connect again"), "{error:?}");
    assert!(matches!(stage.config().await.access, Access::Lost { .. }));
    let asked = stage.asked_for_tokens();
    stage.process().fresh(tenant(1), AMOCRM, None).await.unwrap().unwrap_err();
    assert_eq!(stage.asked_for_tokens(), asked, "amoCRM is left alone");
    stage.kept_code().await;
    let config = stage.process().fresh(tenant(1), AMOCRM, None).await.unwrap().unwrap();
    assert!(stage.is_let_in(&config).await);
}

#[tokio::test]
async fn an_account_that_moved_is_followed() {
    let stage = Stage::connected().await;
    let before = stage.config().await;
    let moved = stage.simulators.endpoints().amocrm.replace("http://127.0.0.1", "localhost");
    stage.simulators.amocrm_grants().move_to(&moved);
    let after = stage.process().fresh(tenant(1), AMOCRM, used(&before)).await.unwrap().unwrap();
    assert_eq!(after.settings.base_url().as_str(), format!("http://{moved}"));
    assert_eq!(after.version, before.version + 1);
    assert!(stage.is_let_in(&after).await);
}

/// The old host says 401, and nobody says yet where the account is: that is no word on the tokens.
#[tokio::test]
async fn an_account_that_moved_is_kept_while_nobody_says_where_it_is() {
    let stage = Stage::connected().await;
    let former = used(&stage.config().await);
    let moved = stage.simulators.endpoints().amocrm.replace("http://127.0.0.1", "localhost");
    stage.simulators.amocrm_grants().move_to(&moved);
    for (kind, class) in [
        (answer(503), FailureClass::Transient),
        (answer(429), FailureClass::Transient),
        (FaultKind::Reset, FailureClass::Transient),
        (answer(403), FailureClass::Transient),
        (answer(402), FailureClass::Permanent),
    ] {
        stage.fault("subdomain", kind.clone());
        let error = stage.process().fresh(tenant(1), AMOCRM, former).await.unwrap().unwrap_err();
        assert_eq!(error.class, class, "{kind:?}");
        assert!(matches!(stage.config().await.access, Access::Granted { .. }), "{kind:?}");
    }
    let after = stage.process().fresh(tenant(1), AMOCRM, former).await.unwrap().unwrap();
    assert_eq!(after.settings.base_url().as_str(), format!("http://{moved}"));
    assert!(stage.is_let_in(&after).await);
}

#[tokio::test]
async fn an_account_that_is_unpaid_or_blocked_is_not_lost() {
    let stage = Stage::connected().await;
    let former = used(&stage.config().await);
    for (status, class, advice) in [(402, FailureClass::Permanent, "Pay for"), (403, FailureClass::Transient, "Wait")] {
        stage.fault("access_token", answer(status));
        let error = stage.process().fresh(tenant(1), AMOCRM, former).await.unwrap().unwrap_err();
        assert_eq!((error.class, error.retry_after.is_some()), (class, status == 403), "{status}");
        assert!(error.advice.contains(advice) && !error.advice.contains("onnect again"), "{error:?}");
        assert!(matches!(stage.config().await.access, Access::Granted { .. }), "{status}");
    }
    let after = stage.process().fresh(tenant(1), AMOCRM, former).await.unwrap().unwrap();
    assert!(stage.is_let_in(&after).await);
}

#[tokio::test]
async fn an_account_that_threw_synkro_out_is_lost_and_an_outage_is_not() {
    let stage = Stage::connected().await;
    let former = used(&stage.config().await);
    stage.fault("access_token", answer(503));
    let error = stage.process().fresh(tenant(1), AMOCRM, former).await.unwrap().unwrap_err();
    assert_eq!(error.class, FailureClass::Transient);
    assert!(matches!(stage.config().await.access, Access::Granted { .. }));
    stage.simulators.amocrm_grants().revoke();
    let error = stage.process().fresh(tenant(1), AMOCRM, former).await.unwrap().unwrap_err();
    assert_eq!(error.class, FailureClass::Auth);
    assert!(matches!(stage.config().await.access, Access::Lost { .. }));
}
