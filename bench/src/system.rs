//! The whole program on the schema that is measured, with its API on a port: everything but its workers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use api::Bound;
use application::RequestContext;
use application::pipeline::WorkerOptions;
use application::ports::clock::Clock;
use application::use_cases::{NewTenant, NewUser, SelfService, SessionLife};
use domain::access::{Preset, RoleName};
use domain::ids::{TenantId, UserId};
use domain::job_run::RetryPolicy;
use domain::values::Language;
use infrastructure::connectors::HttpOptions;
use infrastructure::crypto::Keks;
use infrastructure::identity::{LockoutPolicy, PasswordCost, RsaTokens};
use infrastructure::limits::Quotas;
use infrastructure::mail::FolderMailer;
use infrastructure::system::SystemClock;
use secrecy::SecretString;
use serde_json::{Value, json};
use synkro::wire::{LimitOptions, Options, PeopleOptions, System};
use tokio_util::sync::CancellationToken;

use crate::Failure;
use crate::http::{Connection, request};
use crate::server::Server;

/// Where people sign in.
pub(crate) const LOGIN: &str = "/api/v1/public/users/login";

/// A running program with one company. It stops with this value.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) tenant_id: TenantId,
    pub(crate) system: Arc<System>,
    stop: CancellationToken,
    folder: PathBuf,
}

/// A user of the company who is signed in.
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) token: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        // What is left behind in the folder for temporary files harms nobody.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Running {
    /// Starts the program; nobody is kept from asking often.
    pub(crate) async fn start(server: &Server, password: PasswordCost) -> Result<Self, Failure> {
        Self::start_with(server, password, HttpOptions::default()).await
    }

    /// The same with connectors that behave like this on the network.
    pub(crate) async fn start_with(
        server: &Server,
        password: PasswordCost,
        http: HttpOptions,
    ) -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("synkro-bench-http-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let options = Options {
            keks: Arc::new(Keks::load_or_create(&folder.join("kek"))?),
            tokens: RsaTokens::load_or_create(&folder.join("jwt"), SystemClock.now())?,
            http,
            policy: RetryPolicy::default(),
            worker: WorkerOptions::default(),
            password,
            lockout: LockoutPolicy::default(),
            session: SessionLife::default(),
            limits: LimitOptions { quotas: Quotas::NONE, ..LimitOptions::default() },
            people: PeopleOptions {
                mailer: Arc::new(FolderMailer::new(folder.join("mail"), "bench@synkro.example".parse()?)),
                public_url: "https://synkro.example".parse()?,
                self_service: SelfService::Off,
            },
            instance: None,
        };
        let system = Arc::new(System::new(server.database.clone(), options)?);
        let (bound, stop) = (Bound::to("127.0.0.1:0").await?, CancellationToken::new());
        let address = bound.address();
        let (projecting, until) = (Arc::clone(&system), stop.clone());
        tokio::spawn(async move { projecting.project(until).await });
        tokio::spawn(api::serve(bound, Arc::clone(&system.state), stop.clone().cancelled_owned()));
        let tenant_id = TenantId::from(system.ids.next());
        let running = Self { address, tenant_id, system, stop, folder };
        running.found().await?;
        Ok(running)
    }

    async fn found(&self) -> Result<(), Failure> {
        let context = self.context();
        let tenant = NewTenant {
            id: self.tenant_id,
            name: "Bench".parse()?,
            slug: "bench".parse()?,
            language: Language::English,
            preset: Preset::Sales,
        };
        self.system.provisioning.provision(&context, tenant).await?;
        self.system.provisioning.activate(&context, self.tenant_id).await?;
        Ok(())
    }

    /// The program's own work for the company.
    pub(crate) fn context(&self) -> RequestContext {
        RequestContext::for_system("bench", self.tenant_id, self.system.ids.next(), self.tenant_id.uuid())
    }

    /// A new owner of the company, signed in.
    pub(crate) async fn owner(&self) -> Result<Person, Failure> {
        let id = UserId::from(self.system.ids.next());
        let email = format!("{}@bench.example", id.uuid().simple());
        let password = format!("password-{}", self.system.ids.next().simple());
        let user = NewUser {
            id,
            tenant_id: self.tenant_id,
            email: email.parse()?,
            name: "Ann Example".parse()?,
            role: RoleName::owner(),
            password: SecretString::from(password.as_str()),
        };
        let registered = self.system.registration.register(&self.context(), user).await?;
        self.settled(registered).await?;
        let login = json!({"email": email, "password": password}).to_string();
        let mut connection = Connection::to(self.address).await?;
        let tokens: Value =
            serde_json::from_slice(connection.ask(&request("POST", LOGIN, "", Some(&login)), 200).await?)?;
        let token = tokens["access_token"].as_str().ok_or("signing in answers without a token")?.to_owned();
        Ok(Person { id, email, password, token })
    }

    /// Waits until the read models have passed the position.
    pub(crate) async fn settled(
        &self,
        position: Option<application::ports::commands::LogPosition>,
    ) -> Result<(), Failure> {
        let Some(position) = position else { return Ok(()) };
        let patience = std::time::Duration::from_secs(20);
        let passed = self.system.state.progress.passed(position, patience).await?;
        if passed { Ok(()) } else { Err("the read models do not follow the log".into()) }
    }
}
