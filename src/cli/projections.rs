//! `synkro projections`: what support staff do after an incident.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use infrastructure::database::Database;
use infrastructure::projections::{Comparison, Difference, Projection, Rebuild, Standing};
use infrastructure::read_models;
use serde_json::{Value, json};

use super::{CliError, open, print, say};
use crate::config::StorageArgs;

/// The most differing rows that are printed for people; `--json` prints all that were named.
const MOST_SHOWN: usize = 20;

#[derive(Args)]
pub(super) struct ProjectionsArgs {
    #[command(flatten)]
    storage: StorageArgs,

    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Where each projection stands, and how far it is behind the log.
    List,
    /// Builds a projection's tables anew beside the live ones, says what differs, and exchanges them.
    Rebuild {
        /// The projection's name.
        name: String,
        /// Only say what differs; the live tables stay.
        #[arg(long)]
        dry_run: bool,
    },
    /// Builds a projection's tables anew beside the live ones and says what differs; exits with 1 where anything does.
    Verify {
        /// The projection's name.
        name: String,
    },
    /// Drops the tables that the last rebuild replaced. Until then they are kept to be looked into.
    DropOld {
        /// The projection's name.
        name: String,
    },
}

pub(super) async fn run(args: ProjectionsArgs) -> Result<ExitCode, CliError> {
    let (database, _folder) = open::database_alone(&args.storage).await?;
    let done = match args.action {
        Action::List => list(&database, args.json).await,
        Action::Rebuild { name, dry_run } => rebuild(&database, &name, args.json, !dry_run).await,
        Action::Verify { name } => verify(&database, &name, args.json).await,
        Action::DropOld { name } => drop_old(&database, &name).await,
    };
    database.close().await;
    done
}

async fn list(database: &Database, as_json: bool) -> Result<ExitCode, CliError> {
    let names: Vec<&str> = read_models::all().iter().map(|projection| projection.name()).collect();
    let standings = Standing::of_all(database, &names).await?;
    if as_json {
        let rows: Vec<Value> = standings.iter().map(standing_json).collect();
        print(&serde_json::to_string(&rows)?);
    } else {
        print(&format!("{:<16} {:>20} {:>12}", "projection", "position", "behind"));
        for Standing { name, position, behind } in standings {
            let at = format!("{}-{}", position.tx, position.position);
            print(&format!("{name:<16} {at:>20} {behind:>12}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn standing_json(standing: &Standing) -> Value {
    let Standing { name, position, behind } = standing;
    json!({"name": name, "tx": position.tx, "position": position.position, "behind": behind})
}

async fn rebuild(database: &Database, name: &str, as_json: bool, exchange: bool) -> Result<ExitCode, CliError> {
    let projection = find(name)?;
    let rebuild = Rebuild::of(database, projection.as_ref()).await?;
    build(&rebuild, name).await?;
    let comparison = rebuild.compare().await?;
    show(name, &comparison, as_json)?;
    if exchange {
        rebuild.exchange().await?;
        say(&format!("The rebuilt tables are live. `synkro projections drop-old {name}` drops the previous ones."));
    } else {
        rebuild.abandon().await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn verify(database: &Database, name: &str, as_json: bool) -> Result<ExitCode, CliError> {
    let projection = find(name)?;
    let rebuild = Rebuild::of(database, projection.as_ref()).await?;
    build(&rebuild, name).await?;
    let comparison = rebuild.compare().await?;
    rebuild.abandon().await?;
    show(name, &comparison, as_json)?;
    Ok(if comparison.is_equal() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn drop_old(database: &Database, name: &str) -> Result<ExitCode, CliError> {
    let projection = find(name)?;
    let dropped = Rebuild::of(database, projection.as_ref()).await?.drop_previous().await?;
    print(if dropped { "The previous tables are dropped." } else { "There are no previous tables." });
    Ok(ExitCode::SUCCESS)
}

async fn build(rebuild: &Rebuild<'_>, name: &str) -> Result<(), CliError> {
    let style = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} events, {per_sec}, {eta} left");
    let bar = ProgressBar::new(0)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_prefix(name.to_owned());
    let mut told = false;
    rebuild
        .build(|progress| {
            if progress.resumed && !told {
                say(&format!("{name}: goes on with the rebuild that was cut off."));
                told = true;
            }
            bar.set_length(progress.total);
            bar.set_position(progress.done);
        })
        .await?;
    bar.finish();
    Ok(())
}

fn show(name: &str, comparison: &Comparison, as_json: bool) -> Result<(), CliError> {
    if as_json {
        print(&serde_json::to_string(&comparison_json(comparison))?);
        return Ok(());
    }
    let differing: Vec<_> = comparison.digests.iter().filter(|digest| !digest.is_equal()).collect();
    if differing.is_empty() {
        print(&format!("{name}: the rebuilt tables equal the live ones."));
        return Ok(());
    }
    for digest in differing {
        let tenant = digest.tenant_id.map_or_else(|| "the platform".to_owned(), |tenant| format!("tenant {tenant}"));
        print(&format!("{}, {tenant}: {} rows live, {} rebuilt", digest.table, digest.live.0, digest.next.0));
    }
    for difference in comparison.differences.iter().take(MOST_SHOWN) {
        print(&format!("{} {}: {}", difference.table, difference.key, what_differs(difference)));
    }
    Ok(())
}

fn what_differs(difference: &Difference) -> String {
    match (difference.in_live, difference.in_next) {
        (true, true) => format!("{} differs", difference.columns.join(", ")),
        (true, false) => "only live".to_owned(),
        (false, _) => "only rebuilt".to_owned(),
    }
}

fn comparison_json(comparison: &Comparison) -> Value {
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
            "key": difference.key,
            "in_live": difference.in_live,
            "in_rebuilt": difference.in_next,
            "columns": difference.columns,
        })
    });
    json!({
        "equal": comparison.is_equal(),
        "tenants": digests.collect::<Vec<_>>(),
        "differences": differences.collect::<Vec<_>>(),
    })
}

fn find(name: &str) -> Result<Arc<dyn Projection>, CliError> {
    let all = read_models::all();
    let names: Vec<&str> = all.iter().map(|projection| projection.name()).collect();
    let missing = format!("there is no projection {name}; there are: {}", names.join(", "));
    all.iter().find(|projection| projection.name() == name).cloned().ok_or_else(|| missing.into())
}
