//! Whether a key can be this project's, found out without sending anything (sheet §1.1).

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Deserialize;

/// Host names of hosted projects are their reference and this.
const HOSTED: &str = ".supabase.co";

/// The two kinds of keys that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyFamily {
    /// A signed token with claims; sent twice, as the key and as the bearer.
    Legacy,
    /// `sb_secret_…` and `sb_publishable_…`; sent as the key only.
    Opaque,
}

/// Why a key cannot be used. Shown after "Supabase cannot be called:".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyProblem {
    Unknown,
    Public,
    /// Where the public key should be.
    Service,
    Expired,
    OtherProject {
        key: String,
        address: String,
    },
}

impl fmt::Display for KeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("the key is not a Supabase key"),
            Self::Public => f.write_str("the key is the public one, which may not write"),
            Self::Service => f.write_str("the key is the service key, which may not be given to browsers"),
            Self::Expired => f.write_str("the key has expired"),
            Self::OtherProject { key, address } => {
                write!(f, "the key belongs to project {key}, the address to project {address}")
            }
        }
    }
}

#[derive(Debug, Deserialize)]
struct Claims {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    role: String,
    #[serde(default, rename = "ref")]
    project: Option<String>,
    #[serde(default)]
    exp: Option<i64>,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Writing, past row-level security.
    Service,
    /// Browsers, to whom row-level security shows nothing.
    Public,
}

/// The family of a key for this purpose in the project at this host.
pub(super) fn family(key: &str, purpose: Purpose, host: &str, now: DateTime<Utc>) -> Result<KeyFamily, KeyProblem> {
    let is_for = |found: Purpose| match (found, purpose) {
        (Purpose::Service, Purpose::Service) | (Purpose::Public, Purpose::Public) => Ok(()),
        (Purpose::Public, Purpose::Service) => Err(KeyProblem::Public),
        (Purpose::Service, Purpose::Public) => Err(KeyProblem::Service),
    };
    if key.starts_with("sb_secret_") {
        return is_for(Purpose::Service).map(|()| KeyFamily::Opaque);
    }
    if key.starts_with("sb_publishable_") {
        return is_for(Purpose::Public).map(|()| KeyFamily::Opaque);
    }
    let token = jsonwebtoken::dangerous::insecure_decode::<Claims>(key).map_err(|_| KeyProblem::Unknown)?;
    let claims = token.claims;
    // A project that runs on its own server may sign with an issuer such as `supabase-demo`.
    if !claims.iss.starts_with("supabase") {
        return Err(KeyProblem::Unknown);
    }
    match claims.role.as_str() {
        "service_role" => is_for(Purpose::Service)?,
        "anon" => is_for(Purpose::Public)?,
        _ => return Err(KeyProblem::Unknown),
    }
    if claims.exp.is_some_and(|exp| exp <= now.timestamp()) {
        return Err(KeyProblem::Expired);
    }
    match (claims.project, host.strip_suffix(HOSTED)) {
        (Some(key), Some(address)) if key != address => {
            Err(KeyProblem::OtherProject { key, address: address.to_owned() })
        }
        _ => Ok(KeyFamily::Legacy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The sheet's vectors (§1.1): iat 1735689600, exp 2051265600.
    const ANON: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZSIsInJlZiI6ImFiY2RlZmdoaWprbG1ub3BxcnN0Iiwicm9sZSI6ImFub24iLCJpYXQiOjE3MzU2ODk2MDAsImV4cCI6MjA1MTI2NTYwMH0.ETB73fk53LVMercBRnuA90UmKjS6hHh0G8G4CulBVQg";
    const SERVICE: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZSIsInJlZiI6ImFiY2RlZmdoaWprbG1ub3BxcnN0Iiwicm9sZSI6InNlcnZpY2Vfcm9sZSIsImlhdCI6MTczNTY4OTYwMCwiZXhwIjoyMDUxMjY1NjAwfQ.6swHBwvnpX5pugpfYOA9G1eeEXOGPnVIOrPBSDVd8Jo";
    const OTHERS: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZSIsInJlZiI6Inp5eHd2dXRzcnFwb25tbGtqaWhnIiwicm9sZSI6InNlcnZpY2Vfcm9sZSIsImlhdCI6MTczNTY4OTYwMCwiZXhwIjoyMDUxMjY1NjAwfQ.MiZcihjlAGjhFIJxRS2LDZo-OqP2y3mPQvlQsZpDHSc";
    const HOST: &str = "abcdefghijklmnopqrst.supabase.co";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn service(key: &str, host: &str, seconds: i64) -> Result<KeyFamily, KeyProblem> {
        family(key, Purpose::Service, host, at(seconds))
    }

    fn public(key: &str) -> Result<KeyFamily, KeyProblem> {
        family(key, Purpose::Public, HOST, at(1_800_000_000))
    }

    #[test]
    fn the_projects_own_keys_pass_where_they_belong() {
        assert_eq!(service(SERVICE, HOST, 1_800_000_000), Ok(KeyFamily::Legacy));
        assert_eq!(service("sb_secret_abc", HOST, 1_800_000_000), Ok(KeyFamily::Opaque));
        assert_eq!((public(ANON), public("sb_publishable_abc")), (Ok(KeyFamily::Legacy), Ok(KeyFamily::Opaque)));
    }

    #[test]
    fn another_projects_key_is_refused_for_a_hosted_project() {
        let refused = service(OTHERS, HOST, 1_800_000_000).unwrap_err();
        let expected = "the key belongs to project zyxwvutsrqponmlkjihg, the address to project abcdefghijklmnopqrst";
        assert_eq!(refused.to_string(), expected);
        assert_eq!(service(OTHERS, "storage.company.example", 1_800_000_000), Ok(KeyFamily::Legacy));
    }

    /// Seen to fail with a service key that passes for the public one.
    #[test]
    fn keys_of_the_other_purpose_and_expired_and_foreign_ones_are_refused() {
        assert_eq!(service(ANON, HOST, 1_800_000_000), Err(KeyProblem::Public));
        assert_eq!(service("sb_publishable_abc", HOST, 1_800_000_000), Err(KeyProblem::Public));
        assert_eq!((public(SERVICE), public("sb_secret_abc")), (Err(KeyProblem::Service), Err(KeyProblem::Service)));
        assert_eq!(service(SERVICE, HOST, 2_051_265_599), Ok(KeyFamily::Legacy));
        assert_eq!(service(SERVICE, HOST, 2_051_265_600), Err(KeyProblem::Expired));
        for other in ["", "a.b.c", "not a key", "sk-0123456789"] {
            assert_eq!(service(other, HOST, 1_800_000_000), Err(KeyProblem::Unknown), "{other}");
        }
    }
}
