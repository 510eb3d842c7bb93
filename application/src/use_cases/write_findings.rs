//! Writing what a trial found to the tenant's storage, and reading it back.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ErrorKind;
use domain::access::Permission;
use domain::ids::{IntegrationId, TenantId};
use domain::integration::{
    CheckOutcome, IntegrationCommand, IntegrationConfig, IntegrationError, IntegrationEvent, IntegrationKind,
    WriteRecord,
};

use super::OpenAccount;
use super::check_integration::failing;
use super::read_integrations::{kind_of, provider};
use super::try_integration::nothing_tried;
use crate::context::RequestContext;
use crate::error::{AppError, PortError};
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::findings::Findings;
use crate::ports::services::{Connectors, UpstreamError};
use crate::ports::staging::{Staging, get_value};
use crate::read_back::{LOOK_FOR, Rows};

/// What was written, and what of it was there afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteReport {
    /// Whether all of it was there.
    pub outcome: CheckOutcome,
    /// Rows that were written, by table.
    pub written: BTreeMap<String, u64>,
    /// Rows of them that were there when they were read back.
    pub confirmed: BTreeMap<String, u64>,
    /// The place of the event in the log.
    pub position: Option<LogPosition>,
    /// True where the request was a repeat, and this is its first outcome.
    pub replayed: bool,
}

/// Writes findings.
pub struct WriteFindings {
    /// The log.
    pub integrations: Arc<dyn Commands<IntegrationConfig>>,
    /// The tenant's accounts.
    pub accounts: Arc<OpenAccount>,
    /// The adapters.
    pub connectors: Arc<dyn Connectors>,
    /// Where findings wait.
    pub staging: Arc<dyn Staging>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl WriteFindings {
    /// Writes what was last tried of a service to the tenant's storage, reads it back, and records both. Writing twice
    /// changes nothing there. A storage that fails is an outcome, not an error.
    ///
    /// # Errors
    /// `not_found` for a kind that there is not or that is not set up; `conflict` where nothing was tried that can be written,
    /// or where it is no longer kept; `forbidden` without the right to change settings.
    pub async fn write(&self, context: &RequestContext, kind: &str) -> Result<WriteReport, AppError> {
        let scope = context.authorize(Permission::SettingsWrite)?;
        let kind = kind_of(kind)?;
        if let Some(first) = self.integrations.first_outcome(scope.context()).await? {
            return first_report(first.events.last(), first.position);
        }
        let id = IntegrationId::of(scope.tenant_id(), kind).uuid();
        let config = self.integrations.load(id).await?;
        let config = config.configured().ok_or(IntegrationError::NotConfigured)?;
        let connectors = self.connectors.as_ref();
        if !provider(connectors, kind, Some(config.settings.provider()))?.writes {
            return Err(writes_nothing(kind));
        }
        let tried = config.tried.as_ref().ok_or_else(nothing_tried)?;
        let findings = get_value::<Findings>(self.staging.as_ref(), scope.tenant_id(), &tried.staged).await?;
        let findings = findings.ok_or_else(nothing_tried)?;
        let mut rows = Rows::default();
        let outcome = match self.store(scope.tenant_id(), &findings, &mut rows).await? {
            Ok(()) if rows.are_there() => CheckOutcome::Working,
            Ok(()) => CheckOutcome::Failing { reason: lost() },
            Err(error) => failing(&error),
        };
        let Rows { written, confirmed } = rows;
        let record = WriteRecord {
            version: config.version,
            outcome: outcome.clone(),
            written: written.clone(),
            confirmed: confirmed.clone(),
            at: self.clock.now(),
        };
        let recorded = self.integrations.execute(scope.context(), id, IntegrationCommand::RecordWrite(record)).await?;
        if recorded.replayed {
            return first_report(recorded.events.last(), recorded.position);
        }
        Ok(WriteReport { outcome, written, confirmed, position: recorded.position, replayed: false })
    }

    async fn store(
        &self,
        tenant: TenantId,
        findings: &Findings,
        rows: &mut Rows,
    ) -> Result<Result<(), UpstreamError>, AppError> {
        if !matches!(findings, Findings::Deals { .. } | Findings::Dialogues { .. }) {
            return Err(nothing_tried());
        }
        let account = match self.accounts.open_awaited(tenant, IntegrationKind::Supabase).await? {
            Ok(account) => account,
            Err(missing) => return Ok(Err(missing)),
        };
        let storage = match self.connectors.storage(account) {
            Ok(storage) => storage,
            Err(error) => return Ok(Err(error)),
        };
        Ok(match findings {
            Findings::Deals { deals } => rows.deals(storage.as_ref(), deals).await,
            Findings::Dialogues { chats, .. } => {
                let messages: Vec<_> = chats.iter().flat_map(|with| &with.messages).cloned().collect();
                let chats: Vec<_> = chats.iter().map(|with| with.chat.clone()).collect();
                rows.chats(storage.as_ref(), &chats, &messages).await
            }
            Findings::Schema { .. } | Findings::Analysis { .. } | Findings::Message { .. } => Ok(()),
        })
    }
}

fn writes_nothing(kind: IntegrationKind) -> AppError {
    let detail = format!("What a test of {} finds is not written anywhere, so there is nothing to do.", kind.title());
    AppError::new(ErrorKind::Conflict, "integration.writes_nothing", detail)
}

fn lost() -> String {
    format!("Not all rows were there when they were read back. {LOOK_FOR}, then write again.")
}

fn first_report(event: Option<&IntegrationEvent>, position: Option<LogPosition>) -> Result<WriteReport, AppError> {
    let Some(IntegrationEvent::IntegrationWritten { outcome, written, confirmed, .. }) = event else {
        return Err(PortError::internal("the receipt of a write is about something else").into());
    };
    let (outcome, written, confirmed) = (outcome.clone(), written.clone(), confirmed.clone());
    Ok(WriteReport { outcome, written, confirmed, position, replayed: true })
}
