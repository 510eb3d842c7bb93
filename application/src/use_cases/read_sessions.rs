//! Looking at sessions.

use std::sync::Arc;

use domain::access::Permission;
use domain::ids::UserId;
use domain::user::UserError;

use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::read_models::{Page, PageRequest, Users};
use crate::ports::sessions::{SessionView, Sessions};

/// Lists open sessions.
pub struct ReadSessions {
    /// The read model.
    pub sessions: Arc<dyn Sessions>,
    /// Who exists.
    pub users: Arc<dyn Users>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl ReadSessions {
    /// One's own open sessions, newest first.
    pub async fn own(&self, context: &RequestContext, page: PageRequest) -> Result<Page<SessionView>, AppError> {
        let account = context.own_account_to_see()?;
        Ok(self.sessions.list(account.scope(), account.user_id, self.clock.now(), page).await?)
    }

    /// Open sessions of a user of the company, newest first.
    ///
    /// # Errors
    /// `forbidden` without the right; `not_found` for another company's user.
    pub async fn of_user(
        &self,
        context: &RequestContext,
        user: UserId,
        page: PageRequest,
    ) -> Result<Page<SessionView>, AppError> {
        let scope = context.authorize_to_see(Permission::UsersWrite)?;
        if self.users.get(&scope, user).await?.item.is_none() {
            return Err(UserError::NotFound.into());
        }
        Ok(self.sessions.list(&scope, user, self.clock.now(), page).await?)
    }
}
