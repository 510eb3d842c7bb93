//! Mail, mailed links, and how people come into a company.

use std::sync::Arc;

use application::mail::{Courier, PublicUrl};
use application::ports::mail::Mailer;
use application::use_cases::{
    AcceptInvitation, ChangeEmail, CompanyRegistration, EndSessions, InviteUsers, MailedLinks, ManageSecondFactor,
    OwnPassword, ResetPassword, SelfService,
};
use infrastructure::identity::{PgOneTimeLinks, PgSecondFactors, PgSignInGuard};
use infrastructure::mail::PgOutbox;
use infrastructure::read_models::invitations::InvitationsReader;
use infrastructure::read_models::users::UsersReader;

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
}

impl People {
    pub(super) fn new(base: &Base, guard: &Arc<PgSignInGuard>, end: &Arc<EndSessions>, options: PeopleOptions) -> Self {
        let PeopleOptions { mailer, public_url, self_service } = options;
        let (database, log) = (&base.database, &base.log);
        let users = Arc::new(UsersReader::new(database));
        let outbox = PgOutbox::new(database.clone(), Arc::clone(&base.keys));
        let links = Arc::new(PgOneTimeLinks::new(database.clone(), Arc::clone(&base.keys), outbox.clone()));
        let mailed = Arc::new(MailedLinks {
            links: links.clone(),
            tenants: Arc::clone(&log.tenants),
            public_url,
            clock: clock(),
            ids: ids(),
        });
        let password = Arc::new(own_password(base, guard.clone()));
        Self {
            reset_password: Arc::new(ResetPassword {
                users: users.clone(),
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
                factors: Arc::new(PgSecondFactors::new(database.clone(), Arc::clone(&base.keys))),
                password,
                end: Arc::clone(end),
                clock: clock(),
            }),
            invite: Arc::new(InviteUsers {
                invitations: Arc::clone(&log.invitations),
                views: Arc::new(InvitationsReader::new(database)),
                users: users.clone(),
                assignment: base.role_assignment(),
                mailed: Arc::clone(&mailed),
            }),
            accept: Arc::new(AcceptInvitation {
                invitations: Arc::clone(&log.invitations),
                accounts: Arc::clone(&log.users),
                users: users.clone(),
                assignment: base.role_assignment(),
                credentials: Arc::clone(&base.credentials),
                hasher: Arc::clone(&base.hasher),
                mailed: Arc::clone(&mailed),
            }),
            mailed,
            registration: Arc::new(registration(base, users, self_service)),
            courier: Courier { outbox: Arc::new(outbox.clone()), mailer, clock: clock(), ids: ids() },
            outbox,
            links,
        }
    }

    /// Deletes what has outlived its time.
    pub(super) async fn purge(&self) -> Result<u64, application::PortError> {
        let now = clock().now();
        Ok(self.outbox.purge(now).await? + self.links.purge(now).await?)
    }
}

fn registration(base: &Base, users: Arc<UsersReader>, self_service: SelfService) -> CompanyRegistration {
    CompanyRegistration {
        self_service,
        provisioning: base.provisioning(),
        users,
        accounts: Arc::clone(&base.log.users),
        assignment: base.role_assignment(),
        credentials: Arc::clone(&base.credentials),
        hasher: Arc::clone(&base.hasher),
        clock: clock(),
        ids: ids(),
    }
}

fn own_password(base: &Base, guard: Arc<PgSignInGuard>) -> OwnPassword {
    OwnPassword { credentials: Arc::clone(&base.credentials), hasher: Arc::clone(&base.hasher), guard, clock: clock() }
}
