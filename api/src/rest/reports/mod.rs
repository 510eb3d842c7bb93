mod body;
mod example;
mod metrics;

use std::sync::Arc;

use domain::ids::ReportId;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;

use self::body::{FullReportBody, ReportList};
use super::Chapter;
use super::body::Shown;
use crate::AppState;
use crate::cursor::{After, PageLimit, page_request};
use crate::identity::SignedInUser;
use crate::input::{Input, one};
use crate::limits::api_limit;
use crate::problem::ApiError;

pub(super) struct ReportsApi;

#[OpenApi(prefix_path = "/api/v1", tag = "Chapter::Reports")]
impl ReportsApi {
    /// List reports
    ///
    /// The company's reports with their numbers, newest first, without their full text. Needs the right
    /// `reports:read`; its reach says how much is shown.
    #[oai(path = "/reports", method = "get", operation_id = "list_reports", transform = "api_limit")]
    async fn list(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// How many reports at most.
        limit: Query<Option<Input<PageLimit>>>,
        /// The `next` of the answer before.
        cursor: Query<Option<Input<After>>>,
    ) -> Result<Shown<ReportList>, ApiError> {
        let page = page_request(limit.0, cursor.0)?;
        Ok(Shown::new(state.read_reports.list(&user.0.context(), page).await?))
    }

    /// Read a report
    ///
    /// The numbers, and the full text from the company's own Supabase project; `502` where that does not answer. Needs
    /// the right `reports:read`; its reach says how much is shown.
    #[oai(path = "/reports/:id", method = "get", operation_id = "get_report", transform = "api_limit")]
    async fn get(
        &self,
        state: Data<&Arc<AppState>>,
        user: SignedInUser,
        /// The report.
        id: Path<Input<Uuid>>,
    ) -> Result<Shown<FullReportBody>, ApiError> {
        let id = ReportId::from(one("id", id.0)?);
        Ok(Shown::new(state.read_reports.get(&user.0.context(), id).await?))
    }
}
