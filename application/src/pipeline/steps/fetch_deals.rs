//! Step 1: the deals that changed in the period, with their contacts, from the CRM into the staging store, page by page.

use std::collections::HashSet;

use domain::integration::IntegrationKind;
use domain::job_run::StepOutput;
use futures::TryStreamExt;

use crate::pipeline::attempt::StepResult;
use crate::pipeline::work::Work;
use crate::ports::staging::ListWriter;

pub(super) async fn run(work: &Work<'_>) -> StepResult {
    let account = work.account(IntegrationKind::Amocrm).await?;
    let crm = work.pipeline.connectors.crm(account)?;
    let mut pages = crm.deals(work.run.period);
    let mut list = ListWriter::new(work.pipeline.staging.as_ref(), work.tenant_id());
    let (mut deals, mut contacts) = (HashSet::new(), 0);
    while let Some(page) = pages.try_next().await? {
        for deal in &page {
            list.push(deal).await?;
            if deals.insert(deal.id) {
                contacts += deal.contacts.len();
            }
        }
    }
    let counts = StepOutput::counts([("deals", deals.len()), ("contacts", contacts)]);
    Ok(counts.staged(list.finish().await?))
}
