//! What Synkro does: use cases, access decisions, the report pipeline, and the ports to everything outside.
//!
//! Every entry point (HTTP, command line, pipeline) goes through the same use cases. A use case authorizes, loads,
//! asks the domain and records; it decides no rule itself.
//!
//! To add a use case: a file in `use_cases/` with one struct that holds the ports it needs and one method named for
//! what it does, taking the [`context::RequestContext`] first; then a line in `use_cases/mod.rs`.
//!
//! To add a port: a trait in `ports/`, an adapter in `infrastructure`, a line in the binary's `wire.rs`.

#![deny(missing_docs)]

pub mod access;
pub mod context;
pub mod error;
pub mod idempotency;
pub mod mail;
pub mod password;
pub mod pipeline;
pub mod ports;
mod read_back;
pub mod use_cases;

pub use context::{
    ActingStaff, Actor, Authenticated, AuthenticatedKey, Client, Origin, OwnAccount, PlatformScope, Principal,
    RequestContext, TenantScope,
};
pub use error::{AppError, CommandError, PortError};
pub use idempotency::{IdempotencyKey, Receipt, RequestHash};
pub use password::Password;
