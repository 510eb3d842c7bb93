//! Step 2: the staged deals into the tenant's storage, part by part, each read back.

use std::collections::HashSet;

use domain::integration::IntegrationKind;
use domain::job_run::{Step, StepOutput};

use crate::pipeline::attempt::StepResult;
use crate::pipeline::work::{Work, expired};
use crate::ports::services::Deal;
use crate::ports::staging::{get_value, list_parts};
use crate::read_back::Rows;

pub(super) async fn run(work: &Work<'_>) -> StepResult {
    let account = work.account(IntegrationKind::Supabase).await?;
    let storage = work.pipeline.connectors.storage(account)?;
    let staging = work.pipeline.staging.as_ref();
    let name = work.staged(Step::FetchDeals)?;
    let mut saved = HashSet::new();
    for part in list_parts(staging, work.tenant_id(), name).await?.ok_or_else(expired)? {
        let deals: Vec<Deal> = get_value(staging, work.tenant_id(), &part).await?.ok_or_else(expired)?;
        let mut rows = Rows::default();
        rows.deals(storage.as_ref(), &deals).await?;
        rows.or_lost()?;
        saved.extend(deals.iter().map(|deal| deal.id));
    }
    Ok(StepOutput::counts([("deals", saved.len())]))
}
