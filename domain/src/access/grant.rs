use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{ActionName, Reach, ResourceName};
use crate::values::ValueError;

/// What a role may: `resource:action[:reach]`, where `*` stands for every resource or action, and no reach for `all`.
///
/// Read are also `*` alone, the scopes `finance:view:revenue` and `admin:all`, and the dotted `requests.*` and
/// `requests.update_own`; stored is one form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Grant {
    resource: Option<ResourceName>,
    action: Option<ActionName>,
    reach: Reach,
}

impl Grant {
    /// Everything.
    pub const EVERYTHING: Self = Self { resource: None, action: None, reach: Reach::All };

    /// The resource; none for every one.
    pub fn resource(&self) -> Option<&ResourceName> {
        self.resource.as_ref()
    }

    /// The action; none for every one.
    pub fn action(&self) -> Option<&ActionName> {
        self.action.as_ref()
    }

    /// How much is seen.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// True where it speaks of this resource and action.
    pub fn matches(&self, resource: &str, action: &str) -> bool {
        let fits = |name: Option<&str>, wanted: &str| name.is_none_or(|name| name == wanted);
        fits(self.resource.as_ref().map(ResourceName::as_str), resource)
            && fits(self.action.as_ref().map(ActionName::as_str), action)
    }

    /// True where whoever has this one has the other too.
    pub fn covers(&self, other: &Self) -> bool {
        (self.resource.is_none() || self.resource == other.resource)
            && (self.action.is_none() || self.action == other.action)
            && self.reach.covers(other.reach)
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::EVERYTHING {
            return f.write_str("*");
        }
        let resource = self.resource.as_ref().map_or("*", ResourceName::as_str);
        let action = self.action.as_ref().map_or("*", ActionName::as_str);
        write!(f, "{resource}:{action}")?;
        if self.reach == Reach::All { Ok(()) } else { write!(f, ":{}", self.reach) }
    }
}

impl FromStr for Grant {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if matches!(text, "*" | "admin:all") {
            return Ok(Self::EVERYTHING);
        }
        if text.contains(':') { scoped(text) } else { dotted(text) }.ok_or_else(|| {
            ValueError(
                "must be resource:action or resource:action:reach, such as reports:read:stats or requests:*; a reach is \
                 own, stats, anonymized, limited or all"
                    .into(),
            )
        })
    }
}

/// `resource:action[:reach]`. A third word that is no reach belongs to the action.
fn scoped(text: &str) -> Option<Grant> {
    match text.split(':').collect::<Vec<_>>()[..] {
        [resource, action] => grant(resource, action, Reach::All),
        [resource, action, last] => match last.parse() {
            Ok(reach) => grant(resource, action, reach),
            Err(_) if action == "*" => None,
            Err(_) => grant(resource, &format!("{action}_{last}"), Reach::All),
        },
        _ => None,
    }
}

/// `resource.action[_reach]`.
fn dotted(text: &str) -> Option<Grant> {
    let (resource, action) = text.split_once('.')?;
    let reached = action.rsplit_once('_').and_then(|(action, reach)| Some((action, reach.parse().ok()?)));
    let (action, reach) = reached.unwrap_or((action, Reach::All));
    grant(resource, action, reach)
}

fn grant(resource: &str, action: &str, reach: Reach) -> Option<Grant> {
    Some(Grant { resource: pattern(resource).ok()?, action: pattern(action).ok()?, reach })
}

/// None for `*`.
fn pattern<T: FromStr>(text: &str) -> Result<Option<T>, T::Err> {
    if text == "*" { Ok(None) } else { text.parse().map(Some) }
}

impl TryFrom<String> for Grant {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl From<Grant> for String {
    fn from(grant: Grant) -> Self {
        grant.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Grant {
        text.parse().unwrap()
    }

    #[test]
    fn every_spelling_is_stored_in_one_form() {
        for (spelled, stored) in [
            ("*", "*"),
            ("*:*", "*"),
            ("*:*:all", "*"),
            ("admin:all", "*"),
            ("requests.*", "requests:*"),
            ("requests:*", "requests:*"),
            ("requests.read", "requests:read"),
            ("requests.update_own", "requests:update:own"),
            ("requests.rate_anonymized", "requests:rate:anonymized"),
            ("staff.chat_view", "staff:chat_view"),
            ("crm:view:all", "crm:view"),
            ("crm:view:own", "crm:view:own"),
            ("finance:view:revenue", "finance:view_revenue"),
            ("finance:edit", "finance:edit"),
            ("*:read:stats", "*:read:stats"),
            ("clients:*:limited", "clients:*:limited"),
        ] {
            assert_eq!(read(spelled).to_string(), stored, "{spelled}");
            assert_eq!(read(stored), read(spelled), "{spelled}");
        }
    }

    #[test]
    fn what_is_no_permission_is_refused() {
        for bad in ["", ":", "requests", "a:b:c:d", "Requests:read", "requests: read", "a.b.c", "r*:read", "a:*:b", "."]
        {
            assert!(bad.parse::<Grant>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_grant_covers_what_it_includes() {
        for (wide, narrow) in [
            ("*", "finance:view_profit"),
            ("requests:*", "requests:read:own"),
            ("*:read", "reports:read:stats"),
            ("clients:view:limited", "clients:view:own"),
            ("reports:read", "reports:read"),
        ] {
            assert!(read(wide).covers(&read(narrow)), "{wide} covers {narrow}");
        }
        for (narrow, wide) in [
            ("requests:read", "requests:*"),
            ("requests:*", "*:read"),
            ("clients:view:stats", "clients:view:limited"),
            ("reports:read", "runs:read"),
        ] {
            assert!(!read(narrow).covers(&read(wide)), "{narrow} does not cover {wide}");
        }
    }
}
