//! Signing in, sessions and users.

use std::sync::Arc;

use application::use_cases::{
    Authentication, ChangePassword, EndSessions, ManageUsers, OpenSessions, OwnPassword, ReadSessions, RefreshSession,
    SecondFactorCheck, SessionLife, SignIn,
};
use infrastructure::identity::{
    LockoutPolicy, PgEmailOwners, PgRefreshTokens, PgSecondFactors, PgSignInGuard, RsaTokens, SessionActivity,
};
use infrastructure::read_models::sessions::SessionsReader;
use infrastructure::read_models::users::UsersReader;

use super::{Base, System, clock, ids};

/// What is done with accounts, and what keeps it going.
pub(super) struct Accounts {
    pub(super) authentication: Arc<Authentication>,
    pub(super) sign_in: Arc<SignIn>,
    pub(super) refresh: Arc<RefreshSession>,
    pub(super) read_sessions: Arc<ReadSessions>,
    pub(super) end_sessions: Arc<EndSessions>,
    pub(super) change_password: Arc<ChangePassword>,
    pub(super) users: Arc<ManageUsers>,
    pub(super) refresh_tokens: Arc<PgRefreshTokens>,
    pub(super) guard: Arc<PgSignInGuard>,
    tokens: Arc<RsaTokens>,
    activity: Arc<SessionActivity>,
}

impl Accounts {
    pub(super) fn new(base: &Base, tokens: RsaTokens, lockout: LockoutPolicy, life: SessionLife) -> Self {
        let (database, log, tokens) = (&base.database, &base.log, Arc::new(tokens));
        let users = Arc::new(UsersReader::new(database));
        let guard = Arc::new(PgSignInGuard::new(database.clone(), lockout));
        let refresh_tokens = Arc::new(PgRefreshTokens::new(database.clone()));
        let activity = Arc::new(SessionActivity::new(database.clone()));
        let end_sessions = end_sessions(base, &refresh_tokens);
        let open = open_sessions(base, &refresh_tokens, &tokens, life);
        Self {
            authentication: Arc::new(Authentication {
                tokens: tokens.clone(),
                revocations: base.revocations.clone(),
                keys: base.api_keys.clone(),
                activity: activity.clone(),
                clock: clock(),
            }),
            sign_in: Arc::new(SignIn {
                addresses: Arc::new(PgEmailOwners::new(database)),
                accounts: Arc::clone(&log.users),
                tenants: Arc::clone(&log.tenants),
                credentials: Arc::clone(&base.credentials),
                hasher: Arc::clone(&base.hasher),
                guard: guard.clone(),
                second_factor: second_factor(base, &guard),
                roster: base.roster(),
                sessions: Arc::clone(&open),
                clock: clock(),
                ids: ids(),
            }),
            refresh: Arc::new(RefreshSession {
                accounts: Arc::clone(&log.users),
                sessions: Arc::clone(&log.sessions),
                tenants: Arc::clone(&log.tenants),
                refresh_tokens: refresh_tokens.clone(),
                second_factor: second_factor(base, &guard),
                open,
                end: Arc::clone(&end_sessions),
                clock: clock(),
                ids: ids(),
            }),
            read_sessions: Arc::new(ReadSessions {
                sessions: Arc::new(SessionsReader::new(database)),
                users: users.clone(),
                clock: clock(),
            }),
            change_password: change_password(base, &guard, &end_sessions),
            users: manage_users(base, users, &end_sessions),
            end_sessions,
            refresh_tokens,
            guard,
            tokens,
            activity,
        }
    }

    /// Takes up new keys, and writes when sessions were seen, for as long as it is polled.
    pub(super) async fn keep(&self) {
        tokio::join!(self.tokens.watch(), self.activity.keep());
    }
}

fn manage_users(base: &Base, users: Arc<UsersReader>, end: &Arc<EndSessions>) -> Arc<ManageUsers> {
    Arc::new(ManageUsers {
        users,
        accounts: Arc::clone(&base.log.users),
        assignment: base.role_assignment(),
        credentials: Arc::clone(&base.credentials),
        factors: Arc::new(PgSecondFactors::new(base.database.clone(), Arc::clone(&base.keys))),
        refresh_tokens: Arc::clone(&end.refresh_tokens),
        end: Arc::clone(end),
        clock: clock(),
    })
}

fn end_sessions(base: &Base, refresh_tokens: &Arc<PgRefreshTokens>) -> Arc<EndSessions> {
    Arc::new(EndSessions {
        sessions: Arc::clone(&base.log.sessions),
        accounts: Arc::clone(&base.log.users),
        assignment: base.role_assignment(),
        refresh_tokens: refresh_tokens.clone(),
        clock: clock(),
    })
}

fn open_sessions(
    base: &Base,
    refresh_tokens: &Arc<PgRefreshTokens>,
    tokens: &Arc<RsaTokens>,
    life: SessionLife,
) -> Arc<OpenSessions> {
    Arc::new(OpenSessions {
        sessions: Arc::clone(&base.log.sessions),
        refresh_tokens: refresh_tokens.clone(),
        tokens: tokens.clone(),
        life,
        clock: clock(),
        ids: ids(),
    })
}

fn change_password(base: &Base, guard: &Arc<PgSignInGuard>, end: &Arc<EndSessions>) -> Arc<ChangePassword> {
    Arc::new(ChangePassword {
        accounts: Arc::clone(&base.log.users),
        tenants: Arc::clone(&base.log.tenants),
        credentials: Arc::clone(&base.credentials),
        hasher: Arc::clone(&base.hasher),
        password: own_password(base, guard),
        end: Arc::clone(end),
        clock: clock(),
    })
}

pub(super) fn own_password(base: &Base, guard: &Arc<PgSignInGuard>) -> Arc<OwnPassword> {
    Arc::new(OwnPassword {
        accounts: Arc::clone(&base.log.users),
        credentials: Arc::clone(&base.credentials),
        hasher: Arc::clone(&base.hasher),
        guard: guard.clone(),
        clock: clock(),
    })
}

pub(super) fn second_factor(base: &Base, guard: &Arc<PgSignInGuard>) -> SecondFactorCheck {
    SecondFactorCheck {
        accounts: Arc::clone(&base.log.users),
        log: Arc::clone(&base.log.second_factors),
        factors: Arc::new(PgSecondFactors::new(base.database.clone(), Arc::clone(&base.keys))),
        guard: guard.clone(),
        clock: clock(),
    }
}

impl System {
    /// Keeps in step with the log what is in memory, and nothing else, for as long as it is polled: who is let in, and what
    /// roles may.
    pub async fn follow(&self) {
        self.base.follower.run().await;
    }
}
