use chrono_tz::Tz;
use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::{PublishReport, Report, ReportCommand, ReportError, ReportEvent, ReportKind};
use crate::ids::{ReportId, RunId, TenantId};
use crate::metrics::compute;
use crate::period::Period;
use crate::values::Personal;

fn june() -> PublishReport {
    PublishReport {
        tenant_id: TenantId::from(Uuid::from_u128(1)),
        run_id: RunId::from(Uuid::from_u128(5)),
        kind: ReportKind::Daily,
        period: Period { from: "2026-06-01T00:00:00Z".parse().unwrap(), to: "2026-06-02T00:00:00Z".parse().unwrap() },
        headline: Personal::new("A quiet day".into()),
        summary: Personal::new("Nobody wrote.".into()),
        metrics: compute(&[], Tz::UTC),
        model: "model-1".into(),
        prompt_version: Some(3),
        at: "2026-06-02T01:00:00Z".parse().unwrap(),
    }
}

fn published() -> ReportEvent {
    let PublishReport { tenant_id, run_id, kind, period, headline, summary, metrics, model, prompt_version, at } =
        june();
    let (report_id, metrics) = (ReportId::of(run_id), Box::new(metrics));
    ReportEvent::ReportPublished {
        report_id,
        tenant_id,
        run_id,
        kind,
        period,
        headline,
        summary,
        metrics,
        model,
        prompt_version,
        at,
    }
}

fn publish(report: PublishReport) -> ReportCommand {
    ReportCommand::Publish(Box::new(report))
}

fn report() -> TestFramework<Report> {
    TestFramework::with(())
}

#[test]
fn a_report_is_published() {
    report().given_no_previous_events().when(publish(june())).then_expect_events(vec![published()]);
}

#[test]
fn publishing_again_changes_nothing() {
    report().given(vec![published()]).when(publish(june())).then_expect_events(vec![]);
}

#[test]
fn another_run_cannot_take_its_place() {
    let other = PublishReport { run_id: RunId::from(Uuid::from_u128(6)), ..june() };
    report().given(vec![published()]).when(publish(other)).then_expect_error(ReportError::AlreadyPublished);
}
