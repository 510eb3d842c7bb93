//! Building rows anew, and saying what differs.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use application::RequestContext;
use application::ports::clock::Ids;
use application::ports::rebuilds::{Difference, RebuildProgress, RebuildTarget};
use application::use_cases::{RebuildRequest, Rebuilt};
use clap::Args;
use domain::ids::TenantId;
use domain::rebuild::RebuildGoal;
use domain::values::DisplayName;
use indicatif::{ProgressBar, ProgressStyle};
use infrastructure::database::Database;
use infrastructure::projections::Rebuild;
use infrastructure::system::SystemIds;
use serde_json::{Value, json};
use uuid::Uuid;

use super::find;
use crate::cli::{CliError, log, print, say};
use crate::wire;

/// The most differing rows that are printed for people; `--json` prints all that were named.
const MOST_SHOWN: usize = 20;

/// Which rows, and who asks.
#[derive(Args)]
pub(super) struct RowsArgs {
    /// The projection's name.
    name: String,

    /// Only the rows of this tenant.
    #[arg(long, value_name = "ID")]
    tenant: Option<TenantId>,

    /// Only the rows of this aggregate: of this user, this run, this report.
    #[arg(long, value_name = "ID")]
    aggregate: Option<Uuid>,

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

pub(super) async fn rebuild(database: &Database, args: RebuildArgs, as_json: bool) -> Result<ExitCode, CliError> {
    let RebuildArgs { rows, reason, dry_run } = args;
    let goal = if dry_run { RebuildGoal::Verify } else { RebuildGoal::Exchange };
    let (name, all) = (rows.name.clone(), rows.tenant.is_none() && rows.aggregate.is_none());
    let rebuilt = carry_out(database, rows, goal, reason).await?;
    show(&name, &rebuilt, goal, as_json)?;
    if goal == RebuildGoal::Exchange && all {
        say(&format!("The rebuilt tables are live. `synkro projections drop-old {name}` drops the previous ones."));
    } else if goal == RebuildGoal::Exchange {
        say("The rebuilt rows are live.");
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn verify(database: &Database, args: VerifyArgs, as_json: bool) -> Result<ExitCode, CliError> {
    let name = args.rows.name.clone();
    let rebuilt = carry_out(database, args.rows, RebuildGoal::Verify, args.reason).await?;
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

async fn carry_out(
    database: &Database,
    rows: RowsArgs,
    goal: RebuildGoal,
    reason: Option<String>,
) -> Result<Rebuilt, CliError> {
    // What is recorded on a log that was restored and not repaired would come before what is there.
    log::require_whole(database).await?;
    let RowsArgs { name, tenant, aggregate, operator } = rows;
    let context = RequestContext::for_support(operator, SystemIds.next());
    let bar = progress_bar(&name);
    let told = AtomicBool::new(false);
    let show = |progress: RebuildProgress| {
        if progress.resumed && !told.swap(true, Ordering::Relaxed) {
            say(&format!("{name}: goes on with the rebuild that was cut off."));
        }
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    };
    let target = RebuildTarget { projection: name.clone(), tenant, aggregate };
    let rebuilt = wire::rebuilding(database).rebuild(&context, RebuildRequest { target, goal, reason }, &show).await;
    bar.finish();
    Ok(rebuilt?)
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
