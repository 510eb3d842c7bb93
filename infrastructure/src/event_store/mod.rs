//! The event log on PostgreSQL.
//!
//! Loading goes through `postgres-es`; committing does not: one statement appends the events of a commit with their
//! claims, and tells a lost race from a taken value (ADR 0002). Reading in global order happens behind the snapshot
//! horizon, so that no event is ever passed over (ADR 0003).

mod aggregate;
mod appender;
mod commands;
mod commit;
mod connections;
mod generations;
mod horizon;
pub(crate) mod position;
mod query;
mod queue;
mod reader;
mod receipts;
mod refusal;
mod statement;
mod store;
mod trail;
mod writer;

pub use aggregate::AggregateKey;
pub(crate) use aggregate::{tenant_in_key, tenant_of_key};
pub use appender::Appender;
pub use commands::{LogCommands, LogStatistics};
pub use commit::{AppendError, Appended, Commit, NewEvent};
pub use connections::Epoch;
pub use generations::LogGenerations;
pub use horizon::{Holder, Horizon, Session, Stall};
pub use query::{Direction, EventFilter, LogEnd, LogQuery, Span};
pub use reader::{LogReader, LoggedEvent};
pub use receipts::{NewReceipt, Receipts};
pub use store::LogStore;
pub use trail::TenantHistory;
