//! Which tokens are refused before their time, in the memory of every process.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use application::PortError;
use application::ports::commands::LogPosition;
use application::ports::identity::TokenSubject;
use application::ports::sessions::{Revocations, Verdict};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use domain::ids::{SessionId, TenantId, UserId};
use domain::impersonation::{Impersonation, ImpersonationEvent};
use domain::second_factor::{SecondFactor, SecondFactorEvent};
use domain::session::{Session, SessionEvent};
use domain::tenant::{Tenant, TenantEvent};
use domain::user::{User, UserEvent};

use crate::database::Database;
use crate::error::from_sqlx;
use crate::event_store::{LogReader, LoggedEvent};
use crate::follower::{Freshness, LiveView};

/// How long a token may live, and how far clocks may differ: what is older concerns no token.
const REMEMBERED: Duration = Duration::from_mins(15);

/// A process that has not seen the end of the log for so long cannot tell whether a token stands.
const FRESH: Duration = Duration::from_secs(5);

/// What ended sessions and roles so lately that it concerns tokens.
const RECENT: &str = "
    where event_type in
            ('SessionRevoked', 'ImpersonationEnded', 'UserRoleChanged', 'StaffRoleChanged', 'UserDeactivated', 'TotpReset')
      and recorded_at > clock_timestamp() - $1";

/// What shut or opened tenants, the oldest first; however long ago, so the time does not matter.
const GATES: &str = "
    where event_type in ('TenantSuspended', 'TenantResumed', 'TenantOffboardingBegun', 'TenantClosed')
      and $1::interval is not null
    order by aggregate_id, sequence";

/// The view that [`crate::follower::Follower`] keeps in step with the log.
pub struct LiveRevocations {
    database: Database,
    reader: LogReader,
    refused: RwLock<Refused>,
    freshness: OnceLock<Freshness>,
}

#[derive(Default)]
struct Refused {
    sessions: Aging<SessionId, ()>,
    /// The least token version of a user that is accepted.
    users: Aging<UserId, u32>,
    /// When an app was taken from someone of the staff: what the person had opened in users' names by then is over.
    resets: Aging<UserId, DateTime<Utc>>,
    tenants: HashMap<TenantId, Gate>,
}

/// Whether a tenant's people are kept out, as of one of its events. It is not forgotten: a suspension has no end of its own.
struct Gate {
    sequence: i64,
    shut: bool,
}

impl Refused {
    /// An event that comes again after a later one changes nothing.
    fn move_gate(&mut self, tenant: TenantId, sequence: i64, shut: bool) {
        let gate = self.tenants.entry(tenant).or_insert(Gate { sequence, shut });
        if gate.sequence < sequence {
            *gate = Gate { sequence, shut };
        }
    }
}

/// A map that forgets what is older than a token lives.
struct Aging<K, V>(HashMap<K, (V, Instant)>);

impl<K, V> Default for Aging<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, V> Aging<K, V> {
    fn forget_old(&mut self, now: Instant) {
        self.0.retain(|_, (_, since)| now.duration_since(*since) < REMEMBERED);
    }
}

impl LiveRevocations {
    /// A view that is empty, and answers that it does not know, until it is followed.
    pub fn new(database: &Database) -> Self {
        let reader = LogReader::new(database.clone());
        Self { database: database.clone(), reader, refused: RwLock::default(), freshness: OnceLock::new() }
    }

    /// Says where to ask how current the view is. The first one stays.
    pub fn follow(&self, freshness: Freshness) {
        self.freshness.get_or_init(|| freshness);
    }

    fn remember(refused: &mut Refused, events: &[LoggedEvent]) {
        let now = Instant::now();
        refused.sessions.forget_old(now);
        refused.users.forget_old(now);
        refused.resets.forget_old(now);
        for event in events {
            match event.aggregate_type.as_str() {
                Session::TYPE => {
                    // An event that cannot be read must not hide the others; the projection parks it and says so.
                    if let Ok(SessionEvent::SessionRevoked { session_id, .. }) = event.decode() {
                        refused.sessions.0.insert(session_id, ((), now));
                    }
                }
                Impersonation::TYPE => {
                    if let Ok(ImpersonationEvent::ImpersonationEnded { impersonation_id, .. }) = event.decode() {
                        refused.sessions.0.insert(impersonation_id.uuid().into(), ((), now));
                    }
                }
                SecondFactor::TYPE => {
                    if let Ok(SecondFactorEvent::TotpReset { user_id, at, .. }) = event.decode() {
                        refused.resets.0.insert(user_id, (at, now));
                    }
                }
                User::TYPE => {
                    if let Ok(
                        UserEvent::UserRoleChanged { user_id, token_version, .. }
                        | UserEvent::StaffRoleChanged { user_id, token_version, .. }
                        | UserEvent::UserDeactivated { user_id, token_version, .. },
                    ) = event.decode()
                    {
                        let (least, since) = refused.users.0.entry(user_id).or_insert((token_version, now));
                        (*least, *since) = ((*least).max(token_version), now);
                    }
                }
                Tenant::TYPE => match event.decode() {
                    Ok(
                        TenantEvent::TenantSuspended { tenant_id, .. }
                        | TenantEvent::TenantOffboardingBegun { tenant_id, .. }
                        | TenantEvent::TenantClosed { tenant_id, .. },
                    ) => refused.move_gate(tenant_id, event.sequence, true),
                    Ok(TenantEvent::TenantResumed { tenant_id, .. }) => {
                        refused.move_gate(tenant_id, event.sequence, false);
                    }
                    _ => {}
                },
                _ => {}
            }
        }
    }

    async fn read(&self, condition: &str) -> Result<Vec<LoggedEvent>, PortError> {
        let sql = format!("{} {condition}", LoggedEvent::SELECT);
        let query = sqlx::query_as(&sql).bind(REMEMBERED);
        query.fetch_all(self.database.pool()).await.map_err(from_sqlx)
    }
}

#[async_trait]
impl LiveView for LiveRevocations {
    fn follows(&self) -> &'static [&'static str] {
        &[Session::TYPE, Impersonation::TYPE, User::TYPE, Tenant::TYPE, SecondFactor::TYPE]
    }

    async fn load(&self) -> Result<LogPosition, PortError> {
        let horizon = self.reader.horizon().await.map_err(from_sqlx)?;
        let mut refused = Refused::default();
        for events in [RECENT, GATES] {
            Self::remember(&mut refused, &self.read(events).await?);
        }
        *self.refused.write().unwrap_or_else(PoisonError::into_inner) = refused;
        Ok(horizon)
    }

    fn apply(&self, events: &[LoggedEvent]) {
        Self::remember(&mut self.refused.write().unwrap_or_else(PoisonError::into_inner), events);
    }
}

/// When an impersonation was opened, by its id, which is a UUID of version 7 and stands for the session in its tokens.
fn opened_at(session: SessionId) -> Option<DateTime<Utc>> {
    let (seconds, nanoseconds) = session.uuid().get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)
}

impl Revocations for LiveRevocations {
    fn verdict(&self, subject: &TokenSubject) -> Verdict {
        if !self.freshness.get().is_some_and(|freshness| freshness.within(FRESH)) {
            return Verdict::Unknown;
        }
        let refused = self.refused.read().unwrap_or_else(PoisonError::into_inner);
        let principal = &subject.principal;
        let is_stale =
            |user: &UserId, version: u32| refused.users.0.get(user).is_some_and(|(least, _)| version < *least);
        let stale = is_stale(&principal.user_id, subject.token_version)
            || principal.acting.is_some_and(|acting| {
                let reset = refused.resets.0.get(&acting.staff_id);
                is_stale(&acting.staff_id, acting.token_version)
                    || reset.is_some_and(|(at, _)| opened_at(principal.session_id) <= Some(*at))
            });
        let gate = principal.membership.tenant().and_then(|tenant| refused.tenants.get(&tenant));
        let shut = gate.is_some_and(|gate| gate.shut);
        if stale || shut || refused.sessions.0.contains_key(&principal.session_id) {
            Verdict::Revoked
        } else {
            Verdict::Stands
        }
    }
}
