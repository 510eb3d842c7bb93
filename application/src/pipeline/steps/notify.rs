//! Step 8: a message to the tenant's group. The one effect that cannot be repeated safely.

use domain::integration::IntegrationKind;
use domain::job_run::{Step, StepOutput};

use crate::pipeline::analysis::Analysed;
use crate::pipeline::attempt::StepResult;
use crate::pipeline::package::Package;
use crate::pipeline::report_text::notification;
use crate::pipeline::work::{Work, expired};
use crate::ports::staging::get_value;

pub(super) async fn run(work: &Work<'_>) -> StepResult {
    let (staging, tenant) = (work.pipeline.staging.as_ref(), work.tenant_id());
    let metrics = Package::metrics(staging, tenant, work.staged(Step::BuildPackage)?).await?;
    let analysed: Analysed = get_value(staging, tenant, work.staged(Step::Analyse)?).await?.ok_or_else(expired)?;
    let message = notification(&work.tenant, work.run, &metrics, &analysed.narrative);
    let account = work.account(IntegrationKind::Telegram).await?;
    let notifier = work.pipeline.connectors.notifier(account)?;
    work.dispatch().await?;
    notifier.send(&message).await.map_err(Work::undelivered)?;
    Ok(StepOutput::counts([("messages", 1)]))
}
