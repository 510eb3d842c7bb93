//! What is done about people, over a memory without mail and invitations.

use std::sync::Arc;

use application::PortError;
use application::TenantScope;
use application::mail::PublicUrl;
use application::ports::identity::PasswordHash;
use application::ports::links::{Link, LinkKind, NewLink, OneTimeLinks};
use application::ports::mail::{DueMail, MailStanding, NewMail, Outbox};
use application::ports::people::{InvitationView, Invitations};
use application::ports::queue::Hints;
use application::ports::read_models::{Found, Page, PageRequest};
use application::ports::second_factors::{CodeVerdict, FactorOwner, NewApp, SecondFactors};
use application::use_cases::{
    AcceptInvitation, AccessSetup, ChangeEmail, CompanyRegistration, EndSessions, InviteUsers, MailedLinks,
    ManageSecondFactor, OwnPassword, ResetPassword, RoleAssignment, SecondFactorCheck, SelfService, TenantProvisioning,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{InvitationId, SessionId, TenantId, UserId};
use secrecy::SecretString;
use uuid::Uuid;

use super::access::Untouched;
use super::memory::Memory;

pub(super) fn untouched_roles(memory: &Arc<Memory>) -> RoleAssignment {
    RoleAssignment { roles: Arc::new(Untouched), owners: Arc::new(Untouched), clock: memory.clone() }
}

pub(super) fn mailed(memory: &Arc<Memory>) -> Arc<MailedLinks> {
    Arc::new(MailedLinks {
        links: Arc::new(Untouched),
        tenants: Arc::new(Untouched),
        public_url: "https://synkro.example".parse::<PublicUrl>().unwrap(),
        clock: memory.clone(),
        ids: memory.clone(),
    })
}

pub(super) fn reset_password(memory: &Arc<Memory>, end: &Arc<EndSessions>) -> ResetPassword {
    ResetPassword {
        addresses: memory.clone(),
        accounts: Arc::new(Untouched),
        mailed: mailed(memory),
        hasher: memory.clone(),
        roster: super::staff::roster(memory),
        end: end.clone(),
    }
}

pub(super) fn change_email(memory: &Arc<Memory>) -> ChangeEmail {
    ChangeEmail { accounts: Arc::new(Untouched), mailed: mailed(memory), password: own_password(memory) }
}

pub(super) fn own_password(memory: &Arc<Memory>) -> Arc<OwnPassword> {
    Arc::new(OwnPassword {
        accounts: Arc::new(Untouched),
        credentials: memory.clone(),
        hasher: memory.clone(),
        guard: memory.clone(),
        clock: memory.clone(),
    })
}

pub(super) fn second_factor(memory: &Arc<Memory>, end: &Arc<EndSessions>) -> ManageSecondFactor {
    ManageSecondFactor {
        accounts: Arc::new(Untouched),
        log: Arc::new(Untouched),
        factors: Arc::new(Untouched),
        password: own_password(memory),
        codes: no_second_factor(memory),
        end: end.clone(),
        clock: memory.clone(),
    }
}

pub(super) fn no_second_factor(memory: &Arc<Memory>) -> SecondFactorCheck {
    SecondFactorCheck {
        accounts: Arc::new(Untouched),
        log: Arc::new(Untouched),
        factors: Arc::new(Untouched),
        guard: memory.clone(),
        clock: memory.clone(),
    }
}

pub(super) fn invite(memory: &Arc<Memory>) -> InviteUsers {
    InviteUsers {
        invitations: Arc::new(Untouched),
        views: Arc::new(Untouched),
        addresses: memory.clone(),
        assignment: untouched_roles(memory),
        mailed: mailed(memory),
    }
}

pub(super) fn accept(memory: &Arc<Memory>) -> AcceptInvitation {
    AcceptInvitation {
        invitations: Arc::new(Untouched),
        accounts: Arc::new(Untouched),
        addresses: memory.clone(),
        assignment: untouched_roles(memory),
        credentials: memory.clone(),
        hasher: memory.clone(),
        mailed: mailed(memory),
    }
}

pub(super) fn registration(memory: &Arc<Memory>) -> CompanyRegistration {
    let access = AccessSetup { roles: Arc::new(Untouched), catalogues: Arc::new(Untouched), clock: memory.clone() };
    CompanyRegistration {
        self_service: SelfService::Off,
        provisioning: TenantProvisioning { tenants: Arc::new(Untouched), access, clock: memory.clone() },
        addresses: memory.clone(),
        accounts: Arc::new(Untouched),
        assignment: untouched_roles(memory),
        credentials: memory.clone(),
        hasher: memory.clone(),
        clock: memory.clone(),
        ids: memory.clone(),
    }
}

#[async_trait]
impl Invitations for Untouched {
    async fn get(&self, _scope: &TenantScope, _id: InvitationId) -> Result<Found<Option<InvitationView>>, PortError> {
        Ok(Found { item: None, parked: 0 })
    }

    async fn list(&self, _scope: &TenantScope, _page: PageRequest) -> Result<Page<InvitationView>, PortError> {
        Ok(Page { items: Vec::new(), next: None, parked: 0 })
    }
}

#[async_trait]
impl OneTimeLinks for Untouched {
    fn token(&self) -> Result<SecretString, PortError> {
        Ok("token".into())
    }

    async fn issue(&self, _link: NewLink, _mails: Vec<NewMail>, _now: DateTime<Utc>) -> Result<bool, PortError> {
        Ok(true)
    }

    async fn find(
        &self,
        _kind: LinkKind,
        _token: &SecretString,
        _now: DateTime<Utc>,
    ) -> Result<Option<Link>, PortError> {
        Ok(None)
    }

    async fn use_up(
        &self,
        _kind: LinkKind,
        _token: &SecretString,
        _mails: Vec<NewMail>,
        _now: DateTime<Utc>,
    ) -> Result<bool, PortError> {
        Ok(false)
    }

    async fn is_issued(
        &self,
        _kind: LinkKind,
        _tenant: Option<TenantId>,
        _subject: Uuid,
        _now: DateTime<Utc>,
    ) -> Result<bool, PortError> {
        Ok(false)
    }

    async fn revoke(
        &self,
        _kind: LinkKind,
        _tenant: Option<TenantId>,
        _subject: Uuid,
        _now: DateTime<Utc>,
    ) -> Result<(), PortError> {
        Ok(())
    }

    async fn reset_password(
        &self,
        _token: &SecretString,
        _new: PasswordHash,
        _mails: Vec<NewMail>,
        _now: DateTime<Utc>,
    ) -> Result<Option<Vec<SessionId>>, PortError> {
        Ok(None)
    }
}

/// Nothing ever comes.
struct Never;

#[async_trait]
impl Hints for Never {
    async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}

#[async_trait]
impl Outbox for Untouched {
    async fn put(&self, _mail: NewMail, _now: DateTime<Utc>) -> Result<(), PortError> {
        Ok(())
    }

    async fn claim(&self, _now: DateTime<Utc>, _until: DateTime<Utc>, _most: usize) -> Result<Vec<DueMail>, PortError> {
        Ok(Vec::new())
    }

    async fn sent(&self, _id: Uuid, _now: DateTime<Utc>) -> Result<(), PortError> {
        Ok(())
    }

    async fn retry(&self, _id: Uuid, _at: DateTime<Utc>) -> Result<(), PortError> {
        Ok(())
    }

    async fn give_up(&self, _id: Uuid, _now: DateTime<Utc>) -> Result<(), PortError> {
        Ok(())
    }

    async fn standing(&self, _now: DateTime<Utc>) -> Result<MailStanding, PortError> {
        Ok(MailStanding { waiting: 2, oldest_seconds: 61.5, given_up: 1 })
    }

    fn hints(&self) -> Box<dyn Hints> {
        Box::new(Never)
    }
}

#[async_trait]
impl SecondFactors for Untouched {
    async fn begin(
        &self,
        _owner: FactorOwner,
        _app: NewApp,
        _now: DateTime<Utc>,
    ) -> Result<Option<SecretString>, PortError> {
        Ok(None)
    }

    async fn is_of_waiting_app(
        &self,
        _owner: FactorOwner,
        _code: &SecretString,
        _now: DateTime<Utc>,
    ) -> Result<Option<bool>, PortError> {
        Ok(None)
    }

    async fn renew_recovery_codes(&self, _owner: FactorOwner) -> Result<Vec<SecretString>, PortError> {
        Ok(Vec::new())
    }

    async fn confirm(
        &self,
        _owner: FactorOwner,
        _session: SessionId,
        _code: &SecretString,
        _now: DateTime<Utc>,
    ) -> Result<Option<Vec<SecretString>>, PortError> {
        Ok(None)
    }

    async fn is_enrolled(&self, _user: UserId) -> Result<bool, PortError> {
        Ok(false)
    }

    async fn judge(
        &self,
        _owner: FactorOwner,
        _code: &SecretString,
        _now: DateTime<Utc>,
    ) -> Result<CodeVerdict, PortError> {
        Ok(CodeVerdict::Refused)
    }

    async fn forget(&self, _owner: FactorOwner) -> Result<(), PortError> {
        Ok(())
    }
}
