//! `synkro staff`: who runs the platform. The first super admin is made here.

use std::process::ExitCode;

use application::ports::clock::Ids;
use application::ports::commands::LogPosition;
use application::ports::read_models::{PageRequest, UserView};
use application::use_cases::{ManageStaff, NewStaff};
use application::{AppError, RequestContext};
use clap::{Args, Subcommand};
use domain::access::StaffRole;
use domain::ids::UserId;
use domain::values::{DisplayName, Email, Reason};
use infrastructure::database::Database;
use infrastructure::read_models::users::UsersProjection;
use infrastructure::system::SystemIds;
use serde_json::{Value, json};

use super::feed::bring_up_to_date;
use super::input::{Input, READER};
use super::{CliError, open, print, say};
use crate::config::DatabaseArgs;
use crate::wire;

/// People that are read at once.
const PAGE: u64 = 500;

#[derive(Args)]
pub(super) struct StaffArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    /// Who does it, for the audit. Needed where the variable USER is not set, as in a container, but not to look at the list.
    #[arg(long = "as", env = "USER", value_name = "NAME", global = true)]
    operator: Option<String>,

    /// Where people reach this installation; the links begin with it.
    #[arg(long, env = "SYNKRO_PUBLIC_URL", value_name = "URL", default_value = "http://localhost:8080", global = true)]
    public_url: String,

    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Who they are, the newest first.
    List,
    /// Lets someone in, and prints a link to choose the password by, which works once, for seven days.
    Add {
        /// The address to sign in with.
        #[arg(long)]
        email: String,
        /// The name that others see.
        #[arg(long)]
        name: String,
        /// One of `super_admin`, `admin_lite`, `support`, `auditor`.
        #[arg(long)]
        role: String,
        /// Mail the link instead; a running process sends it.
        #[arg(long)]
        mail: bool,
    },
    /// Prints a new link to choose the password by, for someone who has lost the password or the link.
    Link(One),
    /// Takes a lost authenticator app away, with the recovery codes and the password, ends all sessions, and prints a link to
    /// begin anew by: a new password, then a new app.
    ResetTotp {
        #[command(flatten)]
        one: One,
        /// Why, and how it was made sure that it is the person who asks, for the audit.
        #[arg(long)]
        reason: String,
    },
    /// Gives someone another role.
    Role {
        #[command(flatten)]
        one: One,
        /// One of `super_admin`, `admin_lite`, `support`, `auditor`.
        role: String,
    },
    /// Keeps someone from signing in, within a second.
    Deactivate(One),
    /// Lets someone sign in again.
    Reactivate(One),
}

#[derive(Args)]
struct One {
    /// The person, by the id that `list` shows or the e-mail address.
    #[arg(value_name = "ID|EMAIL")]
    person: String,
}

/// Someone of the staff as people name them.
enum PersonRef {
    Id(UserId),
    Email(Email),
}

/// What is asked for, with every value understood.
enum Request {
    List,
    Add(NewStaff, bool),
    Link(PersonRef),
    ResetTotp(PersonRef, Reason),
    Role(PersonRef, StaffRole),
    Deactivate(PersonRef),
    Reactivate(PersonRef),
}

/// Who asks, and of what.
struct Terminal {
    database: Database,
    staff: ManageStaff,
    context: RequestContext,
    json: bool,
}

pub(super) async fn run(args: StaffArgs) -> Result<ExitCode, CliError> {
    let DatabaseArgs { storage, json } = args.database;
    // Before the database is opened: bad input needs none to be told.
    let (operator, request) = parse(args.operator.as_deref(), args.action)?;
    let public_url = args.public_url.parse()?;
    let (database, _folder) = open::readable_log(&storage).await?;
    let done = async {
        let staff = wire::staff(&database, open::keks(&storage, &database).await?, public_url);
        let context = RequestContext::for_support(operator, SystemIds.next());
        Terminal { database: database.clone(), staff, context, json }.answer(request).await
    };
    let done = done.await;
    database.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

fn parse(operator: Option<&str>, action: Action) -> Result<(DisplayName, Request), AppError> {
    let mut input = Input::default();
    let operator = operator.or_else(|| matches!(action, Action::List).then_some(READER));
    if operator.is_none() {
        input.refuse("--as", "must say who does it, because the variable USER is not set");
    }
    let operator = input.read("--as", operator, str::parse::<DisplayName>);
    let request = match action {
        Action::List => Some(Request::List),
        Action::Add { email, name, role, mail } => {
            let email = input.read("--email", Some(&email), str::parse::<Email>);
            let name = input.read("--name", Some(&name), str::parse::<DisplayName>);
            let role = input.read("--role", Some(&role), str::parse::<StaffRole>);
            let new = email.zip(name).zip(role).map(|((email, name), role)| NewStaff { email, name, role });
            new.map(|new| Request::Add(new, mail))
        }
        Action::Link(one) => one.read(&mut input).map(Request::Link),
        Action::ResetTotp { one, reason } => {
            let reason = input.read("--reason", Some(&reason), str::parse::<Reason>);
            one.read(&mut input).zip(reason).map(|(person, reason)| Request::ResetTotp(person, reason))
        }
        Action::Role { one, role } => {
            let role = input.read("ROLE", Some(&role), str::parse::<StaffRole>);
            one.read(&mut input).zip(role).map(|(person, role)| Request::Role(person, role))
        }
        Action::Deactivate(one) => one.read(&mut input).map(Request::Deactivate),
        Action::Reactivate(one) => one.read(&mut input).map(Request::Reactivate),
    };
    let understood = operator.zip(request);
    input.finish(understood).and_then(|understood| understood.ok_or_else(|| AppError::invalid(Vec::new())))
}

impl One {
    fn read(&self, input: &mut Input) -> Option<PersonRef> {
        let known = |text: &str| match text.parse() {
            Ok(id) => Ok(PersonRef::Id(id)),
            Err(_) => text.parse().map(PersonRef::Email),
        };
        input.read("ID|EMAIL", Some(&self.person), known)
    }
}

impl Terminal {
    async fn answer(&self, request: Request) -> Result<(), CliError> {
        match request {
            Request::List => self.list().await?,
            Request::Add(new, mail) => self.add(new, mail).await?,
            Request::Link(person) => {
                let id = self.resolve(person).await?;
                let link = self.staff.link(&self.context, id).await?;
                self.show(id, None, Some(link.reveal()));
            }
            Request::ResetTotp(person, reason) => {
                let id = self.resolve(person).await?;
                let (position, link) = self.staff.reset_second_factor_with_link(&self.context, id, reason).await?;
                self.show(id, position, Some(link.reveal()));
                if !self.json {
                    say(
                        "The app and the password of before are gone; after signing in, a new app is set up before anything else works.",
                    );
                }
            }
            Request::Role(person, role) => {
                let id = self.resolve(person).await?;
                let position = self.staff.change_role(&self.context, id, role).await?;
                self.changed(id, position, &format!("is {role} now: running processes go by that within a second"));
            }
            Request::Deactivate(person) => {
                let id = self.resolve(person).await?;
                let position = self.staff.deactivate(&self.context, id).await?;
                self.changed(id, position, "is kept out: running processes end all sessions within a second");
            }
            Request::Reactivate(person) => {
                let id = self.resolve(person).await?;
                let position = self.staff.reactivate(&self.context, id).await?;
                self.changed(id, position, "can sign in again");
            }
        }
        Ok(())
    }

    async fn add(&self, new: NewStaff, mail: bool) -> Result<(), CliError> {
        let role = new.role;
        if mail {
            let added = self.staff.add(&self.context, new).await?;
            self.show(added.id, added.position, None);
        } else {
            let (added, link) = self.staff.add_with_link(&self.context, new).await?;
            self.show(added.id, added.position, Some(link.reveal()));
        }
        if !self.json {
            say(&format!("After signing in, a {role} sets up an authenticator app before anything else works."));
        }
        Ok(())
    }

    async fn list(&self) -> Result<(), CliError> {
        for person in self.everybody().await? {
            print(&if self.json { as_json(&person).to_string() } else { line(&person) });
        }
        Ok(())
    }

    /// Where no process feeds the table that they are in, it is fed here first.
    async fn everybody(&self) -> Result<Vec<UserView>, CliError> {
        bring_up_to_date(&self.database, UsersProjection::NAME).await?;
        let (mut everybody, mut after) = (Vec::new(), None);
        loop {
            let page = self.staff.list(&self.context, PageRequest { after, limit: PAGE }).await?;
            if page.parked > 0 && after.is_none() {
                say(&format!("{} events of the staff are parked, so the list may be out of date.", page.parked));
            }
            everybody.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(everybody);
            }
        }
    }

    async fn resolve(&self, person: PersonRef) -> Result<UserId, CliError> {
        let email = match person {
            PersonRef::Id(id) => return Ok(id),
            PersonRef::Email(email) => email,
        };
        let same = |person: &UserView| person.email.reveal() == email.as_str();
        // One who was kept out gave the address back, so another one may have it.
        let found = self.everybody().await?.into_iter().filter(same).max_by_key(|person| person.active);
        found.map(|person| person.id).ok_or_else(|| "nobody of the staff has this address".into())
    }

    fn show(&self, id: UserId, position: Option<LogPosition>, link: Option<&str>) {
        if self.json {
            let position = position.map(|at| at.to_string());
            print(&json!({"user_id": id.uuid(), "position": position, "link": link}).to_string());
        } else if let Some(link) = link {
            print(link);
            say(
                "Hand this link over: it works once, for seven days, to choose a password by. There is no page behind it yet;",
            );
            say("send what follows #token= and the password to POST /api/v1/public/users/password-reset/confirm.");
        } else {
            print("The link is on its way by mail, once a process runs that sends it.");
        }
    }

    fn changed(&self, id: UserId, position: Option<LogPosition>, became: &str) {
        if self.json {
            let position = position.map(|at| at.to_string());
            print(&json!({"user_id": id.uuid(), "position": position}).to_string());
        } else if position.is_some() {
            print(&format!("{id} {became}."));
        } else {
            print("Nothing was recorded: it was so already.");
        }
    }
}

fn line(person: &UserView) -> String {
    let UserView { id, membership, email, name, active, .. } = person;
    let standing = if *active { "active" } else { "deactivated" };
    format!("{id}  {:12}  {standing:12}  {}  {}", membership.role_name(), email.reveal(), name.reveal())
}

fn as_json(person: &UserView) -> Value {
    json!({
        "id": person.id.uuid(),
        "email": person.email.reveal(),
        "name": person.name.reveal(),
        "role": person.membership.role_name(),
        "active": person.active,
        "registered_at": person.registered_at,
    })
}
