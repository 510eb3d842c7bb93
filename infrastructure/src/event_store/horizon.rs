//! What holds the readers of the log back, and for whom they wait.
//!
//! The horizon is the oldest transaction on the whole server that has written something and has not ended: in any of its
//! databases, and prepared ones too. Reading transactions do not count.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};

use crate::database::{Database, Mode};

/// How long an event lies beyond the horizon, and a transaction is open, before that is a stall.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often the watch looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The first event beyond the horizon, if it waits too long. An event that came with a dump has the number of a
/// transaction that this server has not come to, and waits for a repair, not for anybody's transaction.
const WAITING: &str = "
select recorded_at, horizon
from (
    select recorded_at, pg_snapshot_xmin(pg_current_snapshot())::text as horizon
    from events
    where generation = (select max(generation) from log_generations)
      and events.tx >= pg_snapshot_xmin(pg_current_snapshot())
      and events.tx < pg_snapshot_xmax(pg_current_snapshot())
    order by generation, events.tx, position
    limit 1
) as first
where recorded_at < clock_timestamp() - $1";

/// Of a statement's text only its first word leaves the server: the rest may hold personal data. What the role may not
/// see is null here, except for the text.
const SESSION: &str = "
select pid, application_name, usename::text as \"user\", datname::text as database,
       coalesce(client_hostname, host(client_addr)) as client, state,
       lower(substring(query from '^\\s*([[:alpha:]]+)')) as command,
       query_start as command_began, xact_start as transaction_began
from pg_stat_activity
where backend_xid = $1::text::xid8::xid
  and (xact_start is null or xact_start < clock_timestamp() - $2)";

const PREPARED: &str = "
select gid, owner::text, database::text, prepared
from pg_prepared_xacts
where transaction = $1::text::xid8::xid and prepared < clock_timestamp() - $2";

/// Events that nobody can read yet, because of a transaction that stays open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stall {
    /// When the first of the events was recorded.
    pub since: DateTime<Utc>,
    /// Whose transaction it is.
    pub holder: Holder,
}

/// Who holds a transaction open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A session at the server.
    Session(Session),
    /// Nobody any more: the transaction was prepared for a two-phase commit and left.
    Prepared {
        /// The name that it was given.
        gid: String,
        /// The role that prepared it.
        owner: String,
        /// The database, in which alone it can be ended.
        database: String,
        /// When it was prepared.
        at: DateTime<Utc>,
    },
}

/// A session at the server. What is none is not set, or hidden from the role that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The server's process.
    pub pid: i32,
    /// What the client calls itself.
    pub application_name: Option<String>,
    /// Its role.
    pub user: Option<String>,
    /// Its database, which need not be that of the log.
    pub database: Option<String>,
    /// The address that it comes from; none on the server's own machine.
    pub client: Option<String>,
    /// What it is doing, in PostgreSQL's words: `active`, `idle in transaction`.
    pub state: Option<String>,
    /// The first word of its last statement, in lower case.
    pub command: Option<String>,
    /// When that statement began.
    pub command_began: Option<DateTime<Utc>>,
    /// When its transaction began. Always known to a role that may see the session.
    pub transaction_began: Option<DateTime<Utc>>,
}

impl FromRow<'_, PgRow> for Session {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            pid: row.try_get("pid")?,
            application_name: row.try_get("application_name")?,
            user: row.try_get("user")?,
            database: row.try_get("database")?,
            client: row.try_get("client")?,
            state: row.try_get("state")?,
            command: row.try_get("command")?,
            command_began: row.try_get("command_began")?,
            transaction_began: row.try_get("transaction_began")?,
        })
    }
}

/// The border behind which the log is read.
pub struct Horizon;

impl Horizon {
    /// Who holds the readers back, where events have waited for more than two seconds. The embedded database has one
    /// connection, so nobody waits there.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn stall(database: &Database) -> Result<Option<Stall>, sqlx::Error> {
        if database.mode() == Mode::Embedded {
            return Ok(None);
        }
        let waiting: Option<(DateTime<Utc>, String)> =
            sqlx::query_as(WAITING).bind(PATIENCE).fetch_optional(database.pool()).await?;
        let Some((since, horizon)) = waiting else { return Ok(None) };
        let holder = Self::holder(database, &horizon).await?;
        Ok(holder.map(|holder| Stall { since, holder }))
    }

    /// Who holds that transaction; none where it has ended meanwhile, or is young. The login may see more of the server's
    /// sessions than the role that Synkro works under.
    async fn holder(database: &Database, transaction: &str) -> Result<Option<Holder>, sqlx::Error> {
        let session: Option<Session> =
            sqlx::query_as(SESSION).bind(transaction).bind(PATIENCE).fetch_optional(database.login()).await?;
        if let Some(session) = session {
            return Ok(Some(Holder::Session(session)));
        }
        let prepared: Option<(String, String, String, DateTime<Utc>)> =
            sqlx::query_as(PREPARED).bind(transaction).bind(PATIENCE).fetch_optional(database.login()).await?;
        Ok(prepared.map(|(gid, owner, database, at)| Holder::Prepared { gid, owner, database, at }))
    }

    /// Logs a warning when a stall begins and when another transaction becomes its reason, and says when it is over, for
    /// as long as it is polled. It never holds a connection between two looks.
    pub async fn watch(database: Database) {
        if database.mode() == Mode::Embedded {
            return std::future::pending().await;
        }
        let mut noticed = None;
        loop {
            match Self::stall(&database).await {
                Ok(stall) => tell(&mut noticed, stall),
                Err(error) => tracing::debug!(%error, "whether readers of the event log are held back is not known"),
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// Logs what has changed since the last look.
fn tell(noticed: &mut Option<Holder>, now: Option<Stall>) {
    let goes_on = matches!((&*noticed, &now), (Some(noticed), Some(now)) if noticed.is_same(&now.holder));
    if goes_on {
        return;
    }
    if let Some(over) = noticed.take() {
        tracing::info!("readers of the event log no longer wait for {}: it is over", over.name());
    }
    if let Some(stall) = now {
        tracing::warn!("{stall}");
        *noticed = Some(stall.holder);
    }
}

impl Holder {
    /// The same transaction, whatever its session is doing by now.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Session(a), Self::Session(b)) => (a.pid, a.transaction_began) == (b.pid, b.transaction_began),
            (Self::Prepared { gid: a, .. }, Self::Prepared { gid: b, .. }) => a == b,
            _ => false,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Session(session) => format!("the transaction of session {}", session.pid),
            Self::Prepared { gid, .. } => format!("the prepared transaction {gid:?}"),
        }
    }
}

/// One line: what waits, for whom, and what to do.
impl fmt::Display for Stall {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = time(self.since);
        write!(out, "readers of the event log have waited since {since} for {}", self.holder.name())?;
        match &self.holder {
            Holder::Session(session) => {
                write!(out, " ({session}); to end it: select pg_terminate_backend({})", session.pid)
            }
            Holder::Prepared { gid, owner, database, at } => {
                let at = time(*at);
                write!(
                    out,
                    " (role {owner}, database {database}, prepared {at}); if nobody will commit it, end it there \
                    with: rollback prepared '{}'",
                    gid.replace('\'', "''")
                )
            }
        }
    }
}

impl fmt::Display for Session {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        let application = known(&self.application_name)
            .map_or_else(|| "no application name".into(), |name| format!("application {name:?}"));
        write!(out, "{application}")?;
        for (label, value) in [("role", &self.user), ("database", &self.database)] {
            if let Some(value) = known(value) {
                write!(out, ", {label} {value}")?;
            }
        }
        if let Some(began) = self.transaction_began {
            write!(out, ", from {}", self.client.as_deref().unwrap_or("the server's machine"))?;
            write!(out, ", {}", self.state.as_deref().unwrap_or("state unknown"))?;
            write!(out, ", transaction begun {}", time(began))?;
            if let (Some(command), Some(began)) = (&self.command, self.command_began) {
                write!(out, ", last statement `{command}` at {}", time(began))?;
            }
        } else {
            write!(out, ", the rest is hidden: Synkro's role needs pg_read_all_stats to see it")?;
        }
        Ok(())
    }
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
