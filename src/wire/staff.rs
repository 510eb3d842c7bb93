//! What the platform's staff do: among themselves, with companies, and with companies' users.

use std::sync::Arc;

use application::mail::PublicUrl;
use application::use_cases::{
    EndSessions, Impersonate, MailedLinks, ManageStaff, ManageTenantUsers, ManageUsers, SuperAdminRoster,
    TenantLifecycle, TenantProvisioning,
};
use infrastructure::crypto::{Keks, KeyRing};
use infrastructure::database::Database;
use infrastructure::event_store::Appender;
use infrastructure::identity::{PgCredentials, PgOneTimeLinks, PgRefreshTokens, PgSecondFactors};
use infrastructure::mail::PgOutbox;
use infrastructure::read_models::impersonations::ImpersonationsReader;
use infrastructure::read_models::tenants::TenantsReader;
use infrastructure::read_models::users::UsersReader;
use infrastructure::signals::Signal;

use super::accounts::Accounts;
use super::log::Log;
use super::people::People;
use super::{Base, clock, ids};

/// Managing the staff, over an open, migrated database. Running processes follow the log.
pub fn staff(database: &Database, keks: Arc<Keks>, public_url: PublicUrl) -> ManageStaff {
    let log = Log::new(database, &Appender::new(database.clone(), Signal::default()));
    let key_ring = Arc::new(KeyRing::new(database.clone(), keks));
    let outbox = PgOutbox::new(database.clone(), Arc::clone(&key_ring));
    let factors = Arc::new(PgSecondFactors::new(database.clone(), Arc::clone(&key_ring)));
    let refresh_tokens = Arc::new(PgRefreshTokens::new(database.clone()));
    ManageStaff {
        users: Arc::new(UsersReader::new(database)),
        accounts: Arc::clone(&log.users),
        second_factors: Arc::clone(&log.second_factors),
        factors,
        roster: Arc::new(SuperAdminRoster {
            admins: Arc::clone(&log.super_admins),
            accounts: Arc::clone(&log.users),
            credentials: Arc::new(PgCredentials::new(database.clone())),
            clock: clock(),
        }),
        mailed: Arc::new(MailedLinks {
            links: Arc::new(PgOneTimeLinks::new(database.clone(), key_ring, outbox)),
            tenants: Arc::clone(&log.tenants),
            public_url,
            clock: clock(),
            ids: ids(),
        }),
        end: Arc::new(EndSessions {
            assignment: log.role_assignment(),
            sessions: log.sessions,
            accounts: log.users,
            refresh_tokens: refresh_tokens.clone(),
            clock: clock(),
        }),
        refresh_tokens,
    }
}

impl Base {
    pub(super) fn impersonate(&self, accounts: &Accounts) -> Impersonate {
        Impersonate {
            impersonations: Arc::clone(&self.log.impersonations),
            tenants: Arc::clone(&self.log.tenants),
            accounts: Arc::clone(&self.log.users),
            views: Arc::new(ImpersonationsReader::new(&self.database)),
            tokens: Arc::clone(&accounts.authentication.tokens),
            clock: clock(),
            ids: ids(),
        }
    }

    pub(super) fn roster(&self) -> Arc<SuperAdminRoster> {
        Arc::new(SuperAdminRoster {
            admins: Arc::clone(&self.log.super_admins),
            accounts: Arc::clone(&self.log.users),
            credentials: Arc::clone(&self.credentials),
            clock: clock(),
        })
    }

    pub(super) fn manage_staff(&self, end: &Arc<EndSessions>, people: &People) -> ManageStaff {
        ManageStaff {
            users: Arc::new(UsersReader::new(&self.database)),
            accounts: Arc::clone(&self.log.users),
            second_factors: Arc::clone(&self.log.second_factors),
            factors: Arc::new(PgSecondFactors::new(self.database.clone(), Arc::clone(&self.keys))),
            roster: self.roster(),
            mailed: Arc::clone(&people.mailed),
            refresh_tokens: Arc::clone(&end.refresh_tokens),
            end: Arc::clone(end),
        }
    }

    pub(super) fn manage_tenant_users(&self, users: &Arc<ManageUsers>, people: &People) -> ManageTenantUsers {
        let (tenants, users, invite) = (Arc::clone(&self.log.tenants), Arc::clone(users), Arc::clone(&people.invite));
        ManageTenantUsers { tenants, users, invite }
    }

    pub(super) fn tenant_lifecycle(&self) -> TenantLifecycle {
        let (tenants, views) = (Arc::clone(&self.log.tenants), Arc::new(TenantsReader::new(&self.database)));
        TenantLifecycle { tenants, views, clock: clock() }
    }

    pub(super) fn provisioning(&self) -> TenantProvisioning {
        TenantProvisioning { tenants: Arc::clone(&self.log.tenants), access: self.access_setup(), clock: clock() }
    }
}
