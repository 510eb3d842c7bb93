//! Step 7: the full report into the tenant's storage, its summary and numbers into the log.

use domain::ids::ReportId;
use domain::integration::IntegrationKind;
use domain::job_run::{Step, StepOutput};
use domain::report::{PublishReport, ReportCommand};
use domain::values::Personal;

use crate::error::{CommandError, PortError};
use crate::pipeline::analysis::Analysed;
use crate::pipeline::attempt::StepResult;
use crate::pipeline::package::Package;
use crate::pipeline::report_text::markdown;
use crate::pipeline::work::{StepError, Work, expired};
use crate::ports::services::StoredReport;
use crate::ports::staging::get_value;

pub(super) async fn run(work: &Work<'_>) -> StepResult {
    let (staging, tenant) = (work.pipeline.staging.as_ref(), work.tenant_id());
    let metrics = Package::metrics(staging, tenant, work.staged(Step::BuildPackage)?).await?;
    let Analysed { narrative, model, prompt_version } =
        get_value(staging, tenant, work.staged(Step::Analyse)?).await?.ok_or_else(expired)?;
    let body = markdown(&work.tenant, work.run, &metrics, &narrative);
    let account = work.account(IntegrationKind::Supabase).await?;
    let report = StoredReport {
        id: ReportId::of(work.run.run_id),
        run_id: work.run.run_id,
        period: work.run.period,
        headline: narrative.headline.clone(),
        body,
        metrics,
        narrative,
    };
    work.pipeline.connectors.storage(account)?.save_report(&report).await?;
    publish(work, report, model, prompt_version).await?;
    Ok(StepOutput::counts([("reports", 1)]))
}

/// With the model that wrote it, and the version of its prompt.
async fn publish(
    work: &Work<'_>,
    report: StoredReport,
    model: String,
    prompt_version: Option<u32>,
) -> Result<(), StepError> {
    let publish = PublishReport {
        tenant_id: work.tenant_id(),
        run_id: work.run.run_id,
        kind: work.run.kind,
        period: work.run.period,
        headline: Personal::new(report.headline),
        summary: Personal::new(report.narrative.summary),
        metrics: report.metrics,
        model,
        prompt_version,
        at: work.pipeline.clock.now(),
    };
    let command = ReportCommand::Publish(Box::new(publish));
    match work.pipeline.reports.execute(work.context(), report.id.uuid(), command).await {
        Ok(_) => Ok(()),
        Err(CommandError::Log(error)) => Err(error.into()),
        Err(error) => Err(PortError::Internal(Box::new(error)).into()),
    }
}
