//! Synkro over HTTP. Thin: it reads requests, calls a use case, and writes answers; it decides no rule.
//!
//! | module | what it does |
//! |---|---|
//! | [`rest`] | the operations, one folder or file per resource |
//! | [`problem`] | the one conversion of errors to answers (RFC 9457) |
//! | `identity`, `cookies` | the one place that turns a token into a request context; where pages keep theirs |
//! | `headers`, `idempotency` | the key and the version that a request may name |
//! | `client_address` | whose address a request comes from, also through proxies |
//! | [`limits`] | how often operations may be asked |
//! | `edge` | what every request and answer passes: request id, span, limits, security headers |
//! | [`server`] | listening and graceful shutdown |
//!
//! The OpenAPI document is made from the code by [`openapi_json`] and needs no running system.
//!
//! To add a resource: a file in `rest/` with a unit struct and its operations, and its name in the list in
//! `rest/mod.rs`. Every operation takes the state as `Data<&Arc<AppState>>` and, unless it is public, a
//! `SignedInUser`, and says how often it may be asked: `transform = "api_limit"`.

mod addresses;
mod client_address;
mod cookies;
mod cursor;
mod docs_page;
mod edge;
mod headers;
mod idempotency;
mod identity;
mod input;
pub mod limits;
mod position;
pub mod problem;
pub mod rest;
pub mod server;
mod state;

pub use client_address::{ProxyHeader, ProxyRange, ProxyRangeError, TrustedProxies};
pub use rest::{openapi_json, routes};
pub use server::{Bound, serve};
pub use state::{AppState, Integrations};
