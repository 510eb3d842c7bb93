//! Looking at runs and their steps.

use std::sync::Arc;

use domain::ErrorKind;
use domain::access::Permission;
use domain::ids::RunId;

use crate::access::shape::Sight;
use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::read_models::{Found, Page, PageRequest, RunView, Runs};

/// Reads runs.
pub struct ReadRuns {
    /// The read model.
    pub runs: Arc<dyn Runs>,
}

impl ReadRuns {
    /// One run with its steps, and with what it cost where the reader may see costs.
    ///
    /// # Errors
    /// `not_found`, for another tenant's run too, and for one whose first event is parked.
    pub async fn get(&self, context: &RequestContext, id: RunId) -> Result<Found<RunView>, AppError> {
        let scope = context.authorize(Permission::RunsRead)?;
        let missing = AppError::new(ErrorKind::NotFound, "run.not_found", "There is no such run.");
        let Found { item, parked } = self.runs.get(&scope, id).await?.or_missing(missing)?;
        Ok(Found { item: Sight::of_costs(context).run(item), parked })
    }

    /// The tenant's runs, newest first; what they cost as for one of them.
    pub async fn list(&self, context: &RequestContext, page: PageRequest) -> Result<Page<RunView>, AppError> {
        let scope = context.authorize(Permission::RunsRead)?;
        let Page { items, next, parked } = self.runs.list(&scope, page).await?;
        let sight = Sight::of_costs(context);
        Ok(Page { items: items.into_iter().map(|view| sight.run(view)).collect(), next, parked })
    }
}
