//! Building rows anew, and saying what differs.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use application::RequestContext;
use application::ports::clock::Ids;
use application::ports::rebuilds::{
    Difference, Discarded, RebuildBeginning, RebuildProgress, RebuildTarget, TargetAggregate,
};
use application::use_cases::{RebuildRequest, Rebuilt};
use clap::Args;
use domain::rebuild::RebuildGoal;
use domain::values::DisplayName;
use indicatif::{ProgressBar, ProgressStyle};
use infrastructure::database::Database;
use infrastructure::event_store::{AggregateKey, LogQuery};
use infrastructure::projections::Rebuild;
use infrastructure::system::SystemIds;
use serde_json::{Value, json};
use uuid::Uuid;

use super::find;
use crate::cli::input::{Input, TenantRef, one_aggregate};
use crate::cli::{CliError, log, print, say};
use crate::wire;

/// The most differing rows that are printed for people; `--json` prints all that were named.
const MOST_SHOWN: usize = 20;

/// Which rows, and who asks.
#[derive(Args)]
pub(super) struct RowsArgs {
    /// The projection's name.
    name: String,

    /// Only the rows of this tenant, by its id or its slug.
    #[arg(long, value_name = "ID|SLUG")]
    tenant: Option<String>,

    /// Only the rows of this aggregate: of this user, this run, this report.
    #[arg(long, value_name = "TYPE:ID")]
    aggregate: Option<String>,

    /// Who does it, for the audit. Needed where the variable USER is not set, as in a container.
    #[arg(long = "as", env = "USER", value_name = "NAME")]
    operator: DisplayName,
}

#[derive(Args)]
pub(super) struct RebuildArgs {
    #[command(flatten)]
    rows: RowsArgs,

    /// Why, for the audit: 1 to 500 characters on one line. Name no customers' data here.
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    reason: Option<String>,

    /// Only say what differs; the live rows stay.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    rows: RowsArgs,

    /// Why, for the audit.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// What to build, with every value understood.
pub(super) struct Request {
    name: String,
    tenant: Option<TenantRef>,
    aggregate: Option<TargetAggregate>,
    operator: DisplayName,
    goal: RebuildGoal,
    reason: Option<String>,
}

impl RebuildArgs {
    pub(super) fn parse(self, input: &mut Input) -> Request {
        let goal = if self.dry_run { RebuildGoal::Verify } else { RebuildGoal::Exchange };
        self.rows.parse(input, goal, self.reason)
    }
}

impl VerifyArgs {
    pub(super) fn parse(self, input: &mut Input) -> Request {
        self.rows.parse(input, RebuildGoal::Verify, self.reason)
    }
}

impl RowsArgs {
    fn parse(self, input: &mut Input, goal: RebuildGoal, reason: Option<String>) -> Request {
        let RowsArgs { name, tenant, aggregate, operator } = self;
        let tenant = input.read("--tenant", tenant.as_deref(), str::parse::<TenantRef>);
        let aggregate = input.read("--aggregate", aggregate.as_deref(), target);
        Request { name, tenant, aggregate, operator, goal, reason }
    }
}

/// An aggregate whose rows can be built: those go by ids that are UUIDs.
fn target(text: &str) -> Result<TargetAggregate, String> {
    let AggregateKey { aggregate_type, aggregate_id } = one_aggregate(text)?;
    let aggregate_id = Uuid::parse_str(&aggregate_id)
        .map_err(|_| "the id must be one such as 0197b1c0-5f6e-7c3a-9d55-2f6c1a7e4b13".to_owned())?;
    Ok(TargetAggregate { aggregate_type: aggregate_type.into_owned(), aggregate_id })
}

pub(super) async fn rebuild(database: &Database, request: Request, as_json: bool) -> Result<ExitCode, CliError> {
    let (name, goal) = (request.name.clone(), request.goal);
    let all = request.tenant.is_none() && request.aggregate.is_none();
    let rebuilt = carry_out(database, request).await?;
    show(&name, &rebuilt, goal, as_json)?;
    if goal == RebuildGoal::Exchange && all {
        say(&format!("The rebuilt tables are live. `synkro projections drop-old {name}` drops the previous ones."));
    } else if goal == RebuildGoal::Exchange {
        say("The rebuilt rows are live.");
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn verify(database: &Database, request: Request, as_json: bool) -> Result<ExitCode, CliError> {
    let name = request.name.clone();
    let rebuilt = carry_out(database, request).await?;
    show(&name, &rebuilt, RebuildGoal::Verify, as_json)?;
    Ok(if rebuilt.comparison.is_equal() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) async fn drop_old(database: &Database, name: &str, as_json: bool) -> Result<ExitCode, CliError> {
    let projection = find(name)?;
    let dropped = Rebuild::of(database, projection.as_ref()).await?.drop_previous().await?;
    if as_json {
        print(&json!({"projection": name, "dropped": dropped}).to_string());
    } else {
        print(if dropped { "The previous tables are dropped." } else { "There are no previous tables." });
    }
    Ok(ExitCode::SUCCESS)
}

async fn carry_out(database: &Database, request: Request) -> Result<Rebuilt, CliError> {
    // What is recorded on a log that was restored and not repaired would come before what is there.
    log::require_whole(database).await?;
    let Request { name, tenant, aggregate, operator, goal, reason } = request;
    let tenant = TenantRef::resolve(tenant, &LogQuery::new(database.clone())).await?;
    let context = RequestContext::for_support(operator, SystemIds.next());
    let bar = progress_bar(&name);
    let told = AtomicBool::new(false);
    let show = |progress: RebuildProgress| {
        if let Some(words) = beginning(progress.beginning).filter(|_| !told.swap(true, Ordering::Relaxed)) {
            say(&format!("{name}: {words}."));
        }
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    };
    let target = RebuildTarget { projection: name.clone(), tenant, aggregate };
    let rebuilt = wire::rebuilding(database).rebuild(&context, RebuildRequest { target, goal, reason }, &show).await;
    bar.finish();
    Ok(rebuilt?)
}

/// What becomes of an earlier start that was cut off, where there was one.
fn beginning(beginning: RebuildBeginning) -> Option<&'static str> {
    match beginning {
        RebuildBeginning::New => None,
        RebuildBeginning::Resumed => Some("goes on with the rebuild that was cut off"),
        RebuildBeginning::Anew(discarded) => Some(match discarded {
            Discarded::OtherProgram => {
                "begins anew: the rebuild that was cut off was begun by another version of the program"
            }
            Discarded::OtherTables => {
                "begins anew: the tables have changed since the rebuild that was cut off was begun"
            }
            Discarded::OtherRows => "begins anew: the rebuild that was cut off was of other rows",
            Discarded::Damaged => {
                "begins anew: of the rebuild that was cut off a part is missing, or ahead of the live rows"
            }
        }),
    }
}

/// A bar on the standard error, so that the result stays alone on the standard output.
fn progress_bar(name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} events, {per_sec}, {eta} left");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_prefix(name.to_owned())
}

fn show(name: &str, rebuilt: &Rebuilt, goal: RebuildGoal, as_json: bool) -> Result<(), CliError> {
    let comparison = &rebuilt.comparison;
    if as_json {
        print(&serde_json::to_string(&rebuilt_json(name, rebuilt, goal))?);
        return Ok(());
    }
    let differing: Vec<_> = comparison.digests.iter().filter(|digest| !digest.is_equal()).collect();
    if differing.is_empty() {
        print(&format!("{name}: the rebuilt rows equal the live ones."));
        return Ok(());
    }
    for digest in differing {
        let owner = owner(digest.tenant_id);
        print(&format!("{}, {owner}: {} rows live, {} rebuilt", digest.table, digest.live.0, digest.next.0));
    }
    for difference in comparison.differences.iter().take(MOST_SHOWN) {
        let Difference { table, key, tenant_id, .. } = difference;
        print(&format!("{table}, {}, {key}: {}", owner(*tenant_id), what_differs(difference)));
    }
    let (all, shown) = (comparison.rows_differing.values().sum::<u64>(), comparison.differences.len().min(MOST_SHOWN));
    if all > shown as u64 {
        print(&format!("{all} rows differ; {shown} of them are named here."));
    }
    Ok(())
}

fn owner(tenant: Option<Uuid>) -> String {
    tenant.map_or_else(|| "the platform".to_owned(), |tenant| format!("tenant {tenant}"))
}

fn what_differs(difference: &Difference) -> String {
    match (difference.in_live, difference.in_next) {
        (true, true) => format!("{} differs", difference.columns.join(", ")),
        (true, false) => "only live".to_owned(),
        (false, _) => "only rebuilt".to_owned(),
    }
}

fn rebuilt_json(name: &str, rebuilt: &Rebuilt, goal: RebuildGoal) -> Value {
    let comparison = &rebuilt.comparison;
    let digests = comparison.digests.iter().map(|digest| {
        json!({
            "table": digest.table,
            "tenant_id": digest.tenant_id,
            "live_rows": digest.live.0,
            "rebuilt_rows": digest.next.0,
            "equal": digest.is_equal(),
        })
    });
    let differences = comparison.differences.iter().map(|difference| {
        json!({
            "table": difference.table,
            "tenant_id": difference.tenant_id,
            "key": difference.key,
            "in_live": difference.in_live,
            "in_rebuilt": difference.in_next,
            "columns": difference.columns,
        })
    });
    json!({
        "projection": name,
        "rebuild_id": rebuilt.id.uuid(),
        "exchanged": goal == RebuildGoal::Exchange,
        "rows_differing": comparison.rows_differing,
        "equal": comparison.is_equal(),
        "tenants": digests.collect::<Vec<_>>(),
        "differences": differences.collect::<Vec<_>>(),
    })
}
