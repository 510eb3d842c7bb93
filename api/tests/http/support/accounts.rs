//! Users, sessions and tokens of the test system. What SQL promises about them is tested where the SQL is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use application::ports::commands::{Commands, Expect, LogPosition, Recorded};
use application::ports::identity::{
    AccessToken, Attempt, Credentials, CsrfHash, EmailOwners, Lockout, PasswordHash, PasswordHasher, PasswordMatch,
    PublicKey, SignInGuard, TokenSubject, Tokens,
};
use application::ports::read_models::{Found, Page, PageRequest, UserView, Users};
use application::ports::sessions::{
    Activity, FirstToken, RefreshToken, RefreshTokens, Revocations, Rotation, SessionKey, SessionView, Sessions,
    Verdict,
};
use application::use_cases::{
    Authentication, ChangePassword, EndSessions, ManageUsers, OpenSessions, ReadSessions, RefreshSession, SessionLife,
    SignIn,
};
use application::{CommandError, Password, PlatformScope, PortError, Principal, RequestContext, TenantScope};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::EventSourced;
use domain::ids::{SessionId, UserId};
use domain::session::Session;
use domain::tenant::Tenant;
use domain::user::{User, UserDetails};
use domain::values::{Email, Personal};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::memory::{Memory, PASSWORD};
use super::ports::Outcome;

/// A CSRF token and, as these tests know it, its SHA-256.
const CSRF: (&str, &str) = ("csrf", "7ce12ba8782a32f74357cefb81edb8c20ea4d755115ecb4063348b8cc9d41f34");

/// One kind of aggregate, in memory.
pub(super) struct Log<A>(Mutex<HashMap<Uuid, A>>);

impl<A> Default for Log<A> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl Log<User> {
    pub(super) fn of_users(memory: &Memory) -> Self {
        let user = |view: &UserView| {
            let details = UserDetails {
                user_id: view.id,
                membership: view.membership.clone(),
                email: Personal::new(view.email.reveal().parse().unwrap()),
                name: Personal::new(view.name.reveal().parse().unwrap()),
                token_version: 0,
                registered_at: view.registered_at,
            };
            (view.id.uuid(), User::Active(details))
        };
        Self(Mutex::new(memory.users.iter().map(user).collect()))
    }
}

#[async_trait]
impl<A: EventSourced + Default> Commands<A> for Log<A>
where
    A::Event: Send + Sync,
{
    async fn execute_expecting(
        &self,
        context: &RequestContext,
        id: Uuid,
        _expect: Expect,
        command: A::Command,
    ) -> Result<Recorded<A::Event>, CommandError<A::Error>> {
        let mut aggregate = self.load(id).await?;
        if aggregate.exists() && aggregate.tenant() != context.tenant() {
            return Err(CommandError::Rule(A::absent()));
        }
        let sink = cqrs_es::event_sink::EventSink::default();
        aggregate.handle(command, &(), &sink).await.map_err(CommandError::Rule)?;
        let events = sink.collect().await;
        self.0.lock().unwrap().insert(id, aggregate);
        let position = (!events.is_empty()).then_some(LogPosition { generation: 1, tx: 1, position: 1 });
        Ok(Recorded { id, position, events, replayed: false })
    }

    async fn first_outcome(
        &self,
        _context: &RequestContext,
    ) -> Result<Option<Recorded<A::Event>>, CommandError<A::Error>> {
        Ok(None)
    }

    async fn load(&self, id: Uuid) -> Outcome<A> {
        Ok(self.0.lock().unwrap().get(&id).cloned().unwrap_or_default())
    }
}

#[async_trait]
impl EmailOwners for Memory {
    async fn owner_of(&self, email: &Email) -> Outcome<Option<UserId>> {
        Ok(self.users.iter().find(|user| user.email.reveal() == email.as_str()).map(|user| user.id))
    }
}

#[async_trait]
impl Users for Memory {
    async fn get(&self, scope: &TenantScope, id: UserId) -> Outcome<Found<Option<UserView>>> {
        let user = self.users.iter().find(|user| user.id == id && user.membership.tenant() == Some(scope.tenant_id()));
        Ok(Found { item: user.cloned(), parked: 0 })
    }

    async fn list(&self, scope: &TenantScope, _page: PageRequest) -> Outcome<Page<UserView>> {
        let own = self.users.iter().filter(|user| user.membership.tenant() == Some(scope.tenant_id()));
        Ok(Page { items: own.cloned().collect(), next: None, parked: 0 })
    }

    async fn staff(&self, _scope: &PlatformScope, _page: PageRequest) -> Outcome<Page<UserView>> {
        let staff = self.users.iter().filter(|user| user.membership.tenant().is_none());
        Ok(Page { items: staff.cloned().collect(), next: None, parked: 0 })
    }
}

#[async_trait]
impl Credentials for Memory {
    async fn set(&self, _user: UserId, _hash: PasswordHash) -> Outcome<()> {
        Err(PortError::internal("no test sets a password"))
    }

    async fn get(&self, _user: UserId) -> Outcome<Option<PasswordHash>> {
        Ok(Some(PasswordHash(SecretString::from(PASSWORD))))
    }

    async fn forget(&self, _user: UserId) -> Outcome<()> {
        Ok(())
    }

    async fn replace(&self, _user: UserId, _old: &PasswordHash, _new: PasswordHash) -> Outcome<()> {
        Err(PortError::internal("no test hashes anew"))
    }

    async fn change(
        &self,
        _user: UserId,
        _old: &PasswordHash,
        _new: PasswordHash,
        _keep: SessionId,
    ) -> Outcome<Option<Vec<SessionId>>> {
        Ok(Some(Vec::new()))
    }
}

#[async_trait]
impl PasswordHasher for Memory {
    async fn hash(&self, password: &Password) -> Outcome<PasswordHash> {
        Ok(PasswordHash(password.secret().clone()))
    }

    async fn verify(&self, password: &SecretString, hash: Option<&PasswordHash>) -> Outcome<PasswordMatch> {
        let fits = hash.is_some_and(|hash| hash.0.expose_secret() == password.expose_secret());
        Ok(if fits { PasswordMatch::Yes } else { PasswordMatch::No })
    }
}

impl Tokens for Memory {
    fn issue_until(&self, subject: &TokenSubject, now: DateTime<Utc>, until: DateTime<Utc>) -> Outcome<AccessToken> {
        let user = self.users.iter().find(|user| user.id == subject.principal.user_id);
        let user = user.ok_or_else(|| PortError::internal("no such user"))?;
        let token = format!("token-of-{}", user.email.reveal()).into();
        Ok(AccessToken { token, expires_at: until.min(now + TimeDelta::minutes(10)) })
    }

    fn verify(&self, token: &str, _now: DateTime<Utc>) -> Option<Arc<TokenSubject>> {
        let email = token.strip_prefix("token-of-")?;
        let user = self.users.iter().find(|user| user.email.reveal() == email)?;
        let session_id = SessionId::from(Uuid::from_u128(5));
        let (user_id, membership) = (user.id, user.membership.clone());
        let principal = Principal { user_id, membership, session_id, second_factor: false, acting: None };
        let csrf = Some(CsrfHash(CSRF.1.into()));
        Some(Arc::new(TokenSubject { principal, token_version: 0, csrf }))
    }

    fn public_keys(&self, _now: DateTime<Utc>) -> Vec<PublicKey> {
        vec![PublicKey { key_id: "k1".into(), modulus: "0vx7".into(), exponent: "AQAB".into() }]
    }
}

#[async_trait]
impl SignInGuard for Memory {
    async fn locked_until(&self, _attempt: &Attempt, now: DateTime<Utc>) -> Outcome<Option<DateTime<Utc>>> {
        Ok(Self::is(&self.locked).then(|| now + TimeDelta::seconds(59)))
    }

    async fn failed(&self, _attempt: &Attempt, _now: DateTime<Utc>) -> Outcome<Option<Lockout>> {
        Ok(None)
    }

    async fn succeeded(&self, _attempt: &Attempt, _now: DateTime<Utc>) -> Outcome<Option<DateTime<Utc>>> {
        Ok(None)
    }
}

#[async_trait]
impl RefreshTokens for Memory {
    fn csrf_token(&self) -> Outcome<(SecretString, CsrfHash)> {
        Ok((CSRF.0.into(), CsrfHash(CSRF.1.into())))
    }

    async fn begin(&self, first: FirstToken) -> Outcome<Option<RefreshToken>> {
        Ok(Some(RefreshToken { token: "refresh".into(), expires_at: first.expires_at }))
    }

    async fn rotate(
        &self,
        _presented: &SecretString,
        _csrf: Option<&SecretString>,
        _now: DateTime<Utc>,
        _idle: TimeDelta,
    ) -> Outcome<Rotation> {
        Ok(Rotation::Unknown)
    }

    async fn sessions_of(&self, _user: UserId) -> Outcome<Vec<SessionId>> {
        Ok(Vec::new())
    }

    async fn forget(&self, _session: SessionId) -> Outcome<()> {
        Ok(())
    }
}

#[async_trait]
impl Sessions for Memory {
    async fn list(
        &self,
        _scope: &TenantScope,
        _user: UserId,
        _now: DateTime<Utc>,
        _page: PageRequest,
    ) -> Outcome<Page<SessionView>> {
        Ok(Page { items: Vec::new(), next: None, parked: 0 })
    }
}

impl Revocations for Memory {
    fn verdict(&self, _subject: &TokenSubject) -> Verdict {
        if Self::is(&self.blind) { Verdict::Unknown } else { Verdict::Stands }
    }
}

impl Activity for Memory {
    fn seen(&self, _session: SessionKey, _now: DateTime<Utc>) {}
}

/// What is done with accounts.
pub(super) struct Accounts {
    pub(super) authentication: Arc<Authentication>,
    pub(super) sign_in: Arc<SignIn>,
    pub(super) refresh: Arc<RefreshSession>,
    pub(super) read_sessions: Arc<ReadSessions>,
    pub(super) end_sessions: Arc<EndSessions>,
    pub(super) change_password: Arc<ChangePassword>,
    pub(super) users: Arc<ManageUsers>,
}

impl Accounts {
    pub(super) fn of(memory: &Arc<Memory>) -> Self {
        let (users, sessions) = (Arc::new(Log::of_users(memory)), Arc::<Log<Session>>::default());
        let end = Arc::new(EndSessions {
            sessions: sessions.clone(),
            accounts: users.clone(),
            assignment: super::people::untouched_roles(memory),
            refresh_tokens: memory.clone(),
            clock: memory.clone(),
        });
        let open = open_sessions(memory, &sessions);
        Self {
            authentication: Arc::new(Authentication {
                tokens: memory.clone(),
                revocations: memory.clone(),
                keys: memory.clone(),
                activity: memory.clone(),
                clock: memory.clone(),
            }),
            sign_in: Arc::new(SignIn {
                addresses: memory.clone(),
                accounts: users.clone(),
                tenants: memory.clone(),
                credentials: memory.clone(),
                hasher: memory.clone(),
                guard: memory.clone(),
                second_factor: super::people::no_second_factor(memory),
                roster: super::staff::roster(memory),
                sessions: open.clone(),
                clock: memory.clone(),
                ids: memory.clone(),
            }),
            refresh: Arc::new(RefreshSession {
                accounts: users.clone(),
                tenants: memory.clone(),
                sessions: sessions.clone(),
                refresh_tokens: memory.clone(),
                second_factor: super::people::no_second_factor(memory),
                open,
                end: end.clone(),
                clock: memory.clone(),
                ids: memory.clone(),
            }),
            read_sessions: Arc::new(ReadSessions {
                sessions: memory.clone(),
                users: memory.clone(),
                clock: memory.clone(),
            }),
            change_password: change_password(memory, &users, &end),
            users: Arc::new(ManageUsers {
                users: memory.clone(),
                accounts: users,
                assignment: super::people::untouched_roles(memory),
                credentials: memory.clone(),
                factors: Arc::new(super::access::Untouched),
                refresh_tokens: memory.clone(),
                end: end.clone(),
                clock: memory.clone(),
            }),
            end_sessions: end,
        }
    }
}

fn open_sessions(memory: &Arc<Memory>, sessions: &Arc<Log<Session>>) -> Arc<OpenSessions> {
    Arc::new(OpenSessions {
        sessions: sessions.clone(),
        refresh_tokens: memory.clone(),
        tokens: memory.clone(),
        life: SessionLife::default(),
        clock: memory.clone(),
        ids: memory.clone(),
    })
}

fn change_password(memory: &Arc<Memory>, users: &Arc<Log<User>>, end: &Arc<EndSessions>) -> Arc<ChangePassword> {
    Arc::new(ChangePassword {
        accounts: users.clone(),
        tenants: Arc::<Log<Tenant>>::default(),
        credentials: memory.clone(),
        hasher: memory.clone(),
        password: super::people::own_password(memory),
        end: end.clone(),
        clock: memory.clone(),
    })
}
