//! Adapters: everything the application's ports need from databases, providers and cryptography.
//!
//! | folder | what |
//! |---|---|
//! | [`database`] | PostgreSQL, on a server or embedded; migrations |
//! | [`event_store`] | the log: one statement per commit, loading, reading in global order |
//! | [`projections`] | the runner that keeps read models following the log |
//! | [`read_models`] | one folder per table: entity, writer, reader |
//! | [`charts`] | charts as PNG, drawn in the process |
//! | [`connectors`] | the outside services, one folder each |
//! | [`crypto`] | keys, sealing, the vault |
//! | [`identity`] | passwords, access tokens, sessions and their revocation, API keys |
//! | [`limits`] | rate limits, shared through Redis or in process |
//! | [`mail`] | the outbox, and mail over SMTP or into files |
//! | [`oauth`] | authorizations that were begun at services, and exchanges of tokens |
//! | [`follower`] | what each process keeps in memory and in step with the log |

pub mod access_matrix;
pub mod charts;
pub mod connectors;
pub mod crypto;
pub mod database;
mod error;
pub mod event_store;
pub mod files;
mod followed_cache;
pub mod follower;
pub mod health;
pub mod identity;
pub mod limits;
pub mod mail;
pub mod oauth;
pub mod projections;
pub mod read_models;
pub mod signals;
pub mod staging;
pub mod step_queue;
pub mod system;
