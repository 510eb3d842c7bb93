//! Reading reports: the central part from the read model, the full text from the tenant's own storage.

use std::sync::Arc;

use domain::ErrorKind;
use domain::access::Permission;
use domain::ids::ReportId;
use domain::integration::IntegrationKind;

use super::OpenAccount;
use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::read_models::{Found, Page, PageRequest, ReportView, Reports};
use crate::ports::services::{Connectors, StoredReport};

/// A report with its full text.
#[derive(Debug, Clone, PartialEq)]
pub struct FullReport {
    /// The central part.
    pub view: ReportView,
    /// The part that the tenant's storage keeps.
    pub stored: StoredReport,
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
    /// `not_found`, for another tenant's report too; `upstream` where the tenant's storage does not answer or has
    /// lost the text.
    pub async fn get(&self, context: &RequestContext, id: ReportId) -> Result<FullReport, AppError> {
        let scope = context.authorize(Permission::ReportsRead)?;
        let missing = || AppError::new(ErrorKind::NotFound, "report.not_found", "There is no such report.");
        let Found { item: view, parked } = self.reports.get(&scope, id).await?.ok_or_else(missing)?;
        let account = self.accounts.open(scope.tenant_id(), IntegrationKind::Supabase).await??;
        let stored = self.connectors.storage(account)?.report(id).await?.ok_or_else(|| {
            let detail = "The report's text is no longer in your Supabase project; restore the row of the table \
                          synkro_reports, or run the report again.";
            AppError::new(ErrorKind::Upstream, "report.text_missing", detail)
        })?;
        Ok(FullReport { view, stored, parked })
    }

    /// The tenant's reports, newest first, without their full text.
    pub async fn list(&self, context: &RequestContext, page: PageRequest) -> Result<Page<ReportView>, AppError> {
        let scope = context.authorize(Permission::ReportsRead)?;
        Ok(self.reports.list(&scope, page).await?)
    }
}
