//! Step 1: the deals that changed in the period, with their contacts, from the CRM into the staging store.

use domain::integration::IntegrationKind;
use domain::job_run::StepOutput;

use crate::pipeline::attempt::StepResult;
use crate::pipeline::work::Work;
use crate::ports::staging::ListWriter;

pub(super) async fn run(work: &Work<'_>) -> StepResult {
    let account = work.account(IntegrationKind::Amocrm).await?;
    let deals = work.pipeline.connectors.crm(account)?.deals(work.run.period).await?;
    let contacts = deals.iter().map(|deal| deal.contacts.len()).sum();
    let mut list = ListWriter::new(work.pipeline.staging.as_ref(), work.tenant_id());
    for deal in &deals {
        list.push(deal).await?;
    }
    let counts = StepOutput::counts([("deals", deals.len()), ("contacts", contacts)]);
    Ok(counts.staged(list.finish().await?))
}
