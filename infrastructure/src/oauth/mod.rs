//! What OAuth needs to be remembered: authorizations that were begun, and exchanges under way.

mod exchanges;
mod states;

pub use exchanges::PgTokenExchanges;
pub use states::PgAuthorizationStates;
