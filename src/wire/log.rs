//! The log, as the store of each kind of aggregate.

use std::sync::Arc;

use application::ports::commands::Commands;
use application::use_cases::RoleAssignment;
use domain::EventSourced;
use domain::api_key::ApiKey;
use domain::automation::Automation;
use domain::impersonation::Impersonation;
use domain::integration::IntegrationConfig;
use domain::invitation::Invitation;
use domain::job_run::JobRun;
use domain::owners::Owners;
use domain::report::Report;
use domain::role::Role;
use domain::second_factor::SecondFactor;
use domain::service_catalogue::ServiceCatalogue;
use domain::session::Session;
use domain::super_admins::SuperAdmins;
use domain::tenant::Tenant;
use domain::user::User;
use infrastructure::database::Database;
use infrastructure::event_store::{Appender, LogCommands};

use super::clock;

/// The log, as the store of each kind of aggregate. One of each, because it remembers recent aggregates.
pub(super) struct Log {
    pub(super) tenants: Arc<dyn Commands<Tenant>>,
    pub(super) users: Arc<dyn Commands<User>>,
    pub(super) sessions: Arc<dyn Commands<Session>>,
    pub(super) invitations: Arc<dyn Commands<Invitation>>,
    pub(super) second_factors: Arc<dyn Commands<SecondFactor>>,
    pub(super) api_keys: Arc<dyn Commands<ApiKey>>,
    pub(super) integrations: Arc<dyn Commands<IntegrationConfig>>,
    pub(super) automations: Arc<dyn Commands<Automation>>,
    pub(super) runs: Arc<dyn Commands<JobRun>>,
    pub(super) reports: Arc<dyn Commands<Report>>,
    pub(super) roles: Arc<dyn Commands<Role>>,
    pub(super) catalogues: Arc<dyn Commands<ServiceCatalogue>>,
    pub(super) owners: Arc<dyn Commands<Owners>>,
    pub(super) impersonations: Arc<dyn Commands<Impersonation>>,
    pub(super) super_admins: Arc<dyn Commands<SuperAdmins>>,
}

impl Log {
    pub(super) fn new(database: &Database, appender: &Appender) -> Self {
        Self {
            tenants: commands(database, appender),
            users: commands(database, appender),
            sessions: commands(database, appender),
            invitations: commands(database, appender),
            second_factors: commands(database, appender),
            api_keys: commands(database, appender),
            integrations: commands(database, appender),
            automations: commands(database, appender),
            runs: commands(database, appender),
            reports: commands(database, appender),
            roles: commands(database, appender),
            catalogues: commands(database, appender),
            owners: commands(database, appender),
            impersonations: commands(database, appender),
            super_admins: commands(database, appender),
        }
    }

    pub(super) fn role_assignment(&self) -> RoleAssignment {
        RoleAssignment { roles: Arc::clone(&self.roles), owners: Arc::clone(&self.owners), clock: clock() }
    }
}

pub(super) fn commands<A: EventSourced>(database: &Database, appender: &Appender) -> Arc<dyn Commands<A>> {
    Arc::new(LogCommands::new(database, appender.clone()))
}
