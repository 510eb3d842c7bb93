//! Building tables anew, and saying what differs.

use std::process::ExitCode;

use application::ports::rebuilds::{Comparison, Difference};
use indicatif::{ProgressBar, ProgressStyle};
use infrastructure::database::Database;
use infrastructure::projections::Rebuild;
use serde_json::{Value, json};

use super::find;
use crate::cli::{CliError, print, say};

/// The most differing rows that are printed for people; `--json` prints all that were named.
const MOST_SHOWN: usize = 20;

pub(super) async fn rebuild(
    database: &Database,
    name: &str,
    as_json: bool,
    exchange: bool,
) -> Result<ExitCode, CliError> {
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

pub(super) async fn verify(database: &Database, name: &str, as_json: bool) -> Result<ExitCode, CliError> {
    let projection = find(name)?;
    let rebuild = Rebuild::of(database, projection.as_ref()).await?;
    build(&rebuild, name).await?;
    let comparison = rebuild.compare().await?;
    rebuild.abandon().await?;
    show(name, &comparison, as_json)?;
    Ok(if comparison.is_equal() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) async fn drop_old(database: &Database, name: &str) -> Result<ExitCode, CliError> {
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
