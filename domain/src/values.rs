//! Values that are parsed once, at the edge; nobody behind it sees a raw string.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

/// Why a text is not the value it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(pub String);

/// Data about a person. It cannot be printed by accident, and marks the fields of events that erasure must reach.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    /// Marks a value as personal.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for those who may see it.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

macro_rules! text_value {
    ($(#[$doc:meta])* $name:ident, $parse:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ValueError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let parse: fn(&str) -> Result<String, ValueError> = $parse;
                parse(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = ValueError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

pub(crate) use text_value;

text_value! {
    /// The short name of a tenant in addresses: 3 to 40 of `a-z 0-9 -`, with a letter or digit at both ends.
    Slug, parse_slug
}
text_value! {
    /// An e-mail address in lower case, as it is compared.
    Email, parse_email
}
text_value! {
    /// A name that people read: 1 to 200 characters on one line.
    DisplayName, parse_display_name
}
text_value! {
    /// The root of a provider's API: absolute `http` or `https`, no user, query or fragment, no slash at the end.
    BaseUrl, parse_base_url
}
text_value! {
    /// A phone number in E.164: `+` and 8 to 15 digits (ITU-T E.164).
    Phone, parse_phone
}
text_value! {
    /// The name under which staged data is found: 64 hexadecimal digits.
    ContentHash, parse_content_hash
}
text_value! {
    /// The frozen name of a read model: 1 to 40 of `a-z _`.
    ReadModelName, parse_read_model_name
}
text_value! {
    /// Why someone did something, for those who read the audit: 1 to 500 characters on one line.
    Reason, parse_reason
}

fn parse_slug(text: &str) -> Result<String, ValueError> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let edge = |c: Option<char>| c.is_some_and(|c| c != '-');
    let fits = (3..=40).contains(&text.len())
        && text.chars().all(inner)
        && edge(text.chars().next())
        && edge(text.chars().last());
    if fits {
        Ok(text.to_owned())
    } else {
        Err(ValueError("must be 3 to 40 characters of a-z, 0-9 and '-', not starting or ending with '-'".into()))
    }
}

fn parse_email(text: &str) -> Result<String, ValueError> {
    let text = text.trim().to_lowercase();
    let plain = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '@');
    match text.rsplit_once('@') {
        Some((local, host)) if plain(local) && plain(host) && host.contains('.') && text.len() <= 254 => Ok(text),
        _ => Err(ValueError("must be an e-mail address such as name@company.example".into())),
    }
}

fn parse_display_name(text: &str) -> Result<String, ValueError> {
    let text = text.trim();
    if (1..=200).contains(&text.chars().count()) && !text.contains(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(ValueError("must be 1 to 200 characters on one line".into()))
    }
}

fn parse_read_model_name(text: &str) -> Result<String, ValueError> {
    if (1..=40).contains(&text.len()) && text.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
        Ok(text.to_owned())
    } else {
        Err(ValueError("must be 1 to 40 of a-z and '_'".into()))
    }
}

fn parse_reason(text: &str) -> Result<String, ValueError> {
    let text = text.trim();
    if (1..=500).contains(&text.chars().count()) && !text.contains(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(ValueError("must be 1 to 500 characters on one line".into()))
    }
}

fn parse_base_url(text: &str) -> Result<String, ValueError> {
    let bad = |why: &str| ValueError(format!("{why}; expected an address such as https://api.company.example"));
    let url = Url::parse(text.trim()).map_err(|_| bad("is not a web address"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(bad("must start with https:// or http://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("must not hold a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("must not hold a query or fragment"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn parse_phone(text: &str) -> Result<String, ValueError> {
    let digits = text.strip_prefix('+').unwrap_or_default();
    if (8..=15).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err(ValueError("must be a phone number in E.164 such as +12015550100".into()))
    }
}

fn parse_content_hash(text: &str) -> Result<String, ValueError> {
    if text.len() == 64 && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')) {
        Ok(text.to_owned())
    } else {
        Err(ValueError("must be 64 lower-case hexadecimal digits".into()))
    }
}

/// The languages that Synkro speaks to people and recognises in dialogues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[serde(rename = "en")]
    English,
    /// Russian.
    #[serde(rename = "ru")]
    Russian,
}

impl Language {
    /// ISO 639-1 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_address_safe() {
        for good in ["acme", "a-1", "demo-7f3a"] {
            assert_eq!(good.parse::<Slug>().unwrap().as_str(), good);
        }
        for bad in ["", "ab", "Acme", "-acme", "acme-", "ac me", &"a".repeat(41)] {
            assert!(bad.parse::<Slug>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_email_is_compared_in_lower_case() {
        assert_eq!(" Ann@Acme.Example ".parse::<Email>().unwrap().as_str(), "ann@acme.example");
        for bad in ["", "ann", "ann@", "@acme.example", "a b@acme.example", "ann@acme"] {
            assert!(bad.parse::<Email>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_base_url_holds_no_credentials_and_no_trailing_slash() {
        assert_eq!("https://x.example/v2/".parse::<BaseUrl>().unwrap().as_str(), "https://x.example/v2");
        for bad in ["x.example", "ftp://x.example", "https://u:p@x.example", "https://x.example/?key=1"] {
            assert!(bad.parse::<BaseUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_reason_is_one_line_of_text() {
        assert_eq!(" Rows were lost. ".parse::<Reason>().unwrap().as_str(), "Rows were lost.");
        for bad in ["", "  ", "a\nb", &"a".repeat(501)] {
            assert!(bad.parse::<Reason>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_read_models_name_is_plain() {
        assert!("audit_entries".parse::<ReadModelName>().is_ok());
        for bad in ["", "Users", "users;", &"a".repeat(41)] {
            assert!(bad.parse::<ReadModelName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_phone_is_e164() {
        assert!("+12015550100".parse::<Phone>().is_ok());
        for bad in ["12015550100", "+1201", "+1201555010a", "+1234567890123456"] {
            assert!(bad.parse::<Phone>().is_err(), "{bad}");
        }
    }

    #[test]
    fn personal_data_is_not_printed() {
        assert_eq!(format!("{:?}", Personal::new("Ann")), "***");
    }
}
