//! A log with something in it, and the program to look into it.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use application::RequestContext;
use application::ports::clock::Ids;
use application::ports::commands::Commands;
use chrono::{DateTime, Utc};
use domain::access::Role;
use domain::ids::{TenantId, UserId};
use domain::tenant::{ProvisionTenant, Tenant, TenantCommand};
use domain::user::{RegisterUser, User, UserCommand};
use domain::values::{Language, Personal};
use infrastructure::system::SystemIds;
use tempfile::TempDir;
use testkit::TestDatabase;
use tokio::task::JoinSet;

/// A person's name, which lists must not show.
pub(crate) const NAME: &str = "Ann Example";

/// What would change how the program behaves, were it inherited from the one who runs the tests.
const SETTINGS: [&str; 6] = [
    "DATABASE_URL",
    "SYNKRO_DATABASE_CONNECTIONS",
    "SYNKRO_DATA_DIR",
    "SYNKRO_KEK_FILE",
    "SYNKRO_JWT_KEY_FILE",
    "SYNKRO_LOG_FORMAT",
];

/// A log on a server.
pub(crate) struct Log {
    pub(crate) database: TestDatabase,
    pub(crate) folder: TempDir,
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Log {
    pub(crate) async fn new() -> Self {
        Self { database: TestDatabase::new().await, folder: tempfile::tempdir().unwrap() }
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
                role: Role::Owner,
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

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_synkro"));
        for name in SETTINGS {
            command.env_remove(name);
        }
        command
            .env("DATABASE_URL", self.database.url().unwrap())
            // What slow machines make it warn of is not what is looked at.
            .env("SYNKRO_LOG", "off")
            .arg("events")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .current_dir(self.folder.path())
            .spawn()
            .unwrap()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        end(self.start(arguments))
    }

    /// The lines of a successful run.
    #[track_caller]
    pub(crate) fn lines(&self, arguments: &[&str]) -> Vec<String> {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.output.lines().map(str::to_owned).collect()
    }
}

pub(crate) fn end(mut child: Child) -> Ended {
    let (mut output, mut errors) = (String::new(), String::new());
    if let Some(mut out) = child.stdout.take() {
        out.read_to_string(&mut output).unwrap();
    }
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    Ended { code: child.wait().unwrap().code(), output, errors }
}

fn at() -> DateTime<Utc> {
    "2026-06-02T01:00:00Z".parse().unwrap()
}
