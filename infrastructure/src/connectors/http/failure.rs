//! Failures of the connection itself, told from each other.

use std::error::Error;
use std::time::Duration;

use application::ports::services::{Delivery, UpstreamError};
use domain::job_run::FailureClass;

use super::circuit::Refused;
use super::dialect::{Dialect, Verdict, again};
use super::egress::EgressRefused;

/// The operator's way to open a host, as the texts name it.
const OPEN_A_HOST: &str = "ask the operator to open the host (SYNKRO_ALLOW_HOSTS)";

/// How soon to ask again while another call finds out whether the service works.
const WHILE_PROBING: Duration = Duration::from_secs(1);

impl Dialect {
    /// The circuit is not closed.
    pub(super) fn left_alone(&self, refused: Refused) -> UpstreamError {
        let (retry_in, reason) = match refused {
            Refused::Open { retry_in, reason } => (retry_in, reason),
            Refused::Probing { reason } => (WHILE_PROBING, reason),
        };
        let message =
            format!("{} was out of order several times, so Synkro does not call it for now: {reason}", self.title);
        let advice = format!(
            "{}; if it lasts, look at the status page of {} and check the address in {}",
            again(Some(retry_in)),
            self.name,
            self.settings_page()
        );
        let verdict = Verdict::new(FailureClass::Transient, message, advice).after(Some(retry_in));
        self.error(verdict, Delivery::NotDelivered)
    }

    /// Others of the account's calls, or a pause that the service asked for, took longer than somebody who waits.
    pub(super) fn no_turn(&self, waited: Duration) -> UpstreamError {
        let message =
            format!("{} was not asked: it wants a pause, or others of the company's calls are in turn", self.title);
        let advice = format!("{}; a run that is under way uses the same account", again(Some(waited)));
        let verdict = Verdict::new(FailureClass::Transient, message, advice).after(Some(waited));
        UpstreamError { was_turned_away: true, ..self.error(verdict, Delivery::NotDelivered) }
    }

    /// The guard on addresses said no.
    pub(super) fn egress_refused(&self, host: &str, why: EgressRefused) -> UpstreamError {
        let page = self.settings_page();
        let advice = match why {
            EgressRefused::Inner => format!("Enter the service's public address in {page}, or {OPEN_A_HOST}"),
            EgressRefused::Outside => "The demo reaches nothing but this machine; use `synkro serve`".to_owned(),
            EgressRefused::Port => {
                format!("Enter an address with port 443, or one above 1023, in {page}, or {OPEN_A_HOST}")
            }
            EgressRefused::ClearText => format!("Enter an address with https:// in {page}, or {OPEN_A_HOST}"),
        };
        let message = format!("Synkro does not call {host} for {}: {why}", self.name);
        self.error(Verdict::permanent(message, advice), Delivery::NotDelivered)
    }

    /// The request failed before an answer began.
    pub(super) fn request_failed(&self, host: &str, timeout: Duration, error: &reqwest::Error) -> UpstreamError {
        if let Some(&why) = cause::<EgressRefused>(error) {
            return self.egress_refused(host, why);
        }
        let (title, name) = (self.title, self.name);
        if error.is_connect() {
            let message = if error.is_dns() {
                format!("The address {host} of {name} is not known")
            } else if error.is_timeout() {
                format!("{title} cannot be reached at {host}: no connection in time")
            } else if speaks_of_tls(error) {
                format!("{title} cannot be reached at {host}: no secure connection could be made")
            } else {
                format!("{title} cannot be reached at {host}")
            };
            return self.unreachable(message, Delivery::NotDelivered);
        }
        if error.is_timeout() {
            let message = format!("{title} did not answer within {} s", timeout.as_secs_f32());
            return self.unreachable(message, Delivery::Unknown);
        }
        if error.is_builder() {
            let message = format!("The address of {name} cannot be called");
            let advice = format!("Check the address in {}", self.settings_page());
            return self.error(Verdict::permanent(message, advice), Delivery::NotDelivered);
        }
        self.unreachable(format!("{title} closed the connection without an answer"), Delivery::Unknown)
    }

    /// The answer began and broke off.
    pub(super) fn answer_cut(&self, timeout: Duration, error: &reqwest::Error) -> UpstreamError {
        let message = if error.is_timeout() {
            format!("{} did not finish its answer within {} s", self.title, timeout.as_secs_f32())
        } else {
            format!("The answer of {} broke off before its end", self.name)
        };
        self.unreachable(message, Delivery::Unknown)
    }
}

fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&cause| cause.source())
}

/// The TLS library's error types are not ours to name; its texts are stable enough to choose between two sentences.
fn speaks_of_tls(error: &reqwest::Error) -> bool {
    causes(error).skip(1).any(|cause| {
        let text = cause.to_string();
        text.contains("certificate") || text.contains("TLS") || text.contains("handshake")
    })
}
