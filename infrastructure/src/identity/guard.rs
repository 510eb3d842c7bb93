//! Failed attempts to sign in, counted in PostgreSQL for all processes together.

use application::PortError;
use application::ports::identity::{Attempt, Counted, Lockout, SignInGuard};
use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, TimeDelta, Utc};

use crate::database::Database;
use crate::error::from_sqlx;

/// When attempts are refused.
#[derive(Debug, Clone, Copy)]
pub struct LockoutPolicy {
    /// The failure in a row that locks an account first.
    pub account_failures: i32,
    /// The failure in a row that locks an address first. Many people may share one.
    pub address_failures: i32,
    /// How long the first lockout lasts; each further failure doubles it.
    pub first: TimeDelta,
    /// How long one lasts at most.
    pub longest: TimeDelta,
    /// Failures are forgotten when there was none for so long.
    pub memory: TimeDelta,
}

impl Default for LockoutPolicy {
    fn default() -> Self {
        Self {
            account_failures: 5,
            address_failures: 50,
            first: TimeDelta::minutes(1),
            longest: TimeDelta::hours(1),
            memory: TimeDelta::hours(24),
        }
    }
}

/// Counts one failure for each subject. Rows are taken in one order, so that two statements do not wait for each other.
const FAIL: &str = "
insert into sign_in_failures as f (subject, locks_at, failures, last_failed_at, locked_until)
select subject, locks_at, 1, $3, case when locks_at = 1 then $3 + $4::interval end
from unnest($1::bytea[], $2::int[]) as asked (subject, locks_at) order by subject
on conflict (subject) do update set
    locks_at = excluded.locks_at,
    failures = case when f.last_failed_at <= $3 - $6::interval then 1 else f.failures + 1 end,
    last_failed_at = $3,
    locked_until = case
        when f.last_failed_at <= $3 - $6::interval then excluded.locked_until
        when f.failures + 1 < excluded.locks_at then null
        else $3 + least($5::interval, $4::interval * power(2, least(f.failures + 1 - excluded.locks_at, 20)))
        end
returning subject, failures, locked_until";

/// The guard in PostgreSQL.
pub struct PgSignInGuard {
    database: Database,
    policy: LockoutPolicy,
}

impl PgSignInGuard {
    /// A guard in this database.
    pub fn new(database: Database, policy: LockoutPolicy) -> Self {
        Self { database, policy }
    }
}

#[async_trait]
impl SignInGuard for PgSignInGuard {
    async fn locked_until(&self, attempt: &Attempt, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, PortError> {
        let subjects: Vec<Vec<u8>> = [account(attempt), address(attempt)].into_iter().flatten().collect();
        sqlx::query_scalar(
            "select max(locked_until) from sign_in_failures where subject = any($1) and locked_until > $2",
        )
        .bind(subjects)
        .bind(now)
        .fetch_one(self.database.pool())
        .await
        .map_err(from_sqlx)
    }

    async fn failed(&self, attempt: &Attempt, now: DateTime<Utc>) -> Result<Option<Lockout>, PortError> {
        let LockoutPolicy { account_failures, address_failures, first, longest, memory } = self.policy;
        let asked = [(account(attempt), account_failures), (address(attempt), address_failures)];
        let (subjects, limits): (Vec<Vec<u8>>, Vec<i32>) =
            asked.into_iter().filter_map(|(subject, limit)| Some((subject?, limit))).unzip();
        let counted: Vec<(Vec<u8>, i32, Option<DateTime<Utc>>)> = sqlx::query_as(FAIL)
            .bind(subjects)
            .bind(limits)
            .bind(now)
            .bind(first)
            .bind(longest)
            .bind(memory)
            .fetch_all(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        let lockout_of = |subject: Option<Vec<u8>>, limit: i32| {
            let (_, failures, until) = counted.iter().find(|(counted, ..)| Some(counted) == subject.as_ref())?;
            let until = until.filter(|_| *failures >= limit)?;
            Some(Lockout { failures: failures.cast_unsigned(), until })
        };
        if let Some(Lockout { failures, until }) = lockout_of(address(attempt), address_failures) {
            let address = attempt.address.as_deref().map(network);
            tracing::warn!(address, failures, %until, "an address is locked: too many attempts to sign in came from it");
        }
        Ok(lockout_of(account(attempt), account_failures))
    }

    async fn succeeded(&self, attempt: &Attempt, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, PortError> {
        let Some(subject) = account(attempt) else { return Ok(None) };
        sqlx::query_scalar(
            "with forgotten as (
                delete from sign_in_failures where subject = $1 and (locked_until is null or locked_until <= $2)
             )
             select max(locked_until) from sign_in_failures where subject = $1 and locked_until > $2",
        )
        .bind(subject)
        .bind(now)
        .fetch_one(self.database.pool())
        .await
        .map_err(from_sqlx)
    }
}

fn account(attempt: &Attempt) -> Option<Vec<u8>> {
    attempt.account.as_ref().map(|account| match account {
        Counted::Passwords(email) => subject("account", email.as_str()),
        Counted::Codes(user) => subject("codes", &user.to_string()),
    })
}

fn address(attempt: &Attempt) -> Option<Vec<u8>> {
    attempt.address.as_ref().map(|address| subject("address", &network(address)))
}

/// Whoever has one IPv6 address has the whole /64 (RFC 6177), and so counts as one.
fn network(address: &str) -> String {
    match address.parse() {
        Ok(std::net::IpAddr::V6(address)) if address.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        _ => address.to_owned(),
    }
}

/// A hash, so that the table names nobody who mistyped an address.
fn subject(kind: &str, value: &str) -> Vec<u8> {
    digest(&SHA256, format!("{kind}\u{1f}{value}").as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        assert_eq!(network("2001:db8:1:2:3::4"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::4"), network("2001:db8:1:3::4"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
