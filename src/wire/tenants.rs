//! What is done with tenants as a whole, and with read models, by those who run the installation.

use std::sync::Arc;

use application::pipeline::{Pipeline, RunStopper};
use application::use_cases::{ReadModelRebuilding, TenantLifecycle};
use infrastructure::database::Database;
use infrastructure::event_store::Appender;
use infrastructure::projections::PgRebuildEngine;
use infrastructure::read_models::{self, tenants::TenantsReader};
use infrastructure::signals::Signal;

use super::log::commands;
use super::{clock, ids};

/// Rebuilding of read models, over an open, migrated database; it needs none of the keys that the whole system does.
pub fn rebuilding(database: &Database) -> ReadModelRebuilding {
    let appender = Appender::new(database.clone(), Signal::default());
    ReadModelRebuilding {
        rebuilds: commands(database, &appender),
        engine: Arc::new(PgRebuildEngine::new(database.clone(), read_models::all())),
        clock: clock(),
        ids: ids(),
    }
}

/// The situations of tenants, over an open, migrated database; it needs no keys either. Running processes follow the log.
pub fn tenant_lifecycle(database: &Database) -> TenantLifecycle {
    let appender = Appender::new(database.clone(), Signal::default());
    TenantLifecycle {
        tenants: commands(database, &appender),
        views: Arc::new(TenantsReader::new(database)),
        clock: clock(),
    }
}

/// Stops the runs of tenants that are kept out.
pub(super) fn run_stopper(pipeline: &Pipeline) -> RunStopper {
    RunStopper {
        runs: Arc::clone(&pipeline.runs),
        queue: Arc::clone(&pipeline.queue),
        clock: Arc::clone(&pipeline.clock),
        ids: Arc::clone(&pipeline.ids),
    }
}
