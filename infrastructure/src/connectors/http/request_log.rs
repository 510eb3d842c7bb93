//! The log of calls to providers: one line for each try, without queries, bodies or secrets.
//!
//! Tries that succeed are told at `debug`, those that do not at `info`: `--log info,synkro::calls=debug` shows all.

use std::time::Duration;

use application::ports::services::UpstreamError;
use domain::ids::TenantId;
use domain::integration::IntegrationKind;
use reqwest::StatusCode;
use secrecy::SecretString;

use super::call::Call;
use super::scrub;

/// What the lines are found by.
const TARGET: &str = "synkro::calls";

/// A try that has ended.
pub(super) struct Tried<'a> {
    pub(super) tenant_id: TenantId,
    pub(super) service: IntegrationKind,
    pub(super) call: &'a Call,
    /// From 1.
    pub(super) number: usize,
    /// None where no answer began.
    pub(super) status: Option<StatusCode>,
    pub(super) elapsed: Duration,
    pub(super) failure: Option<&'a UpstreamError>,
}

impl Tried<'_> {
    /// Writes the line. A path is short and holds no secret; should one ever hold the account's, it is hidden.
    pub(super) fn log(&self, secrets: &[SecretString]) {
        let (tenant, service, method) = (self.tenant_id, self.service.name(), &self.call.method);
        let path = scrub::quotation(&self.call.path_for_logs(), secrets);
        let status = self.status.map(|status| status.as_u16());
        let (number, ms) = (self.number, self.elapsed.as_millis());
        match self.failure {
            None => tracing::debug!(
                target: TARGET, %tenant, service, %method, path, status, ms, "try" = number, "called"
            ),
            Some(failure) => tracing::info!(
                target: TARGET, %tenant, service, %method, path, status, ms, "try" = number, %failure, "call failed"
            ),
        }
    }
}
