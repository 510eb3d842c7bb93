//! Mail, mailed links, and how people come into a company.

use std::sync::Arc;

use application::mail::{Courier, PublicUrl};
use application::ports::mail::Mailer;
use application::use_cases::{
    AcceptInvitation, ChangeEmail, CompanyRegistration, EndSessions, InviteUsers, MailedLinks, ManageSecondFactor,
    ResetPassword, SelfService,
};
use infrastructure::identity::{PgEmailOwners, PgOneTimeLinks, PgSecondFactors, PgSignInGuard};
use infrastructure::mail::PgOutbox;
use infrastructure::read_models::invitations::InvitationsReader;

use super::accounts::{own_password, second_factor};
use super::{Base, clock, ids};

/// How people are reached, and whether they may come by themselves.
pub struct PeopleOptions {
    /// What carries mail.
    pub mailer: Arc<dyn Mailer>,
    /// Where the pages are that mailed links lead to.
    pub public_url: PublicUrl,
    /// Whether companies may register themselves.
    pub self_service: SelfService,
}

/// What is done about people, and what keeps their mail going.
pub(super) struct People {
    pub(super) reset_password: Arc<ResetPassword>,
    pub(super) change_email: Arc<ChangeEmail>,
    pub(super) second_factor: Arc<ManageSecondFactor>,
    pub(super) invite: Arc<InviteUsers>,
    pub(super) accept: Arc<AcceptInvitation>,
    pub(super) registration: Arc<CompanyRegistration>,
    pub(super) mailed: Arc<MailedLinks>,
    pub(super) courier: Courier,
    pub(super) outbox: PgOutbox,
    pub(super) links: Arc<PgOneTimeLinks>,
    factors: Arc<PgSecondFactors>,
}

impl People {
    pub(super) fn new(base: &Base, guard: &Arc<PgSignInGuard>, end: &Arc<EndSessions>, options: PeopleOptions) -> Self {
        let PeopleOptions { mailer, public_url, self_service } = options;
        let (database, log) = (&base.database, &base.log);
        let addresses = Arc::new(PgEmailOwners::new(database));
        let outbox = PgOutbox::new(database.clone(), Arc::clone(&base.keys));
        let links = Arc::new(PgOneTimeLinks::new(database.clone(), Arc::clone(&base.keys), outbox.clone()));
        let mailed = Arc::new(MailedLinks {
            links: links.clone(),
            tenants: Arc::clone(&log.tenants),
            public_url,
            clock: clock(),
            ids: ids(),
        });
        let factors = Arc::new(PgSecondFactors::new(database.clone(), Arc::clone(&base.keys)));
        let password = own_password(base, guard);
        Self {
            reset_password: Arc::new(ResetPassword {
                addresses: addresses.clone(),
                accounts: Arc::clone(&log.users),
                mailed: Arc::clone(&mailed),
                hasher: Arc::clone(&base.hasher),
                roster: base.roster(),
                end: Arc::clone(end),
            }),
            change_email: Arc::new(ChangeEmail {
                accounts: Arc::clone(&log.users),
                mailed: Arc::clone(&mailed),
                password: Arc::clone(&password),
            }),
            second_factor: Arc::new(ManageSecondFactor {
                accounts: Arc::clone(&log.users),
                log: Arc::clone(&log.second_factors),
                factors: factors.clone(),
                password,
                codes: second_factor(base, guard),
                end: Arc::clone(end),
                clock: clock(),
            }),
            invite: Arc::new(InviteUsers {
                invitations: Arc::clone(&log.invitations),
                views: Arc::new(InvitationsReader::new(database)),
                addresses: addresses.clone(),
                assignment: base.role_assignment(),
                mailed: Arc::clone(&mailed),
            }),
            accept: Arc::new(AcceptInvitation {
                invitations: Arc::clone(&log.invitations),
                accounts: Arc::clone(&log.users),
                addresses: addresses.clone(),
                assignment: base.role_assignment(),
                credentials: Arc::clone(&base.credentials),
                hasher: Arc::clone(&base.hasher),
                mailed: Arc::clone(&mailed),
            }),
            mailed,
            registration: Arc::new(registration(base, addresses, self_service)),
            courier: Courier { outbox: Arc::new(outbox.clone()), mailer, clock: clock(), ids: ids() },
            outbox,
            links,
            factors,
        }
    }

    /// Deletes what has outlived its time, and its user.
    pub(super) async fn purge(&self) -> Result<u64, application::PortError> {
        let now = clock().now();
        Ok(self.outbox.purge(now).await? + self.links.purge(now).await? + self.factors.purge_removed().await?)
    }
}

fn registration(base: &Base, addresses: Arc<PgEmailOwners>, self_service: SelfService) -> CompanyRegistration {
    CompanyRegistration {
        self_service,
        provisioning: base.provisioning(),
        addresses,
        accounts: Arc::clone(&base.log.users),
        assignment: base.role_assignment(),
        credentials: Arc::clone(&base.credentials),
        hasher: Arc::clone(&base.hasher),
        clock: clock(),
        ids: ids(),
    }
}
