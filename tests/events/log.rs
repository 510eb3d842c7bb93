//! A log with something in it, and the program to look into it.

use std::sync::Arc;

use application::RequestContext;
use application::ports::clock::Ids;
use application::ports::commands::Commands;
use chrono::{DateTime, Utc};
use domain::access::RoleName;
use domain::ids::{TenantId, UserId};
use domain::tenant::{ProvisionTenant, Tenant, TenantCommand};
use domain::user::{RegisterUser, User, UserCommand};
use domain::values::{Language, Personal};
use infrastructure::system::SystemIds;
use tempfile::TempDir;
use testkit::TestDatabase;
use testkit::engine::PostgresServer;
use testkit::program::{Ended, Running, program};
use tokio::task::JoinSet;

/// A person's name, which lists must not show.
pub(crate) const NAME: &str = "Ann Example";

/// A log on a server.
pub(crate) struct Log {
    pub(crate) database: TestDatabase,
    pub(crate) folder: TempDir,
}

impl Log {
    pub(crate) async fn new() -> Self {
        Self::within(TestDatabase::new().await)
    }

    /// On a server where an open transaction holds nobody else up.
    pub(crate) async fn on(server: &PostgresServer) -> Self {
        Self::within(TestDatabase::on(server.url()).await)
    }

    fn within(database: TestDatabase) -> Self {
        Self { database, folder: tempfile::tempdir().unwrap() }
    }

    /// A new tenant of this slug with so many users: one event, and one for each.
    pub(crate) async fn tenant(&self, slug: &str, users: usize) -> (TenantId, Vec<UserId>) {
        let tenant_id = TenantId::from(SystemIds.next());
        let context = RequestContext::for_system("tests", tenant_id, SystemIds.next(), SystemIds.next());
        let provision = TenantCommand::Provision(ProvisionTenant {
            tenant_id,
            name: slug.parse().unwrap(),
            slug: slug.parse().unwrap(),
            language: Language::English,
            at: at(),
        });
        self.database.commands::<Tenant>().execute(&context, tenant_id.uuid(), provision).await.unwrap();
        let commands = Arc::new(self.database.commands::<User>());
        let mut registering = JoinSet::new();
        for n in 0..users {
            let user_id = UserId::from(SystemIds.next());
            let register = UserCommand::Register(RegisterUser {
                user_id,
                tenant_id,
                email: Personal::new(format!("ann-{n}@{slug}.example").parse().unwrap()),
                name: Personal::new(NAME.parse().unwrap()),
                role: RoleName::owner(),
                at: at(),
            });
            let (commands, context) = (Arc::clone(&commands), context.clone());
            registering.spawn(async move {
                commands.execute(&context, user_id.uuid(), register).await.unwrap();
                user_id
            });
        }
        let registered = registering.join_all().await;
        // Behind the horizon, whatever other tests have open.
        self.database.catch_up().await;
        (tenant_id, registered)
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut command = program(env!("CARGO_BIN_EXE_synkro"));
        command
            .env("DATABASE_URL", self.database.url().unwrap())
            // What slow machines make it warn of is not what is looked at.
            .env("SYNKRO_LOG", "off")
            .args(arguments)
            .current_dir(self.folder.path());
        Running::spawn(command)
    }

    /// Runs a command on the events to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.start(&[&["events"], arguments].concat()).end()
    }

    /// The lines of a successful run.
    #[track_caller]
    pub(crate) fn lines(&self, arguments: &[&str]) -> Vec<String> {
        self.run(arguments).lines().map(str::to_owned).collect()
    }
}

fn at() -> DateTime<Utc> {
    "2026-06-02T01:00:00Z".parse().unwrap()
}
