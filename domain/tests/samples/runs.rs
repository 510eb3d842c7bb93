//! A run makes the report of one day: what goes well, and each way in which it can go otherwise.

use chrono::TimeDelta;
use chrono_tz::Tz;
use domain::ids::{AttemptId, ReportId};
use domain::integration::IntegrationKind;
use domain::job_run::{
    AiCalls, ConfigVersion, Failure, FailureClass, JobRun, JobRunEvent, RetryPolicy, Step, StepOutput,
};
use domain::metrics::{Dialogue, Metrics, Outcome, Sender, Utterance, compute};
use domain::money::Cost;
use domain::period::{DayBorder, Period};
use domain::report::{Report, ReportEvent, ReportKind};
use domain::values::Personal;

use super::{at, form, run_id, tenant_id, usual, value};
use crate::golden_files::Golden;

const ZONE: Tz = Tz::Europe__Moscow;

/// The tenant's first of June.
fn period() -> Period {
    Period { from: value("2026-05-31T21:00:00Z"), to: value("2026-06-01T21:00:00Z") }
}

fn attempt(step: Step, number: u32) -> AttemptId {
    AttemptId::of(run_id(), step, number)
}

pub(super) fn runs() -> Vec<Golden> {
    [lifetime(), steps(), ai(), failures(), losses()].into_iter().flatten().collect()
}

fn lifetime() -> Vec<Golden> {
    let (run_id, tenant_id) = (run_id(), tenant_id());
    let versions = IntegrationKind::ALL.into_iter().zip([1, 2, 1, 3, 1]);
    let started = JobRunEvent::RunStarted {
        run_id,
        tenant_id,
        kind: ReportKind::Daily,
        period: period(),
        day: DayBorder { time_zone: ZONE, starts_at: value("00:00:00") },
        config: versions.map(|(kind, version)| ConfigVersion { kind, version }).collect(),
        policy: RetryPolicy { max_attempts: 5, first_delay_ms: 2_000, max_delay_ms: 120_000, max_lost: 25 },
        at: at("02:00:00"),
    };
    vec![
        usual::<JobRun>(&started),
        usual::<JobRun>(&JobRunEvent::RunCompleted { run_id, tenant_id, at: at("02:01:48.006713") }),
        usual::<JobRun>(&JobRunEvent::RunCancelled { run_id, tenant_id, at: at("02:00:31.920044") }),
        usual::<JobRun>(&JobRunEvent::NotificationReopened { run_id, tenant_id, at: at("06:12:05.338190") }),
    ]
}

fn steps() -> Vec<Golden> {
    let (run_id, tenant_id) = (run_id(), tenant_id());
    let completed = |step, output, time| {
        let (attempt_id, at) = (attempt(step, 1), at(time));
        JobRunEvent::StepCompleted { run_id, tenant_id, step, attempt_id, output, at }
    };
    let staged = value("9f2c4be1a7d05386e4f1b09c7d2a6e58134fb0c9d7e6a5213b8c4d90ef17a26b");
    let fetched = StepOutput::counts([("deals", 118), ("contacts", 124)]).staged(staged);
    let saved = StepOutput::counts([("deals", 118)]);
    let (step, worker) = (Step::FetchDeals, "019e860e-f3a1-7d20-8c47-b1d95e02f6a8".to_owned());
    let (attempt_id, number) = (attempt(step, 2), 2);
    let started =
        JobRunEvent::StepStarted { run_id, tenant_id, step, attempt_id, number, worker, at: at("02:00:02.417330") };
    let (step, attempt_id) = (Step::Notify, attempt(Step::Notify, 1));
    let dispatched = JobRunEvent::StepDispatched { run_id, tenant_id, step, attempt_id, at: at("02:01:47.551208") };
    vec![
        usual::<JobRun>(&started),
        usual::<JobRun>(&dispatched),
        usual::<JobRun>(&completed(Step::FetchDeals, fetched, "02:00:09.880145")),
        form::<JobRun>("nothing_staged", &completed(Step::SaveDeals, saved, "02:00:11.302967")),
    ]
}

fn ai() -> Vec<Golden> {
    let used = |calls, input_tokens, output_tokens, cost, time| JobRunEvent::AiUsed {
        run_id: run_id(),
        tenant_id: tenant_id(),
        attempt_id: attempt(Step::Analyse, 1),
        prompt_version: 3,
        model: "gemini-2.5-flash".into(),
        total: AiCalls { calls, input_tokens, output_tokens },
        cost,
        at: at(time),
    };
    let cost = Cost { currency: value("USD"), amount_minor: 7 };
    vec![
        usual::<JobRun>(&used(4, 181_204, 5_117, Some(cost), "02:01:40.117409")),
        form::<JobRun>("no_prices", &used(1, 40_332, 1_880, None, "02:01:12.640225")),
    ]
}

fn failures() -> Vec<Golden> {
    let (run_id, tenant_id) = (run_id(), tenant_id());
    let overload = Failure {
        class: FailureClass::Transient,
        message: "amoCRM: too many requests at once".into(),
        advice: "Nothing to do: the step is tried again.".into(),
        retry_after_ms: Some(1_000),
    };
    let refused = Failure {
        class: FailureClass::Auth,
        message: "AI: the provider does not accept the key".into(),
        advice: "Save a valid key in Settings → Integrations → AI, then start the run again.".into(),
        retry_after_ms: None,
    };
    let failed = |step, failure, retry_at, time| {
        let (attempt_id, at) = (attempt(step, 1), at(time));
        JobRunEvent::StepFailed { run_id, tenant_id, step, attempt_id, failure, retry_at, at }
    };
    let retried = failed(Step::FetchDeals, overload, Some(at("02:00:02.391500")), "02:00:00.640022");
    let last = failed(Step::Analyse, refused.clone(), None, "02:01:12.705519");
    let run_failed =
        JobRunEvent::RunFailed { run_id, tenant_id, step: Step::Analyse, failure: refused, at: at("02:01:12.705519") };
    vec![usual::<JobRun>(&retried), form::<JobRun>("final", &last), usual::<JobRun>(&run_failed)]
}

fn losses() -> Vec<Golden> {
    let (run_id, tenant_id) = (run_id(), tenant_id());
    let (step, attempt_id) = (Step::SaveChats, attempt(Step::SaveChats, 1));
    let lost = JobRunEvent::StepLost { run_id, tenant_id, step, attempt_id, at: at("02:00:57.113846") };
    let (step, attempt_id) = (Step::Notify, attempt(Step::Notify, 1));
    let uncertain = JobRunEvent::StepUncertain { run_id, tenant_id, step, attempt_id, at: at("02:01:58.264107") };
    vec![usual::<JobRun>(&lost), usual::<JobRun>(&uncertain)]
}

pub(super) fn reports() -> Vec<Golden> {
    let published = |headline: &str, summary: &str, metrics, prompt_version| ReportEvent::ReportPublished {
        report_id: ReportId::of(run_id()),
        tenant_id: tenant_id(),
        run_id: run_id(),
        kind: ReportKind::Daily,
        period: period(),
        headline: Personal::new(headline.into()),
        summary: Personal::new(summary.into()),
        metrics: Box::new(metrics),
        model: "gemini-2.5-flash".into(),
        prompt_version,
        at: at("02:01:46.902275"),
    };
    let busy = published(
        "Delivery dates are the main question, and evenings wait longest",
        "Customers mostly asked when their order arrives. Questions written after six in the evening waited until the \
         next morning; one of them got no answer at all.",
        metrics(),
        None,
    );
    let quiet = |prompt_version| {
        let summary = "No customer wrote on this day.";
        published("A day without conversations", summary, compute(&[], ZONE), prompt_version)
    };
    vec![
        usual::<Report>(&busy),
        form::<Report>("quiet_day", &quiet(None)),
        form::<Report>("prompt_version", &quiet(Some(3))),
    ]
}

fn metrics() -> Metrics {
    let dialogues = [
        dialogue("1041", Some("Irina Belova"), Outcome::Won, "ru", &[(0, 'c'), (4, 'a'), (6, 'c'), (7, 'a')]),
        dialogue("1042", Some("Irina Belova"), Outcome::Open, "ru", &[(35, 'c'), (52, 'a'), (55, 'c')]),
        dialogue("1043", Some("Pavel Orlov"), Outcome::Lost, "en", &[(140, 'c'), (171, 'a'), (180, 'c'), (183, 'a')]),
        dialogue("1044", None, Outcome::Open, "en", &[(545, 'c'), (560, 'c')]),
    ];
    compute(&dialogues, ZONE)
}

/// A dialogue from minutes after nine in Moscow and senders, `c` for the customer and `a` for the agent.
fn dialogue(id: &str, agent: Option<&str>, outcome: Outcome, language: &str, messages: &[(i64, char)]) -> Dialogue {
    let message = |(minutes, sender): &(i64, char)| Utterance {
        at: period().from + TimeDelta::hours(9) + TimeDelta::minutes(*minutes),
        from: if *sender == 'c' { Sender::Customer } else { Sender::Agent },
        text: String::new(),
    };
    Dialogue {
        id: id.into(),
        agent: agent.map(Into::into),
        outcome,
        language: language.into(),
        messages: messages.iter().map(message).collect(),
    }
}
