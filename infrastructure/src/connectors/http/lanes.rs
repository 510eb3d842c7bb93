//! The lane of each account: its circuit breaker, and how many of its calls are made at once.
//!
//! A call takes a place of its account first and one of the process then. Places are given in the order in which they were
//! asked for, so an account waits for the process with no more calls than it has places, however many it wants to make.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use application::ports::circuits::{CallStanding, CircuitCount, CircuitState};
use domain::ids::TenantId;
use domain::integration::IntegrationKind;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::circuit::{Breaker, CircuitOptions};
use crate::limits::TurnBucket;

/// How many calls are made at once.
#[derive(Debug, Clone)]
pub struct ConcurrencyOptions {
    /// To one account.
    pub of_account: usize,
    /// By the process.
    pub in_all: usize,
}

impl Default for ConcurrencyOptions {
    fn default() -> Self {
        Self { of_account: 8, in_all: 64 }
    }
}

/// Whose lane.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct LaneKey {
    pub(super) tenant_id: TenantId,
    pub(super) service: IntegrationKind,
    pub(super) host: String,
}

/// One account's lane.
pub(super) struct Lane {
    pub(super) breaker: Breaker,
    places: Semaphore,
    opened_at: Mutex<Instant>,
}

/// The places of one call. With their end another call may be made.
pub(super) struct Places<'a> {
    _of_account: Option<SemaphorePermit<'a>>,
    _in_all: Option<SemaphorePermit<'a>>,
}

/// The lanes of all accounts.
pub(super) struct Lanes {
    circuit: CircuitOptions,
    concurrency: ConcurrencyOptions,
    in_all: Semaphore,
    of_accounts: Mutex<HashMap<LaneKey, Arc<Lane>>>,
}

/// More lanes than this are a sign of accounts that nobody calls any more.
const SWEEP_ABOVE: usize = 4_096;

impl Lanes {
    pub(super) fn new(circuit: CircuitOptions, concurrency: ConcurrencyOptions) -> Self {
        let in_all = Semaphore::new(concurrency.in_all.max(1));
        Self { circuit, concurrency, in_all, of_accounts: Mutex::default() }
    }

    /// The lane of an account, now the latest of its tenant and service.
    pub(super) fn lane(&self, key: LaneKey) -> Arc<Lane> {
        let mut lanes = self.lock();
        if lanes.len() > SWEEP_ABOVE {
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1 || !lane.breaker.is_untroubled());
        }
        let lane = lanes.entry(key).or_insert_with(|| Arc::new(self.fresh()));
        *lane.opened_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        Arc::clone(lane)
    }

    /// Waits for a place of the account, its turn, and a place of the process.
    ///
    /// Places of the process are not held through the waits of slow accounts. Where one had to be waited for, the turn has
    /// passed meanwhile, and others with it that would now come at once: so another turn is taken.
    pub(super) async fn places<'a>(&'a self, lane: &'a Lane, turns: Option<&TurnBucket>) -> Places<'a> {
        // Neither semaphore is ever closed, so neither wait fails.
        let of_account = lane.places.acquire().await.ok();
        take_turn(turns).await;
        if let Ok(in_all) = self.in_all.try_acquire() {
            return Places { _of_account: of_account, _in_all: Some(in_all) };
        }
        let in_all = self.in_all.acquire().await.ok();
        take_turn(turns).await;
        Places { _of_account: of_account, _in_all: in_all }
    }

    /// The state of the account that was opened last among those of a tenant and a service.
    pub(super) fn circuit(&self, tenant_id: TenantId, service: IntegrationKind) -> CircuitState {
        let lanes = self.lock();
        let of_both = lanes.iter().filter(|(key, _)| key.tenant_id == tenant_id && key.service == service);
        let latest = of_both.max_by_key(|(_, lane)| *lane.opened_at.lock().unwrap_or_else(PoisonError::into_inner));
        latest.map_or(CircuitState::Closed, |(_, lane)| lane.breaker.state(Instant::now()))
    }

    /// Sums over all accounts.
    pub(super) fn standing(&self) -> CallStanding {
        let now = Instant::now();
        let lanes = self.lock();
        let states: Vec<_> = lanes.iter().map(|(key, lane)| (key.service, lane.breaker.state(now).name())).collect();
        let count = |service, state| states.iter().filter(|known| **known == (service, state)).count();
        let of_service =
            |service| CircuitState::NAMES.map(|state| CircuitCount { service, state, accounts: count(service, state) });
        let circuits = IntegrationKind::ALL.into_iter().flat_map(of_service).collect();
        let in_flight = self.concurrency.in_all.max(1) - self.in_all.available_permits();
        CallStanding { circuits, in_flight }
    }

    fn fresh(&self) -> Lane {
        Lane {
            breaker: Breaker::new(self.circuit.clone()),
            places: Semaphore::new(self.concurrency.of_account.max(1)),
            opened_at: Mutex::new(Instant::now()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LaneKey, Arc<Lane>>> {
        self.of_accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn take_turn(turns: Option<&TurnBucket>) {
    if let Some(turns) = turns {
        turns.turn().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::future::join_all;

    use super::super::circuit::Sign;
    use super::*;

    fn lanes(of_account: usize, in_all: usize) -> Lanes {
        let circuit = CircuitOptions { outages: 1, ..CircuitOptions::default() };
        Lanes::new(circuit, ConcurrencyOptions { of_account, in_all })
    }

    fn key(tenant: u128, host: &str) -> LaneKey {
        let tenant_id = TenantId::from(uuid::Uuid::from_u128(tenant));
        LaneKey { tenant_id, service: IntegrationKind::Amocrm, host: host.into() }
    }

    fn break_down(lane: &Lane) {
        let now = Instant::now();
        let pass = lane.breaker.admit(now).unwrap_or_else(|refused| panic!("{refused:?}"));
        pass.learn(Sign::Outage("HTTP 503".into()), now);
    }

    /// Seen to fail with a place of the process taken before that of the account.
    #[tokio::test]
    async fn an_account_with_many_calls_leaves_room_for_the_others() {
        let lanes = lanes(2, 3);
        let (busy, other) = (lanes.lane(key(1, "a")), lanes.lane(key(2, "a")));
        let held = join_all([lanes.places(&busy, None), lanes.places(&busy, None)]).await;
        let third = lanes.places(&busy, None);
        tokio::pin!(third);
        assert!(futures::poll!(third.as_mut()).is_pending());
        let theirs = tokio::time::timeout(Duration::from_secs(5), lanes.places(&other, None)).await;
        assert!(theirs.is_ok(), "an account took the places of all");
        assert_eq!(lanes.standing().in_flight, 3);
        drop(held);
        third.await;
    }

    #[tokio::test]
    async fn the_process_makes_no_more_calls_than_it_may() {
        let lanes = lanes(8, 2);
        let of_tenants: Vec<_> = (0..5).map(|tenant| lanes.lane(key(tenant, "a"))).collect();
        let _held = join_all(of_tenants[..2].iter().map(|lane| lanes.places(lane, None))).await;
        let waiting = lanes.places(&of_tenants[2], None);
        tokio::pin!(waiting);
        assert!(futures::poll!(waiting).is_pending());
    }

    #[test]
    fn a_circuit_is_the_accounts_own_and_the_latest_host_counts() {
        let lanes = lanes(1, 1);
        break_down(&lanes.lane(key(1, "old")));
        let state = |tenant| {
            let key = key(tenant, "");
            lanes.circuit(key.tenant_id, key.service).name()
        };
        assert_eq!((state(1), state(2)), ("open", "closed"));
        lanes.lane(key(1, "new"));
        assert_eq!(state(1), "closed");
        let open: Vec<_> = lanes.standing().circuits.into_iter().filter(|count| count.accounts > 0).collect();
        let count = |state| CircuitCount { service: IntegrationKind::Amocrm, state, accounts: 1 };
        assert_eq!(open, [count("closed"), count("open")]);
    }

    #[test]
    fn lanes_that_nobody_uses_are_forgotten_and_open_circuits_are_not() {
        let lanes = lanes(1, 1);
        break_down(&lanes.lane(key(0, "a")));
        for tenant in 1..10_000 {
            lanes.lane(key(tenant, "a"));
        }
        assert!(lanes.lock().len() <= SWEEP_ABOVE + 1);
        assert_eq!(lanes.circuit(key(0, "").tenant_id, IntegrationKind::Amocrm).name(), "open");
    }
}
