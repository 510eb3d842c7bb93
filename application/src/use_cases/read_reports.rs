//! Reading reports, as far as the reader is shown them: the central part from the read model, the full text from the
//! tenant's own storage.

use std::sync::Arc;

use domain::ErrorKind;
use domain::access::{Facet, Permission};
use domain::ids::ReportId;
use domain::integration::IntegrationKind;

use super::OpenAccount;
use crate::access::shape::{ReportWords, ShownReport, Sight};
use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::read_models::{Found, Page, PageRequest, Reports};
use crate::ports::services::Connectors;

/// A report with its full text.
#[derive(Debug, Clone, PartialEq)]
pub struct FullReport {
    /// The central part.
    pub report: ShownReport,
    /// The words, which the tenant's storage keeps; none where the reader is not shown any.
    pub words: Option<ReportWords>,
    /// Events of the tenant that the read model could not apply yet.
    pub parked: u64,
}

/// Reads reports.
pub struct ReadReports {
    /// The read model.
    pub reports: Arc<dyn Reports>,
    /// The tenant's accounts.
    pub accounts: Arc<OpenAccount>,
    /// The adapters.
    pub connectors: Arc<dyn Connectors>,
}

impl ReadReports {
    /// One report with its full text.
    ///
    /// # Errors
    /// `not_found`, for another tenant's report too, and for one whose event is parked; `upstream` where the tenant's storage
    /// does not answer or has lost the text.
    pub async fn get(&self, context: &RequestContext, id: ReportId) -> Result<FullReport, AppError> {
        let scope = context.authorize(Permission::ReportsRead)?;
        let missing = AppError::new(ErrorKind::NotFound, "report.not_found", "There is no such report.");
        let Found { item: view, parked } = self.reports.get(&scope, id).await?.or_missing(missing)?;
        let sight = Sight::of_others(scope.reach());
        let report = sight.report(view);
        if !sight.shows(Facet::Name) {
            return Ok(FullReport { report, words: None, parked });
        }
        let account = self.accounts.open_awaited(scope.tenant_id(), IntegrationKind::Supabase).await??;
        let stored = self.connectors.storage(account)?.report(id).await?.ok_or_else(|| {
            let detail = "The report's text is no longer in your Supabase project; restore the row of the table \
                          synkro_reports, or run the report again.";
            AppError::new(ErrorKind::Upstream, "report.text_missing", detail)
        })?;
        Ok(FullReport { report, words: sight.words(stored), parked })
    }

    /// The tenant's reports, newest first, without their full text.
    pub async fn list(&self, context: &RequestContext, page: PageRequest) -> Result<Page<ShownReport>, AppError> {
        let scope = context.authorize(Permission::ReportsRead)?;
        let sight = Sight::of_others(scope.reach());
        let Page { items, next, parked } = self.reports.list(&scope, page).await?;
        Ok(Page { items: items.into_iter().map(|view| sight.report(view)).collect(), next, parked })
    }
}
