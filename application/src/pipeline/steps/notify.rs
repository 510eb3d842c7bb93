//! Step 8: a message to the tenant's group, with a chart. The one effect that cannot be repeated safely.

use domain::integration::{IntegrationKind, IntegrationSettings};
use domain::job_run::{Step, StepOutput};
use domain::metrics::Metrics;

use crate::error::chain;
use crate::pipeline::analysis::Analysed;
use crate::pipeline::attempt::StepResult;
use crate::pipeline::package::Package;
use crate::pipeline::report_chart::chart;
use crate::pipeline::report_text::{notification, words};
use crate::pipeline::work::{Work, expired};
use crate::ports::services::{Illustration, Notification, Sent};
use crate::ports::staging::get_value;

pub(super) async fn run(work: &Work<'_>) -> StepResult {
    let (staging, tenant) = (work.pipeline.staging.as_ref(), work.tenant_id());
    let metrics = Package::metrics(staging, tenant, work.staged(Step::BuildPackage)?).await?;
    let analysed: Analysed = get_value(staging, tenant, work.staged(Step::Analyse)?).await?.ok_or_else(expired)?;
    let text = notification(&work.tenant, work.run, &metrics, &analysed.narrative);
    let account = work.account(IntegrationKind::Telegram).await?;
    let settings = account.settings.clone();
    let notifier = work.pipeline.connectors.notifier(account)?;
    let message = Notification { illustration: illustration(work, &metrics).await, ..text };
    work.dispatch().await?;
    let sent = notifier.send(&message).await.map_err(Work::undelivered)?;
    let Sent { message_ids, moved_to, illustrated } = sent;
    if message.illustration.is_some() && !illustrated {
        tracing::warn!(run = %work.run.run_id, tenant = %work.tenant_id(), "the chart was refused, the text was sent");
    }
    if let (IntegrationSettings::Telegram { chat_id, .. }, Some(to)) = (settings, moved_to) {
        follow(work, chat_id, to).await;
    }
    Ok(StepOutput::counts([("messages", message_ids.len()), ("pictures", usize::from(illustrated))]))
}

/// The chart, drawn before the dispatch. The report is worth more than its picture, so it goes without one where need be.
async fn illustration(work: &Work<'_>, metrics: &Metrics) -> Option<Illustration> {
    match work.pipeline.charts.draw(chart(&work.tenant, work.run, metrics)).await {
        Ok(picture) => Some(Illustration { picture, otherwise: words(work.tenant.language).no_chart.to_owned() }),
        Err(error) => {
            tracing::warn!(run = %work.run.run_id, error = chain(&error), "the report is sent without a chart");
            None
        }
    }
}

/// The message is there: that the settings could not be corrected must not have it sent again. The next one is told anew.
async fn follow(work: &Work<'_>, from: String, to: String) {
    let followed = work.pipeline.moved_groups.follow(work.context(), work.tenant_id(), from, to).await;
    if let Err(error) = followed {
        tracing::warn!(error = chain(&error), "the group's new number could not be saved");
    }
}
