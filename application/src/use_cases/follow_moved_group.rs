//! Following a group that the messenger has given another number.

use std::sync::Arc;

use domain::ids::{IntegrationId, TenantId};
use domain::integration::{IntegrationCommand, IntegrationConfig, IntegrationKind, MovedGroup};

use crate::context::RequestContext;
use crate::error::{CommandError, PortError};
use crate::ports::clock::Clock;
use crate::ports::commands::Commands;

/// Corrects the settings of notifications, so that the next one goes to the right group at once.
pub struct FollowMovedGroup {
    /// The log.
    pub integrations: Arc<dyn Commands<IntegrationConfig>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl FollowMovedGroup {
    /// Saves the group's number where the settings still name the former one.
    ///
    /// # Errors
    /// Those of the log.
    pub async fn follow(
        &self,
        context: &RequestContext,
        tenant: TenantId,
        from: String,
        to: String,
    ) -> Result<(), PortError> {
        let id = IntegrationId::of(tenant, IntegrationKind::Telegram).uuid();
        let command = IntegrationCommand::FollowGroup(MovedGroup { from, to, at: self.clock.now() });
        match self.integrations.execute(context, id, command).await {
            Ok(_) => Ok(()),
            Err(CommandError::Log(error)) => Err(error),
            Err(error) => Err(PortError::Internal(Box::new(error))),
        }
    }
}
