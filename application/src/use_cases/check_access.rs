//! Answering whether someone may do something: for the company's other services, and for pages that hide what is closed.

use std::sync::Arc;

use domain::access::{ActionName, Permission, Reach, ReachSet, ResourceName, RoleName};
use domain::ids::UserId;
use domain::user::{Membership, UserError};

use crate::context::{Actor, RequestContext, company_needed};
use crate::error::AppError;
use crate::ports::access::AccessMatrix;
use crate::ports::read_models::Users;

/// The most questions of one request.
pub const MOST_QUESTIONS: usize = 100;

/// Whether someone may do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessQuestion {
    /// Who; the caller where it is none.
    pub subject: Option<UserId>,
    /// What it is about.
    pub resource: ResourceName,
    /// What is to be done.
    pub action: ActionName,
    /// How much must be seen; any will do where it is none.
    pub reach: Option<Reach>,
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessVerdict {
    /// Whether.
    pub allowed: bool,
    /// How much is seen, whatever was wanted; nothing where all is denied.
    pub reach: ReachSet,
    /// The role that says so.
    pub role: RoleName,
}

/// Answers questions about rights.
pub struct CheckAccess {
    /// Who has which role.
    pub users: Arc<dyn Users>,
    /// What roles may.
    pub matrix: Arc<dyn AccessMatrix>,
}

impl CheckAccess {
    /// The answers, in the order of the questions. Everybody may ask about themselves; about others whoever may see roles.
    ///
    /// # Errors
    /// `forbidden` for staff, and for questions about others without the right `roles:read`; `not_found` for a user of another
    /// company.
    pub async fn check(
        &self,
        context: &RequestContext,
        questions: Vec<AccessQuestion>,
    ) -> Result<Vec<AccessVerdict>, AppError> {
        let Actor::User(principal) = context.actor() else {
            context.require_user()?;
            return Ok(Vec::new());
        };
        let Membership::Tenant { tenant_id, role: own } = &principal.membership else {
            return Err(company_needed());
        };
        let access = self.matrix.of(*tenant_id).await?;
        let mut verdicts = Vec::with_capacity(questions.len());
        for AccessQuestion { subject, resource, action, reach } in questions {
            let role = match subject.filter(|user| *user != principal.user_id) {
                None => own.clone(),
                Some(other) => self.role_of(context, other).await?,
            };
            let reaches = access.rights(&role).reach_by_name(resource.as_str(), action.as_str());
            let allowed = reach.map_or(!reaches.is_empty(), |wanted| reaches.covers(wanted));
            verdicts.push(AccessVerdict { allowed, reach: reaches, role });
        }
        Ok(verdicts)
    }

    async fn role_of(&self, context: &RequestContext, user: UserId) -> Result<RoleName, AppError> {
        let scope = context.authorize(Permission::RolesRead)?;
        let found = self.users.get(&scope, user).await?;
        match found.or_missing(UserError::NotFound.into())?.item.membership {
            Membership::Tenant { role, .. } => Ok(role),
            Membership::Platform { .. } => Err(UserError::NotFound.into()),
        }
    }
}
