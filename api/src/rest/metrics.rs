use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use application::PortError;
use application::error::chain;
use application::ports::circuits::CallStanding;
use application::ports::mail::MailStanding;
use application::ports::projections::{Lease, Standing};
use poem::web::Data;
use poem_openapi::payload::PlainText;
use poem_openapi::{ApiResponse, OpenApi};

use super::Chapter;
use crate::AppState;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// A gauge of every projection: its name, what it says, and its value.
type Gauge = (&'static str, &'static str, fn(&Standing) -> f64);

#[expect(clippy::cast_precision_loss, reason = "a gauge is a double; these numbers are exact up to 2^53")]
const GAUGES: [Gauge; 5] = [
    ("position", "The number of the last event that the projection has passed.", |of| of.position.position as f64),
    ("behind_events", "Events of the log after that; 10000 stands for that many or more.", |of| of.behind as f64),
    ("behind_seconds", "The age of the oldest of them; 0 where there is none.", |of| of.behind_seconds),
    ("events_per_second", "Events passed in a second, over about the last minute.", |of| of.events_per_second),
    ("parked_events", "Events that could not be applied, and those that wait behind them.", |of| of.parked as f64),
];

#[derive(ApiResponse)]
enum MetricsAnswer {
    /// The metrics.
    #[oai(status = 200)]
    Metrics(PlainText<String>),
    /// The database does not answer, so there is nothing to say.
    #[oai(status = 503)]
    Unavailable(PlainText<String>),
}

pub(super) struct MetricsApi;

#[OpenApi(tag = "Chapter::Health")]
impl MetricsApi {
    /// How are the projections doing?
    ///
    /// In the text format of Prometheus: where each projection stands, how far it is behind the log, how fast it is, how
    /// many events are parked, and which process feeds it until when; how many mails wait or were given up; and of this process,
    /// how many accounts of each provider are called, left alone or tried again. Nothing about any company. Needs no sign-in;
    /// keep it from the public at the proxy.
    #[oai(path = "/metrics", method = "get", operation_id = "get_metrics")]
    async fn metrics(&self, state: Data<&Arc<AppState>>) -> MetricsAnswer {
        let asked = async {
            let standings = state.standings.standings().await?;
            let mails = mails(state.outbox.standing(state.clock.now()).await?);
            Ok::<_, PortError>(exposition(&standings) + &mails + &calls(&state.circuits.standing()))
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(text)) => return MetricsAnswer::Metrics(PlainText(text)),
            Ok(Err(error)) => tracing::warn!(error = chain(&error), "the metrics cannot be read"),
            Err(_) => tracing::warn!("the metrics cannot be read in time"),
        }
        MetricsAnswer::Unavailable(PlainText("the database does not answer\n".into()))
    }
}

/// Names of projections and processes hold nothing that the format would have to escape.
fn exposition(standings: &[Standing]) -> String {
    let mut text = String::new();
    for (name, help, value) in GAUGES {
        let _ = write!(text, "# HELP synkro_projection_{name} {help}\n# TYPE synkro_projection_{name} gauge\n");
        for standing in standings {
            let _ = writeln!(text, "synkro_projection_{name}{{projection=\"{}\"}} {}", standing.name, value(standing));
        }
    }
    let lease = "synkro_projection_lease_expires_seconds";
    let _ = write!(
        text,
        "# HELP {lease} Until when which process feeds the projection, in Unix time.\n# TYPE {lease} gauge\n"
    );
    for standing in standings {
        if let Some(Lease { holder, until }) = standing.lease {
            let (name, seconds) = (&standing.name, until.timestamp());
            let _ = writeln!(text, "{lease}{{projection=\"{name}\",holder=\"{holder}\"}} {seconds}");
        }
    }
    text
}

/// Where the mails stand.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a double; these numbers are exact up to 2^53")]
fn mails(standing: MailStanding) -> String {
    let gauges = [
        ("waiting", "Mails that wait to be sent.", standing.waiting as f64),
        ("oldest_seconds", "The age of the oldest of them; 0 where there is none.", standing.oldest_seconds),
        ("given_up", "Mails that were given up in the last 30 days.", standing.given_up as f64),
    ];
    let mut text = String::new();
    for (name, help, value) in gauges {
        let _ = write!(
            text,
            "# HELP synkro_mails_{name} {help}\n# TYPE synkro_mails_{name} gauge\nsynkro_mails_{name} {value}\n"
        );
    }
    text
}

/// How this process does with the providers.
fn calls(standing: &CallStanding) -> String {
    let mut text = String::from(
        "# HELP synkro_provider_circuits Accounts that this process has called, by the state of their circuit breaker.\n\
         # TYPE synkro_provider_circuits gauge\n",
    );
    for of in &standing.circuits {
        let (service, state, accounts) = (of.service.name(), of.state, of.accounts);
        let _ = writeln!(text, "synkro_provider_circuits{{service=\"{service}\",state=\"{state}\"}} {accounts}");
    }
    let _ = write!(
        text,
        "# HELP synkro_provider_calls_in_flight Calls to providers that this process makes now.\n\
         # TYPE synkro_provider_calls_in_flight gauge\nsynkro_provider_calls_in_flight {}\n",
        standing.in_flight
    );
    text
}
