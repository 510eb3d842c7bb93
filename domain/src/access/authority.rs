use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Grant, RoleName};
use crate::error::{Classified, ErrorKind};
use crate::values::{DisplayName, ValueError};

/// How high a role stands in its company: 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Level(u8);

impl Level {
    /// The highest.
    pub const HIGHEST: Self = Self(100);

    /// The number.
    pub fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Level {
    type Error = ValueError;

    fn try_from(number: u8) -> Result<Self, ValueError> {
        let fits = (1..=Self::HIGHEST.0).contains(&number);
        if fits { Ok(Self(number)) } else { Err(ValueError("must be a whole number from 1 to 100".into())) }
    }
}

impl From<Level> for u8 {
    fn from(level: Level) -> Self {
        level.0
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The roles that a role may manage. As JSON a list of names, where `*` is every role.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub enum ManageList {
    /// Every role, those to come included.
    Every,
    /// These.
    These(BTreeSet<RoleName>),
}

impl ManageList {
    /// No role.
    pub const fn none() -> Self {
        Self::These(BTreeSet::new())
    }

    /// True where the role is on it.
    pub fn includes(&self, role: &RoleName) -> bool {
        match self {
            Self::Every => true,
            Self::These(roles) => roles.contains(role),
        }
    }

    /// True where every role of the other list is on this one.
    pub fn includes_all(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Every, _) => true,
            (Self::These(_), Self::Every) => false,
            (Self::These(roles), Self::These(others)) => others.is_subset(roles),
        }
    }
}

impl TryFrom<Vec<String>> for ManageList {
    type Error = ValueError;

    fn try_from(names: Vec<String>) -> Result<Self, ValueError> {
        if names.iter().any(|name| name == "*") {
            return if names.len() == 1 {
                Ok(Self::Every)
            } else {
                Err(ValueError("must be names of roles, or * alone for every role".into()))
            };
        }
        names.iter().map(|name| name.parse()).collect::<Result<_, _>>().map(Self::These)
    }
}

impl From<ManageList> for Vec<String> {
    fn from(list: ManageList) -> Self {
        match list {
            ManageList::Every => vec!["*".to_owned()],
            ManageList::These(roles) => roles.into_iter().map(String::from).collect(),
        }
    }
}

/// What makes a role: what it is called, how high it stands, what it may, and whom it may manage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleDefinition {
    /// Its name, which never changes.
    pub name: RoleName,
    /// What people call it.
    pub title: DisplayName,
    /// How high it stands.
    pub level: Level,
    /// What it may.
    pub permissions: BTreeSet<Grant>,
    /// Whose rights and users it may change.
    pub may_manage: ManageList,
}

impl RoleDefinition {
    /// Whether whoever has it decides about others, or stands as high as the owner.
    pub fn has_power(&self) -> bool {
        self.name.is_owner() || self.level == Level::HIGHEST || self.may_manage != ManageList::none()
    }
}

/// Who decides about roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    /// Synkro itself, when it sets a company up.
    Platform,
    /// A person with this role.
    Person(Box<RoleDefinition>),
}

/// Why someone may not decide about a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// It is the decider's own.
    #[error("nobody changes the rights of their own role; ask someone who manages the role {0}")]
    OwnRole(RoleName),
    /// The list of the decider's role does not name it.
    #[error("your role may not manage the role {0}; ask an owner of your company")]
    NotOnList(RoleName),
    /// It does not stand below the decider's.
    #[error(
        "the level {theirs} of the role {role} is not below yours, which is {yours}; choose a lower one or ask an owner"
    )]
    NotBelow {
        /// The role.
        role: RoleName,
        /// Its level.
        theirs: Level,
        /// The decider's.
        yours: Level,
    },
    /// The decider does not have it.
    #[error("you cannot grant {0}, because your own role does not have it")]
    NotHeld(Grant),
    /// The list would name roles that the decider's does not.
    #[error("a role that you manage may manage only roles that yours may manage")]
    WiderList,
}

impl Classified for AuthorityError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Forbidden
    }

    fn code(&self) -> &'static str {
        match self {
            Self::OwnRole(_) => "role.own",
            Self::NotOnList(_) => "role.not_managed",
            Self::NotBelow { .. } => "role.not_below",
            Self::NotHeld(_) => "role.not_held",
            Self::WiderList => "role.wider_list",
        }
    }
}

impl Authority {
    /// Whether someone of this level and name may be made, changed, removed, or given to and taken from a person.
    ///
    /// # Errors
    /// What stands against it. The owner may manage every other role.
    pub fn may_manage(&self, role: &RoleName, level: Level) -> Result<(), AuthorityError> {
        let Self::Person(own) = self else { return Ok(()) };
        if own.name.is_owner() {
            return Ok(());
        }
        if !own.may_manage.includes(role) {
            return Err(AuthorityError::NotOnList(role.clone()));
        }
        if level >= own.level {
            return Err(AuthorityError::NotBelow { role: role.clone(), theirs: level, yours: own.level });
        }
        Ok(())
    }

    /// Whether the rights of this role may be changed.
    ///
    /// # Errors
    /// What stands against it: also that it is the decider's own.
    pub fn may_change(&self, role: &RoleName, level: Level) -> Result<(), AuthorityError> {
        match self {
            Self::Person(own) if own.name == *role => Err(AuthorityError::OwnRole(role.clone())),
            Self::Person(_) | Self::Platform => self.may_manage(role, level),
        }
    }

    /// Whether this may be granted to someone.
    ///
    /// # Errors
    /// That the decider does not have it.
    pub fn may_grant(&self, grant: &Grant) -> Result<(), AuthorityError> {
        match self {
            Self::Person(own) if !own.permissions.iter().any(|held| held.covers(grant)) => {
                Err(AuthorityError::NotHeld(grant.clone()))
            }
            Self::Person(_) | Self::Platform => Ok(()),
        }
    }

    /// Whether a role may be given this list.
    ///
    /// # Errors
    /// That it names roles that the decider does not manage.
    pub fn may_delegate(&self, list: &ManageList) -> Result<(), AuthorityError> {
        match self {
            Self::Person(own) if !own.name.is_owner() && !own.may_manage.includes_all(list) => {
                Err(AuthorityError::WiderList)
            }
            Self::Person(_) | Self::Platform => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str, level: u8, permissions: &[&str], may_manage: &[&str]) -> Authority {
        let names: Vec<String> = may_manage.iter().map(|name| (*name).to_owned()).collect();
        Authority::Person(Box::new(RoleDefinition {
            name: name.parse().unwrap(),
            title: name.parse().unwrap(),
            level: level.try_into().unwrap(),
            permissions: permissions.iter().map(|grant| grant.parse().unwrap()).collect(),
            may_manage: names.try_into().unwrap(),
        }))
    }

    fn asked(who: &Authority, role: &str, level: u8) -> Result<(), &'static str> {
        who.may_change(&role.parse().unwrap(), level.try_into().unwrap()).map_err(|error| error.code())
    }

    #[test]
    fn a_role_manages_those_on_its_list_and_below_it() {
        let admin = person("admin", 80, &["clients:*"], &["manager", "sales", "director"]);
        assert_eq!(asked(&admin, "manager", 60), Ok(()));
        assert_eq!(asked(&admin, "marketer", 30), Err("role.not_managed"));
        assert_eq!(asked(&admin, "director", 100), Err("role.not_below"));
        assert_eq!(asked(&admin, "sales", 80), Err("role.not_below"));
        assert_eq!(asked(&admin, "admin", 80), Err("role.own"));
    }

    #[test]
    fn a_list_of_every_role_does_not_reach_upwards() {
        let admin = person("admin", 80, &["*"], &["*"]);
        assert_eq!(asked(&admin, "anything", 79), Ok(()));
        assert_eq!(asked(&admin, "owner", 100), Err("role.not_below"));
    }

    #[test]
    fn the_owner_manages_every_role_but_its_own() {
        let owner = person("owner", 100, &["*"], &["*"]);
        assert_eq!(asked(&owner, "director", 100), Ok(()));
        assert_eq!(asked(&owner, "owner", 100), Err("role.own"));
        assert!(owner.may_manage(&RoleName::owner(), Level::HIGHEST).is_ok(), "an owner appoints another one");
    }

    #[test]
    fn nobody_gives_what_they_do_not_have() {
        let admin = person("admin", 80, &["clients:*", "analytics:read:anonymized"], &["manager"]);
        for (grant, allowed) in [
            ("clients:view", true),
            ("clients:*:own", true),
            ("analytics:read:stats", true),
            ("analytics:read", false),
            ("*", false),
            ("finance:view_revenue", false),
        ] {
            assert_eq!(admin.may_grant(&grant.parse().unwrap()).is_ok(), allowed, "{grant}");
        }
        assert!(admin.may_delegate(&ManageList::none()).is_ok());
        assert!(admin.may_delegate(&vec!["sales".to_owned()].try_into().unwrap()).is_err());
        assert!(admin.may_delegate(&ManageList::Every).is_err());
    }

    #[test]
    fn levels_and_lists_are_read_whole() {
        assert!(Level::try_from(0).is_err() && Level::try_from(101).is_err());
        let read = |json: &str| serde_json::from_str::<ManageList>(json);
        assert_eq!(read(r#"["*"]"#).unwrap(), ManageList::Every);
        assert_eq!(read("[]").unwrap(), ManageList::none());
        assert!(read(r#"["*", "admin"]"#).is_err() && read(r#"["Not A Role"]"#).is_err());
    }
}
