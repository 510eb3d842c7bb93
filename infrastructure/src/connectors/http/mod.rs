//! The one HTTP client behind every connector: time limits, retries, rate limits, circuit breakers, bounded concurrency,
//! the guard on addresses, the log of calls, and the texts of failures (ADR 0027). A connector says what to call ([`Call`])
//! and how its service speaks ([`Dialect`]).

mod account;
mod body;
mod call;
mod circuit;
mod dialect;
mod egress;
mod failure;
mod form;
mod lanes;
mod request_log;
mod retry_after;
mod scrub;

use std::sync::Arc;
use std::time::Duration;

use application::ports::circuits::{CallStanding, CircuitState};
use backon::ExponentialBuilder;
use domain::ids::TenantId;
use domain::integration::IntegrationKind;

pub(crate) use account::AccountClient;
pub(crate) use call::{Call, Reply};
pub use circuit::CircuitOptions;
pub(crate) use dialect::{Dialect, Refusal, Verdict, nonsense};
pub use egress::EgressPolicy;
pub(crate) use form::Part;
pub use lanes::ConcurrencyOptions;

use egress::GuardedResolver;
use lanes::Lanes;

use crate::limits::{Redis, Turns};

/// How the connectors behave on the network.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Longest wait for a connection, name resolution and TLS included.
    pub connect_timeout: Duration,
    /// Longest time of one try from its start to the last byte of the answer.
    pub call_timeout: Duration,
    /// The same for a question to an AI model, which thinks longer than a database.
    pub model_timeout: Duration,
    /// Largest answer that is read, in bytes.
    pub response_limit: usize,
    /// Retries within one call.
    pub retry: RetryOptions,
    /// What is shorter where a person waits for the answer.
    pub awaited: AwaitedOptions,
    /// When a service that is out of order is left alone.
    pub circuit: CircuitOptions,
    /// How many calls are made at once.
    pub concurrency: ConcurrencyOptions,
    /// Which addresses may be called.
    pub egress: EgressPolicy,
    /// Where accounts' rate limits are shared with other processes; without it they are this process's.
    pub redis: Option<Redis>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(30),
            model_timeout: Duration::from_mins(5),
            response_limit: 32 * 1024 * 1024,
            retry: RetryOptions::default(),
            awaited: AwaitedOptions::default(),
            circuit: CircuitOptions::default(),
            concurrency: ConcurrencyOptions::default(),
            egress: EgressPolicy::PublicOnly { allow_hosts: Vec::new() },
            redis: None,
        }
    }
}

/// Retries within one call: exponential with jitter, and at least as long as the service asks.
#[derive(Debug, Clone)]
pub struct RetryOptions {
    /// Tries in all, the first included.
    pub tries: usize,
    /// Wait before the second try; it doubles from there.
    pub first_delay: Duration,
    /// Longest `Retry-After` that is waited out within the call. A longer one is handed to the caller.
    pub longest_wait: Duration,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self { tries: 3, first_delay: Duration::from_millis(500), longest_wait: Duration::from_secs(30) }
    }
}

/// Calls of somebody who waits for the answer: what passes by itself is told instead of waited for.
#[derive(Debug, Clone)]
pub struct AwaitedOptions {
    /// Longest time of one try. Questions to an AI model take what they take.
    pub call_timeout: Duration,
    /// Tries in all, the first included.
    pub tries: usize,
    /// Longest wait: for what the service asks, and for the call's turn among others of the account.
    pub longest_wait: Duration,
}

impl Default for AwaitedOptions {
    fn default() -> Self {
        Self { call_timeout: Duration::from_secs(8), tries: 2, longest_wait: Duration::from_secs(4) }
    }
}

impl RetryOptions {
    fn awaited(&self, awaited: &AwaitedOptions) -> Self {
        Self {
            tries: self.tries.min(awaited.tries),
            first_delay: self.first_delay,
            longest_wait: self.longest_wait.min(awaited.longest_wait),
        }
    }

    fn backoff(&self) -> ExponentialBuilder {
        ExponentialBuilder::new()
            .with_min_delay(self.first_delay)
            .with_max_delay(self.longest_wait)
            .with_max_times(self.tries.saturating_sub(1))
            .with_jitter()
    }
}

/// The HTTP client cannot be built: the machine has no usable TLS.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client of the connectors cannot be built")]
pub struct HttpClientError(#[from] reqwest::Error);

/// Shared by all accounts of the process, so that connections and rate limits are.
pub(crate) struct HttpClient {
    /// Resolves names through the guard.
    guarded: reqwest::Client,
    /// For hosts that the operator opened, whatever their address.
    opened: reqwest::Client,
    options: HttpOptions,
    turns: Turns,
    lanes: Lanes,
}

impl HttpClient {
    /// Builds the client once for the process.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn new(options: HttpOptions) -> Result<Arc<Self>, HttpClientError> {
        let builder = || {
            reqwest::Client::builder()
                .user_agent(concat!("synkro/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(options.connect_timeout)
                .pool_idle_timeout(Duration::from_secs(20))
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .no_proxy()
        };
        let guarded = builder().dns_resolver(GuardedResolver::new(options.egress.clone())).build()?;
        let opened = builder().build()?;
        let turns = Turns::new(options.redis.clone());
        let lanes = Lanes::new(options.circuit.clone(), options.concurrency.clone());
        Ok(Arc::new(Self { guarded, opened, options, turns, lanes }))
    }

    /// Which addresses may be called.
    pub(crate) fn egress(&self) -> &EgressPolicy {
        &self.options.egress
    }

    /// Longest time of a question to an AI model.
    pub(crate) fn model_timeout(&self) -> Duration {
        self.options.model_timeout
    }

    /// The state of a tenant's account.
    pub(crate) fn circuit(&self, tenant_id: TenantId, service: IntegrationKind) -> CircuitState {
        self.lanes.circuit(tenant_id, service)
    }

    /// What all calls come to.
    pub(crate) fn standing(&self) -> CallStanding {
        self.lanes.standing()
    }
}
