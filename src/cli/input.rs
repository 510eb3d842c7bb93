//! Values of options as people write them, understood all at once, and the names that tenants and aggregates go by.

use std::fmt::Display;
use std::str::FromStr;

use application::AppError;
use domain::FieldError;
use domain::events::CATALOGUE;
use domain::ids::TenantId;
use domain::values::Slug;
use infrastructure::event_store::{AggregateKey, LogQuery};
use uuid::Uuid;

use super::CliError;

/// Who looks at a list where nobody says. Looking records nothing.
pub(super) const READER: &str = "terminal";

/// Values of options on their way to being understood, and what is wrong with those that were not.
#[derive(Default)]
pub(super) struct Input {
    wrong: Vec<FieldError>,
}

impl Input {
    /// What the value means; none where it is absent, or wrong and so remembered.
    pub(super) fn read<T, E: Display>(
        &mut self,
        option: &str,
        text: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = text?;
        parse(text).map_err(|error| self.wrong.push(FieldError::new(option, format!("{text:?}: {error}")))).ok()
    }

    /// Remembers what is wrong with an option.
    pub(super) fn refuse(&mut self, option: &str, why: &str) {
        self.wrong.push(FieldError::new(option, why));
    }

    /// A number from 1 to `most`.
    pub(super) fn number(&mut self, option: &str, text: &str, most: i64) -> i64 {
        let parse = |text: &str| match text.parse() {
            Ok(number) if (1..=most).contains(&number) => Ok(number),
            _ => Err(format!("must be a whole number from 1 to {most}")),
        };
        self.read(option, Some(text), parse).unwrap_or(1)
    }

    /// The request, if all of it was understood.
    pub(super) fn finish<T>(self, request: T) -> Result<T, AppError> {
        if self.wrong.is_empty() { Ok(request) } else { Err(AppError::invalid(self.wrong)) }
    }
}

/// A tenant as people name it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TenantRef {
    /// By its id.
    Id(TenantId),
    /// By its slug.
    Slug(Slug),
}

impl FromStr for TenantRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(id) = Uuid::parse_str(text) {
            return Ok(Self::Id(id.into()));
        }
        text.parse().map(Self::Slug).map_err(|error| format!("is no id, and as a slug it {error}"))
    }
}

impl TenantRef {
    /// Whose name it is; the log knows.
    pub(super) async fn resolve(tenant: Option<Self>, query: &LogQuery) -> Result<Option<TenantId>, CliError> {
        match tenant {
            None => Ok(None),
            Some(Self::Id(id)) => Ok(Some(id)),
            Some(Self::Slug(slug)) => query.tenant_with(&slug).await?.map(Some).ok_or_else(|| {
                AppError::invalid(vec![FieldError::new("--tenant", format!("no tenant has the slug {slug}"))]).into()
            }),
        }
    }
}

/// A type and, behind a colon, an id.
pub(super) fn aggregate(text: &str) -> Result<(String, Option<String>), String> {
    let (name, id) = text.split_once(':').map_or((text, None), |(name, id)| (name, Some(id)));
    if !CATALOGUE.iter().any(|(known, _)| *known == name) {
        let known: Vec<&str> = CATALOGUE.iter().map(|(known, _)| *known).collect();
        return Err(format!("the type must be one of {}", known.join(", ")));
    }
    match id {
        Some("") => Err("an id must follow the colon".into()),
        id => Ok((name.to_owned(), id.map(str::to_owned))),
    }
}

/// One aggregate, as TYPE:ID.
pub(super) fn one_aggregate(text: &str) -> Result<AggregateKey, String> {
    match aggregate(text)? {
        (name, Some(id)) => Ok(AggregateKey::new(name, id)),
        (_, None) => Err("must name one aggregate, as TYPE:ID".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aggregates_are_a_type_or_one_of_it() {
        assert_eq!(aggregate("job_run"), Ok(("job_run".into(), None)));
        assert_eq!(aggregate("job_run:7"), Ok(("job_run".into(), Some("7".into()))));
        assert_eq!(one_aggregate("job_run:7"), Ok(AggregateKey::new("job_run", "7")));
        for text in ["", ":7", "job_run:", "JobRun", "note:1"] {
            assert!(aggregate(text).is_err(), "{text}");
            assert!(one_aggregate(text).is_err(), "{text}");
        }
        assert!(one_aggregate("job_run").is_err(), "which one?");
    }

    #[test]
    fn tenants_go_by_id_or_slug() {
        let id = "0197b1c0-5f6e-7c3a-9d55-2f6c1a7e4b13";
        assert_eq!(id.parse(), Ok(TenantRef::Id(Uuid::parse_str(id).unwrap().into())));
        assert_eq!("acme".parse(), Ok(TenantRef::Slug("acme".parse().unwrap())));
        assert!("A B".parse::<TenantRef>().is_err());
    }
}
