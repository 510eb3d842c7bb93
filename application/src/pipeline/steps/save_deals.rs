//! Step 2: the staged deals into the tenant's storage.

use domain::integration::IntegrationKind;
use domain::job_run::{Step, StepOutput};

use crate::pipeline::attempt::StepResult;
use crate::pipeline::work::{Work, expired};
use crate::ports::services::Deal;
use crate::ports::staging::{get_value, list_parts};

pub(super) async fn run(work: &Work<'_>) -> StepResult {
    let account = work.account(IntegrationKind::Supabase).await?;
    let storage = work.pipeline.connectors.storage(account)?;
    let staging = work.pipeline.staging.as_ref();
    let name = work.staged(Step::FetchDeals)?;
    let mut saved = 0;
    for part in list_parts(staging, work.tenant_id(), name).await?.ok_or_else(expired)? {
        let deals: Vec<Deal> = get_value(staging, work.tenant_id(), &part).await?.ok_or_else(expired)?;
        storage.save_deals(&deals).await?;
        saved += deals.len();
    }
    Ok(StepOutput::counts([("deals", saved)]))
}
