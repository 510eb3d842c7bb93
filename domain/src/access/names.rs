use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::values::{ValueError, text_value};

text_value! {
    /// What a right is about, also called a service: 1 to 40 of `a-z 0-9 - _`.
    ResourceName, word
}
text_value! {
    /// What a right allows to do: 1 to 40 of `a-z 0-9 - _`.
    ActionName, word
}
text_value! {
    /// The name of a role within its tenant: 1 to 40 of `a-z 0-9 - _`.
    RoleName, word
}

/// Names are looked up by text, without making one first. The order is that of the text.
macro_rules! looked_up_by_text {
    ($($name:ident),+) => {
        $(impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        })+
    };
}

looked_up_by_text!(ResourceName, ActionName, RoleName);

impl ResourceName {
    /// A name of the tables in this crate, which tests read.
    pub(super) fn built_in(name: &'static str) -> Self {
        Self(name.to_owned())
    }
}

impl ActionName {
    /// A name of the tables in this crate, which tests read.
    pub(super) fn built_in(name: &'static str) -> Self {
        Self(name.to_owned())
    }
}

impl RoleName {
    /// The role that runs the company's account: everything.
    pub const OWNER: &'static str = "owner";

    /// The role of those who read reports; settings are closed (requirement S3).
    pub const USER: &'static str = "user";

    /// The role [`Self::OWNER`].
    pub fn owner() -> Self {
        Self(Self::OWNER.to_owned())
    }

    /// The role [`Self::USER`].
    pub fn user() -> Self {
        Self(Self::USER.to_owned())
    }

    /// True for the role that runs the company's account.
    pub fn is_owner(&self) -> bool {
        self.as_str() == Self::OWNER
    }
}

fn word(text: &str) -> Result<String, ValueError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if (1..=40).contains(&text.len()) && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err(ValueError("must be 1 to 40 of a-z, 0-9, '-' and '_'".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_plain_word() {
        for good in [RoleName::OWNER, RoleName::USER, "sales-manager", "admin_lite", "a1"] {
            assert_eq!(good.parse::<RoleName>().unwrap().as_str(), good);
        }
        for bad in ["", "*", "Owner", "sales manager", "admin:lite", "requests.read", &"a".repeat(41)] {
            assert!(bad.parse::<RoleName>().is_err(), "{bad}");
        }
    }
}
