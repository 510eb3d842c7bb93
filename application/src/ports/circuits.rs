//! Whether the services that a tenant has connected are called at present.

use std::time::Duration;

use domain::ids::TenantId;
use domain::integration::IntegrationKind;

/// Where the circuit breaker of an account stands, as far as this process has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CircuitState {
    /// Calls go through.
    Closed,
    /// The service was out of order several times, so it is left alone for a while.
    Open {
        /// How long until it is tried again.
        retry_in: Duration,
        /// What happened last, in words for the tenant's user, without secrets.
        reason: String,
    },
    /// The while is over: the next call shows whether the service works again.
    HalfOpen {
        /// What happened last, in words for the tenant's user, without secrets.
        reason: String,
    },
}

impl CircuitState {
    /// The names of the states.
    pub const NAMES: [&str; 3] = ["closed", "open", "half_open"];

    /// Its frozen name, as metrics and answers show it.
    pub fn name(&self) -> &'static str {
        let [closed, open, half_open] = Self::NAMES;
        match self {
            Self::Closed => closed,
            Self::Open { .. } => open,
            Self::HalfOpen { .. } => half_open,
        }
    }
}

/// How many accounts of one service are in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitCount {
    /// The service.
    pub service: IntegrationKind,
    /// The state's name.
    pub state: &'static str,
    /// Accounts that this process has called.
    pub accounts: usize,
}

/// What the calls of this process to all services come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallStanding {
    /// Every service with every state.
    pub circuits: Vec<CircuitCount>,
    /// Calls that are made just now.
    pub in_flight: usize,
}

/// The circuit breakers of accounts. Each process has its own, and knows what it has called itself.
pub trait Circuits: Send + Sync {
    /// The state of a tenant's account, of several the one that was called last. Closed where none was called.
    fn circuit(&self, tenant_id: TenantId, service: IntegrationKind) -> CircuitState;

    /// The states of all accounts, without saying whose they are.
    fn standing(&self) -> CallStanding;
}
