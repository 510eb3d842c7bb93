//! A service that fails ends the run at the step that needed it, in words that help, with no secret anywhere.

use std::net::TcpListener;

use simulator::FaultKind;
use testkit::{Actor, CapturedLog, RunAnswer, TestApp};

use super::accounts::{NEEDED, Needed, moved, refusal};

/// What the policy of test systems allows.
const MOST_ATTEMPTS: u64 = 3;

/// Runs that fail, with everything that they say recorded and searched for secrets at the end.
struct Trial {
    app: TestApp,
    owner: Actor,
    log: CapturedLog,
}

impl Trial {
    async fn start() -> Self {
        let log = CapturedLog::start();
        let (app, _, owner) = TestApp::start().await;
        Self { app, owner, log }
    }

    async fn fails_at(&self, needed: Needed) -> RunAnswer {
        let run = self.owner.run_report(self.app.days()).await;
        run.assert_failed_at(needed.step);
        let (message, advice) = run.error(needed.step);
        assert!(message.starts_with(needed.provider), "{message}");
        assert!(!advice.is_empty());
        run
    }

    async fn restore(&self, needed: Needed) {
        self.app.simulators.faults().clear();
        self.app.connect(self.app.settings(needed.kind), self.app.secret(needed.kind)).await;
    }

    /// After all that, the company's next run works: nothing is left broken.
    async fn end(self) {
        self.owner.run_report(self.app.days()).await.assert_completed();
        self.owner.get("/api/v1/runs").await.expect(200);
        self.app.assert_log_keeps_secrets().await;
        let log = self.log.text();
        assert!(log.contains("the step failed") && log.contains("request_id"), "the log was not captured");
        self.app.secrets.assert_none_in(&log, "the program's log");
    }
}

#[tokio::test]
async fn an_unreachable_service_is_named_with_its_address() {
    let trial = Trial::start().await;
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    for needed in NEEDED {
        let settings = moved(trial.app.settings(needed.kind), &format!("http://{closed}"));
        trial.app.connect(settings, trial.app.secret(needed.kind)).await;
        let run = trial.fails_at(needed).await;
        let (message, advice) = run.error(needed.step);
        assert!(message.contains(&format!("cannot be reached at {closed}")), "{message}");
        assert!(advice.contains(&format!("Settings → {}", needed.title)), "{advice}");
        assert_eq!(run.attempts(needed.step), MOST_ATTEMPTS);
        trial.restore(needed).await;
    }
    trial.end().await;
}

#[tokio::test]
async fn a_wrong_key_is_tried_once_and_the_user_told_to_renew_it() {
    let trial = Trial::start().await;
    for needed in NEEDED {
        let wrong: String = trial.app.secret(needed.kind).chars().rev().collect();
        let wrong = if needed.title == "Supabase" { format!("sb_secret_{wrong}") } else { wrong };
        trial.app.connect(trial.app.settings(needed.kind), &wrong).await;
        let run = trial.fails_at(needed).await;
        let (message, advice) = run.error(needed.step);
        assert!(message.contains("did not accept"), "{message}");
        assert!(advice.contains(&format!("Settings → {}", needed.title)), "{advice}");
        assert_eq!(run.attempts(needed.step), 1);
        trial.restore(needed).await;
    }
    trial.end().await;
}

/// Seen to fail with a retry policy that counts one attempt more than it is allowed.
#[tokio::test]
async fn a_storm_of_refusals_is_tried_as_often_as_the_policy_says() {
    let trial = Trial::start().await;
    for needed in NEEDED {
        let before = trial.app.calls(needed.service, "").len();
        trial.app.fault(needed.service, None, refusal(429, &[]), None);
        let run = trial.fails_at(needed).await;
        let (message, advice) = run.error(needed.step);
        assert!(message.contains("for now"), "{message}");
        assert!(advice.contains("tries again by itself"), "{advice}");
        assert_eq!(run.attempts(needed.step), MOST_ATTEMPTS);
        let calls = &trial.app.calls(needed.service, "")[before..];
        assert_eq!(calls.iter().filter(|call| call.status == Some(429)).count(), 3, "{}", needed.title);
        trial.restore(needed).await;
    }
    trial.end().await;
}

/// Supabase is not here: most of its answers have no body, and rows that are not found are in `bulk`. Neither is Telegram: an
/// answer that makes no sense does not say whether the message arrived (see `effects`).
#[tokio::test]
async fn an_answer_that_is_no_json_is_not_asked_for_again() {
    let trial = Trial::start().await;
    for needed in NEEDED.into_iter().filter(|needed| !["Supabase", "Telegram"].contains(&needed.title)) {
        trial.app.fault(needed.service, None, FaultKind::MalformedBody, None);
        let run = trial.fails_at(needed).await;
        let (message, advice) = run.error(needed.step);
        assert!(message.contains("broken JSON"), "{message}");
        assert!(advice.contains("Settings →"), "{advice}");
        assert_eq!(run.attempts(needed.step), 1);
        trial.restore(needed).await;
    }
    trial.end().await;
}

#[tokio::test]
async fn a_report_whose_storage_answers_nonsense_is_a_problem_of_the_storage() {
    let (app, _, owner) = TestApp::start().await;
    owner.run_report(app.days()).await.assert_completed();
    let reports = owner.get("/api/v1/reports").await.expect(200);
    let path = format!("/api/v1/reports/{}", reports["items"][0]["id"].as_str().unwrap());
    app.fault(simulator::Service::Supabase, None, FaultKind::MalformedBody, Some(1));
    let problem = owner.get(&path).await.any_problem();
    assert_eq!(problem["status"], 502, "{problem:#}");
    assert!(problem["detail"].as_str().unwrap().contains("Supabase answered with broken JSON"), "{problem:#}");
    owner.get(&path).await.expect(200);
}

#[tokio::test]
async fn waiting_as_long_as_the_service_asks_completes_the_run() {
    let (app, _, owner) = TestApp::start().await;
    for needed in NEEDED {
        app.fault(needed.service, None, refusal(429, &[("retry-after", "1")]), Some(1));
        let run = owner.run_report(app.days()).await;
        run.assert_completed();
        assert_eq!(run.attempts(needed.step), 2, "{}", needed.title);
        let answers = app.calls(needed.service, "");
        let refused = answers.iter().position(|call| call.status == Some(429)).unwrap();
        let waited = answers[refused + 1].at - answers[refused].at;
        assert!(waited.num_milliseconds() >= 1_000, "{} was asked again after {waited}", needed.title);
    }
}
