//! The API as clients see it, over a system whose ports are held in memory.

#![expect(clippy::unwrap_used, reason = "in a test, what cannot be unwrapped is the failure")]

mod support;

mod api_keys;
mod errors;
mod health;
mod limits;
mod logs;
mod reports;
mod runs;
mod server;
mod users;
