//! Saving what somebody filled in for an integration, and checking it at once.

use std::sync::Arc;

use domain::access::Permission;
use domain::ids::IntegrationId;
use domain::integration::{IntegrationConfig, IntegrationKind};

use super::integration_form::{IntegrationForm, read};
use super::read_integrations::{kind_of, provider};
use super::{CheckIntegration, CheckReport, ConfigureIntegration};
use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::services::Connectors;

/// What became of a form.
#[derive(Debug)]
pub struct SavedIntegration {
    /// The kind that was saved.
    pub kind: IntegrationKind,
    /// What the check of it found; none where Synkro itself could not ask.
    pub check: Option<CheckReport>,
    /// The place of the last event in the log.
    pub position: Option<LogPosition>,
}

/// Saves forms.
pub struct SaveIntegration {
    /// The log.
    pub integrations: Arc<dyn Commands<IntegrationConfig>>,
    /// Saving.
    pub configure: ConfigureIntegration,
    /// Asking.
    pub check: Arc<CheckIntegration>,
    /// The providers.
    pub connectors: Arc<dyn Connectors>,
}

impl SaveIntegration {
    /// Saves what was filled in for a kind, and asks the service whether it works. Saving what is saved already changes
    /// nothing, and is checked all the same. With `expected` only that version is changed; 0 is before the first. A form
    /// that could not be read is refused after the question for the right.
    ///
    /// # Errors
    /// `not_found` for a kind that there is not, `invalid` with every bad field, `conflict` where the settings are at another
    /// version, `forbidden` without the right to change settings.
    pub async fn save(
        &self,
        context: &RequestContext,
        kind: &str,
        form: Result<IntegrationForm, AppError>,
        expected: Option<u32>,
    ) -> Result<SavedIntegration, AppError> {
        let scope = context.authorize(Permission::SettingsWrite)?;
        let (kind, form) = (kind_of(kind)?, form?);
        let current = self.integrations.load(IntegrationId::of(scope.tenant_id(), kind).uuid()).await?;
        let saved_provider = current.configured().map(|config| config.settings.provider());
        let provider = provider(self.connectors.as_ref(), kind, form.provider.as_deref().or(saved_provider))?;
        let input = read(provider, form, &current).map_err(AppError::invalid)?;
        let saved = self.configure.save_on(context, input, expected).await?;
        let check = self.check.after_change(context, kind).await;
        let position = saved.max(check.as_ref().and_then(|check| check.position));
        Ok(SavedIntegration { kind, check, position })
    }
}
