//! The promises that are kept by SQL, on a PostgreSQL server and on the embedded PGlite (see `scripts/test`).
//!
//! Where a promise is about several connections at once, PGlite has nothing to promise: it has one. Those tests ask
//! [`testkit::TestDatabase::another_process`] for a second one and assert that only PGlite has none.
#![cfg(test)]

mod claims;
mod commands;
mod credentials;
mod event_log;
mod fixtures;
mod framework;
mod generations;
mod group_commit;
mod horizon;
mod leases;
mod migrations;
mod order;
mod parking;
mod probe;
mod projections;
mod query;
mod race;
mod readers;
mod rebuild;
mod rebuild_events;
mod rebuild_hazards;
mod rebuild_scope;
mod receipts;
mod replay;
mod schema;
mod staging;
mod step_queue;
mod story;
mod transactions;
mod vault;
mod workers;
