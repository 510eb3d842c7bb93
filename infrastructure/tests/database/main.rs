//! The promises that are kept by SQL, on a PostgreSQL server and on the embedded PGlite (see `scripts/test`).
//!
//! Where a promise is about several connections at once, PGlite has nothing to promise: it has one. Those tests ask
//! [`testkit::TestDatabase::another_process`] for a second one and assert that only PGlite has none.
#![cfg(test)]

mod access;
mod api_keys;
mod claims;
mod commands;
mod credentials;
mod data_key_exchange;
mod event_log;
mod exchanged_runs;
mod failover;
mod fixtures;
mod follower;
mod framework;
mod generations;
mod group_commit;
mod horizon;
mod idle_moves;
mod isolation;
mod isolation_of_rows;
mod kek_exchange;
mod kept_out;
mod leases;
mod mail;
mod migrations;
mod oauth;
mod one_time_links;
mod order;
mod parking;
mod probe;
mod projections;
mod proxy;
mod query;
mod race;
mod readers;
mod rebuild;
mod rebuild_events;
mod rebuild_hazards;
mod rebuild_load;
mod rebuild_scope;
mod rebuild_unanswered;
mod receipts;
mod replay;
mod schema;
mod second_factors;
mod sessions;
mod sign_in;
mod staging;
mod step_queue;
mod story;
mod story_access;
mod story_people;
mod story_staff;
mod trail;
mod transactions;
mod vault;
mod workers;
