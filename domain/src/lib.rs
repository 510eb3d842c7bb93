//! The rules of Synkro: aggregates, their events, and pure computations over them.
//!
//! Nothing here performs I/O, reads a clock or draws a random number. Time, ids and looked-up facts arrive in
//! commands; the same commands on the same state always give the same events.
//!
//! | folder | aggregate | one per |
//! |---|---|---|
//! | [`tenant`] | `Tenant` | company |
//! | [`user`] | `User` | person who signs in |
//! | [`api_key`] | `ApiKey` | key of a tenant's program |
//! | [`invitation`] | `Invitation` | invitation of a person into a tenant |
//! | [`second_factor`] | `SecondFactor` | user |
//! | [`integration`] | `IntegrationConfig` | tenant and kind of service |
//! | [`automation`] | `Automation` | tenant |
//! | [`job_run`] | `JobRun` | run of the report pipeline |
//! | [`report`] | `Report` | published report |
//! | [`impersonation`] | `Impersonation` | time that staff act in a tenant's name |
//! | [`role`] | `Role` | tenant and name of a role |
//! | [`service_catalogue`] | `ServiceCatalogue` | tenant |
//! | [`owners`] | `Owners` | tenant |
//! | [`super_admins`] | `SuperAdmins` | platform |
//! | [`kek_rotation`] | `KekRotation` | platform |
//! | [`data_key_rotation`] | `DataKeyRotation` | tenant |
//! | [`rebuild`] | `Rebuild` | rebuild or verification of a read model |
//!
//! Adding an aggregate: a folder like `tenant/`, its line in [`events`] and golden files of its events.

#![deny(missing_docs)]

#[macro_use]
mod macros;

pub mod access;
pub mod api_key;
pub mod automation;
pub mod data_key_rotation;
pub mod error;
pub mod event_sourced;
pub mod events;
pub mod ids;
pub mod impersonation;
pub mod integration;
pub mod invitation;
pub mod job_run;
pub mod kek_rotation;
pub mod metrics;
pub mod money;
pub mod narrative;
pub mod owners;
pub mod period;
pub mod rebuild;
pub mod report;
pub mod role;
pub mod second_factor;
pub mod service_catalogue;
pub mod session;
pub mod super_admins;
pub mod tenant;
pub mod user;
pub mod values;

pub use error::{Classified, ErrorKind, FieldError};
pub use event_sourced::{ClaimChange, ClaimScope, EventSourced};
