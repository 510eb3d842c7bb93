//! Rate limits (ADR 0020): of requests to Synkro, and of calls to the providers.
//!
//! | module | what |
//! |---|---|
//! | `rate` | the arithmetic of a bucket (GCRA) |
//! | `memory` | buckets in this process, bounded |
//! | [`redis`] | buckets that processes share, and what happens while Redis is down |
//! | [`requests`] | the limits of requests |
//! | `turns` | turns of calls to a provider's account |

mod memory;
mod rate;
pub mod redis;
pub mod requests;
mod turns;

pub(crate) use rate::Rate;
pub use redis::{Redis, RedisOptions, RedisUrlError};
pub use requests::{Quotas, RequestLimits};
pub(crate) use turns::{TurnBucket, TurnKey, Turns};
