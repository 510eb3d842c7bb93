//! What is done with tenants as a whole, with read models, and with the keys, by those who run the installation.

use std::sync::Arc;

use application::pipeline::{Pipeline, RunStopper};
use application::use_cases::{DataKeyExchange, FollowMovedGroup, KekExchange, ReadModelRebuilding, TenantLifecycle};
use infrastructure::crypto::{Keks, KeyRing, PgDataKeyGenerations, PgDataKeys};
use infrastructure::database::Database;
use infrastructure::event_store::Appender;
use infrastructure::projections::PgRebuildEngine;
use infrastructure::read_models::{self, tenants::TenantsReader};
use infrastructure::signals::Signal;

use super::log::{Log, commands};
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

/// Exchanging the key-encryption key, over an open, migrated database. Running processes keep what they have opened.
pub fn kek_exchange(database: &Database, keks: Arc<Keks>) -> KekExchange {
    let appender = Appender::new(database.clone(), Signal::default());
    KekExchange {
        rotations: commands(database, &appender),
        data_keys: Arc::new(PgDataKeys::new(database.clone(), keks)),
        clock: clock(),
    }
}

/// Exchanging companies' data keys, over an open, migrated database. Running processes take up another key when they next seal.
pub fn data_key_exchange(database: &Database, keks: Arc<Keks>) -> DataKeyExchange {
    let appender = Appender::new(database.clone(), Signal::default());
    let ring = Arc::new(KeyRing::new(database.clone(), keks));
    DataKeyExchange {
        rotations: commands(database, &appender),
        data_keys: Arc::new(PgDataKeyGenerations::new(database.clone(), ring)),
        clock: clock(),
    }
}

/// Corrects the settings of tenants whose groups have moved.
pub(super) fn moved_groups(log: &Log) -> Arc<FollowMovedGroup> {
    Arc::new(FollowMovedGroup { integrations: Arc::clone(&log.integrations), clock: clock() })
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
