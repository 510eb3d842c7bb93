//! Feeding a table before it is shown, where no process runs that does it.

use application::ports::projections::Standings as _;
use infrastructure::database::Database;
use infrastructure::projections::{Checkpoints, ProjectionRunner};
use infrastructure::read_models;
use infrastructure::signals::Signal;

use super::{CliError, say};

/// Brings the table of this projection up to date, where no other process does. Says so where events are missing in it.
pub(super) async fn bring_up_to_date(database: &Database, name: &str) -> Result<(), CliError> {
    let fed: Vec<_> = read_models::all().into_iter().filter(|projection| projection.name() == name).collect();
    let checkpoints = Checkpoints::new(database.clone(), Signal::default(), &fed);
    let runner = ProjectionRunner::new(database.clone(), checkpoints.clone(), Signal::default());
    runner.catch_up(&fed).await?;
    let behind: u64 = checkpoints.standings().await?.iter().map(|standing| standing.behind).sum();
    if behind > 0 {
        say(&format!("The list does not show the newest {behind} events of the log yet."));
    }
    Ok(())
}
