//! `synkro tenants`: what those who run the installation do with companies as a whole.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use application::ports::clock::Ids;
use application::ports::commands::LogPosition;
use application::ports::read_models::{PageRequest, TenantFilter, TenantStatus, TenantView};
use application::use_cases::{TenantChange, TenantLifecycle};
use application::{AppError, RequestContext};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use domain::ids::TenantId;
use domain::tenant::TenantDetails;
use domain::values::{DisplayName, Reason};
use infrastructure::database::Database;
use infrastructure::event_store::{EventFilter, LogQuery, Span};
use infrastructure::read_models::tenants::TenantsProjection;
use infrastructure::system::SystemIds;
use serde_json::{Value, json};

use super::events::{end, export};
use super::feed::bring_up_to_date;
use super::input::{Input, READER, TenantRef};
use super::{CliError, open, print, say};
use crate::config::DatabaseArgs;
use crate::wire;

/// Tenants that are read at once.
const PAGE: u64 = 500;

#[derive(Args)]
pub(super) struct TenantsArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    /// Who does it, for the audit. Needed where the variable USER is not set, as in a container, but not to look at the list.
    #[arg(long = "as", env = "USER", value_name = "NAME", global = true)]
    operator: Option<String>,

    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// The companies, the newest first.
    List {
        /// Only those in this situation.
        #[arg(long, value_parser = PossibleValuesParser::new(TenantStatus::ALL.map(TenantStatus::name)))]
        status: Option<String>,
        /// Only those whose name or slug has this part.
        #[arg(long)]
        text: Option<String>,
    },
    /// Opens a company for use that was set up.
    Activate(One),
    /// Gives a company another name; its slug stays.
    Rename {
        #[command(flatten)]
        one: One,
        /// The new name.
        #[arg(long)]
        name: String,
    },
    /// Keeps everybody and everything of a company out, within a second, until it is resumed; its runs are cancelled.
    Suspend(Reasoned),
    /// Lets a company in again, also one whose offboarding was begun.
    Resume(One),
    /// Begins a company's end: it is kept out, and its data can be exported.
    Offboard(Reasoned),
    /// Writes all events of a company that is being offboarded to a file, and records that.
    Export {
        #[command(flatten)]
        one: One,
        /// The file. Contents of events may be personal, so only its owner may read it.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Ends a company for good, once its data was exported; its slug is free again.
    Close(One),
}

#[derive(Args)]
struct One {
    /// The company, by its id or its slug.
    #[arg(value_name = "ID|SLUG")]
    tenant: String,
}

#[derive(Args)]
struct Reasoned {
    #[command(flatten)]
    one: One,
    /// Why, for the audit: 1 to 500 characters on one line.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// What is asked for, with every value understood.
enum Request {
    List(TenantFilter),
    Change(TenantRef, TenantChange),
    Export(TenantRef, PathBuf),
}

/// Who asks, and of what.
struct Terminal {
    database: Database,
    query: LogQuery,
    lifecycle: TenantLifecycle,
    context: RequestContext,
    json: bool,
}

pub(super) async fn run(args: TenantsArgs) -> Result<ExitCode, CliError> {
    let DatabaseArgs { storage, json } = args.database;
    // Before the database is opened: bad input needs none to be told.
    let (operator, request) = parse(args.operator.as_deref(), args.action)?;
    let (database, _folder) = open::readable_log(&storage).await?;
    let terminal = Terminal::new(&database, operator, json);
    let done = match request {
        Request::List(filter) => terminal.list(&filter).await,
        Request::Change(tenant, change) => terminal.change(tenant, change).await,
        Request::Export(tenant, out) => terminal.export(tenant, &out).await,
    };
    database.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

fn parse(operator: Option<&str>, action: Action) -> Result<(DisplayName, Request), AppError> {
    let mut input = Input::default();
    let operator = operator.or_else(|| matches!(action, Action::List { .. }).then_some(READER));
    if operator.is_none() {
        input.refuse("--as", "must say who does it, because the variable USER is not set");
    }
    let operator = input.read("--as", operator, str::parse::<DisplayName>);
    let request = match action {
        Action::List { status, text } => {
            let known = |name: &str| TenantStatus::ALL.into_iter().find(|status| status.name() == name);
            Some(Request::List(TenantFilter { status: status.as_deref().and_then(known), text }))
        }
        Action::Activate(one) => changed(&mut input, &one, Some(TenantChange::Activate)),
        Action::Rename { one, name } => {
            let name = input.read("--name", Some(&name), str::parse::<DisplayName>);
            changed(&mut input, &one, name.map(TenantChange::Rename))
        }
        Action::Suspend(Reasoned { one, reason }) => {
            let reason = input.read("--reason", Some(&reason), str::parse::<Reason>);
            changed(&mut input, &one, reason.map(TenantChange::Suspend))
        }
        Action::Resume(one) => changed(&mut input, &one, Some(TenantChange::Resume)),
        Action::Offboard(Reasoned { one, reason }) => {
            let reason = input.read("--reason", Some(&reason), str::parse::<Reason>);
            changed(&mut input, &one, reason.map(TenantChange::Offboard))
        }
        Action::Export { one, out } => {
            input.read("--out", Some(&out.to_string_lossy()), export::free);
            one.read(&mut input).map(|tenant| Request::Export(tenant, out))
        }
        Action::Close(one) => changed(&mut input, &one, Some(TenantChange::Close)),
    };
    let understood = operator.zip(request);
    input.finish(understood).and_then(|understood| understood.ok_or_else(|| AppError::invalid(Vec::new())))
}

fn changed(input: &mut Input, one: &One, change: Option<TenantChange>) -> Option<Request> {
    one.read(input).zip(change).map(|(tenant, change)| Request::Change(tenant, change))
}

impl One {
    fn read(&self, input: &mut Input) -> Option<TenantRef> {
        input.read("ID|SLUG", Some(&self.tenant), str::parse::<TenantRef>)
    }
}

impl Terminal {
    fn new(database: &Database, operator: DisplayName, json: bool) -> Self {
        Self {
            database: database.clone(),
            query: LogQuery::new(database.clone()),
            lifecycle: wire::tenant_lifecycle(database),
            context: RequestContext::for_support(operator, SystemIds.next()),
            json,
        }
    }

    /// Where no process feeds the table that is listed, it is fed here first.
    async fn list(&self, filter: &TenantFilter) -> Result<(), CliError> {
        bring_up_to_date(&self.database, TenantsProjection::NAME).await?;
        let mut after = None;
        loop {
            let page = self.lifecycle.list(&self.context, filter, PageRequest { after, limit: PAGE }).await?;
            for tenant in &page.items {
                print(&if self.json { as_json(tenant).to_string() } else { line(tenant) });
            }
            if page.parked > 0 && after.is_none() {
                say(&format!("{} events of tenants are parked, so the list may be out of date.", page.parked));
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn change(&self, tenant: TenantRef, change: TenantChange) -> Result<(), CliError> {
        let id = self.resolve(tenant).await?;
        let became = became(&change);
        let position = self.lifecycle.change(&self.context, id, change).await?;
        let TenantDetails { name, slug, .. } = self.lifecycle.details(&self.context, id).await?;
        if self.json {
            let position = position.map(|at| at.to_string());
            print(&json!({"tenant_id": id.uuid(), "slug": slug, "name": name, "position": position}).to_string());
        } else if position.is_some() {
            print(&format!("{name} ({slug}) {became}."));
        } else {
            print(&format!("Nothing was recorded: {name} ({slug}) was so already."));
        }
        Ok(())
    }

    async fn export(&self, tenant: TenantRef, out: &Path) -> Result<(), CliError> {
        let id = self.resolve(tenant).await?;
        self.lifecycle.require_offboarding(&self.context, id).await?;
        let filter = EventFilter { tenant: Some(id), ..EventFilter::default() };
        let span = Span { after: LogPosition::BEGINNING, up_to: end::whole(&self.query, None).await? };
        let summary = export::to_file(&self.query, &filter, span, out).await?;
        let digest = summary.sha256.parse()?;
        let recorded = TenantChange::RecordExport { events: summary.events, digest };
        self.lifecycle.change(&self.context, id, recorded).await?;
        if self.json {
            print(&summary.json(Some(out)).to_string());
        } else {
            say(&format!("{summary}, in {}", out.display()));
        }
        Ok(())
    }

    async fn resolve(&self, tenant: TenantRef) -> Result<TenantId, CliError> {
        let found = TenantRef::resolve(Some(tenant), &self.query).await?;
        found.ok_or_else(|| "there is no such tenant".into())
    }
}

/// What a change comes to. The processes that run do the rest, so it is said as what they do.
fn became(change: &TenantChange) -> &'static str {
    match change {
        TenantChange::Activate => "is open for use",
        TenantChange::Rename(_) => "has this name now",
        TenantChange::Suspend(_) => {
            "is suspended: running processes keep its people and programs out within a second, and cancel its runs"
        }
        TenantChange::Resume => "is open again",
        TenantChange::Offboard(_) => {
            "is being offboarded: running processes keep everybody out and cancel its runs; export its data next"
        }
        TenantChange::RecordExport { .. } => "is exported",
        TenantChange::Close => "is closed for good, and its slug is free",
    }
}

fn line(tenant: &TenantView) -> String {
    let TenantView { id, name, slug, status, provisioned_at, .. } = tenant;
    format!("{id}  {slug:20}  {:12}  {}  {name}", status.name(), provisioned_at.format("%Y-%m-%d"))
}

fn as_json(tenant: &TenantView) -> Value {
    json!({
        "id": tenant.id.uuid(),
        "slug": tenant.slug,
        "name": tenant.name,
        "language": tenant.language,
        "status": tenant.status.name(),
        "provisioned_at": tenant.provisioned_at,
    })
}
