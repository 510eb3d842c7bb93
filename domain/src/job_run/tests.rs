use chrono::{DateTime, TimeDelta, Utc};
use cqrs_es::Aggregate;
use uuid::Uuid;

use super::{
    AiCalls, AiUse, Attempt, Current, Failure, FailureClass, JobRun, JobRunCommand, JobRunError, JobRunEvent, Metered,
    RetryPolicy, StartRun, Step, StepOutput,
};
use crate::ids::{AttemptId, RunId, TenantId};
use crate::money::{Cost, TokenPrice};
use crate::period::{DayBorder, Period};
use crate::report::ReportKind;

fn at(seconds: i64) -> DateTime<Utc> {
    "2026-06-02T01:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds)
}

fn run_id() -> RunId {
    RunId::from(Uuid::from_u128(5))
}

fn start() -> JobRunCommand {
    JobRunCommand::Start(StartRun {
        run_id: run_id(),
        tenant_id: TenantId::from(Uuid::from_u128(1)),
        kind: ReportKind::Daily,
        period: Period { from: at(-90_000), to: at(-3_600) },
        day: DayBorder { time_zone: chrono_tz::UTC, starts_at: "00:00:00".parse().unwrap() },
        config: vec![],
        policy: RetryPolicy { max_attempts: 3, first_delay_ms: 1_000, max_delay_ms: 60_000, max_lost: 2 },
        at: at(0),
    })
}

/// A run and the commands that it accepted, one after the other.
struct Story(JobRun);

impl Story {
    fn started() -> Self {
        Self(JobRun::default()).then(start())
    }

    /// Started, with every step before `step` completed.
    fn up_to(step: Step) -> Self {
        Step::ALL
            .into_iter()
            .take_while(|earlier| *earlier != step)
            .fold(Self::started(), |story, step| story.then(begin(step, 1)).then(complete(step, 1)))
    }

    fn then(mut self, command: JobRunCommand) -> Self {
        for event in self.0.decide(command).unwrap() {
            self.0.apply(event);
        }
        self
    }

    fn types(&self, command: JobRunCommand) -> Vec<String> {
        self.0.decide(command).unwrap().iter().map(cqrs_es::DomainEvent::event_type).collect()
    }

    fn refusal(&self, command: JobRunCommand) -> JobRunError {
        self.0.decide(command).unwrap_err()
    }
}

fn begin(step: Step, seconds: i64) -> JobRunCommand {
    JobRunCommand::Begin { step, worker: "w1".into(), at: at(seconds) }
}

fn attempt(step: Step, number: u32) -> Attempt {
    Attempt { attempt_id: AttemptId::of(run_id(), step, number), at: at(1) }
}

fn complete(step: Step, number: u32) -> JobRunCommand {
    JobRunCommand::Complete { attempt: attempt(step, number), output: StepOutput::counts([("deals", 3)]) }
}

fn fail(step: Step, number: u32, class: FailureClass) -> JobRunCommand {
    let failure = Failure { class, message: "no answer".into(), advice: "wait".into(), retry_after_ms: None };
    JobRunCommand::Fail { attempt: attempt(step, number), failure, jitter: 1.0 }
}

#[test]
fn a_run_goes_through_all_steps_in_order_and_completes() {
    let story = Story::up_to(Step::Notify).then(begin(Step::Notify, 1));
    assert_eq!(story.types(complete(Step::Notify, 1)), ["StepCompleted", "RunCompleted"]);
    let JobRun::Completed(run) = story.then(complete(Step::Notify, 1)).0 else { panic!("must be complete") };
    assert_eq!(run.done.keys().copied().collect::<Vec<_>>(), Step::ALL);
}

#[test]
fn starting_again_changes_nothing() {
    assert!(Story::started().types(start()).is_empty());
}

#[test]
fn a_run_id_belongs_to_one_period() {
    let JobRunCommand::Start(mut other) = start() else { unreachable!() };
    other.period.to = at(0);
    assert_eq!(Story::started().refusal(JobRunCommand::Start(other)), JobRunError::AlreadyStarted);
}

#[test]
fn a_step_out_of_turn_is_not_begun() {
    assert_eq!(Story::started().refusal(begin(Step::SaveDeals, 1)), JobRunError::NotDue);
}

#[test]
fn two_workers_cannot_begin_the_same_step() {
    let story = Story::started().then(begin(Step::FetchDeals, 1));
    assert_eq!(story.refusal(begin(Step::FetchDeals, 1)), JobRunError::NotDue);
}

#[test]
fn a_completion_told_twice_changes_nothing() {
    let story = Story::up_to(Step::SaveDeals);
    assert!(story.types(complete(Step::FetchDeals, 1)).is_empty());
}

#[test]
fn a_transient_failure_is_retried_after_a_growing_wait() {
    let story = Story::started().then(begin(Step::FetchDeals, 1));
    let events = story.0.decide(fail(Step::FetchDeals, 1, FailureClass::Transient)).unwrap();
    let [JobRunEvent::StepFailed { retry_at, .. }] = &events[..] else { panic!("one event: {events:?}") };
    assert_eq!(*retry_at, Some(at(2)));
    let story = story.then(fail(Step::FetchDeals, 1, FailureClass::Transient));
    assert_eq!(story.refusal(begin(Step::FetchDeals, 1)), JobRunError::NotDue, "not before its time");
    let story = story.then(begin(Step::FetchDeals, 2));
    let events = story.0.decide(fail(Step::FetchDeals, 2, FailureClass::Transient)).unwrap();
    let [JobRunEvent::StepFailed { retry_at, .. }] = &events[..] else { panic!("one event: {events:?}") };
    assert_eq!(*retry_at, Some(at(3)), "the second wait is twice the first");
}

#[test]
fn the_last_allowed_failure_ends_the_run() {
    let mut story = Story::started();
    for number in 1..3 {
        story = story.then(begin(Step::FetchDeals, 10 * i64::from(number))).then(fail(
            Step::FetchDeals,
            number,
            FailureClass::Transient,
        ));
    }
    let story = story.then(begin(Step::FetchDeals, 99));
    assert_eq!(story.types(fail(Step::FetchDeals, 3, FailureClass::Transient)), ["StepFailed", "RunFailed"]);
}

#[test]
fn other_failures_are_not_retried() {
    for class in [FailureClass::Permanent, FailureClass::Quota, FailureClass::Auth] {
        let story = Story::started().then(begin(Step::FetchDeals, 1));
        assert_eq!(story.types(fail(Step::FetchDeals, 1, class)), ["StepFailed", "RunFailed"], "{class:?}");
    }
}

#[test]
fn the_providers_own_wait_is_respected() {
    let failure = Failure {
        class: FailureClass::Transient,
        message: "slow down".into(),
        advice: "wait".into(),
        retry_after_ms: Some(30_000),
    };
    let wait = RetryPolicy::default().wait(1, &failure, 0.0).unwrap();
    assert_eq!(wait.as_secs(), 30);
}

#[test]
fn a_dead_workers_attempt_is_repeated() {
    let story = Story::started().then(begin(Step::FetchDeals, 1));
    let abandon = || JobRunCommand::Abandon(attempt(Step::FetchDeals, 1));
    assert_eq!(story.types(abandon()), ["StepLost"]);
    let story = story.then(abandon()).then(begin(Step::FetchDeals, 2));
    assert_eq!(story.refusal(complete(Step::FetchDeals, 1)), JobRunError::Superseded, "the dead one may wake up");
    assert_eq!(story.types(complete(Step::FetchDeals, 2)), ["StepCompleted"]);
}

#[test]
fn a_step_that_keeps_killing_workers_ends_the_run() {
    let story = Story::started()
        .then(begin(Step::FetchDeals, 1))
        .then(JobRunCommand::Abandon(attempt(Step::FetchDeals, 1)))
        .then(begin(Step::FetchDeals, 2));
    assert_eq!(story.types(JobRunCommand::Abandon(attempt(Step::FetchDeals, 2))), ["StepLost", "RunFailed"]);
}

#[test]
fn an_attempt_lost_after_dispatch_is_uncertain_and_resent_only_by_decision() {
    let story = Story::up_to(Step::Notify)
        .then(begin(Step::Notify, 1))
        .then(JobRunCommand::Dispatch(attempt(Step::Notify, 1)))
        .then(JobRunCommand::Abandon(attempt(Step::Notify, 1)));
    let JobRun::Completed(run) = &story.0 else { panic!("the report is there") };
    assert_eq!(run.current, Current::Uncertain);
    assert_eq!(story.refusal(begin(Step::Notify, 2)), JobRunError::AlreadyOver);
    let story = story.then(JobRunCommand::Resend { at: at(2) }).then(begin(Step::Notify, 2));
    assert_eq!(story.types(complete(Step::Notify, 2)), ["StepCompleted", "RunCompleted"]);
}

#[test]
fn a_notification_that_arrived_is_not_sent_again() {
    let story = Story::up_to(Step::Notify).then(begin(Step::Notify, 1)).then(complete(Step::Notify, 1));
    assert_eq!(story.refusal(JobRunCommand::Resend { at: at(2) }), JobRunError::NothingToResend);
}

#[test]
fn a_failed_notification_can_be_sent_again() {
    let story = Story::up_to(Step::Notify).then(begin(Step::Notify, 1)).then(fail(Step::Notify, 1, FailureClass::Auth));
    assert_eq!(story.types(JobRunCommand::Resend { at: at(2) }), ["NotificationReopened"]);
}

#[test]
fn cancelling_is_final() {
    let story = Story::started().then(begin(Step::FetchDeals, 1)).then(JobRunCommand::Cancel { at: at(2) });
    assert!(story.types(JobRunCommand::Cancel { at: at(3) }).is_empty());
    assert_eq!(story.refusal(complete(Step::FetchDeals, 1)), JobRunError::Cancelled);
    assert_eq!(story.refusal(begin(Step::FetchDeals, 3)), JobRunError::Cancelled);
    assert_eq!(story.refusal(JobRunCommand::Resend { at: at(3) }), JobRunError::NothingToResend);
}

#[test]
fn cancelling_during_a_send_does_not_hide_that_it_may_have_arrived() {
    let story =
        Story::up_to(Step::Notify).then(begin(Step::Notify, 1)).then(JobRunCommand::Dispatch(attempt(Step::Notify, 1)));
    assert_eq!(story.types(JobRunCommand::Cancel { at: at(2) }), ["StepUncertain", "RunCancelled"]);
}

#[test]
fn what_is_over_cannot_be_cancelled() {
    let story = Story::up_to(Step::Notify).then(begin(Step::Notify, 1)).then(complete(Step::Notify, 1));
    assert_eq!(story.refusal(JobRunCommand::Cancel { at: at(2) }), JobRunError::AlreadyOver);
}

fn metered(number: u32, input_tokens: u64, price: Option<TokenPrice>) -> JobRunCommand {
    JobRunCommand::Meter(Metered {
        attempt_id: AttemptId::of(run_id(), Step::Analyse, number),
        prompt_version: number + 6,
        model: "model-1".into(),
        calls: AiCalls { calls: 1, input_tokens, output_tokens: 10 },
        price,
        at: at(2),
    })
}

fn price() -> TokenPrice {
    TokenPrice { currency: "USD".parse().unwrap(), input_minor: 1_000, output_minor: 5_000 }
}

fn ai_of(story: &Story) -> AiUse {
    story.0.run().unwrap().ai.clone().unwrap()
}

fn after_a_failed_attempt(price: Option<TokenPrice>) -> Story {
    let story = Story::up_to(Step::Analyse).then(begin(Step::Analyse, 1)).then(metered(1, 100, price));
    story.then(fail(Step::Analyse, 1, FailureClass::Transient)).then(begin(Step::Analyse, 100))
}

/// Seen to fail: with the calls of the last attempt alone.
#[test]
fn calls_of_failed_attempts_count_each_by_its_own_prices() {
    let first = after_a_failed_attempt(Some(price()));
    assert_eq!(ai_of(&first).cost.unwrap().amount_minor, 1);
    let dearer = TokenPrice { input_minor: 1_000_000, ..price() };
    let ai = ai_of(&first.then(metered(2, 200, Some(dearer))));
    assert_eq!(ai.total, AiCalls { calls: 2, input_tokens: 300, output_tokens: 20 });
    assert_eq!(
        ai.cost,
        Some(Cost { currency: "USD".parse().unwrap(), amount_minor: 202 }),
        "0.15 and 200.05, rounded up"
    );
    assert_eq!((ai.prompt_version, ai.model.as_str()), (8, "model-1"));
}

#[test]
fn a_cost_that_is_not_known_of_every_attempt_is_not_told() {
    let in_sum = TokenPrice { currency: "UZS".parse().unwrap(), ..price() };
    for (first, second) in [(None, Some(price())), (Some(price()), None), (Some(price()), Some(in_sum))] {
        let ai = ai_of(&after_a_failed_attempt(first).then(metered(2, 200, second)));
        assert_eq!((ai.total.calls, ai.cost), (2, None));
    }
}

/// What it was answered is accounted for by the attempt that began after it.
#[test]
fn an_attempt_that_another_one_has_followed_records_nothing_any_more() {
    let story = after_a_failed_attempt(None);
    let story = story.then(fail(Step::Analyse, 2, FailureClass::Transient)).then(begin(Step::Analyse, 200));
    assert!(story.types(metered(2, 100, None)).is_empty());
    let story = story.then(metered(3, 100, None)).then(complete(Step::Analyse, 3));
    assert!(story.types(metered(3, 100, None)).is_empty() && story.types(metered(2, 100, None)).is_empty());
}

/// Seen to fail: with an attempt that is recorded as often as it says so.
#[test]
fn an_attempt_s_calls_are_recorded_once() {
    let story = Story::up_to(Step::Analyse).then(begin(Step::Analyse, 1)).then(metered(1, 100, None));
    assert!(story.types(metered(1, 100, None)).is_empty());
    assert_eq!(story.0.run().unwrap().ai.as_ref().unwrap().cost, None);
}

/// Seen to fail: with a record that set a cancelled run going again.
#[test]
fn calls_of_a_cancelled_run_are_recorded_and_it_stays_cancelled() {
    let story = Story::up_to(Step::Analyse).then(begin(Step::Analyse, 1)).then(JobRunCommand::Cancel { at: at(3) });
    let story = story.then(metered(1, 100, None));
    assert!(matches!(&story.0, JobRun::Cancelled(run) if run.ai.is_some()), "{:?}", story.0);
    assert_eq!(JobRun::default().decide(metered(1, 100, None)), Err(JobRunError::NotFound));
}
