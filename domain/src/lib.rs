//! The rules of Synkro: aggregates, their events, and pure computations over them.
//!
//! Nothing here performs I/O, reads a clock or draws a random number. Time, ids and looked-up facts arrive in
//! commands; the same commands on the same state always give the same events.
//!
//! | folder | aggregate | one per |
//! |---|---|---|
//! | [`tenant`] | `Tenant` | company |
//! | [`user`] | `User` | person who signs in |
//! | [`integration`] | `IntegrationConfig` | tenant and kind of service |
//! | [`automation`] | `Automation` | tenant |
//! | [`job_run`] | `JobRun` | run of the report pipeline |
//! | [`report`] | `Report` | published report |
//! | [`rebuild`] | `Rebuild` | rebuild or verification of a read model |
//!
//! Adding an aggregate: a folder like `tenant/`, its line in [`events`] and golden files of its events.

#![deny(missing_docs)]

#[macro_use]
mod macros;

pub mod access;
pub mod automation;
pub mod error;
pub mod event_sourced;
pub mod events;
pub mod ids;
pub mod integration;
pub mod job_run;
pub mod metrics;
pub mod narrative;
pub mod period;
pub mod rebuild;
pub mod report;
pub mod tenant;
pub mod user;
pub mod values;

pub use error::{Classified, ErrorKind, FieldError};
pub use event_sourced::{ClaimChange, ClaimScope, EventSourced};
