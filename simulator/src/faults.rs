//! Faults on demand: what the network and a provider do to a caller on a bad day.

pub(crate) mod credentials;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::http::Service;

/// One fault that waits for matching calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub service: Service,
    /// Only calls whose method, space, and path (with its query, undecoded) contain this: `/leads`, or `POST /rest`.
    pub path_contains: Option<String>,
    pub kind: FaultKind,
    /// How many calls it befalls; `None` = every one until [`Faults::clear`].
    pub times: Option<u32>,
}

/// What befalls the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The service does nothing and answers this.
    Status { status: u16, body: String, headers: Vec<(String, String)> },
    /// The service does its work; the answer says 200, but its JSON is broken.
    MalformedBody,
    /// The service does its work; the answer's body ends half-way with the connection.
    TruncatedBody,
    /// The service does nothing; the connection is closed without an answer.
    Reset,
    /// The service does its work at once; its answer comes only after this time.
    Delay(Duration),
    /// The service does its work; the connection is closed without an answer.
    DropAnswer,
    /// The service does its work; the answer's body comes in small pieces, with this time before each.
    SlowDrip(Duration),
    /// The service does nothing: the key was good once, and its time is over.
    ExpiredToken,
    /// The service does nothing: the key was good, and somebody took it back.
    RevokedToken,
    /// The service does nothing: the key is good, and it is another account's.
    WrongAccount,
    /// The service does nothing: the key's quota is used up.
    QuotaUsedUp,
}

/// Handle to the waiting faults. All clones share them.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    waiting: Arc<Mutex<Vec<Fault>>>,
}

impl Faults {
    /// Adds a fault behind those that already wait: of several that match a call, the oldest befalls it.
    pub fn inject(&self, fault: Fault) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    /// Removes all waiting faults.
    pub fn clear(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Those that wait, oldest first.
    pub fn waiting(&self) -> Vec<Fault> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the fault that befalls a call, if any. The call is its method, a space, and its path.
    pub(crate) fn take(&self, service: Service, call: &str) -> Option<FaultKind> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let found = waiting.iter().position(|fault| {
            fault.service == service
                && fault.times != Some(0)
                && fault.path_contains.as_ref().is_none_or(|part| call.contains(part))
        })?;
        let fault = &mut waiting[found];
        let kind = fault.kind.clone();
        fault.times = fault.times.map(|times| times - 1);
        if fault.times == Some(0) {
            waiting.remove(found);
        }
        Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(path: Option<&str>, times: Option<u32>) -> Fault {
        Fault { service: Service::Radist, path_contains: path.map(Into::into), kind: FaultKind::Reset, times }
    }

    #[test]
    fn a_fault_befalls_matching_calls_as_often_as_it_says() {
        let faults = Faults::default();
        faults.inject(fault(Some("messages"), Some(2)));
        assert_eq!(faults.take(Service::Radist, "/v2/companies/"), None);
        assert_eq!(faults.take(Service::Amocrm, "/messages"), None);
        assert_eq!(faults.take(Service::Radist, "/messages"), Some(FaultKind::Reset));
        assert_eq!(faults.take(Service::Radist, "/messages"), Some(FaultKind::Reset));
        assert_eq!(faults.take(Service::Radist, "/messages"), None);
    }

    /// Seen to fail with the path alone compared.
    #[test]
    fn a_route_may_name_the_method() {
        let faults = Faults::default();
        faults.inject(fault(Some("POST /rest"), None));
        assert_eq!(faults.take(Service::Radist, "GET /rest/v1/deals"), None);
        assert!(faults.take(Service::Radist, "POST /rest/v1/deals").is_some());
        assert_eq!(faults.waiting().len(), 1);
    }

    #[test]
    fn an_endless_fault_ends_when_cleared() {
        let faults = Faults::default();
        faults.inject(fault(None, None));
        for _ in 0..5 {
            assert!(faults.take(Service::Radist, "/").is_some());
        }
        faults.clear();
        assert_eq!(faults.take(Service::Radist, "/"), None);
    }
}
